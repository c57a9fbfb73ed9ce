"""Spam: a conversation that is no customer's matter is kept apart, counted nowhere, and comes back whole if we erred.

Marking ends what runs on the ticket (owner, work, clocks) and remembers what there was; whoever wrote it goes on
writing into it unheard. Undoing puts the ticket back as if it had never been marked.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts import audit
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict
from contact_center.core.events import Announcement
from contact_center.core.schema import Base, id_column
from tickets import assignments, lifecycle
from tickets.models import OPEN_THREAD, Message, Ticket, partial_index, refers_to
from tickets.numbers import number_of
from tickets.states import APART_STATUSES, BROUGHT_BACK, SET_APART, Channel, MessageKind, Status
from tickets.timeline import add_event, topics_of

# A message of the customer opens these again.
_WAKES = frozenset({Status.PENDING.value, Status.SNOOZED.value, Status.RESOLVED.value})
# What marking takes from a ticket and undoing gives back.
_KEPT = ("status", "hold_reason", "waiting_since", "snoozed_until", "resolved_at", "resolved_by_id", "closed_at")


class SpamMark(Base):
    """One marking with what the ticket was before."""

    __tablename__ = "spam_marks"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    by_user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    marked_at: Mapped[datetime]
    # The entry that says so: what was written after it was written into spam.
    seq: Mapped[int]
    status: Mapped[str]
    hold_reason: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    closed_at: Mapped[datetime | None]
    assignee_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    # As what it is kept apart.
    marked_as: Mapped[str] = mapped_column(server_default=Status.SPAM.value)

    __table_args__ = (partial_index("uq_spam_marks_open", "ticket_id", where="undone_at IS NULL", unique=True),)


def mark(
    tx: Connection,
    ticket_id: int,
    *,
    user_id: int | None,
    now: datetime,
    as_status: Status = Status.SPAM,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Keep a conversation apart as spam (or newsletter); again changes nothing. Conflict for one that was merged.

    `facts` are added to what its timeline says.
    """
    ticket = lifecycle.access(tx, ticket_id, lock=True)
    if Status(ticket.status) in APART_STATUSES:
        return
    if ticket.merged_into_id is not None:
        raise Conflict("This conversation is part of another one: mark that one as spam.")
    assignments.end(tx, ticket, "spam", now=now)
    changes: dict[str, Any] = dict.fromkeys((*_KEPT, "assignee_id")) | {"status": as_status.value}
    if ticket.thread_key is not None and _thread_is_taken(tx, ticket):
        changes["thread_key"] = None
    added = add_event(
        tx,
        ticket_id,
        SET_APART[as_status],
        {"from": ticket.status, **(facts or {})},
        now=now,
        user_id=user_id,
        changes=changes,
        also=[_told(ticket, "ticket.marked_spam", user_id)],
    )
    before = {name: getattr(ticket, name) for name in (*_KEPT, "assignee_id")}
    values = {"ticket_id": ticket_id, "by_user_id": user_id, "marked_at": now, "seq": added.seq}
    tx.execute(insert(SpamMark), {**before, **values, "marked_as": as_status.value})
    if user_id is not None:
        audit.record(tx, "ticket.marked_spam", f"ticket:{number_of(ticket_id)}", now=now, user_id=user_id)


def unmark(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """None after all: status, wait and moments are what they were, and what was written meanwhile counts.

    Routing puts the work back (with its age, to its owner) and the clocks are counted as if nothing had happened.
    """
    ticket = lifecycle.access(tx, ticket_id, lock=True)
    if Status(ticket.status) not in APART_STATUSES:
        raise Conflict("This conversation is not marked as spam.")
    before = tx.execute(_UNDO, {"ticket": ticket_id, "undone_at": now, "undone_by_id": user_id}).one()
    written = tx.execute(_WRITTEN_SINCE, {"ticket": ticket_id, "seq": before.seq}).scalar_one()
    changes = {name: getattr(before, name) for name in _KEPT}
    if written is not None and before.status != Status.CLOSED.value:
        changes["waiting_since"] = before.waiting_since or written
        if before.status in _WAKES:
            changes |= {"status": Status.OPEN.value, "snoozed_until": None, "resolved_at": None, "resolved_by_id": None}
    if _is_active(tx, before.assignee_id):
        changes["assignee_id"] = before.assignee_id
        assignments.begin(tx, ticket, before.assignee_id, by_user_id=user_id, now=now)
    add_event(
        tx,
        ticket_id,
        BROUGHT_BACK[Status(ticket.status)],
        {"to": changes["status"]},
        now=now,
        user_id=user_id,
        changes=changes,
        also=[_told(ticket, "ticket.unmarked_spam", user_id, assignee_id=changes.get("assignee_id"))],
    )
    audit.record(tx, "ticket.unmarked_spam", f"ticket:{number_of(ticket_id)}", now=now, user_id=user_id)


_OPEN_MARK = (SpamMark.ticket_id == bindparam("ticket"), SpamMark.undone_at.is_(None))
# SET takes whatever columns the parameters name.
_UNDO = update(SpamMark).where(*_OPEN_MARK).returning(*SpamMark.__table__.c)
# The first words of the customer after the mark: they were heard by nobody.
_WRITTEN_SINCE = select(func.min(Message.created_at)).where(
    Message.ticket_id == bindparam("ticket"),
    Message.seq > bindparam("seq"),
    Message.kind == MessageKind.INBOUND.value,
    Message.automatic.is_(False),
)
_THREAD_TAKEN = select(Ticket.id).where(
    Ticket.channel_account_id == bindparam("account"), Ticket.thread_key == bindparam("thread"), sql(OPEN_THREAD)
)
_ACTIVE = select(User.id).where(User.id == bindparam("user"), User.active)


def _thread_is_taken(tx: Connection, ticket: Row[Any]) -> bool:
    """Whether another conversation goes on in the thread of one that was over."""
    thread = {"account": ticket.channel_account_id, "thread": ticket.thread_key}
    return any(other != ticket.id for other in tx.execute(_THREAD_TAKEN, thread).scalars())


def _is_active(tx: Connection, user_id: int | None) -> bool:
    return user_id is not None and tx.execute(_ACTIVE, {"user": user_id}).first() is not None


def _told(ticket: Row[Any], name: str, user_id: int | None, *, assignee_id: int | None = None) -> Announcement:
    """The event of a marking, to everybody who looks at the ticket."""
    owner = assignee_id or ticket.assignee_id
    visit = ticket.thread_key if ticket.channel == Channel.CHAT.value else None
    return Announcement(
        name,
        {
            "ticket_id": ticket.id,
            "queue_id": ticket.queue_id,
            "customer_id": ticket.customer_id,
            "assignee_id": owner,
            "by_user_id": user_id,
        },
        topics_of(ticket.id, queue_id=ticket.queue_id, assignee_id=owner, visit=visit),
    )
