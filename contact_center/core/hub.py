"""The hub of one process: who looks at what, and what to send them when it changes.

A socket joins topics. A poke on a topic is turned into frames by that topic's renderer (the part before the colon
chooses it), once per variant (locale and role class), and the same text goes to every socket of that variant.
Conversations and offers are rendered at once; what is only looked over (lists, numbers) waits its turn in a lane that
takes a bounded share of the time: a busy floor slows lists down and nothing else.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
import structlog

from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic
from contact_center.core.lanes import Key, Lane
from contact_center.core.loops import sleep
from contact_center.core.sockets import RESYNC_CODE, Frame, Socket

log = structlog.get_logger()

# So many topics are rendered at a time: one that has to read does not hold up one that has all it needs.
WORKERS = 4
# The lane of lists looks at one of them this seldom (seconds), and rests so many times as long as it has worked.
LISTS_EVERY = 0.7
REST = 4.0
# Kinds of topics that are only looked over.
UNHURRIED = frozenset({"list", "counts", "views", "board"})

# (topic, its pokes since the last rendering, the variants that are looking) -> frames per variant.
Renderer = Callable[[str, Sequence[Poke], set[str]], Awaitable[Mapping[str, Sequence[Frame]]]]


def frame(kind: str, **fields: Any) -> Frame:
    """A WebSocket message: a JSON object whose `type` is `kind`."""
    return orjson.dumps({"type": kind, **fields}, default=str)


def kind_of(topic: str) -> str:
    """The part of a topic that chooses its renderer."""
    return topic.partition(":")[0]


class Hub:
    """All sockets of this process, by topic."""

    def __init__(self, renderers: Mapping[str, Renderer]) -> None:
        self.renderers = dict(renderers)
        self.sockets: set[Socket] = set()
        self._members: dict[str, set[Socket]] = {}
        self._topics: dict[str, set[str]] = defaultdict(set)
        # How often a topic's own renderer has shown something, while somebody looks.
        self._shown: Counter[str] = Counter()
        self._prompt = Lane()
        self._unhurried = Lane(LISTS_EVERY)
        self._tasks: list[asyncio.Task[None]] = []

    def join(self, socket: Socket, topic: str) -> None:
        """From now on `socket` gets what changes under `topic`. The caller checked that it may."""
        self.sockets.add(socket)
        socket.topics.add(topic)
        if topic not in self._members:
            self._members[topic] = set()
            self._topics[kind_of(topic)].add(topic)
        self._members[topic].add(socket)

    def leave(self, socket: Socket, topic: str) -> None:
        socket.topics.discard(topic)
        members = self._members.get(topic)
        if members is not None:
            members.discard(socket)
            if not members:
                del self._members[topic]
                self._shown.pop(topic, None)
                self._topics[kind_of(topic)].discard(topic)

    def drop(self, socket: Socket) -> None:
        """Forget a socket that is gone."""
        for topic in list(socket.topics):
            self.leave(socket, topic)
        self.sockets.discard(socket)

    def watched(self, topic: str) -> bool:
        """Whether anybody here looks at the topic."""
        return topic in self._members

    def watched_topics(self, kind: str) -> list[str]:
        """The topics of a kind (the part before the colon) that somebody here looks at."""
        return list(self._topics.get(kind, ()))

    def listeners(self, topic: str) -> set[Socket]:
        """The sockets that look at a topic (do not change the set)."""
        return self._members.get(topic, set())

    def poke(self, pokes: Sequence[Poke]) -> None:
        """Take note of changes; rendering happens in the hub's tasks, coalesced per topic."""
        for poke in pokes:
            if poke.topic in self._members:
                kind = kind_of(poke.topic)
                lane = self._unhurried if kind in UNHURRIED else self._prompt
                lane.put(Key(kind, poke.topic), poke)

    def look_over(self, kind: str, topic: str) -> None:
        """Have the renderer `kind` look at a topic when there is time: for what may come a little later."""
        if topic in self._members:
            self._unhurried.put(Key(kind, topic), Poke(topic))

    def shown(self, topic: str) -> int:
        """A number that changes whenever those who look at a topic are sent how it stands.

        Whoever reads beside the hub compares it before and after: what was read meanwhile may be older than what is
        on the screen already.
        """
        return self._shown[topic]

    def resync(self) -> None:
        """Pokes may have been missed: look again at everything that is watched."""
        self.poke([Poke(topic, {"event": "resync"}) for topic in self._members])

    def broadcast(self, topic: str, data: Frame) -> None:
        """Send a ready frame to everybody on a topic (typing and the like: nothing that must not be lost)."""
        text = data.decode()
        for socket in tuple(self._members.get(topic, ())):
            socket.write(text)

    def start(self) -> None:
        prompt = [asyncio.create_task(self._run(self._prompt), name="hub") for _ in range(WORKERS)]
        self._tasks = [*prompt, asyncio.create_task(self._run(self._unhurried, rest=REST), name="hub:lists")]

    async def stop(self) -> None:
        """Close every socket with "service restart" and end the tasks."""
        for socket in tuple(self.sockets):
            socket.cut(1012)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, lane: Lane, *, rest: float = 0.0) -> None:
        while True:
            key, pokes = await lane.take()
            begun = monotonic()
            try:
                await self._refresh(key, pokes)
            except Exception:
                log.exception("hub.render_failed", topic=key.topic)
                for socket in tuple(self._members.get(key.topic, ())):
                    socket.cut(RESYNC_CODE)
            finally:
                lane.done(key)
            if rest:
                await sleep(rest * (monotonic() - begun))

    async def _refresh(self, key: Key, pokes: Sequence[Poke]) -> None:
        renderer = self.renderers.get(key.kind)
        members = self._members.get(key.topic)
        if renderer is None or not members:
            return
        before = self._shown[key.topic]
        frames = await renderer(key.topic, pokes, {socket.variant for socket in members})
        if key.topic not in self._members:
            return
        if key.kind == kind_of(key.topic):
            self._shown[key.topic] += any(frames.values())
        elif self._shown[key.topic] != before:
            self._unhurried.put(key, Poke(key.topic))
            return
        texts = {variant: [data.decode() for data in made] for variant, made in frames.items()}
        # A plain loop on purpose: gathering costs more than it wins, a slow socket only fills its own queue.
        for socket in tuple(self._members.get(key.topic, ())):
            for text in texts.get(socket.variant, ()):
                socket.write(text)
