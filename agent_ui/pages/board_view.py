"""The tiles of the board: what each number is compared with, and how it stands. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contact_center.reports.definitions import (
    ABANDONMENT_TARGET,
    ACTIVITIES,
    CSAT_TARGET,
    MEANINGS,
    NAMES,
    Metric,
    Share,
    blended_target,
)
from contact_center.reports.floor import AgentLine, Board, Moment, QueueLine
from contact_center.reports.live import staffed
from routing.pools import WEIGHTS, Medium
from routing.states import Activity, Presence

NEAR = 10.0
"""Percentage points from a target that count as close to it."""


@dataclass(frozen=True, slots=True)
class Change:
    """The difference to the same time last week; `good` is None where neither direction is better."""

    by: float
    before: float
    good: bool | None


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. `unit`: percent, count or seconds; `since` makes a number that grows by itself.

    `state`: ok, warn, bad or "" (no data); `points` are the hour's steps, None where there was nothing to measure.
    """

    metric: Metric
    name: str
    meaning: str
    unit: str
    value: float | None
    state: str
    target: float | None = None
    since: datetime | None = None
    change: Change | None = None
    points: tuple[float | None, ...] = ()
    share: Share | None = None
    parts: tuple[tuple[Activity, int], ...] = ()
    more: int = 0


def tiles(board: Board) -> list[Tile]:
    """The eight tiles of live work."""
    return [
        _service_level(board),
        _in_queue(board),
        _longest(board),
        _asa(board),
        _abandonment(board),
        _at_risk(board),
        _agents(board),
        _csat(board),
    ]


def _service_level(board: Board) -> Tile:
    queues, value = board.present.queues, board.present.today.service_level
    target = blended_target(
        {queue.id: queue.target_share for queue in queues}, {queue.id: queue.today for queue in queues}
    )
    before = board.history.last_week.service_level if board.history.last_week else None
    return _tile(
        Metric.SERVICE_LEVEL,
        "percent",
        value,
        state=at_least(value, target),
        target=target,
        change=_change(value, before, up_is_good=True),
        points=_points(board.history.hour, lambda moment: moment.counts.service_level),
    )


def _in_queue(board: Board) -> Tile:
    value, free = board.present.in_queue, free_places(board.present.agents)
    return _tile(
        Metric.IN_QUEUE,
        "count",
        value,
        state="ok" if value <= free or value == 0 else "warn" if free else "bad",
        target=free,
        change=_change(value, board.history.last_week_waiting, up_is_good=False),
        points=_points(board.history.hour, lambda moment: moment.waiting),
    )


def _longest(board: Board) -> Tile:
    since, now = board.present.longest_since, board.present.at
    waited = (now - since).total_seconds() if since else 0.0
    target = _strictest(board.present.queues)
    return _tile(
        Metric.LONGEST_WAIT,
        "seconds",
        waited,
        state=at_most(waited, target, slack=0.75, early=True),
        target=target,
        since=since,
        change=_change(waited, board.history.last_week_longest, up_is_good=False),
        points=_points(board.history.hour, lambda moment: moment.longest),
    )


def _asa(board: Board) -> Tile:
    value, target = board.present.today.asa, _strictest(board.present.queues)
    before = board.history.last_week.asa if board.history.last_week else None
    return _tile(
        Metric.ASA,
        "seconds",
        value,
        state=at_most(value, target, slack=1.5),
        target=target,
        change=_change(value, before, up_is_good=False),
        points=_points(board.history.hour, lambda moment: moment.counts.asa),
    )


def _abandonment(board: Board) -> Tile:
    value = board.present.today.abandonment
    before = board.history.last_week.abandonment if board.history.last_week else None
    return _tile(
        Metric.ABANDONMENT,
        "percent",
        value,
        state=at_most(value, ABANDONMENT_TARGET, slack=2),
        target=ABANDONMENT_TARGET,
        change=_change(value, before, up_is_good=False),
        points=_points(board.history.hour, lambda moment: moment.counts.abandonment),
    )


def _at_risk(board: Board) -> Tile:
    at_risk, missed = board.present.at_risk, board.present.missed_target
    return _tile(
        Metric.SLA_AT_RISK,
        "count",
        at_risk + missed,
        state="bad" if missed else "warn" if at_risk else "ok",
        target=0,
        points=_points(board.history.hour, lambda moment: moment.at_risk),
        more=missed,
    )


def _agents(board: Board) -> Tile:
    on_floor = staffed(board.present.agents)
    available = [agent for agent in on_floor if agent.presence == Presence.AVAILABLE.value]
    doing = [(activity, sum(agent.activity is activity for agent in available)) for activity in ACTIVITIES]
    return _tile(
        Metric.AGENTS,
        "count",
        len(on_floor),
        state="ok" if available else "bad" if board.present.in_queue else "warn",
        change=_change(len(on_floor), board.history.last_week_agents, up_is_good=None),
        points=_points(board.history.hour, lambda moment: moment.available),
        parts=tuple((activity, n) for activity, n in doing if n),
        more=len(on_floor) - len(available),
    )


def _csat(board: Board) -> Tile:
    share, before = board.present.csat, board.history.last_week_csat
    value = share.percent if share else None
    return _tile(
        Metric.CSAT,
        "percent",
        value,
        state=at_least(value, CSAT_TARGET),
        target=CSAT_TARGET,
        change=_change(value, before.percent if before else None, up_is_good=True),
        points=_points(board.history.hour, lambda moment: moment.csat),
        share=share,
    )


def _tile(metric: Metric, unit: str, value: float | None, *, state: str, **more: object) -> Tile:
    return Tile(metric, NAMES[metric], MEANINGS[metric], unit, value, state, **more)  # type: ignore[arg-type]


def _points(hour: Sequence[Moment], of: Callable[[Moment], float | None]) -> tuple[float | None, ...]:
    return tuple(of(moment) for moment in hour)


def _change(value: float | None, before: float | None, *, up_is_good: bool | None) -> Change | None:
    if value is None or before is None:
        return None
    by = round(value) - round(before)
    return Change(by, before, None if up_is_good is None or by == 0 else (by > 0) == up_is_good)


def at_least(value: float | None, target: float | None) -> str:
    """How a share stands against a target that it should reach."""
    if value is None or target is None:
        return ""
    return "ok" if value >= target else "warn" if value >= target - NEAR else "bad"


def at_most(value: float | None, target: float | None, *, slack: float, early: bool = False) -> str:
    """How a number stands against a limit; `slack` times the limit is the worst (with `early` the first) warning."""
    if value is None or target is None:
        return ""
    if early:
        return "ok" if value < target * slack else "warn" if value < target else "bad"
    return "ok" if value <= target else "warn" if value <= target * slack else "bad"


def free_places(agents: Sequence[AgentLine]) -> int:
    """How many more chats the available agents have room for."""
    weight = WEIGHTS[Medium.CHAT]
    return sum(
        max(0, (agent.live_capacity - agent.live_held) // weight)
        for agent in agents
        if agent.presence == Presence.AVAILABLE.value
    )


def _strictest(queues: Sequence[QueueLine]) -> float | None:
    """The shortest target time among the queues in view."""
    return min((queue.target_seconds for queue in queues), default=None)


def sparkline(points: Sequence[float | None], *, width: int = 120, height: int = 24) -> list[str]:
    """SVG point lists, one per stretch without holes, scaled into a box; a flat line lies at the bottom."""
    known = [point for point in points if point is not None]
    if len(known) < 2:
        return []
    top = max(known)
    low = min(known)
    spread = (top - low) or 1.0
    lines: list[list[str]] = [[]]
    for index, point in enumerate(points):
        if point is None:
            lines.append([])
            continue
        x = index * width / (len(points) - 1)
        y = height - 2 - (point - low) / spread * (height - 4)
        lines[-1].append(f"{x:.1f},{y:.1f}")
    return [" ".join(line) for line in lines if line]
