"""Two tickets of one matter become one, and can become two again.

The merged ticket closes and points to the other; its entries stay where they are, so undoing loses nothing. Replies
to it reach the other ticket, whatever the channel.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.orm import Mapped

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.schema import Base, id_column
from tickets import assignments, lifecycle
from tickets.models import Message, Tag, Ticket, TicketTag, refers_to
from tickets.numbers import number_of
from tickets.states import APART_STATUSES, DONE_STATUSES, WAITING_STATUSES, MessageKind, Priority, Status
from tickets.timeline import add_event, topics_of

PRIORITIES = list(Priority)


class TicketMerge(Base):
    """One merge with what the merged ticket was before."""

    __tablename__ = "ticket_merges"

    id: Mapped[int] = id_column()
    kept_id: Mapped[int] = refers_to("tickets.id")
    merged_id: Mapped[int] = refers_to("tickets.id")
    by_user_id: Mapped[int] = refers_to("users.id", index=False)
    merged_at: Mapped[datetime]
    status: Mapped[str]
    waiting_since: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)


def merge(tx: Connection, kept_id: int, merged_id: int, *, user_id: int, now: datetime) -> int:
    """Make `merged_id` a part of `kept_id`; returns the id that `undo` takes.

    Conflict between two customers' tickets (merge the customers first), and when one is closed or merged already.
    """
    if kept_id == merged_id:
        raise Invalid("Choose another ticket to merge with.", field="ticket")
    kept, merged = lock_both(tx, kept_id, merged_id)
    if kept.customer_id != merged.customer_id:
        raise Conflict("These tickets belong to two customers. Merge the customers first, or link the tickets.")
    if APART_STATUSES & {kept.status, merged.status}:
        raise Conflict("One of these tickets is kept apart as spam or a newsletter. Say first that it is not.")
    if kept.merged_into_id is not None or merged.merged_into_id is not None or kept.status == Status.CLOSED.value:
        raise Conflict("One of these tickets is closed or merged already. Look at the list again.")
    assignments.unassign(tx, merged_id, end_reason="merged", now=now, by_user_id=user_id)
    merge_id: int = tx.execute(
        insert(TicketMerge).returning(TicketMerge.id),
        {
            "kept_id": kept_id,
            "merged_id": merged_id,
            "by_user_id": user_id,
            "merged_at": now,
            "status": merged.status,
            "waiting_since": merged.waiting_since,
            "resolved_at": merged.resolved_at,
        },
    ).scalar_one()
    closing = {
        "status": Status.CLOSED.value,
        "closed_at": now,
        "merged_into_id": kept_id,
        "waiting_since": None,
        "snoozed_until": None,
    }
    values = {"to_ticket_id": kept_id, "number": number_of(kept_id), "merge_id": merge_id}
    add_event(tx, merged_id, "merged_into", values, now=now, user_id=user_id, changes=closing)
    _take_over(tx, kept, merged, merge_id, user_id=user_id, now=now)
    _announce(tx, "ticket.merged", kept, merged, {"merge_id": merge_id, "by_user_id": user_id}, now=now)
    _announce_status(tx, merged, "ticket.closed", merged.status, Status.CLOSED.value, user_id, now=now)
    return merge_id


def undo(tx: Connection, merge_id: int, *, user_id: int, now: datetime) -> None:
    """Make two tickets of them again: the merged one goes on as it was, without its owner.

    What came in since stays where it came in; `moving.move` brings single messages back.
    """
    row = tx.execute(select(TicketMerge.__table__).where(TicketMerge.id == merge_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such merge.")
    kept, merged = lock_both(tx, row.kept_id, row.merged_id)
    if row.undone_at is not None or merged.merged_into_id != row.kept_id:
        raise Conflict("This merge was undone already.")
    status = Status.OPEN.value if row.status == Status.SNOOZED.value else row.status
    changes = {
        "status": status,
        "closed_at": merged.closed_at if status == Status.CLOSED.value else None,
        "merged_into_id": None,
        "waiting_since": row.waiting_since,
        "resolved_at": row.resolved_at,
    }
    if _thread_is_taken(tx, merged):
        changes["thread_key"] = None
    values = {
        "status": status,
        "waiting": row.waiting_since is not None,
        "number": number_of(row.kept_id),
        "merge_id": merge_id,
    }
    add_event(tx, row.merged_id, "unmerged", values, now=now, user_id=user_id, changes=changes)
    values = {"from_ticket_id": row.merged_id, "number": number_of(row.merged_id), "merge_id": merge_id}
    add_event(tx, row.kept_id, "unmerged", values, now=now, user_id=user_id)
    tx.execute(update(TicketMerge).where(TicketMerge.id == merge_id).values(undone_at=now, undone_by_id=user_id))
    _announce(tx, "ticket.unmerged", kept, merged, {"merge_id": merge_id, "by_user_id": user_id}, now=now)
    if Status(status) not in DONE_STATUSES:
        _announce_status(tx, merged, "ticket.reopened", Status.CLOSED.value, status, user_id, now=now)


def merges_into(tx: Connection, ticket_id: int) -> Sequence[Row[Any]]:
    """The merges into a ticket that stand, oldest first: id, merged_id, subject, channel, messages, merged_at."""
    messages = (
        select(func.count())
        .where(Message.ticket_id == TicketMerge.merged_id, Message.kind != MessageKind.EVENT.value)
        .scalar_subquery()
    )
    return tx.execute(
        select(
            TicketMerge.id,
            TicketMerge.merged_id,
            Ticket.subject,
            Ticket.channel,
            messages.label("messages"),
            TicketMerge.merged_at,
        )
        .join(Ticket, Ticket.id == TicketMerge.merged_id)
        .where(TicketMerge.kept_id == ticket_id, TicketMerge.undone_at.is_(None))
        .order_by(TicketMerge.id)
    ).all()


def lock_both(tx: Connection, first_id: int, second_id: int) -> tuple[Row[Any], Row[Any]]:
    """Both tickets, locked in the order of their ids, so that two commands cannot wait for each other."""
    rows = {ticket_id: lifecycle.access(tx, ticket_id, lock=True) for ticket_id in sorted({first_id, second_id})}
    return rows[first_id], rows[second_id]


def _take_over(tx: Connection, kept: Row[Any], merged: Row[Any], merge_id: int, *, user_id: int, now: datetime) -> None:
    """The kept ticket gets the longer wait, the higher priority and all tags; it opens if the other was open."""
    waits = [wait for wait in (kept.waiting_since, merged.waiting_since) if wait is not None]
    values = {"from_ticket_id": merged.id, "number": number_of(merged.id), "merge_id": merge_id}
    changes = {"waiting_since": min(waits, default=None)}
    add_event(tx, kept.id, "merged", values, now=now, user_id=user_id, changes=changes)
    if PRIORITIES.index(Priority(merged.priority)) > PRIORITIES.index(Priority(kept.priority)):
        lifecycle.set_fields(tx, kept.id, user_id=user_id, now=now, priority=Priority(merged.priority))
    waits_or_done = WAITING_STATUSES | DONE_STATUSES
    if Status(kept.status) in waits_or_done and Status(merged.status) not in waits_or_done:
        lifecycle.set_status(tx, kept.id, Status.OPEN, user_id=user_id, now=now)
    tags = tx.execute(
        select(Tag.name)
        .join(TicketTag, TicketTag.tag_id == Tag.id)
        .where(TicketTag.ticket_id.in_([kept.id, merged.id]))
    ).scalars()
    lifecycle.tag(tx, kept.id, list(tags), user_id=user_id, now=now)


def _thread_is_taken(tx: Connection, merged: Row[Any]) -> bool:
    """Whether the customer has begun another ticket in the thread since."""
    if merged.thread_key is None:
        return False
    return (
        tx.execute(
            select(Ticket.id).where(
                Ticket.channel_account_id == merged.channel_account_id,
                Ticket.thread_key == merged.thread_key,
                Ticket.status.not_in([status.value for status in DONE_STATUSES]),
            )
        ).first()
        is not None
    )


def _announce(
    tx: Connection, name: str, kept: Row[Any], merged: Row[Any], values: dict[str, Any], *, now: datetime
) -> None:
    emit(
        tx,
        name,
        {"ticket_id": merged.id, "kept_id": kept.id, "customer_id": kept.customer_id, **values},
        now=now,
        topics=[
            *topics_of(merged.id, queue_id=merged.queue_id, assignee_id=merged.assignee_id),
            *topics_of(kept.id, queue_id=kept.queue_id, assignee_id=kept.assignee_id),
        ],
    )


def _announce_status(
    tx: Connection, ticket: Row[Any], name: str, before: str, after: str, user_id: int, *, now: datetime
) -> None:
    emit(
        tx,
        name,
        {
            "ticket_id": ticket.id,
            "queue_id": ticket.queue_id,
            "customer_id": ticket.customer_id,
            "from": before,
            "to": after,
            "by_user_id": user_id,
        },
        now=now,
        topics=topics_of(ticket.id, queue_id=ticket.queue_id),
    )
