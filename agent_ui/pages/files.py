"""Attachments: never run, never trusted, shown inline only when they are raster images or sound."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from agent_ui.assets import FOLDER
from agent_ui.raster import HEAD_BYTES, raster_type, sound_type
from channels.phone import listening
from channels.scanning import admit
from contact_center.accounts.web import person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from tickets.models import Attachment

SANDBOX = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"

FROM_THE_START = "bytes=0-"


async def favicon(request: Request) -> Response:
    """Our mark, for browsers that ask before any page has named it."""
    headers = {"cache-control": "public, max-age=86400"}
    return FileResponse(FOLDER / "static" / "mark.svg", media_type="image/svg+xml", headers=headers)


async def attachment(request: Request) -> Response:
    """The bytes of an attachment."""
    held = services(request)
    row = await held.db.read(_attachment, request.path_params["file_id"])
    await admit(held, row.digest)
    sound = row.content_type.startswith("audio/")
    if sound:
        await _listen(request, row.message_id)
    path = held.files.path(row.digest)
    if not path.exists():
        raise NotFound("This file is no longer here.")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = raster_type(head) or sound_type(head)
    return FileResponse(
        path,
        media_type=kind or "application/octet-stream",
        filename=row.filename,
        content_disposition_type="inline" if kind else "attachment",
        headers={
            "content-security-policy": SANDBOX,
            "cache-control": "no-store" if sound else "private, max-age=31536000, immutable",
            "cross-origin-resource-policy": "same-origin",
        },
    )


async def _listen(request: Request, message_id: int) -> None:
    """A recorded call is for those who may hear it; players ask for its parts, only the first one is a listen."""
    held = services(request)
    person = await person_of(request)
    recording_id = await held.db.read(listening.check, message_id, person)
    if recording_id is not None and request.headers.get("range", FROM_THE_START).startswith(FROM_THE_START):
        await held.db.write(listening.note, recording_id, user_id=person.id, now=utcnow())


def _attachment(tx: Connection, file_id: int) -> Any:
    row = tx.execute(select(Attachment.__table__).where(Attachment.id == file_id)).first()
    if row is None:
        raise NotFound("This file is no longer here.")
    return row
