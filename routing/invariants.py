"""The invariants of routing as counts over the rows: each must be 0 at every moment; `/metrics` shows them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select
from sqlalchemy import text as sql

from contact_center.core.metrics import INVARIANT
from routing.models import OPEN_WORK, AgentState, Offer, QueueEntry, WorkItem
from routing.pools import PoolName
from routing.states import HOLDING_STATES, OPEN_STATES, WAITING_STATES, OfferState, WorkItemState
from routing.watch import idle_beside_work, overtaken
from tickets.models import Ticket
from tickets.states import OPEN_STATUSES

OVERDUE = timedelta(seconds=1)
LOST_AFTER = timedelta(seconds=60)
"""So long the relay may be behind before a matter without work counts as lost."""


def violations(tx: Connection, now: datetime) -> dict[str, int]:
    """Broken invariants by name: how many rows break each. I1 to I8 in the order of the names."""
    return {
        "one_open_offer": _offers_without_reservation(tx) + _reservations_without_offer(tx),
        "pool_exceeded": _wrong_weights(tx),
        "offer_overdue": _overdue_offers(tx, now),
        "lost_or_doubled": _lost(tx, now) + _doubled(tx),
        "age_reset": _younger_than_wait(tx),
        "idle_beside_work": idle_beside_work(tx, now),
        "overtaken": overtaken(tx, now),
        "nothing_lost": _waits_without_end(tx),
    }


def export(tx: Connection, now: datetime) -> None:
    """Set the gauges."""
    for name, count in violations(tx, now).items():
        INVARIANT.labels(name).set(count)


def _offers_without_reservation(tx: Connection) -> int:
    """I1: every open offer belongs to a work item that is reserved for the same agent."""
    return tx.execute(
        select(func.count())
        .select_from(Offer)
        .join(WorkItem, WorkItem.id == Offer.work_item_id)
        .where(
            Offer.state == OfferState.OFFERED.value,
            (WorkItem.state != WorkItemState.RESERVED.value) | (WorkItem.agent_id != Offer.agent_id),
        )
    ).scalar_one()


def _reservations_without_offer(tx: Connection) -> int:
    is_open = select(Offer.id).where(Offer.work_item_id == WorkItem.id, Offer.state == OfferState.OFFERED.value)
    return tx.execute(
        select(func.count())
        .select_from(WorkItem)
        .where(WorkItem.state == WorkItemState.RESERVED.value, ~is_open.exists())
    ).scalar_one()


def _wrong_weights(tx: Connection) -> int:
    """I2: what an agent's row says they hold is what their work items weigh. That offers stay within the pool is a
    condition of the claim itself; a person's decision may go beyond it."""
    held = {
        pool: func.coalesce(func.sum(case((WorkItem.pool == pool.value, WorkItem.weight), else_=0)), 0)
        for pool in PoolName
    }
    states = [state.value for state in HOLDING_STATES]
    rows = tx.execute(
        select(AgentState.user_id)
        .outerjoin(WorkItem, (WorkItem.agent_id == AgentState.user_id) & WorkItem.state.in_(states))
        .group_by(AgentState.user_id, AgentState.live_held, AgentState.deferred_held)
        .having((AgentState.live_held != held[PoolName.LIVE]) | (AgentState.deferred_held != held[PoolName.DEFERRED]))
    ).all()
    return len(rows)


def _overdue_offers(tx: Connection, now: datetime) -> int:
    """I3: every offer has ended a second after its time."""
    return tx.execute(
        select(func.count())
        .select_from(Offer)
        .where(Offer.state == OfferState.OFFERED.value, Offer.expires_at < now - OVERDUE)
    ).scalar_one()


def _lost(tx: Connection, now: datetime) -> int:
    """I4: a customer waits, nobody owns the matter, and no work item brings it to anybody."""
    has_work = select(WorkItem.id).where(
        WorkItem.ticket_id == Ticket.id, WorkItem.beside.is_(None), sql("work_items." + OPEN_WORK)
    )
    return tx.execute(
        select(func.count())
        .select_from(Ticket)
        .where(
            Ticket.status.in_([status.value for status in OPEN_STATUSES]),
            Ticket.assignee_id.is_(None),
            Ticket.waiting_since < now - LOST_AFTER,
            Ticket.updated_at < now - LOST_AFTER,
            ~has_work.exists(),
        )
    ).scalar_one()


def _doubled(tx: Connection) -> int:
    """I4: routing and the ticket name the same owner, or two people would answer."""
    return tx.execute(
        select(func.count())
        .select_from(WorkItem)
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .where(
            sql("work_items." + OPEN_WORK),
            # Who calls the customer of a colleague's ticket does not own it.
            WorkItem.beside.is_(None),
            WorkItem.state == WorkItemState.ASSIGNED.value,
            WorkItem.agent_id.is_distinct_from(Ticket.assignee_id),
        )
    ).scalar_one()


def _waits_without_end(tx: Connection) -> int:
    """I8: every work item that waits has one open wait, and no other item has one."""
    waiting = [state.value for state in WAITING_STATES]
    open_wait = select(QueueEntry.id).where(QueueEntry.work_item_id == WorkItem.id, QueueEntry.exited_at.is_(None))
    missing = select(func.count()).select_from(WorkItem).where(WorkItem.state.in_(waiting), ~open_wait.exists())
    left_over = (
        select(func.count())
        .select_from(QueueEntry)
        .join(WorkItem, WorkItem.id == QueueEntry.work_item_id)
        .where(QueueEntry.exited_at.is_(None), WorkItem.state.not_in(waiting))
    )
    return tx.execute(missing).scalar_one() + tx.execute(left_over).scalar_one()


def _younger_than_wait(tx: Connection) -> int:
    """I5: nothing that waits counts as younger than its wait."""
    states = [state.value for state in OPEN_STATES]
    return tx.execute(
        select(func.count())
        .select_from(WorkItem)
        .where(WorkItem.state.in_(states), WorkItem.enqueued_at > WorkItem.waiting_since)
    ).scalar_one()
