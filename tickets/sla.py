"""Service-level clocks as pure arithmetic: what runs, what pauses, when it is due, what was kept.

`first_response` runs from the customer's first message to a person's first answer, and never pauses.
`next_response` does the same for each later message that waits. `resolution` runs while we owe work: it pauses in
the policy's waiting statuses (pending, unless switched) and while the ticket is resolved. All in business time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tickets.hours import Calendar, add_business, business_between
from tickets.states import APART_STATUSES, DONE_STATUSES, WAITING_STATUSES, Priority, Status

RISK_SHARE = 0.25
"""A clock is at risk when less than this share of its target is left."""

REOPENED = "resolved"
"""The reason of the pause between a resolution and its reopening."""


class Metric(StrEnum):
    """What a clock measures."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


class SlaState(StrEnum):
    """How a clock, or all clocks of a ticket together, stand."""

    PENDING = "pending"
    MET = "met"
    BREACHED = "breached"
    PARTIALLY_MET = "partially_met"


class FactKind(StrEnum):
    """What happens to a ticket that its clocks must know; `Fact.value` is in brackets."""

    OPENED = "opened"
    CUSTOMER_WROTE = "customer_wrote"
    # A person's public reply or a connected call; never an automatic reply or a note.
    ANSWERED = "answered"
    STATUS = "status"  # [the new status]
    PRIORITY = "priority"  # [the new priority]
    # Nobody owes anything any more: merged away.
    DROPPED = "dropped"


class BadPolicy(ValueError):
    """Targets that cannot be read; the text says what to correct."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened at a moment."""

    at: datetime
    kind: FactKind
    value: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """Targets in business seconds per priority and metric (a missing one is never due); what pauses resolution."""

    targets: Mapping[Priority, Mapping[Metric, int]]
    pauses: frozenset[Status] = frozenset({Status.PENDING})

    def target(self, priority: Priority, metric: Metric) -> int | None:
        """Business seconds, or None when this policy promises nothing."""
        return self.targets.get(priority, {}).get(metric)


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy in the hours of a queue."""

    policy: Policy
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Pause:
    """One entry of the pause ledger; `until` is None while it lasts."""

    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise. `carried` business seconds were used before `counted_from`, under older terms."""

    metric: Metric
    started_at: datetime
    target: int | None
    counted_from: datetime
    carried: float = 0.0
    pauses: tuple[Pause, ...] = ()
    ended_at: datetime | None = None
    breached_at: datetime | None = None
    dropped_at: datetime | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing is owed on it: answered, resolved or dropped."""
        return self.ended_at is not None or self.dropped_at is not None

    @property
    def paused(self) -> bool:
        """Whether a pause lasts."""
        return bool(self.pauses) and self.pauses[-1].until is None

    @property
    def running(self) -> bool:
        """Whether time counts."""
        return not self.finished and not self.paused


@dataclass(frozen=True, slots=True)
class Book:
    """All clocks of one ticket (finished response clocks may be left out) and what decides about them."""

    priority: Priority
    status: Status = Status.NEW
    answered: bool = False
    clocks: tuple[Clock, ...] = ()


def used(clock: Clock, calendar: Calendar, now: datetime) -> float:
    """Business seconds behind the clock: from its start to its end or `now`, without the pauses."""
    end = clock.ended_at or clock.dropped_at or now
    seconds = business_between(calendar, clock.counted_from, max(end, clock.counted_from))
    for pause in clock.pauses:
        since, until = max(pause.since, clock.counted_from), min(pause.until or end, end)
        if since < until:
            seconds -= business_between(calendar, since, until)
    return round(clock.carried + seconds, 6)


def left(clock: Clock, calendar: Calendar, now: datetime) -> float | None:
    """Business seconds until the target, negative after it; None without a target."""
    return None if clock.target is None else clock.target - used(clock, calendar, now)


def due_at(clock: Clock, calendar: Calendar) -> datetime | None:
    """When a running clock reaches its target, or broke it; None while it is paused, finished or without one."""
    if clock.breached_at is not None and clock.running:
        return clock.breached_at
    return _reaches(clock, calendar, 1.0)


def warn_at(clock: Clock, calendar: Calendar) -> datetime | None:
    """When a running clock becomes at risk; None where `due_at` is None."""
    return _reaches(clock, calendar, 1.0 - RISK_SHARE)


def state(clock: Clock, calendar: Calendar, now: datetime) -> SlaState:
    """Whether the promise was kept; one that was broken once stays broken."""
    if _ticked(clock, calendar, now).breached_at is not None:
        return SlaState.BREACHED
    return SlaState.MET if clock.ended_at is not None else SlaState.PENDING


def at_risk(clock: Clock, calendar: Calendar, now: datetime) -> bool:
    """Whether less than a quarter of the target is left on a clock that runs and is not late yet."""
    rest = left(clock, calendar, now)
    if rest is None or not clock.running or clock.target is None:
        return False
    return state(clock, calendar, now) is SlaState.PENDING and rest < clock.target * RISK_SHARE


def overall(clocks: Iterable[Clock], calendar: Calendar, now: datetime) -> SlaState:
    """One state for a ticket: pending while anything is owed, then met, breached, or partially met."""
    states = {state(clock, calendar, now) for clock in clocks if clock.dropped_at is None}
    if not states or SlaState.PENDING in states:
        return SlaState.PENDING
    return states.pop() if len(states) == 1 else SlaState.PARTIALLY_MET


def apply(book: Book, fact: Fact, terms: Terms) -> Book:
    """The book after one fact under the terms in force; for other terms see `change_terms`."""
    book = tick(book, terms.calendar, fact.at)
    match fact.kind:
        case FactKind.OPENED:
            return replace(book, clocks=(*book.clocks, _start(Metric.RESOLUTION, book.priority, fact.at, terms)))
        case FactKind.CUSTOMER_WROTE:
            return _wrote(book, fact.at, terms)
        case FactKind.ANSWERED:
            clocks = tuple(_end(clock, fact.at) if _is_response(clock) else clock for clock in book.clocks)
            return replace(book, answered=True, clocks=clocks)
        case FactKind.STATUS:
            book = replace(book, status=Status(fact.value))
            return replace(book, clocks=tuple(_follow(clock, book, fact.at, terms) for clock in book.clocks))
        case FactKind.PRIORITY:
            book = replace(book, priority=Priority(fact.value))
            return replace(book, clocks=tuple(_retarget(clock, book, fact.at, terms) for clock in book.clocks))
        case FactKind.DROPPED:
            return replace(book, clocks=tuple(_drop(clock, fact.at) for clock in book.clocks))


def change_terms(book: Book, old: Terms, new: Terms, at: datetime) -> Book:
    """What was used under the old terms stays used; the new targets and hours count from `at`."""
    book = tick(book, old.calendar, at)
    clocks = []
    for clock in book.clocks:
        if not clock.finished:
            clock = replace(clock, carried=used(clock, old.calendar, at), counted_from=at)
            clock = _retarget(clock, book, at, new)
            clock = clock if _is_response(clock) else _follow(clock, book, at, new)
        clocks.append(clock)
    return replace(book, clocks=tuple(clocks))


def tick(book: Book, calendar: Calendar, now: datetime) -> Book:
    """Write down the breaches that time alone has brought."""
    return replace(book, clocks=tuple(_ticked(clock, calendar, now) for clock in book.clocks))


def policy_from(data: Mapping[str, Any]) -> Policy:
    """Read {"targets": {priority: {metric: seconds}}, "pauses": [status]}; raises BadPolicy."""
    try:
        targets = {
            Priority(priority): {Metric(metric): int(seconds) for metric, seconds in metrics.items()}
            for priority, metrics in data["targets"].items()
        }
        pauses = frozenset(Status(status) for status in data.get("pauses", ("pending",)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadPolicy(f"These targets cannot be read: {error}") from error
    if any(seconds <= 0 for metrics in targets.values() for seconds in metrics.values()):
        raise BadPolicy("A target must be longer than nothing.")
    if not pauses <= WAITING_STATUSES:
        raise BadPolicy("Only pending, on hold and snoozed can pause a clock.")
    return Policy(targets, pauses)


def policy_data(policy: Policy) -> dict[str, Any]:
    """The stored form of a policy, which `policy_from` reads back unchanged."""
    return {
        "targets": {
            priority.value: {metric.value: seconds for metric, seconds in metrics.items()}
            for priority, metrics in policy.targets.items()
        },
        "pauses": sorted(status.value for status in policy.pauses),
    }


def default_policy() -> Policy:
    """Urgent 30 min and 2 h, high 1 h and 4 h, medium 8 h and 24 h, low 24 h and 72 h of business time."""
    hours = {Priority.URGENT: (0.5, 2), Priority.HIGH: (1, 4), Priority.MEDIUM: (8, 24), Priority.LOW: (24, 72)}
    return Policy(
        {
            priority: {
                Metric.FIRST_RESPONSE: int(response * 3600),
                Metric.NEXT_RESPONSE: int(response * 3600),
                Metric.RESOLUTION: resolution * 3600,
            }
            for priority, (response, resolution) in hours.items()
        }
    )


def _start(metric: Metric, priority: Priority, at: datetime, terms: Terms) -> Clock:
    return Clock(metric, at, terms.policy.target(priority, metric), counted_from=at)


def _wrote(book: Book, at: datetime, terms: Terms) -> Book:
    """A message starts a response clock unless one already waits; whoever writes spam waits for nothing."""
    if book.status in APART_STATUSES:
        return book
    if any(_is_response(clock) and not clock.finished for clock in book.clocks):
        return book
    metric = Metric.NEXT_RESPONSE if book.answered else Metric.FIRST_RESPONSE
    return replace(book, clocks=(*book.clocks, _start(metric, book.priority, at, terms)))


def _is_response(clock: Clock) -> bool:
    return clock.metric is not Metric.RESOLUTION


def _follow(clock: Clock, book: Book, at: datetime, terms: Terms) -> Clock:
    """A clock after the ticket's status became `book.status`."""
    if book.status in APART_STATUSES:
        return _void(clock, at)
    done = book.status in DONE_STATUSES
    if _is_response(clock):
        return _drop(clock, at) if done else clock
    if clock.dropped_at is not None or (done and clock.ended_at is not None):
        return clock
    if clock.ended_at is not None:
        clock = replace(clock, ended_at=None, pauses=(*clock.pauses, Pause(clock.ended_at, at, REOPENED)))
        clock = _retarget(clock, book, at, terms)
    if done:
        return _end(clock, at)
    if clock.paused and clock.pauses[-1].reason == book.status and book.status in terms.policy.pauses:
        return clock
    clock = _resumed(clock, at)
    if book.status in terms.policy.pauses:
        return replace(clock, pauses=(*clock.pauses, Pause(at, None, book.status.value)))
    return clock


def _resumed(clock: Clock, at: datetime) -> Clock:
    if not clock.paused:
        return clock
    return replace(clock, pauses=(*clock.pauses[:-1], replace(clock.pauses[-1], until=at)))


def _end(clock: Clock, at: datetime) -> Clock:
    return clock if clock.finished else replace(_resumed(clock, at), ended_at=at)


def _drop(clock: Clock, at: datetime) -> Clock:
    """Nothing is owed any more; a promise that was already broken ends as broken instead."""
    if clock.breached_at is not None:
        return _end(clock, at)
    return clock if clock.finished else replace(_resumed(clock, at), dropped_at=at)


def _void(clock: Clock, at: datetime) -> Clock:
    """Nothing was ever owed: not even what was broken already."""
    return replace(_resumed(clock, at), ended_at=None, breached_at=None, dropped_at=at)


def _retarget(clock: Clock, book: Book, at: datetime, terms: Terms) -> Clock:
    """A new target holds from the clock's start; when it is already used up the breach is now, not in the past."""
    if clock.finished:
        return clock
    clock = replace(clock, target=terms.policy.target(book.priority, clock.metric))
    rest = left(clock, terms.calendar, at)
    if clock.breached_at is None and rest is not None and rest < 0:
        return replace(clock, breached_at=at)
    return clock


def _reaches(clock: Clock, calendar: Calendar, share: float) -> datetime | None:
    if clock.target is None or not clock.running:
        return None
    resumed = max([clock.counted_from, *(pause.until for pause in clock.pauses if pause.until is not None)])
    rest = clock.target * share - used(clock, calendar, resumed)
    return resumed if rest <= 0 else add_business(calendar, resumed, rest)


def _ticked(clock: Clock, calendar: Calendar, now: datetime) -> Clock:
    if clock.breached_at is not None:
        return clock
    due = due_at(clock, calendar)
    return clock if due is None or due >= now else replace(clock, breached_at=due)
