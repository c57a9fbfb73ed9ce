"""How many tickets lie where: numbers beside views and queues, kept by a relay handler, never by intake.

Each ticket's counted place is a row of its own; the handler compares it with the present place and moves one from
counter to counter. Repeated, late or reordered events end in the same numbers.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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

from contact_center.core.among import among
from contact_center.core.events import Event, poke, together
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
        Ticket.id,
        Ticket.queue_id,
        func.coalesce(Ticket.assignee_id, NOBODY).label("assignee_id"),
        Ticket.status,
        TicketPlace.queue_id.label("counted_queue_id"),
        TicketPlace.assignee_id.label("counted_assignee_id"),
        TicketPlace.status.label("counted_status"),
    )
    .join(TicketPlace, TicketPlace.ticket_id == Ticket.id, isouter=True)
    .where(among(Ticket.id, "tickets"))
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


@together
def on_message(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Handler of `message.created`: every change of a ticket's place leaves an entry that says so."""
    move(tx, *{event.payload["ticket_id"] for event in events if event.payload.get("moves", True)})


def move(tx: Connection, *ticket_ids: int) -> None:
    """Count tickets where they are now, and no longer where they were."""
    steps: Counter[Place] = Counter()
    wanted = list(ticket_ids)
    while wanted:
        places = sorted(_places(tx, wanted).items())
        # Those that somebody else has counted meanwhile are looked at again.
        wanted = [found for found, (present, counted) in places if not _place(tx, found, present, counted, steps)]
    if steps:
        _add(tx, steps)
        _tell(tx, steps)


def _place(tx: Connection, ticket_id: int, present: Place, counted: Place | None, steps: Counter[Place]) -> bool:
    """Note that a ticket is counted where it is, and the steps of the counters; False if it was counted meanwhile."""
    if present == counted:
        return True
    if counted is None:
        values = {"ticket_id": ticket_id, **dict(zip(_PLACE, present, strict=True))}
        if tx.execute(_FIRST_PLACE[tx.dialect.name], values).first() is None:
            return False
    elif tx.execute(_CHANGE_PLACE, _from_to(ticket_id, counted, present)).rowcount:
        steps[counted] -= 1
    else:
        return False
    steps[present] += 1
    return True


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
        View.NEWSLETTERS: total((Status.NEWSLETTER,)),
        View.ALL: total(COUNTED),
    }


def _places(tx: Connection, ticket_ids: Collection[int]) -> dict[int, tuple[Place, Place | None]]:
    """Where tickets are, and where they are counted."""
    found: dict[int, tuple[Place, Place | None]] = {}
    for row in tx.execute(_PLACES, {"tickets": ticket_ids}):
        counted = (row.counted_queue_id, row.counted_assignee_id, row.counted_status)
        present = (row.queue_id, row.assignee_id, row.status)
        found[row.id] = (present, None if row.counted_queue_id is None else counted)
    return found


def _tell(tx: Connection, places: Iterable[Place]) -> None:
    """Whoever looks at numbers looks again: they moved a moment after the ticket did."""
    owners = {f"user:{assignee_id}" for _, assignee_id, _ in places if assignee_id != NOBODY}
    poke(tx, "lists", *sorted(owners), name="counts.changed", payload={}, relay=False)


def _add(tx: Connection, steps: Mapping[Place, int]) -> None:
    """In one order everywhere, so that two relays never wait for each other in a ring."""
    rows = [
        {**dict(zip(_PLACE, place, strict=True)), "tickets": change}
        for place, change in sorted(steps.items())
        if change
    ]
    if rows:
        tx.execute(_COUNT_UP[tx.dialect.name], rows)
