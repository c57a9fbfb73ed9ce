"""Work items and the weights they hold: the only place that moves one from state to state.

Lock order everywhere: work item, offer, agent, ticket. Who holds the work item's row decides; the others wait and
then find that it has moved.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, Update, bindparam, insert, select, update
from sqlalchemy import text as sql

from contact_center.core.errors import Conflict, NotFound
from contact_center.core.events import emit
from routing.models import OPEN_WORK, TICKETS_WORK, AgentState, QueueEntry, WorkItem
from routing.pools import PoolName
from routing.states import HOLDING_STATES, MOVES, WAITING_STATES, Move, QueueExit, WorkItemState

EXITS: Mapping[Move, QueueExit] = {
    Move.AUTO: QueueExit.ANSWERED,
    Move.TAKE: QueueExit.ANSWERED,
    Move.ASSIGN: QueueExit.ANSWERED,
    Move.ACCEPT: QueueExit.ANSWERED,
    Move.CANCEL: QueueExit.CANCELED,
}
"""How a move out of the queue counts, unless the caller knows better (abandoned, flowed out)."""

TOLD_BY_OFFERS = frozenset({Move.OFFER, Move.ACCEPT, Move.DECLINE, Move.TIMEOUT, Move.RESCIND})
"""The offer's own event says it all."""

_BY_ID = select(WorkItem.__table__).where(WorkItem.id == bindparam("item_id"))
_OPEN_OF = select(WorkItem.__table__).where(WorkItem.ticket_id == bindparam("ticket"), sql(TICKETS_WORK))
# Somebody's own call that is over before the ticket's work.
_WRAPPED_BY = (
    select(WorkItem.__table__)
    .where(
        WorkItem.ticket_id == bindparam("ticket"),
        sql(OPEN_WORK),
        WorkItem.beside.is_(None)
        | ((WorkItem.agent_id == bindparam("agent")) & (WorkItem.state == WorkItemState.WRAPPING.value)),
    )
    .order_by(WorkItem.beside.is_(None), WorkItem.id)
    .limit(1)
    .with_for_update()
)
_LOCK_BY_ID, _LOCK_OPEN_OF = _BY_ID.with_for_update(), _OPEN_OF.with_for_update()
# SET takes whatever columns the parameters name.
_CHANGE = (
    update(WorkItem)
    .where(WorkItem.id == bindparam("item_id"), WorkItem.version == bindparam("seen"))
    .returning(*WorkItem.__table__.c)
)
_ENTER = insert(QueueEntry)
_LEAVE = update(QueueEntry).where(QueueEntry.work_item_id == bindparam("item_id"), QueueEntry.exited_at.is_(None))


def by_id(tx: Connection, work_item_id: int, *, lock: bool = True) -> Row[Any]:
    """A work item's row, locked for this transaction; NotFound if there is none."""
    row = tx.execute(_LOCK_BY_ID if lock else _BY_ID, {"item_id": work_item_id}).first()
    if row is None:
        raise NotFound("There is no such work item.")
    return row


def open_of(tx: Connection, ticket_id: int, *, lock: bool = True) -> Row[Any] | None:
    """The open work item of a ticket, locked for this transaction; not what somebody does beside it."""
    return tx.execute(_LOCK_OPEN_OF if lock else _OPEN_OF, {"ticket": ticket_id}).first()


def wrapped_by(tx: Connection, ticket_id: int, user_id: int) -> Row[Any] | None:
    """What an agent wraps up on a ticket, locked: a call that they made, else the ticket's open item in any state."""
    return tx.execute(_WRAPPED_BY, {"ticket": ticket_id, "agent": user_id}).first()


def move(
    tx: Connection,
    item: Row[Any],
    how: Move,
    *,
    now: datetime,
    agent_id: int | None = None,
    leaves_as: QueueExit | None = None,
    reason: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Row[Any]:
    """Move a locked item, and with it the weight it holds, its place in the queue's numbers and the event.

    `agent_id` is who gets it (None: as before). Conflict if the item cannot make this move from where it is.
    """
    sources, target = MOVES[how]
    if WorkItemState(item.state) not in sources:
        raise Conflict("This has changed in the meantime: it is {state} now.", state=item.state)
    owner = None if target is WorkItemState.QUEUED else agent_id or item.agent_id
    moved = _set(tx, item, {"state": target.value, "agent_id": owner, **(changes or {})})
    _shift_weight(tx, item, moved, now=now)
    _count_wait(tx, item, moved, leaves_as or EXITS.get(how), reason, now=now)
    if how not in TOLD_BY_OFFERS:
        announce(tx, moved, how.value, now=now, also=item.agent_id)
    return moved


def change(
    tx: Connection,
    item: Row[Any],
    now: datetime,
    *,
    how: str = "changed",
    by_engine: str | None = None,
    **values: Any,
) -> Row[Any]:
    """Change a locked item without moving it; the engine that did it itself need not look again."""
    changed = _set(tx, item, values)
    announce(tx, changed, how, now=now, by_engine=by_engine)
    return changed


def _set(tx: Connection, item: Row[Any], values: Mapping[str, Any]) -> Row[Any]:
    """Write columns of a locked item and count its version."""
    keys = {"item_id": item.id, "seen": item.version, "version": item.version + 1}
    return tx.execute(_CHANGE, {**keys, **values}).one()


def announce(
    tx: Connection,
    item: Row[Any],
    how: str,
    *,
    now: datetime,
    also: int | None = None,
    by_engine: str | None = None,
) -> None:
    """The event `work_item.changed`: wakes the engine, and everybody who looks at the floor or the people in it."""
    people = {one for one in (item.agent_id, also) if one is not None}
    emit(
        tx,
        "work_item.changed",
        {
            "work_item_id": item.id,
            "ticket_id": item.ticket_id,
            "queue_id": item.queue_id,
            "agent_id": item.agent_id,
            "previous_agent_id": also,
            "state": item.state,
            "move": how,
            **({"beside": item.beside} if item.beside else {}),
            **({"by_engine": by_engine} if by_engine else {}),
        },
        now=now,
        topics=[
            "routing",
            "floor",
            f"ticket:{item.ticket_id}",
            f"queue:{item.queue_id}",
            *(f"user:{one}" for one in sorted(people)),
        ],
    )


def enter_queue(tx: Connection, item: Row[Any], *, now: datetime) -> None:
    """Begin a wait: one row of the queue's numbers."""
    tx.execute(
        _ENTER,
        {
            "work_item_id": item.id,
            "ticket_id": item.ticket_id,
            "queue_id": item.queue_id,
            "medium": item.medium,
            "entered_at": now,
        },
    )


def leave_queue(
    tx: Connection,
    work_item_id: int,
    how: QueueExit,
    *,
    now: datetime,
    reason: str | None = None,
    agent_id: int | None = None,
) -> None:
    """End the wait that is open, if there is one."""
    values = {"exited_at": now, "exit": how.value, "reason": reason, "agent_id": agent_id}
    tx.execute(_LEAVE, {"item_id": work_item_id, **values})


def hold(tx: Connection, agent_id: int, pool: str, weight: int, *, now: datetime) -> None:
    """Put a weight into an agent's pool; a person's decision may hold more than fits."""
    tx.execute(_HOLD[pool], {"agent": agent_id, "weight": weight, "last_assigned_at": now})


def release(tx: Connection, agent_id: int, pool: str, weight: int, *, now: datetime) -> None:
    """Take a weight out of an agent's pool; idle time counts from here."""
    tx.execute(_RELEASE[pool], {"agent": agent_id, "weight": weight, "free_since": now})


def held_column(pool: str) -> Any:
    """The column that counts a pool's weights."""
    return AgentState.live_held if pool == PoolName.LIVE.value else AgentState.deferred_held


def capacity_column(pool: str) -> Any:
    """The column that limits a pool."""
    return AgentState.live_capacity if pool == PoolName.LIVE.value else AgentState.deferred_capacity


def _shift(pool: PoolName, sign: int) -> Update:
    column = held_column(pool.value)
    values = {column: column + sign * bindparam("weight", type_=Integer()), "version": AgentState.version + 1}
    return update(AgentState).where(AgentState.user_id == bindparam("agent")).values(values)


_HOLD = {pool.value: _shift(pool, 1) for pool in PoolName}
_RELEASE = {pool.value: _shift(pool, -1) for pool in PoolName}


def _shift_weight(tx: Connection, before: Row[Any], after: Row[Any], *, now: datetime) -> None:
    had = before.agent_id if WorkItemState(before.state) in HOLDING_STATES else None
    has = after.agent_id if WorkItemState(after.state) in HOLDING_STATES else None
    if had == has and before.weight == after.weight:
        return
    # Two agents change hands in the order of their ids, so that two such changes cannot lock each other out.
    steps = [(had, release, before.weight), (has, hold, after.weight)]
    for agent_id, step, weight in sorted(steps, key=lambda one: one[0] or 0):
        if agent_id is not None:
            step(tx, agent_id, after.pool, weight, now=now)


def _count_wait(
    tx: Connection,
    before: Row[Any],
    after: Row[Any],
    exit_: QueueExit | None,
    reason: str | None,
    *,
    now: datetime,
) -> None:
    waited = WorkItemState(before.state) in WAITING_STATES
    waits = WorkItemState(after.state) in WAITING_STATES
    if waited and not waits and exit_ is not None:
        leave_queue(tx, after.id, exit_, now=now, reason=reason, agent_id=after.agent_id)
    elif waits and not waited:
        enter_queue(tx, after, now=now)
