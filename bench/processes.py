"""Servers of the bench: real processes on a core of their own, checked to be the ones that listen."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine

BIN = Path(sys.executable).parent
START_SECONDS = 60.0
STOP_SECONDS = 15.0


@dataclass
class Server:
    """A running server process."""

    process: asyncio.subprocess.Process
    port: int
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """CPU seconds so far."""
        return machine.cpu_seconds([self.pid])

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


@contextlib.asynccontextmanager
async def started(
    command: Sequence[str],
    *,
    folder: Path,
    core: int | None,
    port: int = 0,
    ready: str = "",
    variables: Mapping[str, str] = {},
) -> AsyncIterator[Server]:
    """A process, from the moment it serves until it has ended.

    `port`: it is ready when it listens there itself; else when `ready` is in its output. `core` None: any core.
    """
    cores = {core} if core is not None else set(machine.CORES)
    with tempfile.NamedTemporaryFile("wb", dir=folder, suffix=".log", delete=False) as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**_clean(), **variables},
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
        )
    # It has no other thread yet, and later ones inherit this.
    os.sched_setaffinity(process.pid, cores)
    server = Server(process, port, Path(out.name))
    try:
        await _until_ready(server, ready)
        yield server
    finally:
        await _stop(process)


def _clean() -> dict[str, str]:
    """Our environment without anybody's settings of the product, and with this tree's code first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_CENTER_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parent.parent)}


async def _until_ready(server: Server, ready: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            if server.process.returncode is not None:
                raise SystemExit(f"bench: a server ended at once:\n{server.last_words()}")
            if machine.listens(server.pid, server.port) if server.port else ready in server.last_words():
                return
            await asyncio.sleep(0.05)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this tree."""
    return [sys.executable, "-m", module, *arguments]


def product(*arguments: str) -> list[str]:
    """The command `contact-center …`, as an operator starts it."""
    return [str(BIN / "contact-center"), *arguments]
