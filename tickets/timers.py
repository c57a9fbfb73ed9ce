"""What time alone brings about: snoozes end, resolved tickets close, targets warn and break, reminders ring.

The rows are the timers: each kind has a partial index on its moment, and the loop claims what is due.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Row, Text, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.errors import Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import insert_once
from tickets import identity_codes, sla_clocks
from tickets.lifecycle import access, close_resolved, wake_snoozed
from tickets.models import Ticket, partial_index, refers_to
from tickets.timeline import add_event, topics_of

BATCH = 100


class Reminder(Base):
    """Something to do on a ticket at a moment, such as calling the customer back."""

    __tablename__ = "reminders"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    # Who does it; NULL: whoever owns the ticket then.
    user_id: Mapped[int | None] = refers_to("users.id", nullable=True)
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime]
    # Unique per user and screen, so that a repeated POST plans once.
    client_id: Mapped[str | None] = mapped_column(unique=True)
    created_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    created_at: Mapped[datetime]
    rang_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        partial_index("ix_reminders_waiting", "due_at", "id", where="rang_at IS NULL AND done_at IS NULL"),
    )


def run_due(tx: Connection, now: datetime) -> int:
    """Do everything whose moment has come, a bounded piece of each kind; returns how much there was."""
    return (
        wake_snoozed(tx, now, limit=BATCH)
        + close_resolved(tx, now, limit=BATCH)
        + sla_clocks.run_due(tx, now, limit=BATCH)
        + ring(tx, now, limit=BATCH)
        + identity_codes.run_out(tx, now, limit=BATCH)
    )


def remind(
    tx: Connection,
    ticket_id: int,
    *,
    due_at: datetime,
    now: datetime,
    text: str = "",
    kind: str = "callback",
    user_id: int | None = None,
    by_user_id: int | None = None,
    client_id: str | None = None,
) -> int | None:
    """Plan a reminder, shown in the timeline; None when this client id has planned one before."""
    if due_at <= now:
        raise Invalid("Choose a moment in the future.", field="due_at")
    access(tx, ticket_id)
    reminder_id = insert_once(
        tx,
        Reminder,
        key=["client_id"],
        values={
            "ticket_id": ticket_id,
            "user_id": user_id,
            "kind": kind,
            "text": text.strip()[:1000],
            "due_at": due_at,
            "client_id": f"{by_user_id}:{client_id}" if client_id else None,
            "created_by_id": by_user_id,
            "created_at": now,
        },
    )
    if reminder_id is not None:
        values = {"reminder_id": reminder_id, "kind": kind, "due_at": due_at.isoformat(), "text": text.strip()[:1000]}
        add_event(tx, ticket_id, "reminder_planned", values, now=now, user_id=by_user_id)
    return reminder_id


def finish(tx: Connection, reminder_id: int, *, user_id: int | None, now: datetime) -> None:
    """It was done, or is no longer needed; doing so twice changes nothing."""
    row = tx.execute(
        update(Reminder)
        .where(Reminder.id == reminder_id, Reminder.done_at.is_(None))
        .values(done_at=now)
        .returning(Reminder.ticket_id, Reminder.kind)
    ).first()
    if row is not None:
        values = {"reminder_id": reminder_id, "kind": row.kind}
        add_event(tx, row.ticket_id, "reminder_done", values, now=now, user_id=user_id)


def postpone(tx: Connection, reminder_id: int, *, due_at: datetime, now: datetime) -> None:
    """Ring at another moment, also one that has rung; NotFound when it is done."""
    if due_at <= now:
        raise Invalid("Choose a moment in the future.", field="due_at")
    changed = tx.execute(
        update(Reminder)
        .where(Reminder.id == reminder_id, Reminder.done_at.is_(None))
        .values(due_at=due_at, rang_at=None)
        .returning(Reminder.id)
    ).first()
    if changed is None:
        raise NotFound("This reminder is done.")


_DUE = (
    select(Reminder.id, Reminder.ticket_id, Reminder.user_id, Reminder.kind, Ticket.assignee_id, Ticket.queue_id)
    .join(Ticket, Ticket.id == Reminder.ticket_id)
    .where(Reminder.rang_at.is_(None), Reminder.done_at.is_(None), Reminder.due_at <= bindparam("now"))
    .order_by(Reminder.due_at, Reminder.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True, of=Reminder)
)


def ring(tx: Connection, now: datetime, *, limit: int = BATCH) -> int:
    """Announce `reminder.due` to the one who should act; returns how many rang."""
    rows = tx.execute(_DUE, {"now": now, "most": limit}).all()
    for row in rows:
        tx.execute(update(Reminder).where(Reminder.id == row.id).values(rang_at=now))
        whom = row.user_id or row.assignee_id
        emit(
            tx,
            "reminder.due",
            {"reminder_id": row.id, "ticket_id": row.ticket_id, "kind": row.kind, "user_id": whom},
            now=now,
            topics=topics_of(row.ticket_id, queue_id=row.queue_id, assignee_id=whom),
        )
    return len(rows)


def open_reminders(
    tx: Connection, *, ticket_id: int | None = None, user_id: int | None = None, limit: int = 50
) -> Sequence[Row[Any]]:
    """What is still to be done on a ticket or by a user, soonest first: all columns of `Reminder`."""
    statement = select(Reminder.__table__).where(Reminder.done_at.is_(None))
    if ticket_id is not None:
        statement = statement.where(Reminder.ticket_id == ticket_id)
    if user_id is not None:
        mine = (Reminder.user_id == user_id) | (Reminder.user_id.is_(None) & (Ticket.assignee_id == user_id))
        statement = statement.join(Ticket, Ticket.id == Reminder.ticket_id).where(mine)
    return tx.execute(statement.order_by(Reminder.due_at, Reminder.id).limit(limit)).all()
