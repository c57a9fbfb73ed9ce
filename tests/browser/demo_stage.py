"""The demo itself for browser tests: the real command's parts with a small shop, as a child process.

`serve` seeds and serves it, paused: nobody but the test acts.
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import httpx2

from contact_center import migrate
from contact_center.core import logs
from contact_center.core.clock import utcnow
from contact_center.core.outbound import trust
from contact_center.core.settings import Settings
from contact_center.demo import mark, seed, server
from contact_center.demo.month import Scale
from tests.browser import children

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
    log = folder / "demo.log"
    child = children.start(serve, folder, port, log=log)
    try:
        _wait(child, port, log)
        yield DemoStage(port)
    finally:
        children.stop(child)


def _wait(child: ForkServerProcess, port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"http://127.0.0.1:{port}/readyz", verify=trust(), timeout=2).status_code == 200:
                return
        child.join(0.05)
        assert child.exitcode is None, log.read_text()
    raise AssertionError("the demo did not start")
