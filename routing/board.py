"""What the supervisor's board reads of routing: the floor and the queues, each in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, case, func, select

from contact_center.accounts.models import User
from routing import queue_settings
from routing.models import AgentState, Offer, QueueEntry, WorkItem
from routing.pools import Medium, Pool, PoolName, pool_of
from routing.queries import activity_of, counts, items_in_hand
from routing.states import Activity, OfferState, Presence, QueueExit, WorkItemState
from tickets.hours import calendar_from, is_open
from tickets.models import Calendar, Queue

TODAY = timedelta(hours=24)
NO_EXITS: Sequence[Row[Any]] = ()


@dataclass(frozen=True, slots=True)
class AgentNow:
    """One agent on the floor, for the board."""

    user_id: int
    name: str
    presence: Presence
    reason: str | None
    since: datetime
    connected: bool
    activity: Activity
    live: Pool
    deferred: Pool
    live_items: int
    deferred_items: int
    missed_today: int
    handled_today: int


@dataclass(frozen=True, slots=True)
class QueueNow:
    """One queue and pool, for the board: waiting, the longest wait's start, and exits of the last 24 hours."""

    queue_id: int
    name: str
    pool: PoolName
    is_open: bool
    waiting: int
    offered: int
    in_hand: int
    oldest_waiting_since: datetime | None
    answered: int
    abandoned: int
    in_target: int


def floor(tx: Connection, now: datetime) -> list[AgentNow]:
    """Everybody who handles contacts, by name."""
    rows = tx.execute(
        select(AgentState.__table__, User.name)
        .join(User, User.id == AgentState.user_id)
        .where(AgentState.active)
        .order_by(User.name)
    ).all()
    items: dict[int, list[Row[Any]]] = defaultdict(list)
    for item in tx.execute(items_in_hand()):
        items[item.agent_id].append(item)
    missed = _offers_since(tx, now - TODAY, OfferState.TIMEOUT)
    handled = _handled_since(tx, now - TODAY)
    return [_agent_now(row, items[row.user_id], missed, handled) for row in rows]


def queues_now(tx: Connection, now: datetime) -> list[QueueNow]:
    """Every active queue, once per pool."""
    queues = tx.execute(
        select(Queue.id, Queue.name, Queue.routing, Queue.target_seconds, Calendar.definition)
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .where(Queue.active)
        .order_by(Queue.name)
    ).all()
    current = {(row.queue_id, row.pool): row for row in tx.execute(_work_by_queue())}
    exits = _exits_since(tx, now - TODAY)
    return [
        _queue_now(queue, pool, current.get((queue.id, pool.value)), exits, now)
        for queue in queues
        for pool in PoolName
    ]


def _work_by_queue() -> Any:
    def how_many(*states: WorkItemState) -> Any:
        return func.sum(case((WorkItem.state.in_([state.value for state in states]), 1), else_=0))

    waits = WorkItem.state.in_([WorkItemState.QUEUED.value, WorkItemState.RESERVED.value])
    return (
        select(
            WorkItem.queue_id,
            WorkItem.pool,
            how_many(WorkItemState.QUEUED).label("waiting"),
            how_many(WorkItemState.RESERVED).label("offered"),
            how_many(WorkItemState.ASSIGNED, WorkItemState.PAUSED, WorkItemState.WRAPPING).label("in_hand"),
            func.min(case((waits, WorkItem.waiting_since))).label("oldest"),
        )
        .where(WorkItem.state.not_in([WorkItemState.COMPLETED.value, WorkItemState.CANCELED.value]))
        .group_by(WorkItem.queue_id, WorkItem.pool)
    )


def _agent_now(row: Row[Any], items: list[Row[Any]], missed: Mapping[int, int], handled: Mapping[int, int]) -> AgentNow:
    live, deferred = counts(items)
    return AgentNow(
        user_id=row.user_id,
        name=row.name,
        presence=Presence(row.presence),
        reason=row.reason,
        since=row.since,
        connected=row.lost_at is None,
        activity=activity_of(items),
        live=Pool(row.live_capacity, row.live_held),
        deferred=Pool(row.deferred_capacity, row.deferred_held),
        live_items=live,
        deferred_items=deferred,
        missed_today=missed.get(row.user_id, 0),
        handled_today=handled.get(row.user_id, 0),
    )


def _offers_since(tx: Connection, since: datetime, state: OfferState) -> dict[int, int]:
    rows = tx.execute(
        select(Offer.agent_id, func.count().label("n"))
        .where(Offer.offered_at > since, Offer.state == state.value)
        .group_by(Offer.agent_id)
    )
    return {row.agent_id: row.n for row in rows}


def _handled_since(tx: Connection, since: datetime) -> dict[int, int]:
    rows = tx.execute(
        select(WorkItem.agent_id, func.count().label("n"))
        .where(WorkItem.finished_at > since, WorkItem.state == WorkItemState.COMPLETED.value)
        .group_by(WorkItem.agent_id)
    )
    return {row.agent_id: row.n for row in rows}


def _exits_since(tx: Connection, since: datetime) -> dict[tuple[int, PoolName], list[Any]]:
    exits: dict[tuple[int, PoolName], list[Any]] = defaultdict(list)
    for row in tx.execute(
        select(
            QueueEntry.queue_id, QueueEntry.medium, QueueEntry.exit, QueueEntry.entered_at, QueueEntry.exited_at
        ).where(QueueEntry.exited_at > since)
    ):
        exits[row.queue_id, pool_of(Medium(row.medium))].append(row)
    return exits


def _queue_now(
    queue: Row[Any],
    pool: PoolName,
    current: Row[Any] | None,
    exits: Mapping[tuple[int, PoolName], list[Any]],
    now: datetime,
) -> QueueNow:
    left = exits.get((queue.id, pool), NO_EXITS)
    answered = [row for row in left if row.exit == QueueExit.ANSWERED.value]
    target = timedelta(seconds=queue.target_seconds)
    closed = queue_settings.read(queue.routing).closed is not None
    return QueueNow(
        queue_id=queue.id,
        name=queue.name,
        pool=pool,
        is_open=not closed and (not queue.definition or is_open(calendar_from(queue.definition), now)),
        waiting=current.waiting if current else 0,
        offered=current.offered if current else 0,
        in_hand=current.in_hand if current else 0,
        oldest_waiting_since=current.oldest if current else None,
        answered=len(answered),
        abandoned=sum(1 for row in left if row.exit == QueueExit.ABANDONED.value),
        in_target=sum(1 for row in answered if row.exited_at - row.entered_at <= target),
    )
