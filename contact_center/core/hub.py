"""The hub of one process: who looks at what, and what to send them when it changes.

A socket joins topics. A poke on a topic is turned into frames by that topic's renderer (the part before the colon
chooses it), once per variant (locale and role class), and the same bytes go to every socket of that variant.
A socket that cannot keep up is closed with a resync code; nothing is ever skipped in silence.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import orjson
import structlog

from contact_center.core.bus import Poke

log = structlog.get_logger()

QUEUE_LIMIT = 256
RESYNC_CODE = 4001
REVOKED_CODE = 4003

Frame = bytes
# (topic, its pokes since the last rendering, the variants that are looking) -> frames per variant.
Renderer = Callable[[str, Sequence[Poke], set[str]], Awaitable[Mapping[str, Sequence[Frame]]]]


def frame(kind: str, **fields: Any) -> Frame:
    """A WebSocket message: a JSON object whose `type` is `kind`."""
    return orjson.dumps({"type": kind, **fields}, default=str)


class Sink(Protocol):
    """The sending side of a WebSocket (Starlette's has both)."""

    async def send_bytes(self, data: bytes) -> None: ...

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Socket:
    """One connected browser: its topics, its variant and a bounded queue of frames."""

    def __init__(self, sink: Sink, *, variant: str, user_id: int | None = None, session_id: int | None = None) -> None:
        self.sink = sink
        self.variant = variant
        self.user_id = user_id
        self.session_id = session_id
        self.topics: set[str] = set()
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue(QUEUE_LIMIT)
        self.close_code = 1000

    def send(self, data: Frame) -> None:
        """Queue a frame; a full queue closes the socket so that the browser resumes from its last seq."""
        try:
            self._frames.put_nowait(data)
        except asyncio.QueueFull:
            self.cut(RESYNC_CODE)

    def cut(self, code: int) -> None:
        """Close from our side as soon as possible, dropping what is queued."""
        self.close_code = code
        while not self._frames.empty():
            self._frames.get_nowait()
        self._frames.put_nowait(None)

    async def pump(self) -> None:
        """Send what is queued until the socket is cut; run beside the receiving loop."""
        while (data := await self._frames.get()) is not None:
            await self.sink.send_text(data.decode())
        await self.sink.close(self.close_code)


class Hub:
    """All sockets of this process, by topic."""

    def __init__(self, renderers: Mapping[str, Renderer]) -> None:
        self.renderers = dict(renderers)
        self.sockets: set[Socket] = set()
        self._members: dict[str, set[Socket]] = defaultdict(set)
        self._dirty: dict[str, list[Poke]] = {}
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def join(self, socket: Socket, topic: str) -> None:
        """From now on `socket` gets what changes under `topic`. The caller checked that it may."""
        self.sockets.add(socket)
        socket.topics.add(topic)
        self._members[topic].add(socket)

    def leave(self, socket: Socket, topic: str) -> None:
        socket.topics.discard(topic)
        members = self._members.get(topic)
        if members is not None:
            members.discard(socket)
            if not members:
                del self._members[topic]

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
        return [topic for topic in self._members if topic.partition(":")[0] == kind]

    def listeners(self, topic: str) -> set[Socket]:
        """The sockets that look at a topic (do not change the set)."""
        return self._members.get(topic, set())

    def poke(self, pokes: Sequence[Poke]) -> None:
        """Take note of changes; rendering happens in the hub's task, coalesced per topic."""
        for poke in pokes:
            if poke.topic in self._members:
                self._dirty.setdefault(poke.topic, []).append(poke)
        if self._dirty:
            self._ready.set()

    def resync(self) -> None:
        """Pokes may have been missed: look again at everything that is watched."""
        self.poke([Poke(topic, {"event": "resync"}) for topic in self._members])

    def broadcast(self, topic: str, data: Frame) -> None:
        """Send a ready frame to everybody on a topic (typing and the like: nothing that must not be lost)."""
        for socket in tuple(self._members.get(topic, ())):
            socket.send(data)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="hub")

    async def stop(self) -> None:
        """Close every socket with "service restart" and end the task."""
        for socket in tuple(self.sockets):
            socket.cut(1012)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            dirty, self._dirty = self._dirty, {}
            for topic, pokes in dirty.items():
                try:
                    await self._refresh(topic, pokes)
                except Exception:
                    log.exception("hub.render_failed", topic=topic)
                    for socket in tuple(self._members.get(topic, ())):
                        socket.cut(RESYNC_CODE)

    async def _refresh(self, topic: str, pokes: Sequence[Poke]) -> None:
        renderer = self.renderers.get(topic.partition(":")[0])
        members = self._members.get(topic)
        if renderer is None or not members:
            return
        frames = await renderer(topic, pokes, {socket.variant for socket in members})
        # A plain loop on purpose: gathering costs more than it wins, a slow socket only fills its own queue.
        for socket in tuple(self._members.get(topic, ())):
            for data in frames.get(socket.variant, ()):
                socket.send(data)
