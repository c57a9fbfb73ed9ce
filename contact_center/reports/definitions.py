"""What every metric means: the only place where a number of the floor is defined.

Each metric has its words (shown beside the number), its formula over counts, and the SQL that counts. Live work is
counted by waits (`queue_entries`): a wait ends answered, abandoned, flowed out or canceled. A wait that was canceled
(merged, taken back) says nothing about our service and is in no ratio; a ticket that is spam is in no number at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import sqrt
from typing import Any

from sqlalchemy import ColumnElement, Label, and_, case, func, text

from contact_center.core.i18n import mark
from contact_center.reports.sql import elapsed
from routing.models import OPEN_WORK, QueueEntry
from routing.pools import LIVE_MEDIA, Medium
from routing.states import Activity, Presence, QueueExit, WorkItemState
from tickets.models import Queue, Ticket
from tickets.sla import Metric as SlaMetric
from tickets.states import APART_STATUSES, Channel

LIVE = tuple(sorted(medium.value for medium in LIVE_MEDIA))
DEFERRED = tuple(sorted(medium.value for medium in Medium if medium not in LIVE_MEDIA))
LIVE_CHANNELS = (Channel.CHAT.value, Channel.PHONE.value)
# Waits for an agent: nobody has it yet, whether or not it is being offered.
WAITING = (WorkItemState.QUEUED.value, WorkItemState.RESERVED.value)
# Literal, so that both databases see that the partial indexes on open work serve it.
OPEN_ITEM = text(f"work_items.{OPEN_WORK}")
# The promises to a customer who waits for an answer; a late resolution is no matter of the next minutes.
ANSWER_CLOCKS = (SlaMetric.FIRST_RESPONSE.value, SlaMetric.NEXT_RESPONSE.value)
# Somebody who gives up this soon did not wait for us; left out of service level and abandonment alike.
SHORT_ABANDON_SECONDS = 5
ABANDONMENT_TARGET = 5.0
CSAT_TARGET = 80.0
TOP_BOXES = (4, 5)
CONFIDENCE = 1.96


class Metric(StrEnum):
    """The eight tiles, and the four numbers of deferred work."""

    SERVICE_LEVEL = "service_level"
    IN_QUEUE = "in_queue"
    LONGEST_WAIT = "longest_wait"
    ASA = "asa"
    ABANDONMENT = "abandonment"
    SLA_AT_RISK = "sla_at_risk"
    AGENTS = "agents"
    CSAT = "csat"
    OPEN = "open"
    OLDEST = "oldest"
    DUE_TODAY = "due_today"
    BREACHED = "breached"


NAMES: Mapping[Metric, str] = {
    Metric.SERVICE_LEVEL: mark("Service level"),
    Metric.IN_QUEUE: mark("In queue"),
    Metric.LONGEST_WAIT: mark("Longest wait"),
    Metric.ASA: mark("Average speed of answer"),
    Metric.ABANDONMENT: mark("Abandonment"),
    Metric.SLA_AT_RISK: mark("SLA at risk"),
    Metric.AGENTS: mark("Agents"),
    Metric.CSAT: mark("CSAT today"),
    Metric.OPEN: mark("Open"),
    Metric.OLDEST: mark("Oldest"),
    Metric.DUE_TODAY: mark("Due today"),
    Metric.BREACHED: mark("Breached"),
}

MEANINGS: Mapping[Metric, str] = {
    Metric.SERVICE_LEVEL: mark(
        "Calls and chats answered within the queue's target time, as a share of all that were offered today:"
        " accepted by an agent, abandoned after 5 seconds or more, or flowed out to another queue."
    ),
    Metric.IN_QUEUE: mark("Calls and chats that wait for an agent now, including those that are just being offered."),
    Metric.LONGEST_WAIT: mark("The longest wait of a call or chat that nobody has yet, in its present queue."),
    Metric.ASA: mark("Average speed of answer: the mean wait of the calls and chats answered today."),
    Metric.ABANDONMENT: mark(
        "Customers who left before an answer, as a share of all calls and chats offered today."
        " Waits under 5 seconds are left out."
    ),
    Metric.SLA_AT_RISK: mark(
        "Open calls and chats that wait for our answer with less than a quarter of its target left, or already late."
    ),
    Metric.AGENTS: mark(
        "Agents who are signed in, each counted once: in a contact, in wrap-up, being offered work, idle, or away."
    ),
    Metric.CSAT: mark(
        "Answers of 4 or 5 out of 5 about calls and chats today; the range is the 95 percent Wilson interval."
    ),
    Metric.OPEN: mark("E-mail, SMS and other deferred work that waits for us, owned by somebody or not."),
    Metric.OLDEST: mark("The age of the oldest deferred work that waits for us."),
    Metric.DUE_TODAY: mark("Deferred work whose next service target ends today."),
    Metric.BREACHED: mark("Deferred work that has missed a service target which still runs."),
}

ACTIVITIES: Mapping[Activity, str] = {
    Activity.ON_CONTACT: mark("In contact"),
    Activity.INCOMING: mark("Being offered"),
    Activity.ACW: mark("Wrap-up"),
    Activity.IDLE: mark("Idle"),
}

# Upper edges of the ages of deferred work; the last group has none.
AGES: tuple[tuple[timedelta | None, str], ...] = (
    (timedelta(hours=4), mark("Under 4 hours")),
    (timedelta(days=1), mark("4 to 24 hours")),
    (timedelta(days=3), mark("1 to 3 days")),
    (timedelta(days=7), mark("3 to 7 days")),
    (None, mark("Over 7 days")),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a stretch of waits comes to; `within` of the answered were answered in time, `wait` is Σ of answered."""

    answered: int = 0
    within: int = 0
    wait: float = 0.0
    abandoned: int = 0
    flowed_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.answered + other.answered,
            self.within + other.within,
            self.wait + other.wait,
            self.abandoned + other.abandoned,
            self.flowed_out + other.flowed_out,
        )

    @property
    def offered(self) -> int:
        return self.answered + self.abandoned + self.flowed_out

    @property
    def service_level(self) -> float | None:
        """Percent of the offered that were answered in time; None when nothing was offered."""
        return 100 * self.within / self.offered if self.offered else None

    @property
    def abandonment(self) -> float | None:
        """Percent of the offered that were abandoned; None when nothing was offered."""
        return 100 * self.abandoned / self.offered if self.offered else None

    @property
    def asa(self) -> float | None:
        """Mean seconds to the answer; None when nothing was answered."""
        return self.wait / self.answered if self.answered else None


def in_numbers() -> ColumnElement[bool]:
    """SQL: whether a row joined with its ticket is in any number; what is kept apart as spam is in none."""
    return Ticket.status.not_in(sorted(APART_STATUSES))


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """SQL: how many rows meet the condition."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def waited() -> ColumnElement[float]:
    """SQL: how long a wait that has ended took, in seconds."""
    return elapsed(QueueEntry.exited_at, QueueEntry.entered_at)


def counts_columns() -> list[Label[Any]]:
    """SQL: the columns of `Counts` over `queue_entries` joined with `queues`, in the order of its fields."""
    answered = QueueEntry.exit == QueueExit.ANSWERED.value
    left = and_(QueueEntry.exit == QueueExit.ABANDONED.value, waited() >= SHORT_ABANDON_SECONDS)
    in_time = and_(answered, waited() <= Queue.target_seconds)
    return [
        how_many(answered).label("answered"),
        how_many(in_time).label("within"),
        func.coalesce(func.sum(case((answered, waited()), else_=0.0)), 0.0).label("wait"),
        how_many(left).label("abandoned"),
        how_many(QueueEntry.exit == QueueExit.FLOWED_OUT.value).label("flowed_out"),
    ]


def activity(*, on_contact: int, incoming: int, wrapping: int) -> Activity:
    """What an agent is doing, from the live items they hold: contact before offer before wrap-up."""
    if on_contact:
        return Activity.ON_CONTACT
    if incoming:
        return Activity.INCOMING
    return Activity.ACW if wrapping else Activity.IDLE


def is_staffed(presence: str) -> bool:
    """Whether an agent counts as being on the floor: signed in, available or not."""
    return presence != Presence.OFFLINE.value


@dataclass(frozen=True, slots=True)
class Share:
    """A share in percent with the Wilson interval around it; `n` answers."""

    n: int
    percent: float
    low: float
    high: float


def wilson(good: int, n: int, z: float = CONFIDENCE) -> Share | None:
    """The share of `good` among `n` with its Wilson score interval; None without answers."""
    if n == 0:
        return None
    p = good / n
    scale = 1 + z * z / n
    middle = (p + z * z / (2 * n)) / scale
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale
    return Share(n, 100 * p, 100 * max(0.0, middle - half), 100 * min(1.0, middle + half))


def blended_target(targets: Mapping[int, int], counts: Mapping[int, Counts]) -> float | None:
    """The service level target over several queues: each queue's own, weighted by what it was offered today."""
    if not targets:
        return None
    weights = {queue_id: counts.get(queue_id, Counts()).offered for queue_id in targets}
    total = sum(weights.values())
    if total == 0:
        return sum(targets.values()) / len(targets)
    return sum(share * weights[queue_id] for queue_id, share in targets.items()) / total
