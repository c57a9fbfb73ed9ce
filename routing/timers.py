"""What happens to work and agents because time passes: offers, wrap-ups, lost lines, silence.

A look without a lock finds what is due; each of it then is a transaction of its own that compares before it sets.
So any number of processes may do this at once.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from contact_center.core.clock import utcnow
from contact_center.core.db import Database
from contact_center.core.loops import Loop
from routing import agents, connections, handling, leaving, offers, work
from routing.models import AgentState, Lease, Offer, WorkItem
from routing.pools import Medium
from routing.states import Move, OfferState, OfflineReason, Presence, WorkItemState
from tickets.models import Ticket

RESCIND_AFTER = timedelta(seconds=5)
GRACE = timedelta(seconds=60)
SILENCE = timedelta(minutes=10)
LIMIT = 100
INTERVAL = 0.5
"""Seconds: an offer ends at most this long after its time (I3 allows one second)."""

Task = tuple[Callable[..., Any], Any]


_NOW: BindParameter[Any] = bindparam("now")
_EXPIRED_OFFERS = (
    select(Offer.id)
    .where(Offer.state == OfferState.OFFERED.value, Offer.expires_at <= _NOW)
    .order_by(Offer.work_item_id)
    .limit(LIMIT)
)
_FINISHED_WRAP_UPS = (
    select(WorkItem.id)
    .where(WorkItem.state == WorkItemState.WRAPPING.value, WorkItem.wrap_until <= _NOW)
    .order_by(WorkItem.id)
    .limit(LIMIT)
)
_DEAD_PROCESSES = select(Lease.process_id).where(Lease.expires_at <= _NOW)
_UNSEEN_OFFERS = (
    select(AgentState.user_id)
    .join(WorkItem, WorkItem.agent_id == AgentState.user_id)
    .where(AgentState.lost_at <= bindparam("unseen_since"), WorkItem.state == WorkItemState.RESERVED.value)
    .distinct()
)
_LOST_AGENTS = (
    select(AgentState.user_id)
    .where(AgentState.lost_at <= bindparam("lost_since"), AgentState.presence != Presence.OFFLINE.value)
    .order_by(AgentState.user_id)
    .limit(LIMIT)
)
_SILENT_CHATS = (
    select(WorkItem.id)
    .join(Ticket, Ticket.id == WorkItem.ticket_id)
    .where(
        WorkItem.state == WorkItemState.ASSIGNED.value,
        WorkItem.medium == Medium.CHAT.value,
        WorkItem.assigned_at <= bindparam("silent_since"),
        Ticket.waiting_since.is_(None),
        Ticket.last_outbound_at <= bindparam("silent_since"),
    )
    .order_by(WorkItem.id)
    .limit(LIMIT)
)
_MOVED_DUE_TIMES = (
    select(WorkItem.id)
    .join(Ticket, Ticket.id == WorkItem.ticket_id)
    .where(WorkItem.state == WorkItemState.QUEUED.value, WorkItem.due_at.is_distinct_from(Ticket.sla_due_at))
    .order_by(WorkItem.id)
    .limit(LIMIT)
)


def timer_loop(db: Database) -> Loop:
    """The loop that does what is due."""

    async def step() -> bool:
        now = utcnow()
        tasks = await db.read(due, now)
        for action, key in tasks:
            await db.write(action, key, now=now)
        return len(tasks) >= LIMIT

    return Loop("routing_timers", step, INTERVAL)


def due(tx: Connection, now: datetime) -> list[Task]:
    """What has to be done now: (use case, what to do it to)."""
    moments = {
        "now": now,
        "unseen_since": now - RESCIND_AFTER,
        "lost_since": now - GRACE,
        "silent_since": now - SILENCE,
    }
    return [(action, one) for action, statement in _DUE for one in tx.execute(statement, moments).scalars()]


def run_all(tx: Connection, now: datetime) -> int:
    """Do all that is due in one transaction (tests, the demo's past); returns how much it was."""
    tasks = due(tx, now)
    for action, key in tasks:
        action(tx, key, now=now)
    return len(tasks)


def rescind_unseen(tx: Connection, user_id: int, *, now: datetime) -> None:
    """T9 after 5 s: nobody sees these offers, so they are taken back."""
    leaving.rescind_offers(tx, user_id, OfflineReason.CONNECTION_LOST.value, now=now)


def send_offline(tx: Connection, user_id: int, *, now: datetime) -> None:
    """T9 after 60 s: chats wait again, for the same agent first, and the agent is offline."""
    if not _is_lost(agents.state_of(tx, user_id, now=now, lock=False), now):
        return
    leaving.rescind_offers(tx, user_id, OfflineReason.CONNECTION_LOST.value, now=now)
    leaving.return_chats(tx, user_id, now=now)
    agents.become(
        tx,
        agents.state_of(tx, user_id, now=now),
        Presence.OFFLINE,
        now=now,
        reason=OfflineReason.CONNECTION_LOST.value,
    )


def pause_silent(tx: Connection, work_item_id: int, *, now: datetime) -> None:
    """T12: a chat whose customer has not answered for ten minutes gives its weight free."""
    item = work.by_id(tx, work_item_id)
    owed = tx.execute(select(Ticket.waiting_since).where(Ticket.id == item.ticket_id)).scalar_one()
    if item.state == WorkItemState.ASSIGNED.value and owed is None:
        work.move(tx, item, Move.PAUSE, now=now, changes={"paused_at": now})


def follow_due_time(tx: Connection, work_item_id: int, *, now: datetime) -> None:
    """Queued work keeps the due time of its ticket's service level, which is counted elsewhere."""
    item = work.by_id(tx, work_item_id)
    due_at = tx.execute(select(Ticket.sla_due_at).where(Ticket.id == item.ticket_id)).scalar_one()
    if item.state == WorkItemState.QUEUED.value and item.due_at != due_at:
        work.change(tx, item, now, due_at=due_at)


def _is_lost(agent: Any, now: datetime) -> bool:
    return agent.lost_at is not None and agent.lost_at <= now - GRACE


_DUE: Sequence[tuple[Callable[..., Any], Select[Any]]] = (
    (offers.expire, _EXPIRED_OFFERS),
    (handling.finish_due, _FINISHED_WRAP_UPS),
    (connections.lose_process, _DEAD_PROCESSES),
    (rescind_unseen, _UNSEEN_OFFERS),
    (send_offline, _LOST_AGENTS),
    (pause_silent, _SILENT_CHATS),
    (follow_due_time, _MOVED_DUE_TIMES),
)
"""Each use case with the statement that finds what it has to be done to."""
