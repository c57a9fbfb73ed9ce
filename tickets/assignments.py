"""Who owns a ticket, and the history of it. Routing decides who; this only writes it down."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contact_center.core.errors import NotFound
from contact_center.core.events import Announcement
from tickets.models import Assignment, Ticket
from tickets.states import AssignmentReason, Status
from tickets.timeline import add_event, topics_of

_LOCK = (
    select(Ticket.queue_id, Ticket.status, Ticket.assignee_id).where(Ticket.id == bindparam("ticket")).with_for_update()
)
_QUEUE_OF = select(Ticket.queue_id).where(Ticket.id == bindparam("ticket"))
_INSERT = insert(Assignment).returning(Assignment.id)
_END_OPEN = update(Assignment).where(Assignment.ticket_id == bindparam("ticket"), Assignment.ended_at.is_(None))


def assign(
    tx: Connection,
    ticket_id: int,
    user_id: int,
    *,
    reason: AssignmentReason,
    now: datetime,
    by_user_id: int | None = None,
    offer_id: int | None = None,
    anew: bool = True,
) -> int | None:
    """Make an agent the owner; ends the assignment before. Returns the assignment's id.

    Whoever owns the ticket already gets another assignment, but for `anew` being False: None, nothing changes.
    """
    ticket = _lock(tx, ticket_id)
    if not anew and ticket.assignee_id == user_id:
        return None
    _end_open(tx, ticket_id, ticket.assignee_id, "reassigned", now=now)
    assignment_id: int = tx.execute(
        _INSERT,
        {
            "ticket_id": ticket_id,
            "user_id": user_id,
            "queue_id": ticket.queue_id,
            "reason": reason.value,
            "by_user_id": by_user_id,
            "offer_id": offer_id,
            "started_at": now,
        },
    ).scalar_one()
    status = Status.OPEN.value if ticket.status == Status.NEW.value else ticket.status
    told = Announcement(
        "ticket.assigned",
        {
            "ticket_id": ticket_id,
            "assignment_id": assignment_id,
            "user_id": user_id,
            "previous_user_id": ticket.assignee_id,
            "queue_id": ticket.queue_id,
            "reason": reason.value,
            "by_user_id": by_user_id,
        },
        [
            *topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=user_id),
            *([f"user:{ticket.assignee_id}"] if ticket.assignee_id else []),
        ],
    )
    add_event(
        tx,
        ticket_id,
        "assigned",
        {"to_user_id": user_id, "reason": reason.value},
        now=now,
        user_id=by_user_id or user_id,
        changes={"assignee_id": user_id, "status": status},
        also=[told],
    )
    return assignment_id


def unassign(tx: Connection, ticket_id: int, *, end_reason: str, now: datetime, by_user_id: int | None = None) -> None:
    """Take the ticket away from its owner (transfer to a queue, absence, requeue); nothing if it has none."""
    ticket = _lock(tx, ticket_id)
    if ticket.assignee_id is None:
        return
    _end_open(tx, ticket_id, ticket.assignee_id, end_reason, now=now)
    told = Announcement(
        "ticket.unassigned",
        {
            "ticket_id": ticket_id,
            "user_id": ticket.assignee_id,
            "queue_id": ticket.queue_id,
            "reason": end_reason,
            "by_user_id": by_user_id,
        },
        topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id),
    )
    add_event(
        tx,
        ticket_id,
        "unassigned",
        {"from_user_id": ticket.assignee_id, "reason": end_reason},
        now=now,
        user_id=by_user_id,
        changes={"assignee_id": None},
        also=[told],
    )


def move_to_queue(
    tx: Connection, ticket_id: int, queue_id: int, *, now: datetime, by_user_id: int | None = None
) -> None:
    """Put the ticket into another queue (transfer, overflow); its owner is left as it is."""
    old = tx.execute(_QUEUE_OF, {"ticket": ticket_id}).scalar_one_or_none()
    if old is None:
        raise NotFound("There is no such ticket.")
    if old == queue_id:
        return
    told = Announcement(
        "ticket.queue_changed",
        {"ticket_id": ticket_id, "queue_id": queue_id, "previous_queue_id": old},
        [*topics_of(ticket_id, queue_id=queue_id), f"queue:{old}"],
    )
    add_event(
        tx,
        ticket_id,
        "queue_changed",
        {"from_queue_id": old, "to_queue_id": queue_id},
        now=now,
        user_id=by_user_id,
        changes={"queue_id": queue_id},
        also=[told],
    )


def end(tx: Connection, ticket: Row[Any], reason: str, *, now: datetime) -> None:
    """End the open assignment of a locked ticket without a word in its timeline; the caller's own entry tells it."""
    _end_open(tx, ticket.id, ticket.assignee_id, reason, now=now)


def begin(tx: Connection, ticket: Row[Any], user_id: int, *, by_user_id: int, now: datetime) -> None:
    """Give a locked ticket without an owner back to the one it had; the caller's own entry tells it."""
    values = {"ticket_id": ticket.id, "user_id": user_id, "queue_id": ticket.queue_id, "by_user_id": by_user_id}
    tx.execute(_INSERT, {**values, "reason": AssignmentReason.ASSIGNED.value, "offer_id": None, "started_at": now})


def _lock(tx: Connection, ticket_id: int) -> Row[int, str, int | None]:
    """The ticket's queue_id, status and assignee_id, locked; NotFound if there is none."""
    ticket = tx.execute(_LOCK, {"ticket": ticket_id}).first()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    return ticket


def _end_open(tx: Connection, ticket_id: int, assignee_id: int | None, reason: str, *, now: datetime) -> None:
    """End the open assignment of a locked ticket; one without an owner has none."""
    if assignee_id is not None:
        tx.execute(_END_OPEN, {"ticket": ticket_id, "ended_at": now, "end_reason": reason})
