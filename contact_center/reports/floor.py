"""What the supervisor board shows at a moment: plain values, put together by `live` and rendered by the board."""

from dataclasses import dataclass
from datetime import datetime

from contact_center.reports.definitions import Counts, Share
from routing.states import Activity


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the floor: one queue or all, one team's agents or everybody."""

    queue_id: int | None = None
    team_id: int | None = None


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One queue: its targets, what waits, who could take it, and today's counts. All of live work but `deferred`."""

    id: int
    name: str
    is_open: bool
    closed_reason: str
    target_share: int
    target_seconds: int
    waiting: int
    longest_since: datetime | None
    staffed: int
    available: int
    deferred: int
    today: Counts


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One agent; held and capacity are weights of the two pools, `missed` are offers that timed out today."""

    id: int
    name: str
    presence: str
    reason: str
    since: datetime
    activity: Activity
    live_held: int
    live_capacity: int
    deferred_held: int
    deferred_capacity: int
    live: int
    deferred: int
    contacts: int
    missed: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """One piece of work that nobody has yet; `offered_to` while it is being offered."""

    work_item_id: int
    ticket_id: int
    number: int
    customer: str
    subject: str
    channel: str
    queue: str
    priority: str
    is_live: bool
    waiting_since: datetime
    offered_to: str
    rounds: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """Deferred work that waits for us; `ages` has one count per group of `definitions.AGES`."""

    open: int = 0
    unowned: int = 0
    oldest_since: datetime | None = None
    due_today: int = 0
    breached: int = 0
    ages: tuple[int, ...] = (0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A channel account that cannot work, with the error that it reported."""

    account_id: int
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class Present:
    """The floor at `at`."""

    at: datetime
    queues: tuple[QueueLine, ...]
    agents: tuple[AgentLine, ...]
    waiting: tuple[Waiting, ...]
    at_risk: int
    missed_target: int
    deferred: Deferred
    csat: Share | None
    troubles: tuple[Trouble, ...]
    # Messages of which nobody knows whether they left.
    unsettled: int

    @property
    def today(self) -> Counts:
        return sum((queue.today for queue in self.queues), Counts())

    @property
    def in_queue(self) -> int:
        return sum(queue.waiting for queue in self.queues)

    @property
    def longest_since(self) -> datetime | None:
        """Since when the live work waits that has waited longest."""
        return min((queue.longest_since for queue in self.queues if queue.longest_since), default=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """One five-minute step of the last hour. `counts` are of the step, the rest as it was at its end.

    `longest` is in seconds, `csat` the percent of the day's answers so far, None before the first.
    """

    counts: Counts
    waiting: int
    longest: float
    available: int
    at_risk: int
    csat: float | None


@dataclass(frozen=True, slots=True)
class History:
    """What the present is compared with: the last hour in steps, and the same time last week where data exist."""

    hour: tuple[Moment, ...]
    last_week: Counts | None
    last_week_waiting: int | None
    last_week_longest: float | None
    last_week_agents: int | None
    last_week_csat: Share | None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the board for one scope."""

    scope: Scope
    present: Present
    history: History
