"""What was sent and what arrived while something was broken: counted in the books, message by message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import aliased

from contact_center.accounts.models import User
from contact_center.core.events import EventRow
from contact_center.core.i18n import gettext, mark
from tickets.models import Customer, JournalItem, Message, Ticket
from tickets.numbers import number_of
from tickets.states import Delivery, MessageKind

MOST_ITEMS = 8
LONGEST_LINE = 90
NOT_OUT_YET = (Delivery.QUEUED.value, Delivery.SENDING.value)
SAID = (MessageKind.INBOUND.value, MessageKind.OUTBOUND.value)

CUT = mark("Your line was cut for %(seconds)s s")
CUTTING = mark("Your line is cut: %(seconds)s s left")
CUT_HINT = mark("Go on: write, as if nothing had happened. What you send waits in your browser.")
CUT_SAID = mark("Connections dropped: %(dropped)s. Attempts refused: %(refused)s.")
KILLED = mark("The worker was dead for %(seconds)s s")
KILLING = mark("The worker is dead: %(seconds)s s left")
KILL_HINT = mark("Nobody routes, sends or reads mail now. Three customers text the shop meanwhile; write too.")
KILL_SAID = mark("Loops stopped in the middle of their work: %(killed)s. Started again: %(killed)s.")
CAUGHT_UP = mark("Caught up %(after)s s after its return.")
SENT, ARRIVED, TWICE, LOST = mark("sent"), mark("arrived"), mark("twice"), mark("lost")
TO_YOU, REACHED = mark("written to you"), mark("reached you")
HAPPENED, HANDLED = mark("events"), mark("handled")
ANSWERS, GONE_OUT = mark("answers"), mark("gone out")
ARRIVED_AFTER = mark("in the books once, %(seconds)s s later")
WAITS_HERE = mark("waits in your browser")
ON_SCREEN, IN_LIST = mark("on your screen"), mark("in your list")
GIVEN, QUEUED_AT = mark("#%(number)s, with %(agent)s"), mark("#%(number)s, in its queue")


@dataclass(frozen=True, slots=True)
class Written:
    """A message that a browser could not send while its line was cut."""

    client_id: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Books:
    """Where the books stood: what is newer has a higher id."""

    message_id: int
    event_id: int


@dataclass(slots=True)
class Cut:
    """One cut line: when, what it dropped, and what was written meanwhile (by client id)."""

    begun: datetime
    until: datetime
    books: Books
    dropped: int = 0
    refused: int = 0
    written: dict[str, Written] = field(default_factory=dict)


@dataclass(slots=True)
class Outage:
    """One death of the worker: when, how many loops, and the carrier's ids of what customers sent meanwhile."""

    begun: datetime
    until: datetime
    books: Books
    killed: int = 0
    sent: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Screen:
    """Who looks at a page, and how far their screen has come: the open ticket and its last entry."""

    user_id: int | None = None
    visit: str | None = None
    ticket_id: int | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its word; `must_be_zero` says that anything else would be a loss."""

    n: int
    text: str
    must_be_zero: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence and its values, before translation."""

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def shown(self, locale: str) -> str:
        """In a language."""
        return gettext(locale, self.text, **self.values)


@dataclass(frozen=True, slots=True)
class Item:
    """One message that could have been lost, and where it is now."""

    at: datetime
    text: str
    state: Said
    done: bool = True

    def shown(self, locale: str) -> dict[str, Any]:
        """In a language, on one line."""
        line = " ".join(self.text.split())
        short = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
        return {"at": self.at.isoformat(), "text": short, "state": self.state.shown(locale), "done": self.done}


@dataclass(frozen=True, slots=True)
class Report:
    """What the bar shows of a break."""

    title: Said
    running: bool
    figures: Sequence[Figure]
    items: Sequence[Item]
    notes: Sequence[Said]

    def shown(self, locale: str) -> dict[str, Any]:
        """For the bar, in a language."""
        return {
            "title": self.title.shown(locale),
            "running": self.running,
            "figures": [
                {
                    "n": one.n,
                    "text": gettext(locale, one.text),
                    "zero": one.must_be_zero,
                    "bad": one.must_be_zero and one.n > 0,
                }
                for one in self.figures
            ],
            "items": [one.shown(locale) for one in self.items],
            "notes": [one.shown(locale) for one in self.notes],
        }


def books(tx: Connection) -> Books:
    """Where the books stand now."""
    message_id, event_id = (tx.execute(select(func.max(table.id))).scalar_one() or 0 for table in (Message, EventRow))
    return Books(message_id, event_id)


def of_cut(tx: Connection, cut: Cut, screen: Screen, now: datetime) -> Report:
    """What you wrote over the cut line and what was written to you meanwhile, and where each of it is now."""
    running = now < cut.until
    left = cut.until - (now if running else cut.begun)
    found = _arrived(tx, cut, screen)
    mine = [_written_item(one, found.get(one.client_id, [])) for one in cut.written.values()]
    theirs = [_heard_item(row, screen) for row in _to_me(tx, cut, screen)]
    arrived = sum(bool(found.get(client_id)) for client_id in cut.written)
    figures = [
        Figure(len(cut.written), SENT),
        Figure(arrived, ARRIVED),
        Figure(sum(max(0, len(times) - 1) for times in found.values()), TWICE, must_be_zero=True),
    ]
    notes = [Said(CUT_SAID, {"dropped": cut.dropped, "refused": cut.refused})]
    if running:
        title, items = Said(CUTTING, {"seconds": _seconds(left)}), mine
        figures.append(Figure(len(theirs), TO_YOU))
        notes.append(Said(CUT_HINT))
    else:
        title, items = Said(CUT, {"seconds": _seconds(left)}), mine + theirs
        lost = Figure(len(cut.written) - arrived, LOST, must_be_zero=True)
        figures += [lost, Figure(len(theirs), TO_YOU), Figure(len(theirs), REACHED)]
    return Report(title, running, figures, items[:MOST_ITEMS], notes)


def _seconds(length: timedelta) -> int:
    return max(0, round(length.total_seconds()))


def _arrived(tx: Connection, cut: Cut, screen: Screen) -> dict[str, list[datetime]]:
    """client id -> when its message was stored, as often as it was."""
    if screen.visit is not None:
        column, prefix = Message.external_id, screen.visit
    elif screen.user_id is not None:
        column, prefix = Message.client_id, str(screen.user_id)
    else:
        return {}
    by_key = {f"{prefix}:{client_id}": client_id for client_id in cut.written}
    newer = Message.id > cut.books.message_id
    found: dict[str, list[datetime]] = {}
    for key, at in tx.execute(select(column, Message.created_at).where(newer, column.in_(by_key))):
        found.setdefault(by_key[str(key)], []).append(at)
    return found


def _to_me(tx: Connection, cut: Cut, screen: Screen) -> Sequence[Any]:
    """What the other side wrote while the line was cut."""
    statement = (
        select(Message.ticket_id, Message.seq, Message.text, Message.created_at)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Message.id > cut.books.message_id, Message.created_at <= cut.until)
        .order_by(Message.id)
        .limit(MOST_ITEMS)
    )
    if screen.visit is not None:
        mine = statement.where(Ticket.thread_key == screen.visit, Message.kind == MessageKind.OUTBOUND.value)
    elif screen.user_id is not None:
        mine = statement.where(Ticket.assignee_id == screen.user_id, Message.kind == MessageKind.INBOUND.value)
    else:
        return ()
    return tx.execute(mine).all()


def _written_item(written: Written, times: list[datetime]) -> Item:
    if not times:
        return Item(written.at, written.text, Said(WAITS_HERE), done=False)
    late = (times[0] - written.at).total_seconds()
    return Item(written.at, written.text, Said(ARRIVED_AFTER, {"seconds": f"{max(0.0, late):.1f}"}))


def _heard_item(row: Any, screen: Screen) -> Item:
    shown = screen.visit is not None or (row.ticket_id == screen.ticket_id and row.seq <= screen.seq)
    return Item(row.created_at, row.text, Said(ON_SCREEN if shown else IN_LIST))


def of_outage(tx: Connection, outage: Outage, now: datetime) -> Report:
    """What customers and agents wrote while the worker was dead, and what has become of it."""
    running = now < outage.until
    left = outage.until - (now if running else outage.begun)
    rows, arrived = _taken(tx, outage)
    events, handled, last = _events(tx, outage)
    figures = [
        Figure(len(outage.sent), SENT),
        Figure(arrived, ARRIVED),
        Figure(rows - arrived, TWICE, must_be_zero=True),
        Figure(events, HAPPENED),
        Figure(handled, HANDLED),
    ]
    answers, gone = _answers(tx, outage)
    if answers:
        figures += [Figure(answers, ANSWERS), Figure(gone, GONE_OUT)]
    if running:
        notes = [Said(KILL_HINT)]
    else:
        figures.insert(3, Figure(len(outage.sent) - arrived, LOST, must_be_zero=True))
        notes = _afterwards(outage, events - handled, last)
    title = Said(KILLING if running else KILLED, {"seconds": _seconds(left)})
    return Report(title, running, figures, _came_in(tx, outage), notes)


def _taken(tx: Connection, outage: Outage) -> tuple[int, int]:
    """How many journal rows the messages that were sent have, and how many of the messages have one."""
    column = JournalItem.external_id
    taken = select(func.count(column), func.count(column.distinct())).where(
        JournalItem.received_at >= outage.begun, column.in_(outage.sent)
    )
    rows, distinct = tx.execute(taken).one()
    return rows, distinct


def _events(tx: Connection, outage: Outage) -> tuple[int, int, datetime | None]:
    """How many events happened meanwhile, how many are handled, and when the last of them was."""
    handled = EventRow.dispatched_at
    during = (EventRow.id > outage.books.event_id, EventRow.created_at <= outage.until)
    count, done, last = tx.execute(select(func.count(), func.count(handled), func.max(handled)).where(*during)).one()
    return count, done, last


def _during(outage: Outage) -> Any:
    return (Message.id > outage.books.message_id) & (Message.created_at <= outage.until)


def _answers(tx: Connection, outage: Outage) -> tuple[int, int]:
    """How many answers that a carrier has to bring were written, and how many of them have gone out."""
    outbound = Message.kind == MessageKind.OUTBOUND.value
    statement = select(Message.delivery).where(_during(outage), outbound, Message.delivery.is_not(None))
    states = list(tx.execute(statement).scalars())
    return len(states), sum(state not in NOT_OUT_YET for state in states)


def _came_in(tx: Connection, outage: Outage) -> list[Item]:
    owner, writer = aliased(User), aliased(User)
    rows = tx.execute(
        select(
            Message.created_at,
            Message.text,
            Ticket.id,
            owner.name.label("owner"),
            func.coalesce(writer.name, Customer.name).label("writer"),
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(owner, owner.id == Ticket.assignee_id)
        .outerjoin(writer, writer.id == Message.user_id)
        .where(_during(outage), Message.kind.in_(SAID), Message.automatic.is_(False))
        .order_by(Message.id)
        .limit(MOST_ITEMS)
    ).all()
    return [Item(row.created_at, f"{row.writer}: {row.text}" if row.writer else row.text, _place(row)) for row in rows]


def _place(row: Any) -> Said:
    if row.owner:
        return Said(GIVEN, {"number": number_of(row.id), "agent": row.owner})
    return Said(QUEUED_AT, {"number": number_of(row.id)})


def _afterwards(outage: Outage, waiting: int, last: datetime | None) -> list[Said]:
    told = Said(KILL_SAID, {"killed": outage.killed})
    if waiting or last is None:
        return [told]
    after = max(timedelta(0), last - outage.until)
    return [told, Said(CAUGHT_UP, {"after": f"{after.total_seconds():.2f}"})]
