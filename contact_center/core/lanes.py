"""Topics that wait to be rendered: first come first served, each by one worker at a time, with all its pokes."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic


class Key(NamedTuple):
    """A topic, and the kind of renderer that is to look at it."""

    kind: str
    topic: str


class Lane:
    """A queue of topics without repetitions; a topic rests `pause` seconds between two lookings."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self._waiting: dict[Key, list[Poke]] = {}
        self._busy: set[Key] = set()
        self._rests_until: dict[Key, float] = {}
        self._changed = asyncio.Event()

    def put(self, key: Key, poke: Poke) -> None:
        """Something changed under a topic."""
        self._waiting.setdefault(key, []).append(poke)
        self._changed.set()

    async def take(self) -> tuple[Key, Sequence[Poke]]:
        """The next topic whose turn it is; nobody else gets it before `done`."""
        while True:
            now = monotonic()
            for key in self._waiting:
                if key not in self._busy and self._rests_until.get(key, 0.0) <= now:
                    self._busy.add(key)
                    return key, self._waiting.pop(key)
            self._changed.clear()
            await self._wait(now)

    async def _wait(self, now: float) -> None:
        """Until something is put or done, or a waiting topic has rested."""
        soonest = min((self._rests_until.get(key, now) for key in self._waiting if key not in self._busy), default=None)
        try:
            await asyncio.wait_for(self._changed.wait(), None if soonest is None else max(0.0, soonest - now))
        except TimeoutError:
            return

    def done(self, key: Key) -> None:
        """A topic has been looked at."""
        self._busy.discard(key)
        if self.pause:
            now = monotonic()
            self._rests_until = {one: until for one, until in self._rests_until.items() if until > now}
            self._rests_until[key] = now + self.pause
        self._changed.set()
