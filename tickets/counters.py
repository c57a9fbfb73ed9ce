"""How many tickets lie where: numbers beside views and queues, kept by a relay handler, never by intake.

Each ticket's counted place is a row of its own; the handler compares it with the present place and moves one from
counter to counter. Repeated, late or reordered events end in the same numbers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.events import Event, poke
from contact_center.core.schema import Base, BigId
from tickets.models import Ticket
from tickets.queries import OPEN, WAITING, Filters, View, ids_up_to
from tickets.states import MessageKind, Status

NOBODY = 0
MOST_LATE = 1000
LATE = "late"


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


_PLACES = (
    select(
        Ticket.queue_id,
        func.coalesce(Ticket.assignee_id, NOBODY).label("assignee_id"),
        Ticket.status,
        TicketPlace.queue_id.label("counted_queue_id"),
        TicketPlace.assignee_id.label("counted_assignee_id"),
        TicketPlace.status.label("counted_status"),
    )
    .join(TicketPlace, TicketPlace.ticket_id == Ticket.id, isouter=True)
    .where(Ticket.id == bindparam("ticket"))
)
_LOCK = select(TicketPlace.ticket_id).where(TicketPlace.ticket_id == bindparam("ticket")).with_for_update()
_CHANGE_PLACE = (
    update(TicketPlace)
    .where(TicketPlace.ticket_id == bindparam("ticket"))
    .values({name: bindparam(f"new_{name}") for name in ("queue_id", "assignee_id", "status")})
)


def _first_place(insert_into: Any) -> Any:
    statement = insert_into(TicketPlace)
    return statement.on_conflict_do_nothing(index_elements=["ticket_id"]).returning(TicketPlace.ticket_id)


def _count_up(insert_into: Any) -> Any:
    statement = insert_into(TicketCounter)
    return statement.on_conflict_do_update(
        index_elements=["queue_id", "assignee_id", "status"],
        set_={"tickets": TicketCounter.tickets + statement.excluded.tickets},
    )


_DIALECTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_FIRST_PLACE = {name: _first_place(insert_into) for name, insert_into in _DIALECTS.items()}
_COUNT_UP = {name: _count_up(insert_into) for name, insert_into in _DIALECTS.items()}


_COUNTERS = select(
    TicketCounter.queue_id, TicketCounter.assignee_id, TicketCounter.status, TicketCounter.tickets
).where(TicketCounter.tickets > 0)


def on_message(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.created`: every change of a ticket's place leaves an entry in its timeline, never a note."""
    if event.payload["kind"] != MessageKind.NOTE.value:
        move(tx, event.payload["ticket_id"])


def move(tx: Connection, ticket_id: int) -> None:
    """Count a ticket where it is now, and no longer where it was."""
    present, counted = _places(tx, ticket_id)
    if present is None or present == counted:
        return
    if counted is None:
        queue_id, assignee_id, status = present
        first = tx.execute(
            _FIRST_PLACE[tx.dialect.name],
            {"ticket_id": ticket_id, "queue_id": queue_id, "assignee_id": assignee_id, "status": status},
        ).first()
        if first is not None:
            _add(tx, present, 1)
            _tell(tx, present)
            return
    tx.execute(_LOCK, {"ticket": ticket_id})
    present, counted = _places(tx, ticket_id)
    if present is None or counted is None or present == counted:
        return
    names = ("new_queue_id", "new_assignee_id", "new_status")
    tx.execute(_CHANGE_PLACE, {"ticket": ticket_id, **dict(zip(names, present, strict=True))})
    # In one order everywhere, so that two relays never wait for each other in a ring.
    for place, change in sorted([(counted, -1), (present, 1)]):
        _add(tx, place, change)
    _tell(tx, counted, present)


def recount(tx: Connection) -> None:
    """Count everything again; the nightly proof that the small steps lost nothing."""
    if tx.dialect.name == "postgresql":
        # Steps in flight end first, later ones and other recounts wait: nobody is counted twice.
        tx.execute(sql("LOCK TABLE ticket_places, ticket_counters IN SHARE ROW EXCLUSIVE MODE"))
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
    rows = tx.execute(_COUNTERS)
    return {(row.queue_id, row.assignee_id, row.status): row.tickets for row in rows}


def view_counts(tx: Connection, user_id: int, *, now: datetime) -> Mapping[View, int]:
    """The numbers beside the built-in views, in one statement; late tickets are counted up to `MOST_LATE`."""
    late = ids_up_to(Filters(late=True), now, MOST_LATE).subquery()
    number = select(literal(0), literal(0), literal(LATE), func.count()).select_from(late)
    places = {(row[0], row[1], row[2]): row[3] for row in tx.execute(union_all(_COUNTERS, number))}
    late_tickets = places.pop((0, 0, LATE))

    def total(statuses: tuple[Status, ...], assignee_id: int | None = None) -> int:
        names = {status.value for status in statuses}
        return sum(
            tickets
            for (_, assignee, status), tickets in places.items()
            if status in names and (assignee_id is None or assignee == assignee_id)
        )

    return {
        View.MINE: total(OPEN, user_id),
        View.MINE_WAITING: total(WAITING, user_id),
        View.UNASSIGNED: total(OPEN, NOBODY),
        View.OPEN: total(OPEN),
        View.WAITING: total(WAITING),
        View.LATE: late_tickets,
        View.RESOLVED: total((Status.RESOLVED,)),
        View.ALL: sum(places.values()),
    }


def _places(tx: Connection, ticket_id: int) -> tuple[Place | None, Place | None]:
    """Where the ticket is, and where it is counted."""
    row = tx.execute(_PLACES, {"ticket": ticket_id}).first()
    if row is None:
        return None, None
    present = (row.queue_id, row.assignee_id, row.status)
    if row.counted_queue_id is None:
        return present, None
    return present, (row.counted_queue_id, row.counted_assignee_id, row.counted_status)


def _tell(tx: Connection, *places: Place) -> None:
    """Whoever looks at numbers looks again: they moved a moment after the ticket did."""
    owners = {f"user:{assignee_id}" for _, assignee_id, _ in places if assignee_id != NOBODY}
    poke(tx, "lists", *sorted(owners), name="counts.changed", payload={}, relay=False)


def _add(tx: Connection, place: Place, change: int) -> None:
    queue_id, assignee_id, status = place
    values = {"queue_id": queue_id, "assignee_id": assignee_id, "status": status, "tickets": change}
    tx.execute(_COUNT_UP[tx.dialect.name], values)
