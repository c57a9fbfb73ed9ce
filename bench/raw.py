"""The limits for WebSockets: a raw uvloop server that frames by hand, and a bare server of the kind that we run.

`python -m bench.raw wire PORT`: echoes every text; the text `fan <n>` of any socket sends one ready frame of n bytes
to all other sockets. `python -m bench.raw bare PORT`: uvicorn with an application that accepts and waits.
"""

import asyncio
import base64
import hashlib
import sys
from functools import cache
from typing import Any

import uvicorn
import uvloop

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@cache
def ready_frame(size: int) -> bytes:
    """A text frame whose payload has `size` bytes."""
    return framed(b"x" * size)


def framed(payload: bytes) -> bytes:
    """A server's text frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Wire(asyncio.Protocol):
    """One socket of the raw server; its clients mask with zeros, so that there is nothing to unmask."""

    everybody: set["Wire"] = set()

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.buffer = b""
        self.open = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.everybody.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open:
            self._shake_hands()
            return
        while len(self.buffer) >= 6:
            size, start = self.buffer[1] & 0x7F, 6
            if size == 126:
                size, start = int.from_bytes(self.buffer[2:4], "big"), 8
            if len(self.buffer) < start + size:
                return
            text, self.buffer = self.buffer[start : start + size], self.buffer[start + size :]
            self._said(text)

    def _shake_hands(self) -> None:
        head, end, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if not end:
            self.buffer = head
            return
        given = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: "))[19:]
        accept = base64.b64encode(hashlib.sha1(given + GUID).digest())
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        self.open = True
        self.everybody.add(self)

    def _said(self, text: bytes) -> None:
        if text.startswith(b"fan "):
            frame = ready_frame(int(text[4:]))
            for one in self.everybody:
                if one is not self:
                    one.transport.write(frame)
        else:
            self.transport.write(framed(text))


async def wire(port: int) -> None:
    """Serve the raw protocol for ever."""
    server = await asyncio.get_running_loop().create_server(Wire, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that accepts a WebSocket and waits until it goes."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def main(kind: str, port: int) -> None:
    """Run one of the two."""
    if kind == "wire":
        uvloop.run(wire(port))
    else:
        uvicorn.run(
            bare,
            host="127.0.0.1",
            port=port,
            log_config=None,
            access_log=False,
            ws="websockets-sansio",
            ws_per_message_deflate=False,
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
