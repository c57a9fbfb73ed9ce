"""A light WebSocket client: hundreds of them must cost the client's core next to nothing."""

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Any, Self

import orjson

PING, PONG, CLOSE, TEXT = 0x9, 0xA, 0x8, 0x1
HANDSHAKE_SECONDS = 20.0


class Line(asyncio.Protocol):
    """One connection; `on_text` gets the payload of every text frame as soon as it is there."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self.on_text = on_text
        self.transport: asyncio.Transport
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.frames = 0
        self._buffer = bytearray()
        self._shaken = False

    @classmethod
    async def open(
        cls, port: int, path: str, on_text: Callable[[bytes], None] = lambda text: None, **headers: str
    ) -> Self:
        """Connect and shake hands; ConnectionError when the server refuses."""
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: cls(on_text), "127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        line.transport.write(
            (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
                f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\n{more}\r\n"
            ).encode()
        )
        await asyncio.wait_for(line.opened, HANDSHAKE_SECONDS)
        return line

    def send(self, value: Any) -> None:
        """Send an object as a JSON text."""
        self.send_text(orjson.dumps(value))

    def send_text(self, text: bytes) -> None:
        self._write(TEXT, text)

    def close(self) -> None:
        self.transport.close()

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
        # A mask of zeros is a legal mask, and leaves the payload as it is.
        self.transport.write(head + b"\0\0\0\0" + payload)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the server hung up during the handshake"))
        if not self.closed.done():
            self.closed.set_result(1006)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._shaken and not self._hands_shaken():
            return
        while (size := len(buffer)) >= 2:
            length, start = buffer[1], 2
            if length == 126:
                length, start = int.from_bytes(buffer[2:4], "big"), 4
            elif length == 127:
                length, start = int.from_bytes(buffer[2:10], "big"), 10
            if size < start + length:
                return
            first, payload = buffer[0], bytes(buffer[start : start + length])
            del buffer[: start + length]
            self._frame(first & 0x0F, payload)

    def _hands_shaken(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status = bytes(self._buffer[9:12])
        del self._buffer[: end + 4]
        self._shaken = True
        if status == b"101":
            self.opened.set_result(None)
        else:
            self.opened.set_exception(ConnectionError(f"the handshake was answered by {status.decode()}"))
        return True

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.frames += 1
            self.on_text(payload)
        elif opcode == PING:
            self._write(PONG, payload)
        elif opcode == CLOSE:
            if not self.closed.done():
                self.closed.set_result(int.from_bytes(payload[:2], "big"))
            self.transport.close()
