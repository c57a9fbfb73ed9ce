"""Pools: how much live and deferred work an agent holds, and what each medium weighs in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class PoolName(StrEnum):
    """Live: somebody waits now. Deferred: owned over time, handled in sittings."""

    LIVE = "live"
    DEFERRED = "deferred"


class Medium(StrEnum):
    """The kinds of work that are routed."""

    CALL = "call"
    CHAT = "chat"
    MAIL = "mail"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    MESSAGING = "messaging"
    FORM = "form"
    TASK = "task"


LIVE_MEDIA = frozenset({Medium.CALL, Medium.CHAT})
WEIGHTS: Mapping[Medium, int] = {
    Medium.CALL: 100,
    Medium.CHAT: 25,
    Medium.MAIL: 10,
    Medium.SMS: 10,
    Medium.WHATSAPP: 10,
    Medium.MESSAGING: 10,
    Medium.FORM: 10,
    Medium.TASK: 10,
}
CAPACITY = 100
"""The size of either pool, unless an agent's profile says otherwise."""


POOL_OF: Mapping[Medium, PoolName] = {
    medium: PoolName.LIVE if medium in LIVE_MEDIA else PoolName.DEFERRED for medium in Medium
}


def pool_of(medium: Medium) -> PoolName:
    """The pool in which work of this medium is held."""
    return POOL_OF[medium]


@dataclass(frozen=True, slots=True)
class Pool:
    """Weights held out of a capacity; a supervisor's force may hold more than fits."""

    capacity: int = CAPACITY
    held: int = 0

    @property
    def room(self) -> int:
        return self.capacity - self.held

    @property
    def spare(self) -> float:
        """The free share, so that a trainee with half a pool is not loaded like a veteran."""
        return self.room / self.capacity if self.capacity else 0.0

    def holding(self, weight: int) -> "Pool":
        """This pool with `weight` more in it (or less, when negative)."""
        return _pool(self.capacity, self.held + weight)


@lru_cache(maxsize=4096)
def _pool(capacity: int, held: int) -> Pool:
    """Pools are values, and there are few of them: making one anew costs more than finding it."""
    return Pool(capacity, held)


WHOLE_POOL = Pool()
