"""A stand-in for clamd: speaks INSTREAM as the daemon does, finds EICAR, has a size limit, and breaks on demand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

# Written in two, so that no scanner takes this file for the test file itself.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD" + b"-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Win.Test.EICAR_HDB-1"


@dataclass
class Clamd:
    """`mode`: well, cut (closes in the middle), garbled; `asked` are the bytes of each scan."""

    limit: int = 1_000_000
    mode: str = "well"
    asked: list[bytes] = field(default_factory=list)
    address: str = ""
    version: str = "ClamAV 1.4.3"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(reader)
            if answer is not None:
                writer.write(answer + b"\0")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes | None:
        command = await reader.readuntil(b"\0")
        if command == b"zVERSION\0":
            return self.version.encode()
        assert command == b"zINSTREAM\0"
        data = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            data += await reader.readexactly(size)
            if self.mode == "cut":
                return None
            if len(data) > self.limit:
                return b"INSTREAM size limit exceeded. ERROR"
        self.asked.append(data)
        if self.mode == "garbled":
            return b"UNKNOWN COMMAND"
        return b"stream: " + (NAME.encode() + b" FOUND" if EICAR in data else b"OK")


@contextlib.asynccontextmanager
async def clamd(path: str = "") -> AsyncIterator[Clamd]:
    """A running daemon, on a TCP port or on a socket at `path`."""
    found = Clamd()
    if path:
        server = await asyncio.start_unix_server(found.serve, path)
        found.address = path
    else:
        server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
        found.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield found
