"""What the policy knows about work, agents and queues. Moments are UTC seconds since the epoch, as floats:
the same policy runs on the wall clock and in a simulation's virtual time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.pools import POOL_OF, WHOLE_POOL, Medium, Pool, PoolName
from routing.states import Presence
from tickets.states import Priority

Need = tuple[tuple[int, int], ...]
"""What an agent must know: (skill id, lowest proficiency 1-5), ordered by skill id."""


class Acceptance(StrEnum):
    """Whether an agent is asked first (`offer`) or simply gets the work (`auto`)."""

    OFFER = "offer"
    AUTO = "auto"


class Selection(StrEnum):
    """Which of several suitable agents gets the work."""

    MOST_SPARE = "most_spare"
    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"


class Ordering(StrEnum):
    """Which waiting work comes first."""

    AGE = "age"
    TIME_TO_BREACH = "time_to_breach"


@dataclass(frozen=True, slots=True)
class Step:
    """One ring of a queue: whom work may go to while it has waited this long.

    `agent`: only the agent it knows already. `level`: lowest proficiency in the work's wished skills, 0 = not
    asked. `needs`: skills that this ring asks of everybody. `seconds` is None for the last ring.
    """

    seconds: float | None = None
    agent: bool = False
    level: int = 0
    needs: Need = ()


@dataclass(frozen=True, slots=True)
class Overflow:
    """Another queue whose agents join after the work has waited `after` seconds."""

    queue_id: int
    after: float


SUPERVISOR = 0
"""The skill that only supervisors have; no row of the table of skills has this id."""
DEFAULT_STEPS = (Step(seconds=30.0, level=1), Step())
DEFAULT_TIMEOUTS: Mapping[Medium, float] = {Medium.CALL: 20.0, Medium.CHAT: 30.0}
DEFERRED_TIMEOUT = 120.0
DEFAULT_ACCEPTANCE: Mapping[PoolName, Acceptance] = {
    PoolName.LIVE: Acceptance.OFFER,
    PoolName.DEFERRED: Acceptance.AUTO,
}


@dataclass(frozen=True, slots=True)
class Queue:
    """A business queue's routing settings, and whether it is open now.

    `credit` is seconds that its work counts as older; `strict` > 0 puts it before every queue with less (and
    may starve those). `target` is the service level's target in seconds, for work without a due time.
    """

    id: int
    selection: Selection = Selection.LONGEST_IDLE
    ordering: Ordering = Ordering.AGE
    credit: float = 0.0
    strict: int = 0
    target: float = 8 * 3600.0
    steps: tuple[Step, ...] = DEFAULT_STEPS
    overflows: tuple[Overflow, ...] = ()
    max_offers: int = 10
    is_open: bool = True
    acceptance: Mapping[PoolName, Acceptance] = field(default_factory=lambda: DEFAULT_ACCEPTANCE)
    timeouts: Mapping[Medium, float] = field(default_factory=lambda: DEFAULT_TIMEOUTS)

    def timeout(self, medium: Medium) -> float:
        """Seconds an agent has to accept an offer."""
        return self.timeouts.get(medium, DEFERRED_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Work:
    """A queued work item. `enqueued_at` orders and never changes; waits are measured from `waiting_since`.

    `skills` are required, `wishes` are asked as far as the step says. `tried` are agents who let it go,
    `round` counts how often everyone had. `preferred_id` alone may have it until `preferred_until` and in rings
    for the known agent.
    """

    id: int
    queue_id: int
    medium: Medium
    weight: int
    enqueued_at: float
    waiting_since: float
    priority: Priority = Priority.MEDIUM
    credit: float = 0.0
    due_at: float | None = None
    skills: Need = ()
    wishes: tuple[int, ...] = ()
    tried: frozenset[int] = frozenset()
    offers: int = 0
    round: int = 0
    not_before: float = 0.0
    preferred_id: int | None = None
    preferred_until: float = 0.0

    @property
    def pool(self) -> PoolName:
        return POOL_OF[self.medium]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a routing profile: the agent serves this queue, with work that waited at least `delay`."""

    queue_id: int
    priority: int = 1
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as the policy sees them. `free_since` is when either pool last got room or presence began."""

    id: int
    presence: Presence = Presence.OFFLINE
    absent: bool = False
    media: frozenset[Medium] = frozenset(Medium)
    live: Pool = WHOLE_POOL
    deferred: Pool = WHOLE_POOL
    skills: Mapping[int, int] = field(default_factory=dict)
    rows: Mapping[int, Row] = field(default_factory=dict)
    last_assigned_at: float = 0.0
    free_since: float = 0.0

    def pool(self, name: PoolName) -> Pool:
        return self.live if name is PoolName.LIVE else self.deferred

    def knows(self, need: Need) -> bool:
        """Whether every needed skill is there at its level."""
        skills = self.skills
        return all(skills.get(skill, 0) >= level for skill, level in need)

    def given(self, name: PoolName, weight: int, now: float) -> "Agent":
        """This agent after getting work of that weight."""
        return self._with(name, weight, now, self.free_since)

    def relieved(self, name: PoolName, weight: int, now: float) -> "Agent":
        """This agent after work of that weight has ended: there is room again from `now` on."""
        return self._with(name, -weight, self.last_assigned_at, now)

    def _with(self, name: PoolName, weight: int, last_assigned_at: float, free_since: float) -> "Agent":
        # Written out: dataclasses.replace costs as much as all the rest of a decision's bookkeeping.
        is_live = name is PoolName.LIVE
        return Agent(
            self.id,
            self.presence,
            self.absent,
            self.media,
            self.live.holding(weight) if is_live else self.live,
            self.deferred if is_live else self.deferred.holding(weight),
            self.skills,
            self.rows,
            last_assigned_at,
            free_since,
        )
