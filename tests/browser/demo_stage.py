"""The demo itself for browser tests: the real command's parts with a small shop, as a child process.

`python -m tests.browser.demo_stage FOLDER PORT` seeds and serves it, paused: nobody but the test acts.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from contact_center import migrate
from contact_center.core import logs
from contact_center.core.clock import utcnow
from contact_center.core.settings import Settings
from contact_center.demo import mark, seed, server
from contact_center.demo.month import Scale

SMALL = Scale(customers=24, days=2, tickets=10, today=6)
START_SECONDS = 120


def serve(folder: Path, port: int) -> None:
    settings = Settings(data_dir=folder, port=port)
    logs.configure("warning", "text")
    migrate.run(settings.database, migrate.upgrade)
    if migrate.run(settings.database, mark.read) is None:
        seed.fill(settings, now=utcnow(), scale=SMALL, report=lambda share, text: None)
        migrate.run(settings.database, lambda tx: mark.write(tx, pace="pause"))
    server.serve(settings)


@dataclass
class DemoStage:
    """A running demo: its port, and addresses under the doors' host names."""

    port: int

    def at(self, host: str, path: str = "/") -> str:
        """An address: `at("agent", "/inbox")`; the doors' page is `at("")`."""
        return f"http://{host}.localhost:{self.port}{path}" if host else f"http://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def open_demo(folder: Path) -> Iterator[DemoStage]:
    """The demo, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [sys.executable, "-m", "tests.browser.demo_stage", str(folder), str(port)]
    with (folder / "demo.log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(child, port, folder / "demo.log")
        yield DemoStage(port)
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def _wait(child: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.1)
            raise AssertionError(log.read_text())
    raise AssertionError("the demo did not start")


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
