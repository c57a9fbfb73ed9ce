"""What happens to work and agents because time passes: offers, wrap-ups, lost lines, silence.

A look without a lock finds what is due; each of it then is a transaction of its own that compares before it sets.
So any number of processes may do this at once.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

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
    return [
        *((offers.expire, one) for one in _expired_offers(tx, now)),
        *((handling.finish_due, one) for one in _finished_wrap_ups(tx, now)),
        *((connections.lose_process, one) for one in _dead_processes(tx, now)),
        *((rescind_unseen, one) for one in _unseen_offers(tx, now)),
        *((send_offline, one) for one in _lost_agents(tx, now)),
        *((pause_silent, one) for one in _silent_chats(tx, now)),
        *((follow_due_time, one) for one in _moved_due_times(tx)),
    ]


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


def _expired_offers(tx: Connection, now: datetime) -> Iterator[int]:
    statement = select(Offer.id).where(Offer.state == OfferState.OFFERED.value, Offer.expires_at <= now)
    yield from tx.execute(statement.order_by(Offer.work_item_id).limit(LIMIT)).scalars()


def _finished_wrap_ups(tx: Connection, now: datetime) -> Iterator[int]:
    statement = select(WorkItem.id).where(WorkItem.state == WorkItemState.WRAPPING.value, WorkItem.wrap_until <= now)
    yield from tx.execute(statement.order_by(WorkItem.id).limit(LIMIT)).scalars()


def _dead_processes(tx: Connection, now: datetime) -> Iterator[str]:
    yield from tx.execute(select(Lease.process_id).where(Lease.expires_at <= now)).scalars()


def _unseen_offers(tx: Connection, now: datetime) -> Iterator[int]:
    statement = (
        select(AgentState.user_id)
        .join(WorkItem, WorkItem.agent_id == AgentState.user_id)
        .where(AgentState.lost_at <= now - RESCIND_AFTER, WorkItem.state == WorkItemState.RESERVED.value)
    )
    yield from tx.execute(statement.distinct()).scalars()


def _lost_agents(tx: Connection, now: datetime) -> Iterator[int]:
    statement = select(AgentState.user_id).where(
        AgentState.lost_at <= now - GRACE, AgentState.presence != Presence.OFFLINE.value
    )
    yield from tx.execute(statement.order_by(AgentState.user_id).limit(LIMIT)).scalars()


def _is_lost(agent: Any, now: datetime) -> bool:
    return agent.lost_at is not None and agent.lost_at <= now - GRACE


def _silent_chats(tx: Connection, now: datetime) -> Iterator[int]:
    statement = (
        select(WorkItem.id)
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .where(
            WorkItem.state == WorkItemState.ASSIGNED.value,
            WorkItem.medium == Medium.CHAT.value,
            WorkItem.assigned_at <= now - SILENCE,
            Ticket.waiting_since.is_(None),
            Ticket.last_outbound_at <= now - SILENCE,
        )
    )
    yield from tx.execute(statement.order_by(WorkItem.id).limit(LIMIT)).scalars()


def _moved_due_times(tx: Connection) -> Iterator[int]:
    statement = (
        select(WorkItem.id)
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .where(
            WorkItem.state == WorkItemState.QUEUED.value,
            WorkItem.due_at.is_distinct_from(Ticket.sla_due_at),
        )
    )
    yield from tx.execute(statement.order_by(WorkItem.id).limit(LIMIT)).scalars()
