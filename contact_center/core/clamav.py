"""Asking a ClamAV daemon about a file, by its INSTREAM command over TCP or a Unix socket.

The stream is `zINSTREAM\\0`, then pieces with their length before them (4 bytes, big-endian), then a length of 0. The
answer is one line that ends with \\0. Anything but a clear answer is `ScannerDown`: a file is never passed by silence.
"""

import asyncio
import contextlib
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

PIECE = 64 * 1024
SECONDS = 60.0
DEFAULT_PORT = 3310
MAX_LINE = 1_000
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


def version(address: str, *, seconds: float = 3.0) -> str:
    """What the scanner says it is: `ClamAV 1.4.3/27800/Mon Nov  2 08:40:11 2026`, with its signatures' day.

    Raises ScannerDown.
    """
    try:
        with _line(address, seconds) as line:
            line.sendall(b"zVERSION\0")
            said = b""
            while b"\0" not in said and len(said) < MAX_LINE and (piece := line.recv(1024)):
                said += piece
    except (OSError, ValueError) as error:
        raise ScannerDown(str(error) or type(error).__name__) from error
    found = said.partition(b"\0")[0].decode("utf-8", "replace").strip()
    if not found.startswith("ClamAV"):
        raise ScannerDown(f"the scanner said {found[:200]!r}")
    return found


def signatures_of(version: str) -> datetime | None:
    """The day of the signatures that a version names; None where it names none."""
    try:
        return datetime.strptime(version.split("/")[2].strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except (IndexError, ValueError):
        return None


def _line(address: str, seconds: float) -> socket.socket:
    if not address.startswith("/"):
        return socket.create_connection(_place(address), timeout=seconds)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(seconds)
    try:
        line.connect(address)
    except OSError:
        line.close()
        raise
    return line


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
    return host.strip("[]"), int(port or DEFAULT_PORT)


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("/"):
        return await asyncio.open_unix_connection(address)
    return await asyncio.open_connection(*_place(address))


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
