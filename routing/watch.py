"""The two promises that no constraint of a row can hold: nobody idles beside work (I6), nothing is overtaken (I7).

Both are judged from the rows by the plain rules of `eligibility`, not by the engine whose work they check, so that an
engine that stands still is seen too. A look costs two small statements while nothing waits or nobody has room.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contact_center.core.events import EventRow
from routing.eligibility import may_take
from routing.facts import Agent, Queue, Work
from routing.loading import load_agents, load_queues, work_of
from routing.models import AgentState, Decision, Offer, QueueEntry, WorkItem
from routing.pools import WHOLE_POOL
from routing.ranking import handicap, work_key, work_parts
from routing.states import Presence, QueueExit, WorkItemState
from routing.steps import stance
from tickets.models import Ticket

PATIENCE = timedelta(seconds=1)
"""So long may an agent with room and work for them exist side by side."""
LOOK_BACK = timedelta(seconds=60)
MARGIN = timedelta(seconds=2)
"""An engine in another process may see new work a sweep and a decision later."""
PER_QUEUE = 50
NEWEST_EVENTS = 2_000
# Their moments are not on the rows: whoever was touched by one of them just now is judged at the next look.
CHANGES = frozenset({"agent.changed", "presence.changed", "user.changed", "queue.changed", "service_level.changed"})


@dataclass(frozen=True, slots=True)
class Scene:
    """The oldest waiting work of each queue, and the agents that matter to it."""

    items: Sequence[Row[Any]]
    works: Mapping[int, Work]
    agents: Mapping[int, Agent]


def idle_beside_work(tx: Connection, now: datetime) -> int:
    """I6: how many pieces of waiting work have had an eligible agent with room for more than a second."""
    free = _free_agents(tx, now)
    scene = _scene(tx, now, free) if free else None
    if scene is None:
        return 0
    pairs = set(_pairs(scene, free, load_queues(tx, now=now), now))
    if not pairs:
        return 0
    before = now - PATIENCE
    pairs &= set(_pairs(scene, free, load_queues(tx, now=before), before))
    touched_items, touched_agents, queues_changed = _just_changed(tx, before) if pairs else (set(), set(), False)
    if queues_changed:
        return 0
    return len({item for item, agent in pairs if item not in touched_items and agent not in touched_agents})


def overtaken(tx: Connection, now: datetime) -> int:
    """I7: how many pieces of waiting work an engine passed over in the last minute, for work of the same queue and
    kind that comes later in the queue's own order. Strict priority orders queues, so it never shows here."""
    waiting = _oldest(tx, now)
    if not waiting:
        return 0
    given = _given(tx, {item.queue_id for item in waiting}, now)
    if not given:
        return 0
    queues = load_queues(tx, now=now)
    agents = load_agents(tx, {row.agent_id for row in given} | _preferred(waiting), now=now)
    found = set()
    for row in given:
        agent = agents[row.agent_id][0] if row.agent_id in agents else None
        for item in waiting:
            if agent is not None and item.id not in found and _passed_over(tx, item, row, agent, queues, now):
                found.add(item.id)
    return len(found)


def _free_agents(tx: Connection, now: datetime) -> Collection[int]:
    """Who has been available, with room in a pool, for longer than our patience."""
    room = (AgentState.live_held < AgentState.live_capacity) | (AgentState.deferred_held < AgentState.deferred_capacity)
    statement = select(AgentState.user_id).where(
        AgentState.presence == Presence.AVAILABLE.value,
        AgentState.active,
        AgentState.lost_at.is_(None),
        AgentState.since <= now - PATIENCE,
        AgentState.free_since <= now - PATIENCE,
        room,
    )
    return set(tx.execute(statement).scalars())


def _oldest(tx: Connection, now: datetime) -> Sequence[Row[Any]]:
    place = func.row_number().over(partition_by=WorkItem.queue_id, order_by=(WorkItem.enqueued_at, WorkItem.id))
    queued = (WorkItem.state == WorkItemState.QUEUED.value, WorkItem.waiting_since <= now - PATIENCE)
    ranked = select(WorkItem.id, place.label("place")).where(*queued).subquery()
    statement = select(WorkItem.__table__).join(ranked, ranked.c.id == WorkItem.id).where(ranked.c.place <= PER_QUEUE)
    return tx.execute(statement.order_by(WorkItem.id)).all()


def _preferred(items: Sequence[Row[Any]]) -> set[int]:
    return {item.preferred_id for item in items if item.preferred_id is not None}


def _scene(tx: Connection, now: datetime, free: Collection[int]) -> Scene | None:
    items = _oldest(tx, now)
    if not items:
        return None
    loaded = load_agents(tx, {*free, *_preferred(items)}, now=now)
    works = {item.id: work_of(item) for item in items}
    return Scene(items, works, {agent_id: agent for agent_id, (agent, _) in loaded.items()})


def _pairs(
    scene: Scene, free: Collection[int], queues: Mapping[int, Queue], now: datetime
) -> Iterator[tuple[int, int]]:
    """(work item, agent) of everything that could be given at that moment. Work of one kind has one answer."""
    moment = now.timestamp()
    able: dict[Any, list[int]] = {}
    delays = sorted({row.delay for agent in scene.agents.values() for row in agent.rows.values()})
    for work in scene.works.values():
        if work.queue_id not in queues:
            continue
        at = stance(work, queues[work.queue_id], scene.agents.get(work.preferred_id or 0), moment)
        at = replace(at, routes=tuple(route for route in at.routes if route in queues))
        reached = bisect_right(delays, moment - work.waiting_since)
        kind = (
            work.queue_id,
            work.medium,
            work.weight,
            work.tried,
            work.not_before > moment,
            replace(at, until=0.0),
            reached,
        )
        if kind not in able:
            some = ((agent_id, scene.agents.get(agent_id)) for agent_id in free)
            able[kind] = [one for one, agent in some if agent and may_take(work, agent, at, queues, moment)]
        for agent_id in able[kind]:
            yield work.id, agent_id


def _just_changed(tx: Connection, since: datetime) -> tuple[set[int], set[int], bool]:
    """Work items and agents that changed since then, and whether queues did."""
    newest = select(EventRow.name, EventRow.payload, EventRow.created_at).order_by(EventRow.id.desc())
    items: set[int] = set()
    agents: set[int] = set()
    queues = False
    for row in tx.execute(newest.limit(NEWEST_EVENTS)):
        if row.created_at < since:
            continue
        items.add(row.payload.get("work_item_id", 0))
        if row.name in CHANGES:
            agents.add(row.payload.get("user_id", 0))
            queues = queues or row.name in {"queue.changed", "service_level.changed"}
    return items, agents, queues


def _given(tx: Connection, queue_ids: Collection[int], now: datetime) -> Sequence[Row[Any]]:
    """What an engine gave away in the last minute, with the decision behind it."""
    statement = (
        select(WorkItem.__table__, Decision.at.label("decided_at"), Decision.record)
        .join(QueueEntry, QueueEntry.work_item_id == WorkItem.id)
        .join(Decision, (Decision.work_item_id == WorkItem.id) & (Decision.agent_id == QueueEntry.agent_id))
        .where(
            QueueEntry.queue_id.in_(queue_ids),
            QueueEntry.exited_at > now - LOOK_BACK,
            QueueEntry.exit == QueueExit.ANSWERED.value,
            Decision.kind.in_(("offer", "auto")),
            Decision.at > now - LOOK_BACK,
            WorkItem.agent_id == QueueEntry.agent_id,
        )
    )
    return tx.execute(statement).all()


def _passed_over(
    tx: Connection, item: Row[Any], given: Row[Any], agent: Agent, queues: Mapping[int, Queue], now: datetime
) -> bool:
    same = ("queue_id", "medium", "weight", "skills", "wishes")
    queue = queues.get(item.queue_id)
    if queue is None or any(getattr(item, name) != getattr(given, name) for name in same):
        return False
    at = given.decided_at
    if item.waiting_since > at - MARGIN or item.round or agent.id in item.tried or given.preferred_id == agent.id:
        return False
    work, other = work_of(item), work_of(given)
    # Only what still ranks as it was decided can be compared: a priority or the queue may have changed since.
    if given.record.get("route") != item.queue_id or given.record.get("rank") != work_parts(other, queue):
        return False
    # As the agent was then: here, with room.
    then = replace(agent, presence=Presence.AVAILABLE, absent=False, live=WHOLE_POOL, deferred=WHOLE_POOL)
    place = stance(work, queue, then if work.preferred_id == agent.id else None, at.timestamp())
    place = replace(place, routes=tuple(route for route in place.routes if route in queues))
    if not may_take(work, then, place, queues, at.timestamp()):
        return False
    _, arrived, _ = work_key(work, queue)
    _, later, _ = work_key(other, queue)
    # An overflow's row of the profile may put work before what only the queue's own row shows.
    routes = given.record["step"]["routes"]
    if arrived + _handicap(work, agent, place.routes) >= later + _handicap(other, agent, routes):
        return False
    return not _has_changed(tx, item, agent.id, at)


def _handicap(work: Work, agent: Agent, routes: Iterable[int]) -> float:
    return min((handicap(agent.rows[route], work.pool) for route in routes if route in agent.rows), default=0.0)


def _has_changed(tx: Connection, item: Row[Any], agent_id: int, since: datetime) -> bool:
    """Whether the work was on offer to somebody then, or its ticket (priority, due time), the agent's profile or a
    queue has changed since."""
    _, agents, queues = _just_changed(tx, since)
    if queues or agent_id in agents:
        return True
    offered = select(Offer.id).where(Offer.work_item_id == item.id, Offer.ended_at >= since)
    ticket = select(Ticket.id).where(Ticket.id == item.ticket_id, Ticket.updated_at >= since)
    return tx.execute(offered.limit(1)).first() is not None or tx.execute(ticket).first() is not None
