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
from contact_center.core.schema import Base, BigId, UtcDateTime
from tickets.filters import OPEN, WAITING, Filters, View
from tickets.models import Ticket
from tickets.queries import COUNTED, ids_up_to
from tickets.states import Status

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
_PLACE = ("queue_id", "assignee_id", "status")
# Whoever still finds the ticket where it was counted moves it.
_CHANGE_PLACE = (
    update(TicketPlace)
    .where(
        TicketPlace.ticket_id == bindparam("ticket"),
        *(TicketPlace.__table__.c[name] == bindparam(f"old_{name}") for name in _PLACE),
    )
    .values({name: bindparam(f"new_{name}") for name in _PLACE})
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
_LATE = ids_up_to(Filters(late=True), bindparam("now", type_=UtcDateTime()), MOST_LATE).subquery()
_NUMBERS = union_all(_COUNTERS, select(literal(0), literal(0), literal(LATE), func.count()).select_from(_LATE))


def on_message(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.created`: every change of a ticket's place leaves an entry that says so."""
    if event.payload.get("moves", True):
        move(tx, event.payload["ticket_id"])


def move(tx: Connection, ticket_id: int) -> None:
    """Count a ticket where it is now, and no longer where it was."""
    while True:
        present, counted = _places(tx, ticket_id)
        if present is None or present == counted:
            return
        if counted is None:
            values = {"ticket_id": ticket_id, **dict(zip(_PLACE, present, strict=True))}
            if tx.execute(_FIRST_PLACE[tx.dialect.name], values).first() is not None:
                _add(tx, (present, 1))
                _tell(tx, present)
                return
        elif tx.execute(_CHANGE_PLACE, _from_to(ticket_id, counted, present)).rowcount:
            # In one order everywhere, so that two relays never wait for each other in a ring.
            _add(tx, *sorted([(counted, -1), (present, 1)]))
            _tell(tx, counted, present)
            return
        # Somebody else counted it meanwhile: look again.


def _from_to(ticket_id: int, counted: Place, present: Place) -> dict[str, Any]:
    old = {f"old_{name}": value for name, value in zip(_PLACE, counted, strict=True)}
    new = {f"new_{name}": value for name, value in zip(_PLACE, present, strict=True)}
    return {"ticket": ticket_id, **old, **new}


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
    places = {(row[0], row[1], row[2]): row[3] for row in tx.execute(_NUMBERS, {"now": now})}
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
        View.SPAM: total((Status.SPAM,)),
        View.ALL: total(COUNTED),
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


def _add(tx: Connection, *steps: tuple[Place, int]) -> None:
    rows = [{**dict(zip(_PLACE, place, strict=True)), "tickets": change} for place, change in steps]
    tx.execute(_COUNT_UP[tx.dialect.name], rows)
