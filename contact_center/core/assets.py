"""Static files with the digest of their content in the address, so that browsers may keep them for ever."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

DIGEST_LENGTH = 10
FOR_EVER = b"public, max-age=31536000, immutable"


class Assets:
    """A folder of static files served under `prefix`."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder = folder
        self.prefix = prefix
        self.url = cache(self._url)
        self._files = StaticFiles(directory=folder)

    def _url(self, name: str) -> str:
        digest = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()[:DIGEST_LENGTH]
        return f"{self.prefix}/{name}?v={digest}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        versioned = scope.get("query_string", b"").startswith(b"v=")

        async def with_cache(message: Message) -> None:
            if versioned and message["type"] == "http.response.start" and message["status"] in (200, 304):
                headers = [(k, v) for k, v in message["headers"] if k.lower() != b"cache-control"]
                message["headers"] = [*headers, (b"cache-control", FOR_EVER)]
            await send(message)

        await self._files(scope, receive, with_cache)
