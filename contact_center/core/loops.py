"""Loops: the only place that sleeps. A loop is woken by a poke and, as a safety net, by its interval."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

import structlog

from contact_center.core.metrics import LOOP_FAILURES

log = structlog.get_logger()

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0

Step = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Loop:
    """`step` does a bounded piece of work and returns True for "again at once"."""

    name: str
    step: Step
    interval: float
    wakes_on: frozenset[str] = frozenset()
    # Gives back what the step holds open (servers, connections, child processes) when the loop ends.
    close: Callable[[], Awaitable[None]] | None = None
    # So long the loop lies still after a step (seconds), so that what comes meanwhile is done together.
    rest: float = 0.0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    # How often in a row the step has raised; the system page shows it.
    failures: int = 0

    def poke(self, topics: set[str]) -> None:
        """Wake the loop if one of the topics is its own."""
        if not self.wakes_on.isdisjoint(topics):
            self.wake.set()


async def sleep(seconds: float) -> None:
    """Pause the calling task."""
    await asyncio.sleep(seconds)


async def run_loop(loop: Loop, stopping: asyncio.Event) -> None:
    """Run until `stopping`; an error is logged and retried with back-off, it never ends the loop."""
    try:
        await _run(loop, stopping)
    finally:
        if loop.close is not None:
            await loop.close()


async def _run(loop: Loop, stopping: asyncio.Event) -> None:
    while True:
        loop.wake.clear()
        # After the clearing: whoever stops us sets both.
        if stopping.is_set():
            return
        try:
            again = await loop.step()
            loop.failures = 0
        except asyncio.CancelledError:
            raise
        except Exception:
            loop.failures += 1
            LOOP_FAILURES.labels(loop.name).inc()
            log.exception("loop.failed", loop=loop.name, failures=loop.failures)
            pause = min(FIRST_PAUSE * 2**loop.failures, LONGEST_PAUSE) * random.uniform(0.5, 1.5)
            await _first_of(stopping, pause)
            continue
        if not again:
            if loop.rest:
                await _first_of(stopping, loop.rest)
            await _wait(loop)


async def _wait(loop: Loop) -> None:
    """Until the loop is woken; stopping wakes it too."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(loop.interval):
            await loop.wake.wait()


async def _first_of(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


class Supervisor:
    """Runs loops as tasks and stops them gracefully."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self.loops = list(loops)
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every loop that does not run."""
        running = {task.get_name() for task in self._tasks}
        self._tasks += [
            asyncio.create_task(run_loop(loop, self._stopping), name=name)
            for loop in self.loops
            if (name := f"loop:{loop.name}") not in running
        ]

    def poke(self, topics: set[str]) -> None:
        for loop in self.loops:
            loop.poke(topics)

    def poke_all(self) -> None:
        for loop in self.loops:
            loop.wake.set()

    def kill(self, *, spared: Collection[str] = ()) -> list[str]:
        """Cancel loops in the middle of their step, as a crash would; their names. `start` begins them anew."""
        kept = {f"loop:{name}" for name in spared}
        killed = [task for task in self._tasks if task.get_name() not in kept]
        for task in killed:
            task.cancel()
        self._tasks = [task for task in self._tasks if task.get_name() in kept]
        return [task.get_name().removeprefix("loop:") for task in killed]

    async def stop(self, *, grace: float = 10.0) -> None:
        """Let every step end; cancel what takes longer than `grace` seconds."""
        self._stopping.set()
        self.poke_all()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                log.warning("loop.cancelled", loop=task.get_name())
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
