"""STORY: from the customer's Enter to the agent's screen, on a floor of 50 agents and 200 visitors."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from bench import chat, desk, floor
from bench.floor import Agent, Visitor, seen_in
from bench.processes import Server
from bench.stage import Bar, Scale, Slice, Stage, quantile

AGENTS, VISITORS, RESIDENTS = 50, 200, 100
STORIES = 5  # new conversations a second, each told to its end
CHATTER = 15  # messages a second in the conversations that go on beside them
THINKING = 0.1  # seconds between two steps of one story
BAR_MS = 300


@dataclass
class Floor:
    """Everybody who is connected, and what was measured."""

    found: desk.Desk
    servers: list[Server]
    watch: floor.Watch
    residents: list[tuple[Visitor, Agent]]
    idle: list[Visitor]
    entered: int
    first: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)

    async def slice(self, seconds: float) -> Slice:
        """Stories at a steady rate, beside the chatter of the others; units are the stories told to their end."""
        cpu, begun = self._cpu(), time.perf_counter()
        self.first, self.accepted = [], []
        tasks: list[asyncio.Task[None]] = []
        speakers = random.Random(begun)

        def chatter(_number: int) -> None:
            visitor, _ = speakers.choice(self.residents)
            visitor.say(self.watch.mark())

        await asyncio.gather(
            chat.paced(seconds, STORIES, lambda _: tasks.append(asyncio.create_task(self.story()))),
            chat.paced(seconds, CHATTER, chatter),
        )
        await asyncio.gather(*tasks)
        samples = {"first": tuple(self.first), "accepted": tuple(self.accepted)}
        return Slice(len(tasks), time.perf_counter() - begun, self._cpu() - cpu, samples)

    async def story(self) -> None:
        """A new customer writes, is offered and accepted, writes again, is answered, and the matter is resolved."""
        visitor = self.idle.pop(0)
        mark = self.watch.mark()
        offered = self.watch.expect("offers", mark)
        took, (agent, offer_id) = await seen_in(offered, visitor.say(mark))
        self.first.append(took)
        await asyncio.sleep(THINKING)
        number = await agent.accept(offer_id)
        shown = self.watch.expect("timeline", mark)
        agent.look_at(number)
        await seen_in(shown, 0.0)
        via = await agent.open(number)
        mark = self.watch.mark()
        shown = self.watch.expect("timeline", mark)
        took, _ = await seen_in(shown, visitor.say(mark))
        self.accepted.append(took)
        await agent.answer(number, via, "It left our warehouse this morning and is with you tomorrow.")
        await asyncio.sleep(THINKING)
        await agent.resolve(number)
        visitor.leave()
        await self.enter()

    async def enter(self) -> None:
        """One more visitor opens the widget."""
        self.entered += 1
        self.idle.append(await Visitor.enter(self.servers[0].port, self.found.vault, self.entered))

    def _cpu(self) -> float:
        return sum(server.cpu() for server in self.servers)


async def _opened(found: desk.Desk, servers: list[Server], seats: list[floor.Seat], scale: Scale) -> Floor:
    residents, visitors = scale.size(RESIDENTS, 2), scale.size(VISITORS, 6)
    watch, pairs = await chat.converse(found, servers[0], seats, residents)
    floor_ = Floor(found, servers, watch, pairs, [], residents)
    for _ in range(visitors - residents):
        await floor_.enter()
    return floor_


def _stage(goal: str, what: str, floor_: Floor, scale: Scale) -> Stage:
    def bar(kind: str, words: str) -> Bar:
        def figure(done: Slice) -> float:
            return quantile(done.samples[kind], 0.95)

        name = f"{what}: {words}, p95"
        return Bar(name, figure, BAR_MS, BAR_MS / 3, "ms", at_least=False, absolute=True, pooled=(kind, 0.95))

    notes = {"agents": scale.size(AGENTS, 2), "visitors": scale.size(VISITORS, 6), "stories_per_second": STORIES}
    bars = [bar("first", "first message to its offer"), bar("accepted", "message to the timeline")]
    return Stage(goal, None, floor_.slice, bars, seconds=1.8, notes=notes)


@asynccontextmanager
async def embedded(scale: Scale) -> AsyncIterator[Stage]:
    """SQLite, the whole product in one process."""
    async with desk.on_sqlite() as found:
        seats = await found.db.write(partial(floor.furnish, agents=scale.size(AGENTS, 2)), found.vault)
        async with found.web(loops="all") as web:
            yield _stage("STORY", "SQLite", await _opened(found, [web], seats, scale), scale)


@asynccontextmanager
async def production(scale: Scale) -> AsyncIterator[Stage]:
    """PostgreSQL and Redis, a web process and a worker."""
    async with desk.on_postgres() as found:
        seats = await found.db.write(partial(floor.furnish, agents=scale.size(AGENTS, 2)), found.vault)
        async with chat.running(found) as servers:
            yield _stage("STORY-PG", "PostgreSQL", await _opened(found, list(servers), seats, scale), scale)


STAGES = {"STORY": embedded, "STORY-PG": production}
