"""Reading and writing the rows of SLA clocks: few statements, built once, and none for what did not change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Executable, Row, bindparam, func, insert, select, update

from contact_center.core.among import among
from contact_center.core.events import poke
from contact_center.core.upsert import insert_of
from tickets.hours import Calendar as Hours
from tickets.models import Calendar, Message, Queue, SlaPolicy, Ticket
from tickets.service_levels import terms_from
from tickets.sla import Book, Clock, Metric, Pause, Terms, due_at, warn_at
from tickets.sla_models import SlaBook, SlaClock
from tickets.standing import SAID
from tickets.states import MessageKind, Priority, Status
from tickets.timeline import topics_of

# So many entries that changed nothing may wait to be read again with the next one.
MOST_UNWRITTEN = 8

_CLOCK_COLUMNS = [column.label(f"clock_{column.name}") for column in SlaClock.__table__.c]
_DEFINITIONS = (Calendar.definition.label("calendar"), SlaPolicy.definition.label("policy"))

# The entries that were not counted yet, in the order of time: a moved message has an old moment and a new seq.
_NEW_ENTRIES = (
    select(
        Message.ticket_id,
        Message.seq,
        Message.kind,
        Message.automatic,
        Message.user_id,
        Message.meta,
        Message.created_at,
    )
    .select_from(Ticket)
    .outerjoin(SlaBook, SlaBook.ticket_id == Ticket.id)
    .join(Message, (Message.ticket_id == Ticket.id) & (Message.seq > func.coalesce(SlaBook.applied_seq, 0)))
    .where(among(Ticket.id, "tickets"), Message.kind != MessageKind.NOTE.value, SAID)
    .order_by(Message.created_at, Message.seq)
)
# Books, terms and the clocks that can still change, locked.
_STATES = (
    select(SlaBook.__table__, *_DEFINITIONS, *_CLOCK_COLUMNS)
    .join(Queue, Queue.id == SlaBook.queue_id)
    .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
    .outerjoin(SlaPolicy, SlaPolicy.id == Queue.sla_policy_id)
    .outerjoin(
        SlaClock,
        (SlaClock.ticket_id == SlaBook.ticket_id)
        & (
            (SlaClock.metric == Metric.RESOLUTION.value) | (SlaClock.ended_at.is_(None) & SlaClock.dropped_at.is_(None))
        ),
    )
    .where(among(SlaBook.ticket_id, "tickets"))
    .order_by(SlaBook.ticket_id, SlaClock.id)
    .with_for_update(of=SlaBook)
)
_TICKET = (
    select(Ticket.queue_id, Ticket.priority, Ticket.created_at, *_DEFINITIONS)
    .join(Queue, Queue.id == Ticket.queue_id)
    .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
    .outerjoin(SlaPolicy, SlaPolicy.id == Queue.sla_policy_id)
    .where(Ticket.id == bindparam("ticket"))
)
_CHANGED = [
    column.name for column in SlaClock.__table__.c if column.name not in ("id", "ticket_id", "metric", "warned_at")
]
_UPDATE_CLOCK = (
    update(SlaClock)
    .where(SlaClock.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGED})
)
_UPDATE_BOOK = (
    update(SlaBook)
    .where(SlaBook.ticket_id == bindparam("ticket"))
    .values({name: bindparam(f"new_{name}") for name in ("applied_seq", "queue_id", "priority", "status", "answered")})
)
_MARK = (
    update(Ticket)
    .where(Ticket.id == bindparam("ticket"))
    .values(sla_due_at=bindparam("due"))
    .returning(Ticket.queue_id, Ticket.assignee_id)
)
_INSERT_CLOCK = insert(SlaClock)


@dataclass(frozen=True, slots=True)
class Stored:
    """A clock's row: its id, whether it has warned, and the clock as it is written there."""

    row_id: int
    warned: bool
    clock: Clock


@dataclass(frozen=True, slots=True)
class Counted:
    """A book, the queue whose terms hold, and the rows behind its first clocks, in order; the others are new."""

    book: Book
    queue_id: int
    terms: Terms
    applied_seq: int
    rows: tuple[Stored, ...] = ()


def new_entries(tx: Connection, ticket_ids: Collection[int]) -> dict[int, list[Row[Any]]]:
    """What was not counted yet, by ticket: seq, kind, automatic, user_id, meta, created_at."""
    found: dict[int, list[Row[Any]]] = {ticket_id: [] for ticket_id in ticket_ids}
    for row in tx.execute(_NEW_ENTRIES, {"tickets": ticket_ids}):
        found[row.ticket_id].append(row)
    return found


def load(tx: Connection, ticket_id: int) -> Counted | None:
    """The stored book of a ticket, locked."""
    return load_all(tx, [ticket_id]).get(ticket_id)


def load_all(tx: Connection, ticket_ids: Collection[int]) -> dict[int, Counted]:
    """The stored books by ticket, locked; finished response clocks stay on their rows, they cannot change any more."""
    rows = tx.execute(_STATES, {"tickets": ticket_ids}).all()
    return {ticket_id: _counted(list(of_one)) for ticket_id, of_one in groupby(rows, lambda row: int(row.ticket_id))}


def _counted(rows: Sequence[Row[Any]]) -> Counted:
    """A book out of its rows, one for each clock that can still change, or a single one without."""
    stored = tuple(
        Stored(row.clock_id, row.clock_warned_at is not None, clock_of(row, "clock_"))
        for row in rows
        if row.clock_id is not None
    )
    first = rows[0]
    book = Book(Priority(first.priority), Status(first.status), first.answered, tuple(each.clock for each in stored))
    return Counted(book, first.queue_id, terms_from(first.policy, first.calendar), first.applied_seq, stored)


def ticket_of(tx: Connection, ticket_id: int) -> Row[Any] | None:
    """What the first count starts from: queue_id, priority, created_at, policy, calendar."""
    return tx.execute(_TICKET, {"ticket": ticket_id}).first()


def begin(tx: Connection, ticket_id: int, first: Counted) -> bool:
    """Insert the ticket's book; False if it has one already."""
    values = {name.removeprefix("new_"): value for name, value in _book_values(first).items()}
    return tx.execute(_begin(tx.dialect.name), {"ticket_id": ticket_id, **values}).first() is not None


@cache
def _begin(dialect: str) -> Executable:
    once = insert_of(dialect, SlaBook).on_conflict_do_nothing(index_elements=["ticket_id"])
    return once.returning(SlaBook.ticket_id)


def store(tx: Connection, ticket_id: int, before: Counted | None, after: Counted) -> list[Clock]:
    """Write what changed; returns the clocks whose target was missed meanwhile. `before` is None for a new book."""
    calendar = after.terms.calendar
    if before is not None and _is_worth_writing(before, after):
        tx.execute(_UPDATE_BOOK, {"ticket": ticket_id, **_book_values(after)})
    changed, new, missed = [], [], []
    kept = len(after.rows)
    other_terms = before is not None and before.terms != after.terms
    for stored, clock in zip(after.rows, after.book.clocks[:kept], strict=True):
        if clock != stored.clock or other_terms:
            values = {f"new_{name}": value for name, value in _values(clock, calendar, warned=stored.warned).items()}
            changed.append({"row_id": stored.row_id, **values})
        if clock.breached_at is not None and stored.clock.breached_at is None:
            missed.append(clock)
    for clock in after.book.clocks[kept:]:
        common = {"ticket_id": ticket_id, "metric": clock.metric.value, "warned_at": None}
        new.append({**common, **_values(clock, calendar, warned=False)})
        if clock.breached_at is not None:
            missed.append(clock)
    if changed:
        tx.execute(_UPDATE_CLOCK, changed)
    if new:
        tx.execute(_INSERT_CLOCK, new)
    soonest = _soonest(after.book, calendar)
    if before is None or soonest != _soonest(before.book, before.terms.calendar):
        _mark_ticket(tx, ticket_id, soonest)
    return missed


def clock_of(row: Row[Any], prefix: str = "") -> Clock:
    """A clock out of its columns, which may carry a prefix."""

    def value(name: str) -> Any:
        return getattr(row, prefix + name)

    return Clock(
        Metric(value("metric")),
        value("started_at"),
        value("target"),
        value("counted_from"),
        value("carried"),
        tuple(
            Pause(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None, reason)
            for since, until, reason in value("pauses")
        ),
        value("ended_at"),
        value("breached_at"),
        value("dropped_at"),
    )


def _is_worth_writing(before: Counted, after: Counted) -> bool:
    """Entries that change nothing are read again with the next one, until there are too many of them."""
    if after.applied_seq - before.applied_seq >= MOST_UNWRITTEN:
        return True
    return {**_book_values(before), "new_applied_seq": after.applied_seq} != _book_values(after) or (
        before.book.clocks != after.book.clocks
    )


def _book_values(counted: Counted) -> dict[str, Any]:
    return {
        "new_applied_seq": counted.applied_seq,
        "new_queue_id": counted.queue_id,
        "new_priority": counted.book.priority.value,
        "new_status": counted.book.status.value,
        "new_answered": counted.book.answered,
    }


def _values(clock: Clock, calendar: Hours, *, warned: bool) -> dict[str, Any]:
    due, warning = due_at(clock, calendar), warn_at(clock, calendar)
    return {
        "started_at": clock.started_at,
        "target": clock.target,
        "counted_from": clock.counted_from,
        "carried": clock.carried,
        "pauses": [
            [pause.since.isoformat(), pause.until.isoformat() if pause.until else None, pause.reason]
            for pause in clock.pauses
        ],
        "ended_at": clock.ended_at,
        "breached_at": clock.breached_at,
        "dropped_at": clock.dropped_at,
        "due_at": due,
        "warn_at": warning,
        "next_at": None if clock.breached_at is not None else due if warned else warning,
    }


def _soonest(book: Book, calendar: Hours) -> datetime | None:
    return min((due for clock in book.clocks if (due := due_at(clock, calendar)) is not None), default=None)


def _mark_ticket(tx: Connection, ticket_id: int, due: datetime | None) -> None:
    """The moment that lists sort by and show; those who look are told to look again."""
    row = tx.execute(_MARK, {"ticket": ticket_id, "due": due}).one()
    topics = topics_of(ticket_id, queue_id=row.queue_id, assignee_id=row.assignee_id)
    poke(tx, *topics, name="sla.changed", payload={"ticket_id": ticket_id}, relay=False)
