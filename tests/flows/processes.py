"""Real processes of the product, started as an operator would start them, with the very commands of the services."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx2

from contact_center.core.outbound import trust

BIN = Path(sys.executable).parent
START_SECONDS = 120


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """One process; `kill` is kill -9."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    async def stop(self) -> int:
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 20)


async def start(arguments: list[str], *, folder: Path, **variables: str) -> Running:
    """Start `contact-center …` with settings from the environment; its output goes to a file."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONTACT_CENTER_")}
    log = folder / f"{'-'.join(arguments)}-{free_port()}.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            str(BIN / "contact-center"),
            *arguments,
            cwd=folder,
            env={**clean, **{f"CONTACT_CENTER_{name.upper()}": value for name, value in variables.items()}},
            stdout=out,
            stderr=asyncio.subprocess.STDOUT,
        )
    return Running(process, log)


async def run(arguments: list[str], *, folder: Path, **variables: str) -> tuple[int, str]:
    """Run a verb to its end; (exit code, what it printed)."""
    running = await start(arguments, folder=folder, **variables)
    code = await asyncio.wait_for(running.process.wait(), START_SECONDS)
    return code, running.log.read_text()


async def ready(url: str, running: Running) -> None:
    """Wait until a web process serves."""
    async with httpx2.AsyncClient(verify=trust()) as client, asyncio.timeout(START_SECONDS):
        while True:
            if running.process.returncode is not None:
                raise AssertionError(f"it ended: {running.log.read_text()[-2000:]}")
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                await asyncio.sleep(0.1)


async def working(running: Running) -> None:
    """Wait until a worker runs its loops."""
    async with asyncio.timeout(START_SECONDS):
        while "worker.started" not in running.log.read_text():
            assert running.process.returncode is None, running.log.read_text()[-2000:]
            await asyncio.sleep(0.1)
