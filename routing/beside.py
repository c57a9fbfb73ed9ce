"""Live work that an agent does beside a ticket's own: a call that they make.

It never waits in a queue and changes nobody's ownership, since whoever calls need not be whose ticket it is; it only
fills the caller's live pool, so that nobody offers them a second conversation, and is wrapped up like any contact.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from contact_center.core.upsert import insert_once
from routing import agents, handling, placement, presence, work
from routing.models import BESIDE, WorkItem
from routing.offers import assigned
from routing.pools import Medium, pool_of
from routing.states import Move, WorkItemState
from tickets.lifecycle import access

FAILED = "not_reached"
_BY_NAME = select(WorkItem.__table__).where(WorkItem.beside == bindparam("name")).with_for_update()


def begin(tx: Connection, ticket_id: int, user_id: int, name: str, *, now: datetime) -> None:
    """Hold a call's weight in an agent's live pool, also beyond what fits; `name` once only, also after its end."""
    ticket = access(tx, ticket_id)
    item_id = insert_once(
        tx,
        WorkItem,
        key=["beside"],
        where=BESIDE,
        values={
            "ticket_id": ticket_id,
            "queue_id": ticket.queue_id,
            "pool": pool_of(Medium.CALL).value,
            "medium": Medium.CALL.value,
            "weight": placement.settings_of(tx, ticket.queue_id).weight(Medium.CALL),
            "state": WorkItemState.ASSIGNED.value,
            "agent_id": user_id,
            "enqueued_at": now,
            "waiting_since": now,
            "priority": ticket.priority,
            "skills": [],
            "wishes": [],
            "beside": name,
            **assigned(now),
        },
    )
    if item_id is None:
        return
    item = work.by_id(tx, item_id)
    agents.state_of(tx, user_id, now=now)
    work.hold(tx, user_id, item.pool, item.weight, now=now)
    work.announce(tx, item, Move.TAKE.value, now=now)


def end(tx: Connection, name: str, *, talked: bool, now: datetime) -> None:
    """Wrap-up begins if they talked, else the room is given back at once; ending twice, or what never began, is
    nothing."""
    item: Row[Any] | None = tx.execute(_BY_NAME, {"name": name}).first()
    if item is None or item.state != WorkItemState.ASSIGNED.value:
        return
    if talked:
        handling.end_live(tx, item, now=now)
        return
    changes = {"ended_at": now, "finished_at": now}
    work.move(tx, item, Move.CANCEL, now=now, reason=FAILED, changes=changes)
    presence.take_next(tx, item.agent_id, now=now)
