"""What the live channels report: a call was answered or hung up, a visitor left; and how long one waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from routing import agents, handling, offers, placement, queue_settings, work
from routing.models import QueueEntry, WorkItem
from routing.pools import Medium, PoolName
from routing.states import Move, Presence, QueueExit, WorkItemState
from tickets import assignments
from tickets.hours import calendar_from, is_open
from tickets.lifecycle import access, set_status, tag
from tickets.models import Calendar, ContactPoint, Queue, Tag, Ticket, TicketTag
from tickets.states import AssignmentReason, ContactKind, Status

ABANDONED = "abandoned"
WAITING = frozenset({WorkItemState.QUEUED.value, WorkItemState.RESERVED.value})
RECENT = timedelta(minutes=60)
CALL_BACK_MEDIA = {ContactKind.EMAIL.value: Medium.MAIL, ContactKind.PHONE.value: Medium.TASK}


@dataclass(frozen=True, slots=True)
class Wait:
    """What somebody who waits may be told: their place, and the average wait of the last hour if there was any."""

    position: int
    estimate_seconds: int | None
    is_open: bool


def answered(tx: Connection, ticket_id: int, user_id: int | None, *, now: datetime) -> None:
    """A call was connected: to an agent, which accepts their offer or takes the call, or (None) to somebody we do not
    know, after which nobody needs to be asked. It may come before the ticket's own work was placed."""
    item = work.open_of(tx, ticket_id)
    if user_id is None:
        if item is not None and item.state in WAITING:
            placement.cancel(tx, item, reason="answered_elsewhere", now=now, leaves_as=QueueExit.ANSWERED)
        return
    if item is None:
        item = placement.place(tx, access(tx, ticket_id), Medium.CALL, now=now)
    if item is None or item.state not in WAITING:
        return
    if item.state == WorkItemState.RESERVED.value and item.agent_id == user_id:
        offers.accept_open(tx, item, now=now)
    else:
        offers.hand_to(tx, item, user_id, Move.ASSIGN, AssignmentReason.TAKEN, now=now)


def hung_up(tx: Connection, ticket_id: int, answered: bool, *, now: datetime) -> None:
    """The call is over: wrap-up if an agent had it, else the caller left, also one who waits again after a transfer."""
    item = work.open_of(tx, ticket_id)
    waits_again = item is not None and item.pool == PoolName.LIVE.value and item.state in WAITING
    if answered and not waits_again:
        handling.end(tx, ticket_id, now=now)
    else:
        customer_left(tx, ticket_id, now=now)


def customer_left(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """T6: the customer is gone from a live contact. With an agent it ends; unanswered it counts as abandoned, and
    if any address is known the question waits as deferred work, with its age. Leaving twice is leaving once."""
    item = work.open_of(tx, ticket_id)
    if item is None or item.pool != PoolName.LIVE.value:
        return
    if item.state not in WAITING:
        handling.end(tx, ticket_id, now=now)
        return
    placement.cancel(tx, item, reason="left", now=now, leaves_as=QueueExit.ABANDONED)
    ticket = access(tx, ticket_id)
    medium = _medium_to_reach(tx, ticket.customer_id)
    if medium is not None:
        placement.place(tx, ticket, medium, now=now, enqueued_at=item.enqueued_at)
        return
    tag(tx, ticket_id, [*_tags(tx, ticket_id), ABANDONED], user_id=None, now=now)
    set_status(tx, ticket_id, Status.CLOSED, user_id=None, now=now)


def asked_to_be_called(tx: Connection, ticket_id: int, reason: str, *, now: datetime) -> None:
    """Somebody who waits on the phone goes on by themselves (`callback`, `voicemail`): nobody abandoned the queue, and
    the question waits as deferred work with its age."""
    item = work.open_of(tx, ticket_id)
    if item is None or item.pool != PoolName.LIVE.value or item.state not in WAITING:
        return
    placement.cancel(tx, item, reason=reason, now=now, leaves_as=QueueExit.FLOWED_OUT)
    placement.place(tx, access(tx, ticket_id), Medium.TASK, now=now, enqueued_at=item.enqueued_at)


def not_reached(tx: Connection, ticket_id: int, user_id: int, *, now: datetime) -> None:
    """T5 for phones: the agent accepted, but their phone was not picked up. The caller waits on with their age, the
    agent is not asked again at once and is not responding until they say otherwise."""
    item = work.open_of(tx, ticket_id)
    if item is None or item.state != WorkItemState.ASSIGNED.value or item.agent_id != user_id:
        return
    changes = {"waiting_since": now, "tried": sorted({*item.tried, user_id}), "preferred_id": None}
    work.move(tx, item, Move.REQUEUE, now=now, changes=changes)
    assignments.unassign(tx, ticket_id, end_reason="not_reached", now=now, by_user_id=None)
    agent = agents.state_of(tx, user_id, now=now)
    if agent.presence == Presence.AVAILABLE.value:
        agents.become(tx, agent, Presence.NOT_RESPONDING, now=now)


def wait_of(tx: Connection, ticket_id: int, *, now: datetime) -> Wait | None:
    """Position and estimate for somebody whose work is queued; None when it is not."""
    item = work.open_of(tx, ticket_id, lock=False)
    if item is None or item.state not in WAITING:
        return None
    ahead = tx.execute(
        select(func.count())
        .select_from(WorkItem)
        .where(
            WorkItem.queue_id == item.queue_id,
            WorkItem.pool == item.pool,
            WorkItem.state == WorkItemState.QUEUED.value,
            WorkItem.enqueued_at < item.enqueued_at,
        )
    ).scalar_one()
    return Wait(ahead + 1, average_wait(tx, item.queue_id, item.medium, now=now), queue_is_open(tx, item.queue_id, now))


def average_wait(tx: Connection, queue_id: int, medium: str, *, now: datetime) -> int | None:
    """Seconds that the answered contacts of the last hour waited in this queue, on average."""
    rows = tx.execute(
        select(QueueEntry.entered_at, QueueEntry.exited_at)
        .where(
            QueueEntry.queue_id == queue_id,
            QueueEntry.medium == medium,
            QueueEntry.exit == QueueExit.ANSWERED.value,
            QueueEntry.exited_at > now - RECENT,
        )
        .order_by(QueueEntry.exited_at.desc())
        .limit(50)
    ).all()
    if not rows:
        return None
    waits = [(row.exited_at - row.entered_at).total_seconds() for row in rows]
    average: float = sum(waits) / len(waits)
    return round(average)


def queue_is_open(tx: Connection, queue_id: int, now: datetime) -> bool:
    """Whether the queue serves now: its hours, and no emergency close."""
    row = tx.execute(
        select(Queue.routing, Calendar.definition)
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .where(Queue.id == queue_id)
    ).one()
    if queue_settings.read(row.routing).closed is not None:
        return False
    return row.definition is None or is_open(calendar_from(row.definition), now)


def _medium_to_reach(tx: Connection, customer_id: int) -> Medium | None:
    kinds = set(
        tx.execute(
            select(ContactPoint.kind).where(
                ContactPoint.customer_id == customer_id, ContactPoint.suppressed_at.is_(None)
            )
        ).scalars()
    )
    return next((medium for kind, medium in CALL_BACK_MEDIA.items() if kind in kinds), None)


def _tags(tx: Connection, ticket_id: int) -> list[str]:
    statement = select(Tag.name).join(TicketTag, TicketTag.tag_id == Tag.id).where(TicketTag.ticket_id == ticket_id)
    return list(tx.execute(statement.join(Ticket, Ticket.id == TicketTag.ticket_id)).scalars())
