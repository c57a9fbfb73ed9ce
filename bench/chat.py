"""G8: a customer's chat message, durable, on its agent's screen, at a steady rate with everything switched on."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count

from bench import desk, floor, machine, postgres
from bench.floor import Agent, Visitor, Watch, seen_in
from bench.line import Line
from bench.processes import Server, python, started
from bench.stage import Bar, Scale, Slice, Stage, quantile

RATE = 300  # messages a second
AGENTS, CHATS = 50, 100
BACKLOG_SECONDS = 5.0
TOGETHER = 8  # conversations that are opened at the same time
WAITING_EVENTS = "SELECT count(*) FROM events WHERE dispatched_at IS NULL"


@asynccontextmanager
async def running(found: desk.Desk) -> AsyncIterator[tuple[Server, Server]]:
    """The product as in production: a web process on its core, and a worker that runs the handlers."""
    async with found.web() as web, found.worker() as worker:
        yield web, worker


async def converse(
    found: desk.Desk, server: Server, seats: list[floor.Seat], chats: int
) -> tuple[Watch, list[tuple[Visitor, Agent]]]:
    """Agents at their consoles, and customers whose chats they have accepted and look at."""
    watch = Watch()
    agents = [await Agent.sit(server.port, seat, watch) for seat in seats]
    assert agents
    free = asyncio.Semaphore(TOGETHER)

    async def begin(number: int) -> tuple[Visitor, Agent]:
        async with free:
            visitor = await Visitor.enter(server.port, found.vault, number)
            mark = watch.mark()
            offered = watch.expect("offers", mark)
            _, (agent, offer_id) = await seen_in(offered, visitor.say(mark))
            shown = watch.expect("timeline", mark)
            agent.look_at(await agent.accept(offer_id))
            await seen_in(shown, 0.0)
            return visitor, agent

    return watch, list(await asyncio.gather(*(begin(number) for number in range(chats))))


async def paced(seconds: float, rate: float, send: Callable[[int], None]) -> None:
    """Call `send(n)` at a steady rate; a late call does not delay the following ones."""
    begun = time.perf_counter()
    for number in range(max(2, round(seconds * rate))):
        await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        send(number)


class Talk:
    """Customers who write in turn; what they write is timed until their agent's screen has it."""

    def __init__(
        self,
        found: desk.Desk,
        servers: tuple[Server, Server],
        watch: Watch,
        pairs: list[tuple[Visitor, Agent]],
        rate: float,
    ) -> None:
        self.found = found
        self.servers = servers
        self.watch = watch
        self.pairs = pairs
        self.rate = rate
        random.Random("talk").shuffle(self.pairs)
        self._turn = count()

    async def slice(self, seconds: float) -> Slice:
        waits: list[Awaitable[tuple[float, object]]] = []

        def send(_number: int) -> None:
            visitor, _ = self.pairs[next(self._turn) % len(self.pairs)]
            mark = self.watch.mark()
            shown = self.watch.expect("timeline", mark)
            waits.append(seen_in(shown, visitor.say(mark)))

        before, cpu, begun = await self._stored(), self._cpu(), time.perf_counter()
        await paced(seconds, self.rate, send)
        took = [milliseconds for milliseconds, _ in await asyncio.gather(*waits)]
        ended = time.perf_counter()
        backlog = await self._drained()
        stored = await self._stored() - before
        if stored != len(waits):
            raise SystemExit(f"bench: {stored} messages of {len(waits)} are stored")
        return Slice(stored, ended - begun, self._cpu() - cpu, {"ms": took}, {"backlog": backlog})

    async def _drained(self) -> float:
        """Seconds until no event waits for its handlers any more."""
        begun = time.perf_counter()
        while await postgres.fetch(self.found.name, WAITING_EVENTS):
            if time.perf_counter() - begun > 4 * BACKLOG_SECONDS:
                break
            await asyncio.sleep(0.05)
        return time.perf_counter() - begun

    async def _stored(self) -> int:
        return await postgres.fetch(self.found.name, "SELECT count(*) FROM messages WHERE kind = 'inbound'")

    def _cpu(self) -> float:
        return sum(server.cpu() for server in self.servers)


class Echo:
    """Raw sockets on which the same texts come straight back."""

    def __init__(self, server: Server, sockets: int, rate: float) -> None:
        self.server = server
        self.rate = rate
        self.sockets = sockets
        self.watch = Watch()
        self.lines: list[Line] = []

    async def open(self) -> None:
        self.lines = [await Line.open(self.server.port, "/", self._on_text) for _ in range(self.sockets)]

    def _on_text(self, text: bytes) -> None:
        for mark in floor.MARK.findall(text):
            self.watch.seen("timeline", int(mark), None)

    async def slice(self, seconds: float) -> Slice:
        waits: list[Awaitable[tuple[float, object]]] = []

        def send(number: int) -> None:
            mark = self.watch.mark()
            shown = self.watch.expect("timeline", mark)
            self.lines[number % len(self.lines)].send({"t": "send", "text": f"mark-{mark}- {'x' * 150}"})
            waits.append(seen_in(shown, time.perf_counter()))

        cpu, begun = self.server.cpu(), time.perf_counter()
        await paced(seconds, self.rate, send)
        took = [milliseconds for milliseconds, _ in await asyncio.gather(*waits)]
        return Slice(len(took), time.perf_counter() - begun, self.server.cpu() - cpu, {"ms": took})


def latency(share: float) -> Callable[[Slice], float]:
    """A quantile of a slice's latencies, in ms."""
    return lambda done: quantile(done.samples["ms"], share)


WHAT = "chat message to the agent's screen"
BARS = (
    Bar(f"{WHAT}, p50", latency(0.5), first=12, goal=8, unit="ms", at_least=False),
    Bar(f"{WHAT}, p99", latency(0.99), first=25, goal=10, unit="ms", at_least=False),
    Bar(
        "seconds until no handler is behind",
        lambda done: done.figures.get("backlog", 0.0),
        first=BACKLOG_SECONDS,
        goal=1,
        unit="s",
        at_least=False,
        absolute=True,
        summary=max,
    ),
)


@asynccontextmanager
async def g8(scale: Scale) -> AsyncIterator[Stage]:
    """Customer to agent at 300 messages a second, against a raw WebSocket echo at the same rate."""
    chats, rate = scale.size(CHATS, 4), scale.size(RATE, 20)
    async with desk.on_postgres() as found:
        seats = await found.db.write(partial(floor.furnish, agents=scale.size(AGENTS, 2)), found.vault)
        port = machine.free_port()
        raw = started(python("bench.raw", "wire", str(port)), folder=found.folder, core=machine.SERVER_CORE, port=port)
        async with running(found) as servers, raw as wire:
            watch, pairs = await converse(found, servers[0], seats, chats)
            talk, echo = Talk(found, servers, watch, pairs, rate), Echo(wire, chats, rate)
            await echo.open()
            await postgres.settle(found.name)
            notes = {"rate": rate, "agents": len(seats), "chats": chats}
            yield Stage("G8", echo.slice, talk.slice, BARS, seconds=1.6, notes=notes)


STAGES = {"G8": g8}
