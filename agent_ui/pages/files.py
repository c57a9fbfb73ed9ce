"""Attachments and original mails: never run, never trusted, shown inline only when they are raster images."""

from typing import Any

import puremagic
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from agent_ui.entries import RASTER
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from tickets.models import Attachment, Message

SANDBOX = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
# Links open in a new tab outside of the frame; nothing else gets out.
MAIL = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:{hosts}; "
MAIL += "style-src 'unsafe-inline'; frame-ancestors 'self'"
HEAD_BYTES = 4_096


async def attachment(request: Request) -> Response:
    """The bytes of an attachment."""
    held = services(request)
    row = await held.db.read(_attachment, request.path_params["file_id"])
    path = held.files.path(row.digest)
    if not path.exists():
        raise NotFound("This file is no longer here.")
    with path.open("rb") as file:
        kind = raster(file.read(HEAD_BYTES))
    return FileResponse(
        path,
        media_type=kind or "application/octet-stream",
        filename=row.filename,
        content_disposition_type="inline" if kind else "attachment",
        headers={
            "content-security-policy": SANDBOX,
            "cache-control": "private, max-age=31536000, immutable",
            "cross-origin-resource-policy": "same-origin",
        },
    )


def raster(head: bytes) -> str | None:
    """The type of a raster image by its own bytes, whatever the sender called it."""
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return None
    return found if found in RASTER else None


async def original(request: Request) -> Response:
    """A mail as it was sent, for a sandboxed frame; remote images only when asked for."""
    html = await services(request).db.read(_html, request.path_params["message_id"])
    hosts = " https:" if request.query_params.get("images") == "1" else ""
    return HTMLResponse(
        f'<!doctype html><meta charset="utf-8"><base target="_blank">{html}',
        headers={
            "content-security-policy": MAIL.format(hosts=hosts),
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
        },
    )


def _attachment(tx: Connection, file_id: int) -> Any:
    row = tx.execute(select(Attachment.__table__).where(Attachment.id == file_id)).first()
    if row is None:
        raise NotFound("This file is no longer here.")
    return row


def _html(tx: Connection, message_id: int) -> str:
    html = tx.execute(select(Message.html).where(Message.id == message_id)).scalar_one_or_none()
    if not html:
        raise NotFound("There is no such message.")
    return str(html)
