"""The SLA clocks of tickets as rows: counted from the ticket's entries, announced when they warn and break.

The timeline is the ledger. Whoever handles an entry counts every entry up to it that was not counted yet, in the
order of time, so late, repeated or reordered events end in the same rows, and `recount` proves or repairs them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, select, update

from contact_center.core.events import Event, emit, together
from tickets.models import Message, Queue, Ticket
from tickets.service_levels import all_terms, terms_from
from tickets.sla import Book, Clock, Fact, FactKind, apply, change_terms
from tickets.sla_models import SlaBook, SlaClock
from tickets.sla_rows import MOST_UNWRITTEN, Counted, begin, clock_of, load, load_all, new_entries, store, ticket_of
from tickets.states import BROUGHT_BACK, RESTING_STATUSES, SET_APART, Delivery, MessageKind, Priority, Status
from tickets.timeline import topics_of

BATCH = 200
WOKEN_BY_CUSTOMER = frozenset({Status.PENDING, Status.SNOOZED, Status.RESOLVED})
_APART = {name: status for status, name in SET_APART.items()}
_BACK = frozenset(BROUGHT_BACK.values())
TELLING = frozenset({"status_changed", "priority_changed", "queue_changed", "merged_into", "unmerged"}) | {
    *_APART,
    *_BACK,
}
# States of a call in which somebody talked (channels.phone.states).
SPOKEN = frozenset({"answered", "completed"})
_CALL = select(Message.ticket_id, Message.seq, Message.meta, Message.created_at).where(
    Message.id == bindparam("message"), Message.kind == MessageKind.CALL.value
)
_TICKET = select(Ticket.queue_id, Ticket.assignee_id, Ticket.customer_id).where(Ticket.id == bindparam("ticket"))


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.created`: the clocks start, also on a ticket that holds nothing but a note."""
    _open(tx, event.payload["ticket_id"], now=now)


@together
def on_message(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Handler of `message.created`: count the tickets' new entries; `ticket.created` counts the first one."""
    told = [event.payload for event in events]
    count(tx, *{one["ticket_id"] for one in told if one["seq"] > 1 and _may_tell(one)}, now=now)


def on_message_updated(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.updated`: a call that rang may have been answered since, an answer been taken back."""
    if event.payload.get("delivery") == Delivery.CANCELED.value:
        recount(tx, event.payload["ticket_id"], now=now)
    if event.payload.get("delivery") is not None:
        return
    message = tx.execute(_CALL, {"message": event.payload["message_id"]}).first()
    if message is None or message.meta.get("call", {}).get("state") not in SPOKEN:
        return
    before = load(tx, message.ticket_id)
    if before is None or before.applied_seq < message.seq:
        return
    answered = Fact(_answered_at(message.created_at, message.meta["call"]), FactKind.ANSWERED)
    after = replace(before, book=apply(before.book, answered, before.terms))
    _announce_missed(tx, message.ticket_id, store(tx, message.ticket_id, before, after), now=now)


def on_message_moved(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.moved`: both tickets have another past now."""
    for ticket_id in (event.payload["from_ticket_id"], event.payload["ticket_id"]):
        recount(tx, ticket_id, now=now)


def on_service_level_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `service_level.changed`: running clocks keep what they used and go on under the new terms."""
    kind, row_id, before = event.payload["kind"], event.payload["id"], event.payload["before"]
    column = Queue.calendar_id if kind == "calendar" else Queue.sla_policy_id
    old_part = terms_from(before, None) if kind == "policy" else terms_from(None, before)
    ticket_ids = tx.execute(
        select(SlaBook.ticket_id)
        .join(Queue, Queue.id == SlaBook.queue_id)
        .where(column == row_id, SlaBook.status.not_in([status.value for status in RESTING_STATUSES]))
    ).scalars()
    for ticket_id in ticket_ids.all():
        counted = load(tx, ticket_id)
        if counted is None:
            continue
        new = counted.terms
        old = replace(new, policy=old_part.policy) if kind == "policy" else replace(new, calendar=old_part.calendar)
        after = replace(counted, book=change_terms(counted.book, old, new, event.created_at))
        _announce_missed(tx, ticket_id, store(tx, ticket_id, replace(counted, terms=old), after), now=now)


def count(tx: Connection, *ticket_ids: int, now: datetime) -> None:
    """Apply the tickets' entries that were not applied yet, and announce the targets that were missed on the way."""
    entries = {ticket_id: new for ticket_id, new in _new_entries(tx, ticket_ids).items() if _is_worth_counting(new)}
    books = load_all(tx, entries) if entries else {}
    for ticket_id, new in sorted(entries.items()):
        if any(_is_event(entry, *_BACK) for entry in new):
            recount(tx, ticket_id, now=now)
        elif ticket_id in books:
            _go_on(tx, ticket_id, books[ticket_id], new, now=now)
        else:
            _begin(tx, ticket_id, new, now=now)


def recount(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """Forget the rows and count the whole timeline again, under today's terms; nothing is announced twice."""
    tx.execute(delete(SlaClock).where(SlaClock.ticket_id == ticket_id))
    tx.execute(delete(SlaBook).where(SlaBook.ticket_id == ticket_id))
    _open(tx, ticket_id, now=now, announce=False)


def _open(tx: Connection, ticket_id: int, *, now: datetime, announce: bool = True) -> None:
    """Count a whole timeline: a ticket that holds nothing that clocks know of gets its clocks too."""
    entries = _without_spam(_new_entries(tx, [ticket_id])[ticket_id])
    _begin(tx, ticket_id, entries, now=now, announce=announce)


def _new_entries(tx: Connection, ticket_ids: Collection[int]) -> dict[int, list[Row[Any]]]:
    return new_entries(tx, ticket_ids) if ticket_ids else {}


def _begin(
    tx: Connection, ticket_id: int, entries: Sequence[Row[Any]], *, now: datetime, announce: bool = True
) -> None:
    """A ticket's first rows, unless another relay writes them at this moment."""
    ticket = ticket_of(tx, ticket_id)
    if ticket is None:
        return
    after = _applied(tx, _new_book(tx, ticket, entries), entries)
    if begin(tx, ticket_id, after):
        missed = store(tx, ticket_id, None, after)
        if announce:
            _announce_missed(tx, ticket_id, missed, now=now)
        return
    # `load` waits until the other one is through.
    before = load(tx, ticket_id)
    assert before is not None
    _go_on(tx, ticket_id, before, entries, now=now, announce=announce)


def _go_on(
    tx: Connection,
    ticket_id: int,
    before: Counted,
    entries: Sequence[Row[Any]],
    *,
    now: datetime,
    announce: bool = True,
) -> None:
    after = _applied(tx, before, [entry for entry in entries if entry.seq > before.applied_seq])
    missed = store(tx, ticket_id, before, after)
    if announce:
        _announce_missed(tx, ticket_id, missed, now=now)


_DUE = (
    select(SlaClock.id, SlaClock.ticket_id, SlaClock.metric, SlaClock.due_at)
    .where(SlaClock.next_at < bindparam("now"))
    .order_by(SlaClock.next_at, SlaClock.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
)
# SET takes whatever columns the parameters name.
_RING = update(SlaClock).where(SlaClock.id == bindparam("clock"))


def run_due(tx: Connection, now: datetime, *, limit: int = BATCH) -> int:
    """Announce the clocks that became at risk or late; returns how many there were."""
    rows = tx.execute(_DUE, {"now": now, "most": limit}).all()
    for row in rows:
        late = row.due_at < now
        changes = {"breached_at": row.due_at, "next_at": None} if late else {"warned_at": now, "next_at": row.due_at}
        tx.execute(_RING, {"clock": row.id, **changes})
        name = "sla.breached" if late else "sla.warning"
        _announce(tx, name, row.ticket_id, row.metric, row.due_at, now=now)
    return len(rows)


def clocks_of(tx: Connection, ticket_id: int) -> list[Clock]:
    """All clocks of a ticket in the order of their start."""
    rows = tx.execute(
        select(SlaClock.__table__).where(SlaClock.ticket_id == ticket_id).order_by(SlaClock.started_at, SlaClock.id)
    )
    return [clock_of(row) for row in rows]


def _new_book(tx: Connection, ticket: Row[Any], entries: Sequence[Row[Any]]) -> Counted:
    """The book of a ticket before its first entry: the first change of a field tells what it was before."""
    first: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == MessageKind.EVENT.value:
            first.setdefault(entry.meta["name"], entry.meta)
    priority = Priority(first.get("priority_changed", {}).get("from", ticket.priority))
    queue_id = first.get("queue_changed", {}).get("from_queue_id", ticket.queue_id)
    own = queue_id == ticket.queue_id
    terms = terms_from(ticket.policy, ticket.calendar) if own else all_terms(tx, queue_id)[queue_id]
    return Counted(apply(Book(priority), Fact(ticket.created_at, FactKind.OPENED), terms), queue_id, terms, 0)


def _may_tell(payload: Mapping[str, Any]) -> bool:
    """The same as `_tells`, as far as the event of an entry says it."""
    if payload["kind"] == MessageKind.EVENT.value:
        return payload.get("name", "status_changed") in TELLING
    return payload["kind"] != MessageKind.NOTE.value and not payload.get("automatic", False)


def _is_worth_counting(entries: Sequence[Row[Any]]) -> bool:
    """Entries that mean nothing to a clock wait for others, until there are too many of them to read again."""
    return any(_tells(entry) for entry in entries) or len(entries) >= MOST_UNWRITTEN


def _tells(entry: Row[Any]) -> bool:
    """Whether an entry can mean anything to a clock."""
    if entry.kind == MessageKind.EVENT.value:
        return entry.meta.get("name") in TELLING
    return not entry.automatic


def _is_event(entry: Row[Any], *names: str) -> bool:
    return entry.kind == MessageKind.EVENT.value and entry.meta.get("name") in names


def _is_move(entry: Row[Any]) -> bool:
    return _is_event(entry, "queue_changed")


def _without_spam(entries: Sequence[Row[Any]]) -> list[Row[Any]]:
    """The entries of a whole timeline without the marks that were taken back: the clocks never heard of those."""
    standing: list[Row[Any]] = []
    taken_back = 0
    for entry in reversed(entries):
        if _is_event(entry, *_BACK):
            taken_back += 1
        elif taken_back and _is_event(entry, *_APART):
            taken_back -= 1
        else:
            standing.append(entry)
    return standing[::-1]


def _applied(tx: Connection, counted: Counted, entries: Sequence[Row[Any]]) -> Counted:
    book, queue_id, terms, seq = counted.book, counted.queue_id, counted.terms, counted.applied_seq
    moves = {entry.meta["to_queue_id"] for entry in entries if _is_move(entry)}
    other_terms = all_terms(tx, *moves) if moves else {}
    for entry in entries:
        seq = max(seq, entry.seq)
        if _is_move(entry):
            queue_id = entry.meta["to_queue_id"]
            book = change_terms(book, terms, other_terms[queue_id], entry.created_at)
            terms = other_terms[queue_id]
            continue
        for fact in facts_of(entry, book.status):
            book = apply(book, fact, terms)
    return replace(counted, book=book, queue_id=queue_id, terms=terms, applied_seq=seq)


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
            elif name in _APART:
                yield Fact(at, FactKind.STATUS, _APART[name].value)
            elif name == "merged_into":
                yield Fact(at, FactKind.DROPPED)
            elif name == "unmerged" and "status" in entry.meta:
                yield Fact(at, FactKind.OPENED)
                yield Fact(at, FactKind.STATUS, entry.meta["status"])
                if entry.meta["waiting"]:
                    yield Fact(at, FactKind.CUSTOMER_WROTE)


def _facts_of_call(entry: Row[Any], status: Status) -> Iterator[Fact]:
    """A call of the customer waits for an answer from its start; talking to them is one, whoever called."""
    call = entry.meta.get("call", {})
    if call.get("direction") == "in":
        if status in WOKEN_BY_CUSTOMER:
            yield Fact(entry.created_at, FactKind.STATUS, Status.OPEN.value)
        yield Fact(entry.created_at, FactKind.CUSTOMER_WROTE)
    if call.get("state") in SPOKEN:
        yield Fact(_answered_at(entry.created_at, call), FactKind.ANSWERED)


def _answered_at(began_at: datetime, call: Mapping[str, Any]) -> datetime:
    return began_at + timedelta(seconds=call.get("wait_seconds") or 0)


def _announce_missed(tx: Connection, ticket_id: int, missed: Sequence[Clock], *, now: datetime) -> None:
    for clock in missed:
        _announce(tx, "sla.breached", ticket_id, clock.metric.value, clock.breached_at, now=now)


def _announce(tx: Connection, name: str, ticket_id: int, metric: str, due: datetime | None, *, now: datetime) -> None:
    ticket = tx.execute(_TICKET, {"ticket": ticket_id}).one()
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
