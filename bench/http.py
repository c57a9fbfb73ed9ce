"""A light HTTP client: one connection that is kept alive, one request at a time."""

import asyncio
import time
from typing import Any, Self
from urllib.parse import urlencode

PATIENCE = 30.0
# Servers close a connection that was silent for five seconds; a request must not meet that moment.
IDLE_SECONDS = 3.0


class Http(asyncio.Protocol):
    """One connection to a server of ours; answers have a Content-Length."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.port = 0
        self._buffer = b""
        self._used_at = 0.0
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        found = cls()
        found.port = port
        await found.connect()
        return found

    async def connect(self) -> None:
        """Open the connection, or open it again."""
        self._buffer = b""
        self._used_at = time.perf_counter()
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)

    async def raw(self, request: bytes) -> tuple[int, bytes]:
        """Send a ready request; (status, body)."""
        if self.transport.is_closing() or time.perf_counter() - self._used_at > IDLE_SECONDS:
            self.transport.close()
            await self.connect()
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        answer = await asyncio.wait_for(self._answer, PATIENCE)
        self._used_at = time.perf_counter()
        return answer

    async def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        return await self.raw(request("GET", path, self.port, headers))

    async def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, bytes]:
        """Post a form as our own pages do."""
        given = {"origin": f"http://127.0.0.1:{self.port}", **headers}
        return await self.raw(request("POST", path, self.port, given, urlencode(form).encode()))

    def close(self) -> None:
        self.transport.close()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport.is_closing() and self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        _, found, rest = head.lower().partition(b"content-length: ")
        size = int(rest.split(b"\r\n", 1)[0]) if found else 0
        if len(body) >= size and self._answer is not None:
            self._buffer = body[size:]
            self._answer.set_result((int(head[9:12]), body[:size]))


def request(method: str, path: str, port: int, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")
