"""The SLA clocks of tickets as rows: counted from the ticket's entries, announced when they warn and break.

The timeline is the ledger. Whoever handles an entry counts every entry up to it that was not counted yet, in the
order of `seq`, so late, repeated or reordered events end in the same rows, and `recount` proves or repairs them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from contact_center.core.events import Event, emit, poke
from contact_center.core.upsert import insert_for
from tickets.hours import Calendar
from tickets.models import Message, Queue, Ticket
from tickets.service_levels import all_terms, terms_from, terms_of
from tickets.sla import Book, Clock, Fact, FactKind, Metric, Pause, Terms, apply, change_terms, due_at, warn_at
from tickets.sla_models import SlaBook, SlaClock
from tickets.states import DONE_STATUSES, MessageKind, Priority, Status
from tickets.timeline import topics_of

BATCH = 200
WOKEN_BY_CUSTOMER = frozenset({Status.PENDING, Status.SNOOZED, Status.RESOLVED})


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is known of the row behind a clock."""

    row_id: int
    warned: bool
    breached: bool


@dataclass(frozen=True, slots=True)
class _Counted:
    """A book, the queue whose terms hold, and the rows behind its clocks in the same order (None: new)."""

    book: Book
    queue_id: int
    applied_seq: int
    rows: tuple[_Stored | None, ...]


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.created`: the clocks start, also on a ticket that holds nothing but a note."""
    count(tx, event.payload["ticket_id"], now=now)


def on_message(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.created`: count the ticket's new entries."""
    if event.payload["kind"] != MessageKind.NOTE.value:
        count(tx, event.payload["ticket_id"], now=now)


def on_message_moved(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.moved`: both tickets have another past now."""
    for ticket_id in (event.payload["from_ticket_id"], event.payload["ticket_id"]):
        recount(tx, ticket_id, now=now)


def on_service_level_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `service_level.changed`: running clocks keep what they used and go on under the new terms."""
    kind, row_id, before = event.payload["kind"], event.payload["id"], event.payload["before"]
    column = Queue.calendar_id if kind == "calendar" else Queue.sla_policy_id
    queue_ids = tx.execute(select(Queue.id).where(column == row_id)).scalars().all()
    new_terms = all_terms(tx, *queue_ids)
    old_part = terms_from(before, None) if kind == "policy" else terms_from(None, before)
    books = tx.execute(
        select(SlaBook.ticket_id, SlaBook.queue_id).where(
            SlaBook.queue_id.in_(queue_ids), SlaBook.status.not_in([status.value for status in DONE_STATUSES])
        )
    ).all()
    for ticket_id, queue_id in books:
        counted = _load(tx, ticket_id)
        if counted is not None:
            new = new_terms[queue_id]
            old = replace(new, policy=old_part.policy) if kind == "policy" else replace(new, calendar=old_part.calendar)
            book = change_terms(counted.book, old, new, event.created_at)
            for clock in _store(tx, ticket_id, replace(counted, book=book), new.calendar):
                _announce(tx, "sla.breached", ticket_id, clock.metric.value, clock.breached_at, now=now)


def count(tx: Connection, ticket_id: int, *, now: datetime, announce: bool = True) -> None:
    """Apply the entries that were not applied yet; `announce` the targets that were missed on the way."""
    counted = _load(tx, ticket_id)
    entries = _entries(tx, ticket_id, counted.applied_seq if counted else 0)
    if counted is None:
        counted = _begin(tx, ticket_id)
    elif not entries:
        return
    if counted is None:
        return
    queue_ids = {counted.queue_id, *(entry.meta["to_queue_id"] for entry in entries if _is_move(entry))}
    terms = all_terms(tx, *queue_ids)
    counted = _applied(counted, entries, terms)
    missed = _store(tx, ticket_id, counted, terms[counted.queue_id].calendar)
    for clock in missed if announce else ():
        _announce(tx, "sla.breached", ticket_id, clock.metric.value, clock.breached_at, now=now)


def recount(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """Forget the rows and count the whole timeline again, under today's terms; nothing is announced twice."""
    tx.execute(delete(SlaClock).where(SlaClock.ticket_id == ticket_id))
    tx.execute(delete(SlaBook).where(SlaBook.ticket_id == ticket_id))
    count(tx, ticket_id, now=now, announce=False)


def run_due(tx: Connection, now: datetime, *, limit: int = BATCH) -> int:
    """Announce the clocks that became at risk or late; returns how many there were."""
    rows = tx.execute(
        select(SlaClock.id, SlaClock.ticket_id, SlaClock.metric, SlaClock.due_at)
        .where(SlaClock.next_at < now)
        .order_by(SlaClock.next_at, SlaClock.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        late = row.due_at < now
        changes = {"breached_at": row.due_at, "next_at": None} if late else {"warned_at": now, "next_at": row.due_at}
        tx.execute(update(SlaClock).where(SlaClock.id == row.id).values(**changes))
        name = "sla.breached" if late else "sla.warning"
        _announce(tx, name, row.ticket_id, row.metric, row.due_at, now=now)
    return len(rows)


def clocks_of(tx: Connection, ticket_id: int) -> list[Clock]:
    """All clocks of a ticket in the order of their start."""
    rows = tx.execute(
        select(SlaClock.__table__).where(SlaClock.ticket_id == ticket_id).order_by(SlaClock.started_at, SlaClock.id)
    )
    return [_clock(row) for row in rows]


def _begin(tx: Connection, ticket_id: int) -> _Counted | None:
    """The book of a ticket before its first entry: the first change of a field tells what it was before."""
    ticket = tx.execute(
        select(Ticket.queue_id, Ticket.priority, Ticket.created_at).where(Ticket.id == ticket_id)
    ).first()
    if ticket is None:
        return None
    first = _first_changes(tx, ticket_id)
    priority = Priority(first.get("priority_changed", {}).get("from", ticket.priority))
    queue_id = first.get("queue_changed", {}).get("from_queue_id", ticket.queue_id)
    statement = insert_for(tx, SlaBook).values(
        ticket_id=ticket_id,
        applied_seq=0,
        queue_id=queue_id,
        priority=priority.value,
        status=Status.NEW.value,
        answered=False,
    )
    created = tx.execute(
        statement.on_conflict_do_nothing(index_elements=["ticket_id"]).returning(SlaBook.ticket_id)
    ).scalar_one_or_none()
    if created is None:
        return _load(tx, ticket_id)
    opened = Fact(ticket.created_at, FactKind.OPENED)
    return _Counted(apply(Book(priority), opened, terms_of(tx, queue_id)), queue_id, 0, (None,))


def _first_changes(tx: Connection, ticket_id: int) -> dict[str, dict[str, Any]]:
    metas = tx.execute(
        select(Message.meta)
        .where(Message.ticket_id == ticket_id, Message.kind == MessageKind.EVENT.value)
        .order_by(Message.seq.desc())
    ).scalars()
    return {meta["name"]: meta for meta in metas}


def _load(tx: Connection, ticket_id: int) -> _Counted | None:
    """The stored book, locked; finished response clocks stay on their rows, they cannot change any more."""
    row = tx.execute(select(SlaBook.__table__).where(SlaBook.ticket_id == ticket_id).with_for_update()).first()
    if row is None:
        return None
    clocks = tx.execute(
        select(SlaClock.__table__)
        .where(
            SlaClock.ticket_id == ticket_id,
            (SlaClock.metric == Metric.RESOLUTION.value)
            | (SlaClock.ended_at.is_(None) & SlaClock.dropped_at.is_(None)),
        )
        .order_by(SlaClock.id)
    ).all()
    book = Book(Priority(row.priority), Status(row.status), row.answered, tuple(_clock(clock) for clock in clocks))
    rows = tuple(_Stored(clock.id, clock.warned_at is not None, clock.breached_at is not None) for clock in clocks)
    return _Counted(book, row.queue_id, row.applied_seq, rows)


def _entries(tx: Connection, ticket_id: int, after_seq: int) -> Sequence[Row[Any]]:
    """In the order of time: a message that was moved here has an old moment and a new seq."""
    return tx.execute(
        select(Message.seq, Message.kind, Message.automatic, Message.user_id, Message.meta, Message.created_at)
        .where(Message.ticket_id == ticket_id, Message.seq > after_seq, Message.kind != MessageKind.NOTE.value)
        .order_by(Message.created_at, Message.seq)
    ).all()


def _is_move(entry: Row[Any]) -> bool:
    return bool(entry.kind == MessageKind.EVENT.value and entry.meta.get("name") == "queue_changed")


def _applied(counted: _Counted, entries: Iterable[Row[Any]], terms: dict[int, Terms]) -> _Counted:
    book, queue_id, seq = counted.book, counted.queue_id, counted.applied_seq
    for entry in entries:
        seq = max(seq, entry.seq)
        if _is_move(entry):
            old, queue_id = terms[queue_id], entry.meta["to_queue_id"]
            book = change_terms(book, old, terms[queue_id], entry.created_at)
            continue
        for fact in facts_of(entry, book.status):
            book = apply(book, fact, terms[queue_id])
    rows = counted.rows + (None,) * (len(book.clocks) - len(counted.rows))
    return _Counted(book, queue_id, seq, rows)


def facts_of(entry: Row[Any], status: Status) -> Iterator[Fact]:
    """What an entry of the timeline means to the clocks, on a ticket in `status`."""
    at = entry.created_at
    match entry.kind:
        case MessageKind.INBOUND if not entry.automatic:
            if status in WOKEN_BY_CUSTOMER:
                yield Fact(at, FactKind.STATUS, Status.OPEN.value)
            yield Fact(at, FactKind.CUSTOMER_WROTE)
        case MessageKind.OUTBOUND if not entry.automatic:
            yield Fact(at, FactKind.ANSWERED)
        case MessageKind.CALL:
            yield from _facts_of_call(entry, status)
        case MessageKind.EVENT:
            name = entry.meta.get("name")
            if name == "status_changed":
                yield Fact(at, FactKind.STATUS, entry.meta["to"])
            elif name == "priority_changed":
                yield Fact(at, FactKind.PRIORITY, entry.meta["to"])
            elif name == "merged_into":
                yield Fact(at, FactKind.DROPPED)
            elif name == "unmerged" and "status" in entry.meta:
                yield Fact(at, FactKind.OPENED)
                yield Fact(at, FactKind.STATUS, entry.meta["status"])
                if entry.meta["waiting"]:
                    yield Fact(at, FactKind.CUSTOMER_WROTE)


def _facts_of_call(entry: Row[Any], status: Status) -> Iterator[Fact]:
    """A call of the customer waits for an answer from its start; picking up, or our own call, is one."""
    inbound = entry.meta.get("direction") != "outbound"
    if inbound:
        if status in WOKEN_BY_CUSTOMER:
            yield Fact(entry.created_at, FactKind.STATUS, Status.OPEN.value)
        yield Fact(entry.created_at, FactKind.CUSTOMER_WROTE)
    if entry.user_id is not None or entry.meta.get("answered"):
        yield Fact(entry.created_at, FactKind.ANSWERED)


def _store(tx: Connection, ticket_id: int, counted: _Counted, calendar: Calendar) -> list[Clock]:
    """Write book, clocks and the ticket's soonest moment; returns the clocks whose target was missed meanwhile."""
    book = counted.book
    tx.execute(
        update(SlaBook)
        .where(SlaBook.ticket_id == ticket_id)
        .values(
            applied_seq=counted.applied_seq,
            queue_id=counted.queue_id,
            priority=book.priority.value,
            status=book.status.value,
            answered=book.answered,
        )
    )
    new, missed = [], []
    for stored, clock in zip(counted.rows, book.clocks, strict=True):
        values = _values(ticket_id, clock, calendar, warned=stored is not None and stored.warned)
        if stored is None:
            new.append(values)
        else:
            tx.execute(update(SlaClock).where(SlaClock.id == stored.row_id).values(**values))
        if clock.breached_at is not None and not (stored and stored.breached):
            missed.append(clock)
    if new:
        tx.execute(insert(SlaClock), new)
    _mark_ticket(tx, ticket_id, min((due for clock in book.clocks if (due := due_at(clock, calendar))), default=None))
    return missed


def _values(ticket_id: int, clock: Clock, calendar: Calendar, *, warned: bool) -> dict[str, Any]:
    due, warning = due_at(clock, calendar), warn_at(clock, calendar)
    return {
        "ticket_id": ticket_id,
        "metric": clock.metric.value,
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


def _clock(row: Row[Any]) -> Clock:
    return Clock(
        Metric(row.metric),
        row.started_at,
        row.target,
        row.counted_from,
        row.carried,
        tuple(
            Pause(datetime.fromisoformat(since), datetime.fromisoformat(until) if until else None, reason)
            for since, until, reason in row.pauses
        ),
        row.ended_at,
        row.breached_at,
        row.dropped_at,
    )


def _mark_ticket(tx: Connection, ticket_id: int, due: datetime | None) -> None:
    """The moment that lists sort by and show; those who look are told to look again."""
    row = tx.execute(
        update(Ticket)
        .where(Ticket.id == ticket_id, Ticket.sla_due_at.is_distinct_from(due))
        .values(sla_due_at=due)
        .returning(Ticket.queue_id, Ticket.assignee_id)
    ).first()
    if row is not None:
        topics = topics_of(ticket_id, queue_id=row.queue_id, assignee_id=row.assignee_id)
        poke(tx, *topics, name="sla.changed", payload={"ticket_id": ticket_id}, relay=False)


def _announce(tx: Connection, name: str, ticket_id: int, metric: str, due: datetime | None, *, now: datetime) -> None:
    ticket = tx.execute(
        select(Ticket.queue_id, Ticket.assignee_id, Ticket.customer_id).where(Ticket.id == ticket_id)
    ).one()
    emit(
        tx,
        name,
        {
            "ticket_id": ticket_id,
            "metric": metric,
            "due_at": due.isoformat() if due else None,
            "queue_id": ticket.queue_id,
            "assignee_id": ticket.assignee_id,
            "customer_id": ticket.customer_id,
        },
        now=now,
        topics=topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id),
    )
