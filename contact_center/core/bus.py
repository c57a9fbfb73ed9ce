"""The bus tells processes to look again; it never carries anything that only exists there."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import redis.asyncio as redis
import structlog

from contact_center.core.loops import sleep

log = structlog.get_logger()

# The name changes with the form of what it carries: during an update old and new processes do not hear each other.
CHANNEL = "contact_center:pokes:2"
# Every message begins with its origin: our own come back, and are known without being read.
ORIGIN_BYTES = 32
OUTBOX_LIMIT = 10_000
MOST_TOGETHER = 500
# After a publish the next one waits so long: the first poke of a quiet moment leaves at once, a burst leaves together.
GATHER_SECONDS = 0.01
RECONNECT_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Poke:
    """Something changed under `topic` (e.g. `ticket:12`, `user:3`, `queue:1`, `board`, `engine`).

    `data` is small JSON that travels to other processes; `local` stays in this one and may carry the values
    that the writer holds, so that it can render without reading again.
    """

    topic: str
    data: dict[str, Any] = field(default_factory=dict)
    local: Any = field(default=None, compare=False, repr=False)


Listener = Callable[[Sequence[Poke]], None]
Resync = Callable[[], None]


class Bus(Protocol):
    """Carries pokes to every process, this one included (at once, in order, exactly once)."""

    def publish(self, pokes: Sequence[Poke]) -> None: ...

    def listen(self, listener: Listener, resync: Resync) -> None:
        """Call `listener` with all pokes; call `resync` when some may have been missed."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class MemoryBus:
    """For one process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, pokes: Sequence[Poke]) -> None:
        for listener in self._listeners:
            listener(pokes)

    def listen(self, listener: Listener, resync: Resync) -> None:
        self._listeners.append(listener)

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        return


class RedisBus:
    """For many processes: local listeners at once, the others through Redis pub/sub.

    While Redis is away pokes to other processes are dropped; after a reconnect `resync` makes everyone look at
    the database again, so that losing Redis costs latency and no data.
    """

    def __init__(self, url: str) -> None:
        # redis-py reads with a 5 s socket timeout unless told otherwise; a subscriber must wait for ever.
        self._reader = redis.Redis.from_url(url, socket_timeout=None, socket_connect_timeout=5)
        self._writer = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        self._origin = uuid.uuid4().hex.encode()
        self._listeners: list[tuple[Listener, Resync]] = []
        self._outbox: asyncio.Queue[Sequence[Poke]] = asyncio.Queue(OUTBOX_LIMIT)
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed = asyncio.Event()

    def publish(self, pokes: Sequence[Poke]) -> None:
        for listener, _ in self._listeners:
            listener(pokes)
        # A full outbox means Redis is away: dropping is right, the resync after it comes back replays.
        with contextlib.suppress(asyncio.QueueFull):
            self._outbox.put_nowait(pokes)

    def listen(self, listener: Listener, resync: Resync) -> None:
        self._listeners.append((listener, resync))

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._subscribed.wait(), 5)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reader.aclose()
        await self._writer.aclose()

    async def _write(self) -> None:
        while True:
            pokes = list(await self._outbox.get())
            # What was published during the last round trip leaves with the next one.
            while not self._outbox.empty() and len(pokes) < MOST_TOGETHER:
                pokes += self._outbox.get_nowait()
            try:
                await self._writer.publish(CHANNEL, self._origin + packed(pokes))
            except (redis.RedisError, OSError) as error:
                log.warning("bus.publish_failed", error=str(error))
                self._resync()
            await sleep(GATHER_SECONDS)

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                async with self._reader.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "subscribe":
                            if failures:
                                self._resync()
                            failures = 0
                            self._subscribed.set()
                        elif message["type"] == "message":
                            self._deliver(message["data"])
            except (redis.RedisError, OSError) as error:
                log.warning("bus.disconnected", error=str(error))
            failures += 1
            # Waits without a sleep: nothing sets this event, the timeout is the pause.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), RECONNECT_SECONDS[min(failures, 5) - 1])

    def _deliver(self, message: bytes) -> None:
        if message.startswith(self._origin):
            return
        pokes = unpacked(message[ORIGIN_BYTES:])
        for listener, _ in self._listeners:
            listener(pokes)

    def _resync(self) -> None:
        for _, resync in self._listeners:
            resync()


def packed(pokes: Sequence[Poke]) -> bytes:
    """`[[data, topic, …], …]` in the order of the pokes: what one fact pokes has the same data."""
    groups: list[list[Any]] = []
    data: dict[str, Any] | None = None
    for poke in pokes:
        if poke.data is not data:
            data = poke.data
            groups.append([data])
        groups[-1].append(poke.topic)
    return orjson.dumps(groups)


def unpacked(message: bytes) -> list[Poke]:
    """The pokes again, without what stays in the process of their writer."""
    return [Poke(topic, data) for data, *topics in orjson.loads(message) for topic in topics]


def open_bus(redis_url: str) -> Bus:
    """The bus that the settings ask for."""
    return RedisBus(redis_url) if redis_url else MemoryBus()
