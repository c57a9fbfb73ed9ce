"""Static files with the digest of their content in the address, so that browsers may keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Message, Receive, Scope, Send

DIGEST_LENGTH = 10
FOR_EVER = b"public, max-age=31536000, immutable"


TYPES = {".css": "text/css", ".js": "text/javascript"}


def content(path: Path) -> bytes:
    """What is served as `path`: a file, or the files of a folder of that name, joined in the order of their names.

    So a long style sheet is one subject a file for those who read it, and one request for those who load it.
    """
    if path.is_file():
        return path.read_bytes()
    return b"".join(part.read_bytes() for part in sorted(path.iterdir()))


class Assets:
    """A folder of static files served under `prefix`."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder
        self.prefix = prefix
        self.url = cache(self._url)
        self._files = StaticFiles(directory=folder)
        self._joined = {
            str(path.relative_to(folder)): content(path)
            for path in folder.rglob("*")
            if path.is_dir() and path.suffix in TYPES
        }

    def _url(self, name: str) -> str:
        digest = hashlib.sha256(content(self.folder / name)).hexdigest()[:DIGEST_LENGTH]
        return f"{self.prefix}/{name}?v={digest}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        versioned = scope.get("query_string", b"").startswith(b"v=")

        async def with_cache(message: Message) -> None:
            if versioned and message["type"] == "http.response.start" and message["status"] in (200, 304):
                headers = [(k, v) for k, v in message["headers"] if k.lower() != b"cache-control"]
                message["headers"] = [*headers, (b"cache-control", FOR_EVER)]
            await send(message)

        name = self._files.get_path(scope)
        app = self._whole(name, Headers(scope=scope)) if name in self._joined else self._files
        await app(scope, receive, with_cache)

    def _whole(self, name: str, asked: Headers) -> Response:
        data = self._joined[name]
        headers = {"etag": f'"{hashlib.sha256(data).hexdigest()[:DIGEST_LENGTH]}"'}
        if asked.get("if-none-match") == headers["etag"]:
            return NotModifiedResponse(Headers(headers))
        return Response(data, media_type=TYPES[Path(name).suffix], headers=headers)
