"""Pictures of mails, for frames that have neither our cookies nor an origin: signed addresses of our own.

What lies elsewhere is fetched by us, so that its server learns neither who reads the mail nor from where. Only
addresses that a signed-in person's page was given work, and only for an hour: this is no open relay.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent_ui.raster import HEAD_BYTES, raster_type
from channels.email.sanitize import framed, with_pictures
from channels.scanning import admit
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core import outbound
from contact_center.core.errors import NotFound
from contact_center.core.outbound import CannotFetch, Fetched
from contact_center.core.secrets import BadToken, Vault
from contact_center.core.services import services
from tickets.models import Attachment, Message

log = structlog.get_logger()

PURPOSE = "mail-picture"
VALID_SECONDS = 3600
MOST_BYTES = 5 * 1024 * 1024
SHEET = "sandbox; default-src 'none'"
# Links open in a new tab outside of the frame; nothing else gets out, and only our own pictures come in.
FRAME = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self' {origin} data:; "
FRAME += "style-src 'unsafe-inline'; frame-ancestors 'self'"

Fetch = Callable[..., Awaitable[Fetched]]


def routes(fetch: Fetch = outbound.fetch) -> list[Route]:
    """The mail as it was sent, and its pictures; `fetch` goes and gets what lies elsewhere."""

    async def picture(request: Request) -> Response:
        return await _picture(request, fetch)

    return [
        Route("/messages/{message_id:int}/original", signed_in(original, Permission.VIEW_TICKETS), methods=["GET"]),
        Route("/pictures/{token}", picture, methods=["GET"]),
    ]


async def original(request: Request) -> Response:
    """A mail as it was sent, for a sandboxed frame; pictures from elsewhere only with `?images=1`."""
    held = services(request)
    html, files = await held.db.read(_mail, request.path_params["message_id"])
    wanted = request.query_params.get("images") == "1"

    def inline(content_id: str) -> str | None:
        return address_of(held.vault, {"file": files[content_id]}) if content_id in files else None

    def remote(url: str) -> str:
        return address_of(held.vault, {"url": url})

    page = framed(with_pictures(html, inline=inline, remote=remote if wanted else None))
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return HTMLResponse(
        page,
        headers={
            "content-security-policy": FRAME.format(origin=origin),
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
            "cache-control": "private, no-store",
        },
    )


def address_of(vault: Vault, what: Mapping[str, Any]) -> str:
    """The signed address of one picture: {"url": …} elsewhere or {"file": id} of an attachment."""
    return f"/pictures/{vault.sign(PURPOSE, dict(what))}"


async def _picture(request: Request, fetch: Fetch) -> Response:
    """One picture behind a signed address; 404 for everything that is none."""
    held = services(request)
    try:
        what = held.vault.verify(PURPOSE, request.path_params["token"], max_age=VALID_SECONDS)
    except BadToken:
        raise NotFound("There is no such picture.") from None
    if "file" in what:
        digest = await held.db.read(_digest, what["file"])
        await admit(held, digest)
        data = await asyncio.to_thread(_stored, held.files.path(digest))
    else:
        try:
            data = (await fetch(what["url"], most_bytes=MOST_BYTES)).data
        except CannotFetch as error:
            log.info("picture.refused", url=what["url"][:200], why=str(error)[:200])
            raise NotFound("There is no such picture.") from None
    kind = raster_type(data[:HEAD_BYTES])
    if kind is None:
        raise NotFound("There is no such picture.")
    headers = {
        "content-security-policy": SHEET,
        # The frame has an origin of its own, which no other page has.
        "cross-origin-resource-policy": "cross-origin",
        "cache-control": f"private, max-age={VALID_SECONDS}",
        "referrer-policy": "no-referrer",
    }
    return Response(data, media_type=kind, headers=headers)


def _stored(path: Any) -> bytes:
    try:
        data: bytes = path.read_bytes()
    except FileNotFoundError:
        raise NotFound("This file is no longer here.") from None
    return data


def _mail(tx: Connection, message_id: int) -> tuple[str, dict[str, int]]:
    """The mail's sanitised HTML, and its own pictures by content id."""
    html = tx.execute(select(Message.html).where(Message.id == message_id)).scalar_one_or_none()
    if not html:
        raise NotFound("There is no such message.")
    rows = tx.execute(
        select(Attachment.id, Attachment.content_id).where(
            Attachment.message_id == message_id, Attachment.content_id.is_not(None)
        )
    )
    return str(html), {str(row.content_id).strip("<>"): row.id for row in rows}


def _digest(tx: Connection, file_id: int) -> str:
    digest = tx.execute(select(Attachment.digest).where(Attachment.id == file_id)).scalar_one_or_none()
    if digest is None:
        raise NotFound("This file is no longer here.")
    return str(digest)
