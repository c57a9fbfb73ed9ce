"""Whether one agent may get one piece of work, and if not, every reason why: the plain form of the rules, which
the explanation shows and against which the fast policy is tested."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from routing.facts import Agent, Queue, Row, Work
from routing.states import Presence
from routing.steps import Stance


class Obstacle(StrEnum):
    """What rules an agent out."""

    PRESENCE = "presence"
    ABSENCE = "absence"
    CHANNEL = "channel"
    PROFILE = "profile"
    DELAY = "delay"
    SKILL = "skill"
    STEP = "step"
    TRIED = "tried"
    POOL = "pool"
    HOURS = "hours"
    BACK_OFF = "back_off"


def obstacles(work: Work, agent: Agent, at: Stance, queues: Mapping[int, Queue], now: float) -> Iterator[Obstacle]:
    """Everything that stands between `agent` and `work`; nothing means eligible."""
    if agent.presence is not Presence.AVAILABLE:
        yield Obstacle.PRESENCE
    if agent.absent:
        yield Obstacle.ABSENCE
    if work.medium not in agent.media:
        yield Obstacle.CHANNEL
    if work.weight > agent.pool(work.pool).room:
        yield Obstacle.POOL
    if agent.id in work.tried:
        yield Obstacle.TRIED
    if not queues[work.queue_id].is_open:
        yield Obstacle.HOURS
    if work.not_before > now:
        yield Obstacle.BACK_OFF
        return
    if at.only is not None:
        if at.only != agent.id:
            yield Obstacle.STEP
        return
    row = route_of(work, agent, at, queues, now)
    if row is None:
        yield Obstacle.DELAY if any(route in agent.rows for route in at.routes) else Obstacle.PROFILE
    if not agent.knows(at.need):
        yield Obstacle.SKILL


def route_of(work: Work, agent: Agent, at: Stance, queues: Mapping[int, Queue], now: float) -> Row | None:
    """The first row of the agent's profile through which the work may come."""
    waited = max(0.0, now - work.waiting_since)
    for route in at.routes:
        row = agent.rows.get(route)
        if row is not None and waited >= row.delay and queues[route].is_open:
            return row
    return None


def may_take(work: Work, agent: Agent, at: Stance, queues: Mapping[int, Queue], now: float) -> bool:
    """Whether nothing stands in the way."""
    return next(obstacles(work, agent, at, queues, now), None) is None
