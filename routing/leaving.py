"""What happens to somebody's work when they leave: at once, after a lost connection, or for longer."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy import text as sql

from routing import offers, work
from routing.models import OPEN_WORK, WorkItem
from routing.pools import Medium, PoolName
from routing.states import Move, WorkItemState
from tickets.assignments import unassign


def rescind_offers(tx: Connection, user_id: int, reason: str, *, now: datetime) -> int:
    """Take back every open offer of an agent; returns how many."""
    items = _items(tx, user_id, WorkItemState.RESERVED)
    for item in items:
        offers.rescind(tx, item, reason, now=now)
    return len(items)


def return_chats(tx: Connection, user_id: int, *, now: datetime) -> int:
    """T9: chats of an agent whose connection stays away wait again, with their age, for the same agent first. Calls
    follow the carrier's callbacks only; deferred work stays owned."""
    items = [item for item in _items(tx, user_id, WorkItemState.ASSIGNED) if item.medium == Medium.CHAT.value]
    for item in items:
        _return(tx, item, Move.AGENT_LOST, "connection_lost", now=now, preferred_id=user_id)
    return len(items)


def return_everything(tx: Connection, user_id: int, reason: str, *, now: datetime) -> int:
    """T17: whatever an absent agent still has goes back to its queue with its age; a connected call stays."""
    rescind_offers(tx, user_id, reason, now=now)
    items = [
        item
        for state in (WorkItemState.ASSIGNED, WorkItemState.PAUSED)
        for item in _items(tx, user_id, state)
        if item.medium != Medium.CALL.value
    ]
    for item in items:
        _return(tx, item, Move.ABSENCE, reason, now=now, preferred_id=None)
    return len(items)


_LIVE_WORK = (
    select(WorkItem.id)
    .where(
        WorkItem.agent_id == bindparam("agent"),
        WorkItem.pool == PoolName.LIVE.value,
        WorkItem.state.in_([WorkItemState.ASSIGNED.value, WorkItemState.WRAPPING.value]),
        sql(OPEN_WORK),
    )
    .limit(1)
)
_ITEMS = (
    select(WorkItem.__table__)
    .where(WorkItem.agent_id == bindparam("agent"), WorkItem.state == bindparam("state"), sql(OPEN_WORK))
    .order_by(WorkItem.id)
    .with_for_update()
)


def has_live_work(tx: Connection, user_id: int) -> bool:
    """Whether the agent is talking to somebody or wrapping up."""
    return tx.execute(_LIVE_WORK, {"agent": user_id}).first() is not None


def _items(tx: Connection, user_id: int, state: WorkItemState) -> list[Row[Any]]:
    """In order of id, like everybody who locks several."""
    return list(tx.execute(_ITEMS, {"agent": user_id, "state": state.value}))


def _return(tx: Connection, item: Row[Any], how: Move, reason: str, *, now: datetime, preferred_id: int | None) -> None:
    changes = {
        "waiting_since": now,
        "tried": [],
        "round": 0,
        "not_before": None,
        "preferred_id": preferred_id,
        "preferred_until": None,
    }
    work.move(tx, item, how, now=now, changes=changes)
    unassign(tx, item.ticket_id, end_reason=reason, now=now)
