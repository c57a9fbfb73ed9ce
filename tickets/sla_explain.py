"""Where the time of a service-level clock went: the waits and owners that used it up, as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tickets.hours import Calendar, business_between
from tickets.sla import Clock, Metric, used


class Phase(StrEnum):
    """Who held the ticket."""

    WAITING = "waiting"  # in a queue, for an agent
    OWNED = "owned"  # by an agent


@dataclass(frozen=True, slots=True)
class Stage:
    """From `at` on the ticket was in this phase, in the queue `queue`, with `agent` when owned."""

    at: datetime
    phase: Phase
    queue: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One stretch of a clock's time between two moments, and the business `seconds` of it that counted."""

    stage: Stage
    since: datetime
    until: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """All stretches in order; `over` is what went beyond the target.

    The stretches add up to `used`, unless the queue's hours changed on the way: they are told in today's hours.
    """

    metric: Metric
    target: int | None
    used: float
    over: float
    shares: tuple[Share, ...]
    paused_seconds: float

    def heaviest_first(self) -> list[tuple[Phase, str, str, float]]:
        """(phase, queue, agent, business seconds) summed over the stretches."""
        sums: dict[tuple[Phase, str, str], float] = {}
        for share in self.shares:
            key = (share.stage.phase, share.stage.queue, share.stage.agent)
            sums[key] = sums.get(key, 0.0) + share.seconds
        return sorted(((*key, round(seconds, 6)) for key, seconds in sums.items()), key=lambda row: -row[3])


def explain(clock: Clock, calendar: Calendar, stages: Sequence[Stage], now: datetime) -> Explanation:
    """Split the clock's time along `stages`, in order of time; the first holds from the clock's start."""
    end = clock.ended_at or clock.dropped_at or now
    shares = []
    for number, stage in enumerate(stages):
        last = number + 1 == len(stages)
        since = clock.started_at if number == 0 else max(stage.at, clock.started_at)
        until = end if last else min(stages[number + 1].at, end)
        if since < until:
            shares.append(Share(stage, since, until, _counted(clock, calendar, since, until)))
    seconds = used(clock, calendar, now)
    over = 0.0 if clock.target is None else max(0.0, round(seconds - clock.target, 6))
    wall = business_between(calendar, clock.started_at, end)
    counted = sum(share.seconds for share in shares)
    return Explanation(clock.metric, clock.target, seconds, over, tuple(shares), round(wall - counted, 6))


def _counted(clock: Clock, calendar: Calendar, since: datetime, until: datetime) -> float:
    seconds = business_between(calendar, since, until)
    for pause in clock.pauses:
        first, last = max(pause.since, since), min(pause.until or until, until)
        if first < last:
            seconds -= business_between(calendar, first, last)
    return round(seconds, 6)
