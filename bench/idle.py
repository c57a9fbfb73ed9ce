"""G9: how many idle sockets with their state fit into one GiB, of customers and of agents; a bare server beside it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bench import desk, floor, machine
from bench.line import Line
from bench.processes import Server, python, started
from bench.stage import Bar, Scale, Slice, Stage

GIB = 2**30
AT_ONCE = 32

Opener = Callable[[int], Awaitable[Line]]


def per_gib(done: Slice) -> float:
    """Sockets that fit into one GiB of the server's private memory."""
    return done.units / done.figures["bytes"] * GIB


class Growth:
    """Opens more sockets in every slice and keeps them all open; memory given back would hide what they cost."""

    def __init__(self, server: Server, opener: Opener, batch: int) -> None:
        self.server = server
        self.opener = opener
        self.batch = batch
        self.lines: list[Line] = []

    async def slice(self, _seconds: float) -> Slice:
        """One more batch; units are the sockets that are open afterwards, of those that were asked for."""
        before, cpu, begun = machine.private_bytes(self.server.pid), self.server.cpu(), time.perf_counter()
        first = len(self.lines)
        for start in range(first, first + self.batch, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, first + self.batch))
            self.lines += await asyncio.gather(*(self.opener(number) for number in numbers))
        open_ = sum(not line.closed.done() for line in self.lines) - first
        grown = max(1, machine.private_bytes(self.server.pid) - before)
        return Slice(open_, time.perf_counter() - begun, self.server.cpu() - cpu, figures={"bytes": float(grown)})


@asynccontextmanager
async def g9(scale: Scale) -> AsyncIterator[Stage]:
    """Customers' lines, each with a visit of its own."""
    async with desk.on_postgres() as found:
        await found.db.write(floor.furnish, found.vault, agents=0)
        async with found.web() as server, bare(found) as other:

            async def visitor(number: int) -> Line:
                return (await floor.Visitor.enter(server.port, found.vault, number)).line

            yield _stage("G9", "customers' sockets per GiB", Growth(server, visitor, scale.size(200, 20)), other)


@asynccontextmanager
async def g9_agents(scale: Scale) -> AsyncIterator[Stage]:
    """Consoles, each with a login, a place on the floor and the topics of the inbox."""
    async with desk.on_postgres() as found:
        seats = await found.db.write(floor.furnish, found.vault, agents=scale.size(50, 5))
        async with found.web() as server, bare(found) as other:

            async def console(number: int) -> Line:
                agent = await floor.Agent.sit(server.port, seats[number % len(seats)])
                return agent.line

            yield _stage("G9A", "agents' sockets per GiB", Growth(server, console, scale.size(100, 10)), other)


def bare(found: desk.Desk) -> AbstractAsyncContextManager[Server]:
    """A server of the same kind whose application only waits."""
    port = machine.free_port()
    return started(python("bench.raw", "bare", str(port)), folder=found.folder, core=machine.SERVER_CORE, port=port)


def _stage(goal: str, what: str, growth: Growth, other: Server) -> Stage:
    async def plain(number: int) -> Line:
        return await Line.open(other.port, "/")

    limit = Growth(other, plain, growth.batch)
    bar = Bar(what, per_gib, first=30_000, goal=40_000, unit="per GiB", absolute=True)
    return Stage(goal, limit.slice, growth.slice, [bar], notes={"sockets_a_round": growth.batch})


STAGES = {"G9": g9, "G9A": g9_agents}
