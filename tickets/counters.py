"""How many tickets lie where: numbers beside views and queues, kept by a relay handler, never by intake.

Each ticket's counted place is a row of its own; the handler compares it with the present place and moves one from
counter to counter. Repeated, late or reordered events end in the same numbers.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, Row, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.events import Event
from contact_center.core.schema import Base, BigId
from contact_center.core.upsert import insert_for
from tickets.models import Ticket
from tickets.queries import OPEN, WAITING, Filters, View, ids_up_to
from tickets.states import Status

NOBODY = 0
MOST_LATE = 1000


class TicketPlace(Base):
    """Where a ticket was when it was counted last."""

    __tablename__ = "ticket_places"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(BigId)
    assignee_id: Mapped[int] = mapped_column(BigId)
    status: Mapped[str]


class TicketCounter(Base):
    """How many tickets are in one place; `assignee_id` 0 means nobody."""

    __tablename__ = "ticket_counters"

    queue_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assignee_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    tickets: Mapped[int]


Place = tuple[int, int, str]


def on_message(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.created`: every change of a ticket's place leaves an entry in its timeline."""
    move(tx, event.payload["ticket_id"])


def move(tx: Connection, ticket_id: int) -> None:
    """Count a ticket where it is now, and no longer where it was."""
    present, counted = _places(tx, ticket_id, lock=False)
    if present is None or present == counted:
        return
    if counted is None:
        values = {"ticket_id": ticket_id, "queue_id": present[0], "assignee_id": present[1], "status": present[2]}
        statement = insert_for(tx, TicketPlace).values(**values).on_conflict_do_nothing(index_elements=["ticket_id"])
        if tx.execute(statement.returning(TicketPlace.ticket_id)).first() is not None:
            _add(tx, present, 1)
            return
    present, counted = _places(tx, ticket_id, lock=True)
    if present is None or counted is None or present == counted:
        return
    tx.execute(
        TicketPlace.__table__.update()  # type: ignore[attr-defined]
        .where(TicketPlace.ticket_id == ticket_id)
        .values(queue_id=present[0], assignee_id=present[1], status=present[2])
    )
    # In one order everywhere, so that two relays never wait for each other in a ring.
    for place, change in sorted([(counted, -1), (present, 1)]):
        _add(tx, place, change)


def recount(tx: Connection) -> None:
    """Count everything again; the nightly proof that the small steps lost nothing."""
    assignee = func.coalesce(Ticket.assignee_id, NOBODY)
    tx.execute(delete(TicketPlace))
    tx.execute(delete(TicketCounter))
    tx.execute(
        insert(TicketPlace).from_select(
            ["ticket_id", "queue_id", "assignee_id", "status"],
            select(Ticket.id, Ticket.queue_id, assignee, Ticket.status),
        )
    )
    columns = (TicketPlace.queue_id, TicketPlace.assignee_id, TicketPlace.status)
    tx.execute(
        insert(TicketCounter).from_select(
            ["queue_id", "assignee_id", "status", "tickets"], select(*columns, func.count()).group_by(*columns)
        )
    )


def counters(tx: Connection) -> dict[Place, int]:
    """(queue, assignee or 0, status) -> number of tickets, in one small statement."""
    rows = tx.execute(select(TicketCounter.__table__).where(TicketCounter.tickets > 0))
    return {(row.queue_id, row.assignee_id, row.status): row.tickets for row in rows}


def view_counts(tx: Connection, user_id: int, *, now: datetime) -> Mapping[View, int]:
    """The numbers beside the built-in views, in two statements; late tickets are counted up to `MOST_LATE`."""
    places = counters(tx)

    def total(statuses: tuple[Status, ...], assignee_id: int | None = None) -> int:
        names = {status.value for status in statuses}
        return sum(
            tickets
            for (_, assignee, status), tickets in places.items()
            if status in names and (assignee_id is None or assignee == assignee_id)
        )

    late = tx.execute(select(func.count()).select_from(ids_up_to(Filters(late=True), now, MOST_LATE).subquery()))
    return {
        View.MINE: total(OPEN, user_id),
        View.MINE_WAITING: total(WAITING, user_id),
        View.UNASSIGNED: total(OPEN, NOBODY),
        View.OPEN: total(OPEN),
        View.WAITING: total(WAITING),
        View.LATE: late.scalar_one(),
        View.RESOLVED: total((Status.RESOLVED,)),
        View.ALL: sum(places.values()),
    }


def _places(tx: Connection, ticket_id: int, *, lock: bool) -> tuple[Place | None, Place | None]:
    """Where the ticket is, and where it is counted."""
    statement = (
        select(
            Ticket.queue_id,
            func.coalesce(Ticket.assignee_id, NOBODY).label("assignee_id"),
            Ticket.status,
            TicketPlace.queue_id.label("counted_queue_id"),
            TicketPlace.assignee_id.label("counted_assignee_id"),
            TicketPlace.status.label("counted_status"),
        )
        .join(TicketPlace, TicketPlace.ticket_id == Ticket.id, isouter=not lock)
        .where(Ticket.id == ticket_id)
    )
    row: Row[int, int, str, int | None, int | None, str | None] | None = tx.execute(
        statement.with_for_update(of=TicketPlace) if lock else statement
    ).first()
    if row is None:
        return None, None
    counted = None
    if row.counted_queue_id is not None:
        counted = (row.counted_queue_id, row.counted_assignee_id, row.counted_status)
    return (row.queue_id, row.assignee_id, row.status), counted


def _add(tx: Connection, place: Place, change: int) -> None:
    statement = insert_for(tx, TicketCounter).values(
        queue_id=place[0], assignee_id=place[1], status=place[2], tickets=change
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["queue_id", "assignee_id", "status"], set_={"tickets": TicketCounter.tickets + change}
        )
    )
