"""Child processes of browser tests, forked from one process that has loaded the product: one for each worker of pytest.

Loading takes three seconds of CPU and a floor is started for every module. Nothing is shared but what was imported:
each child has its own database, folder, port and loops, and ends by real signals.
"""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any


def _context() -> ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(["tests.browser.loaded"])
    return found


_CONTEXT = _context()


def start(serve: Callable[..., None], *arguments: Any, log: Path) -> ForkServerProcess:
    """Call a module's function in a process of its own; what it prints goes to the end of the log."""
    child = _CONTEXT.Process(target=_run, args=(serve, arguments, log), daemon=True)
    child.start()
    return child


def stop(child: ForkServerProcess, seconds: float = 15) -> None:
    """Ask it to end, and make it end after so many seconds."""
    child.terminate()
    child.join(seconds)
    if child.is_alive():
        child.kill()
        child.join()


def _run(serve: Callable[..., None], arguments: tuple[Any, ...], log: Path) -> None:
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    # Each child has a database file of its own, wherever the person who runs the tests keeps theirs.
    os.environ.pop("DATABASE_URL", None)
    serve(*arguments)
