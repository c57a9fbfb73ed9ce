"""G10: what it costs to send one frame to everybody who looks at the same conversation."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
import redis.asyncio as redis

from bench import desk, floor, machine
from bench.line import Line
from bench.processes import Server, python, started
from bench.stage import Bar, Scale, Slice, Stage, cpu_each
from contact_center.accounts.web import COOKIE
from contact_center.core.bus import CHANNEL, ORIGIN_BYTES, Poke, packed

FRAME = 1_000  # bytes of payload
RATE = 40  # frames a second, each to all sockets
SETTLE_SECONDS = 5.0


class Crowd:
    """Sockets that all get the same frames; they only count them."""

    def __init__(self, server: Server, send: Callable[[], object]) -> None:
        self.server = server
        self.send = send
        self.sockets = 0
        self.arrived = 0
        self.patience = SETTLE_SECONDS

    def count(self, text: bytes) -> None:
        """What every socket of the crowd does with a frame."""
        self.arrived += len(text) == FRAME

    async def slice(self, seconds: float) -> Slice:
        """Frames at a steady rate; units are what has arrived at all sockets."""
        count = max(2, round(RATE * seconds))
        before, cpu, begun = self.arrived, self.server.cpu(), time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
            done = self.send()
            if asyncio.iscoroutine(done):
                await done
        wanted = count * self.sockets
        while self.arrived - before < wanted and time.perf_counter() - begun < seconds + self.patience:
            await asyncio.sleep(0.01)
        if self.arrived - before != wanted:
            raise SystemExit(f"bench: {self.arrived - before} frames of {wanted} have arrived")
        return Slice(wanted, time.perf_counter() - begun, self.server.cpu() - cpu)


@asynccontextmanager
async def g10(scale: Scale) -> AsyncIterator[Stage]:
    """A 1 kB frame through bus, hub and consoles, against a raw server that writes ready bytes."""
    sockets = scale.size(300, 10)
    async with desk.on_postgres() as found:
        seats = await found.db.write(floor.furnish, found.vault, agents=scale.size(30, 2))
        ticket_id = await found.db.write(floor.conversation)
        port = machine.free_port()
        raw = started(python("bench.raw", "wire", str(port)), folder=found.folder, core=machine.SERVER_CORE, port=port)
        async with found.web() as server, raw as wire, redis.Redis.from_url(desk.REDIS_URL) as bus:
            trigger = await Line.open(port, "/")
            # A typing notice is rendered from the poke alone; its name makes the frame 1 kB.
            topic = f"ticket:{ticket_id}"
            poke = typing(topic)
            limit = Crowd(wire, lambda: trigger.send_text(b"fan %d" % FRAME))
            subject = Crowd(server, lambda: bus.publish(CHANNEL, poke))
            for number in range(sockets):
                await _looker(server.port, seats[number % len(seats)], topic, subject)
                await Line.open(port, "/", limit.count)
            limit.sockets = subject.sockets = sockets
            bar = Bar("CPU of a 1 kB frame, per socket", cpu_each, first=2.5, goal=1.8, unit="µs", at_least=False)
            notes = {"sockets": sockets, "frames_per_second": RATE}
            yield Stage("G10", limit.slice, subject.slice, [bar], notes=notes)


def typing(topic: str) -> bytes:
    """What the bus carries so that the frame has exactly FRAME bytes."""
    empty = len(orjson.dumps({"type": "typing", "topic": topic, "name": "", "on": True}))
    data = {"event": "typing", "name": "x" * (FRAME - empty), "on": True}
    return b"bench".ljust(ORIGIN_BYTES) + packed([Poke(topic, data)])


async def _looker(port: int, seat: floor.Seat, topic: str, crowd: Crowd) -> None:
    """A console that looks at the conversation and at nothing else."""
    joined = asyncio.get_running_loop().create_future()

    def on_text(text: bytes) -> None:
        crowd.count(text)
        if b'"type":"joined"' in text and not joined.done():
            joined.set_result(None)

    line = await Line.open(port, "/ws", on_text, Cookie=f"{COOKIE}={seat.token}")
    line.send({"type": "join", "topics": {topic: None}})
    await asyncio.wait_for(joined, SETTLE_SECONDS)


STAGES = {"G10": g10}
