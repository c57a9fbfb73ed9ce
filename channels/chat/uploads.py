"""Files that customers attach: taken before the message that refers to them, and given back by a signed address."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from urllib.parse import quote, unquote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from channels.chat import visits, widgets
from channels.chat.images import raster
from channels.chat.page import FILE_BYTES, FILE_TYPES
from channels.chat.rendering import RASTER_TYPES
from channels.chat.tokens import Tokens, Upload
from channels.scanning import admit
from contact_center.accounts import limits
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.files import FileStore
from contact_center.core.services import services
from tickets.inbound import StoredFile

UPLOADS = 60
WINDOW = timedelta(hours=1)
SHEET = "default-src 'none'; sandbox"


async def upload(request: Request) -> Response:
    """`POST /widget/{key}/files`: the raw bytes of one file, for the visit of the token."""
    held = services(request)
    tokens = Tokens.of(held.vault)
    key = request.path_params["key"]
    visit_id = tokens.visit_of(request.headers.get("authorization", "").removeprefix("Bearer "), key)
    if visit_id is None:
        raise Forbidden("This conversation cannot take files.")
    data = await request.body()
    kind, name = request.headers.get("content-type", ""), file_name(request.headers.get("x-file-name", ""))
    found = check(data, kind)
    account = await held.db.read(widgets.load, held.vault, key, now=utcnow())
    await held.db.write(allow, visit_id, account.account.id, now=utcnow())
    digest = await asyncio.to_thread(held.files.put, data)
    taken = Upload(digest, name, kind, len(data), *(found[1:] if found else (None, None)))
    answer = {"id": tokens.upload_id(visit_id, taken), "name": name, "type": kind, "size": len(data)}
    image = {"image": found is not None, "width": taken.width, "height": taken.height}
    url = f"/widget/{key}/files/{answer['id']}"
    return JSONResponse({**answer, **image, "url": url}, status_code=201)


def allow(tx: Connection, visit_id: int, account_id: int, *, now: datetime) -> None:
    """The visit exists and has not sent too many files; raises NotFound or TooMany."""
    visits.find(tx, visit_id, account_id)
    limits.enforce(tx, f"chat.upload:{visit_id}", limit=UPLOADS, window=WINDOW, now=now)


def check(data: bytes, kind: str) -> tuple[str, int, int] | None:
    """The image that the bytes are, if they claim to be one; raises Invalid for what may not be sent."""
    if not data:
        raise Invalid("The file is empty.", field="file")
    if len(data) > FILE_BYTES:
        raise Invalid("The file is too big.", field="file")
    if kind not in FILE_TYPES:
        raise Invalid("Files of this kind cannot be sent here.", field="file")
    found = raster(data)
    if kind in RASTER_TYPES and (found is None or found.type != kind):
        raise Invalid("This is not the picture that it claims to be.", field="file")
    return found if kind in RASTER_TYPES else None


def file_name(header: str) -> str:
    """A file name without folders or control characters, at most 120 characters."""
    name = PurePath(unquote(header, errors="replace").replace("\\", "/")).name
    clean = "".join(sign if sign.isprintable() else "_" for sign in name).strip(". ")
    stem, dot, ending = clean.rpartition(".")
    return (f"{stem[:110]}{dot}{ending[:9]}" if dot else clean[:120]) or "file"


def stored_files(tokens: Tokens, visit_id: int, ids: Sequence[str]) -> list[StoredFile] | None:
    """The uploads behind these ids; None if one is not an upload of this visit."""
    found = [tokens.upload_of(one, visit_id) for one in ids]
    files = [StoredFile(one.digest, one.name, one.type, one.size) for one in found if one is not None]
    return files if len(files) == len(found) else None


async def kept(store: FileStore, files: Sequence[StoredFile]) -> bool:
    """Whether all are still here, and will be until the message that names them is written.

    Most messages have none, and a thread's turn costs CPU and, in a busy process, a wait for the interpreter.
    """
    return not files or await asyncio.to_thread(lambda: all(store.keep(file.digest) for file in files))


async def download(request: Request) -> Response:
    """`GET /widget/{key}/files/{id}`: inline only if the bytes are a raster image, else as a download."""
    held = services(request)
    found = Tokens.of(held.vault).upload(request.path_params["id"])
    if found is None:
        raise NotFound("There is no such file.")
    await admit(held, found.digest)
    try:
        data = await asyncio.to_thread(held.files.get, found.digest)
    except FileNotFoundError:
        raise NotFound("There is no such file.") from None
    image = raster(data)
    disposition = "inline" if image else "attachment"
    headers = {
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(found.name)}",
        "Content-Security-Policy": SHEET,
        "Cache-Control": "private, max-age=86400, immutable",
        "Referrer-Policy": "no-referrer",
    }
    return Response(data, media_type=image.type if image else "application/octet-stream", headers=headers)
