"""Files put to a draft from the composer: uploaded before the message is sent, and taken off again."""

import asyncio
import mimetypes

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui.pages.commands import ticket_id
from agent_ui.raster import HEAD_BYTES, raster_type
from channels.chat.uploads import file_name
from contact_center.accounts.web import person_of
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tickets import draft_files
from tickets.inbound import StoredFile


async def attach(request: Request) -> Response:
    """Take the raw bytes of one file (`x-file-name`, `?mode=reply|note`) and put it to the person's draft."""
    held, person = services(request), await person_of(request)
    name = file_name(request.headers.get("x-file-name", ""))
    data = await request.body()
    draft_files.check_file(name, len(data))
    digest = await asyncio.to_thread(held.files.put, data)
    file = StoredFile(digest, name, type_of(name, data), len(data))
    mode = request.query_params.get("mode", draft_files.REPLY)
    file_id = await held.db.write(draft_files.attach, ticket_id(request), person.id, mode, file, now=utcnow())
    return JSONResponse({"id": file_id, "name": name, "size": len(data)}, status_code=201)


def type_of(name: str, data: bytes) -> str:
    """The type by which the file leaves: a picture's by its bytes, others' by their ending, never as claimed."""
    return raster_type(data[:HEAD_BYTES]) or mimetypes.guess_type(name, strict=True)[0] or "application/octet-stream"


async def remove(request: Request) -> Response:
    """Take a file off the draft."""
    person = await person_of(request)
    file_id = request.path_params["file_id"]
    await services(request).db.write(draft_files.remove, ticket_id(request), file_id, user_id=person.id)
    return Response(status_code=204)
