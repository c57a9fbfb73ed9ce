"""Who owns a ticket, and the history of it. Routing decides who; this only writes it down."""

from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from contact_center.core.errors import NotFound
from contact_center.core.events import emit
from tickets.models import Assignment, Ticket
from tickets.states import AssignmentReason, Status
from tickets.timeline import add_event, topics_of


def assign(
    tx: Connection,
    ticket_id: int,
    user_id: int,
    *,
    reason: AssignmentReason,
    now: datetime,
    by_user_id: int | None = None,
    offer_id: int | None = None,
) -> int:
    """Make an agent the owner; ends the assignment before. Returns the assignment's id."""
    ticket = _end_open(tx, ticket_id, "reassigned", now=now)
    assignment_id: int = tx.execute(
        insert(Assignment).returning(Assignment.id),
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
    add_event(
        tx,
        ticket_id,
        "assigned",
        {"to_user_id": user_id, "reason": reason.value},
        now=now,
        user_id=by_user_id or user_id,
        changes={"assignee_id": user_id, "status": status, "version": Ticket.version + 1},
    )
    emit(
        tx,
        "ticket.assigned",
        {
            "ticket_id": ticket_id,
            "assignment_id": assignment_id,
            "user_id": user_id,
            "previous_user_id": ticket.assignee_id,
            "queue_id": ticket.queue_id,
            "reason": reason.value,
        },
        now=now,
        topics=[
            *topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=user_id),
            *([f"user:{ticket.assignee_id}"] if ticket.assignee_id else []),
        ],
    )
    return assignment_id


def unassign(tx: Connection, ticket_id: int, *, end_reason: str, now: datetime, by_user_id: int | None = None) -> None:
    """Take the ticket away from its owner (transfer to a queue, absence, requeue); nothing if it has none."""
    ticket = _end_open(tx, ticket_id, end_reason, now=now)
    if ticket.assignee_id is None:
        return
    add_event(
        tx,
        ticket_id,
        "unassigned",
        {"from_user_id": ticket.assignee_id, "reason": end_reason},
        now=now,
        user_id=by_user_id,
        changes={"assignee_id": None, "version": Ticket.version + 1},
    )
    emit(
        tx,
        "ticket.unassigned",
        {
            "ticket_id": ticket_id,
            "user_id": ticket.assignee_id,
            "queue_id": ticket.queue_id,
            "reason": end_reason,
        },
        now=now,
        topics=topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id),
    )


def move_to_queue(
    tx: Connection, ticket_id: int, queue_id: int, *, now: datetime, by_user_id: int | None = None
) -> None:
    """Put the ticket into another queue (transfer, overflow); its owner is left as it is."""
    old = tx.execute(select(Ticket.queue_id).where(Ticket.id == ticket_id)).scalar_one_or_none()
    if old is None:
        raise NotFound("There is no such ticket.")
    if old == queue_id:
        return
    add_event(
        tx,
        ticket_id,
        "queue_changed",
        {"from_queue_id": old, "to_queue_id": queue_id},
        now=now,
        user_id=by_user_id,
        changes={"queue_id": queue_id, "version": Ticket.version + 1},
    )
    emit(
        tx,
        "ticket.queue_changed",
        {"ticket_id": ticket_id, "queue_id": queue_id, "previous_queue_id": old},
        now=now,
        topics=[*topics_of(ticket_id, queue_id=queue_id), f"queue:{old}"],
    )


def _end_open(tx: Connection, ticket_id: int, end_reason: str, *, now: datetime) -> Row[int, str, int | None]:
    """Lock the ticket, end its open assignment; (queue_id, status, assignee_id) as they were."""
    ticket = tx.execute(
        select(Ticket.queue_id, Ticket.status, Ticket.assignee_id).where(Ticket.id == ticket_id).with_for_update()
    ).first()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    tx.execute(
        update(Assignment)
        .where(Assignment.ticket_id == ticket_id, Assignment.ended_at.is_(None))
        .values(ended_at=now, end_reason=end_reason)
    )
    return ticket
