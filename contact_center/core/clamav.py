"""Asking a ClamAV daemon about a file, by its INSTREAM command over TCP or a Unix socket.

The stream is `zINSTREAM\\0`, then pieces with their length before them (4 bytes, big-endian), then a length of 0. The
answer is one line that ends with \\0. Anything but a clear answer is `ScannerDown`: a file is never passed by silence.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PIECE = 64 * 1024
SECONDS = 60.0
DEFAULT_PORT = 3310
_FOUND = re.compile(r"stream: (.+) FOUND")


class Verdict(StrEnum):
    """What a scanner says of a file."""

    CLEAN = "clean"
    INFECTED = "infected"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Scanned:
    """A verdict; `virus` is the name of what was found."""

    verdict: Verdict
    virus: str = ""


class ScannerDown(Exception):
    """Nobody knows: the scanner is not reached, broke off, took too long, or said something else."""


async def scan(address: str, path: Path, *, seconds: float = SECONDS) -> Scanned:
    """What the scanner at `address` (host, host:port or the path of a socket) says of a file. Raises ScannerDown."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await _connect(address)
            try:
                return _meaning(await _ask(reader, writer, path))
            finally:
                writer.close()
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise ScannerDown(str(error) or type(error).__name__) from error


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("/"):
        return await asyncio.open_unix_connection(address)
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
    return await asyncio.open_connection(host.strip("[]"), int(port or DEFAULT_PORT))


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> str:
    # Listened to from the beginning: a scanner that has had enough answers and cuts the line while we still write.
    answer = asyncio.create_task(reader.readuntil(b"\0"))
    try:
        with contextlib.suppress(ConnectionError):
            await _stream(writer, path, answer)
        return (await answer).rstrip(b"\0\r\n ").decode("utf-8", "replace")
    finally:
        answer.cancel()


async def _stream(writer: asyncio.StreamWriter, path: Path, answer: asyncio.Task[bytes]) -> None:
    writer.write(b"zINSTREAM\0")
    with path.open("rb") as file:
        while not answer.done() and (piece := await asyncio.to_thread(file.read, PIECE)):
            writer.write(len(piece).to_bytes(4, "big") + piece)
            await writer.drain()
    if not answer.done():
        writer.write(bytes(4))
        await writer.drain()


def _meaning(answer: str) -> Scanned:
    if answer == "stream: OK":
        return Scanned(Verdict.CLEAN)
    if found := _FOUND.fullmatch(answer):
        return Scanned(Verdict.INFECTED, found[1][:200])
    if answer.startswith("INSTREAM size limit exceeded"):
        return Scanned(Verdict.TOO_LARGE)
    raise ScannerDown(f"the scanner said {answer[:200]!r}")
