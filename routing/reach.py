"""Whether somebody is there for one more contact of a queue: what a website asks before it invites people to chat."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from routing.contacts import queue_is_open
from routing.models import AgentState, ProfileRow
from routing.pools import Medium, pool_of
from routing.states import Presence
from routing.work import capacity_column, held_column

_THERE = (
    select(AgentState.media_off, AgentState.out_until)
    .join(ProfileRow, ProfileRow.user_id == AgentState.user_id)
    .where(
        ProfileRow.queue_id == bindparam("queue"),
        ProfileRow.delay == 0,
        AgentState.presence == Presence.AVAILABLE.value,
        AgentState.active,
        AgentState.lost_at.is_(None),
    )
)


def can_answer(tx: Connection, queue_id: int, medium: Medium, *, now: datetime) -> bool:
    """Whether the queue is open and one of its agents is available for this medium, with any room left."""
    if not queue_is_open(tx, queue_id, now):
        return False
    pool = pool_of(medium).value
    rows = tx.execute(_THERE.where(held_column(pool) < capacity_column(pool)), {"queue": queue_id})
    return any(medium.value not in row.media_off and (row.out_until is None or row.out_until <= now) for row in rows)
