"""The customers' list: who had contact last stands first; search, filters and pages are in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal_column, select, tuple_

from contact_center.core.text import fold
from tickets.customers.identities import BadAddress, normalise_phone, shown_email, shown_phone
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Ticket
from tickets.states import APART_STATUSES, OPEN_STATUSES, WAITING_STATUSES, Channel, ContactKind

PAGE = 50
MOST_WORDS = 6
_LIVE = sorted(status.value for status in OPEN_STATUSES | WAITING_STATUSES)
_APART = sorted(status.value for status in APART_STATUSES)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Show(StrEnum):
    """Which customers: all but those who sent only spam or newsletters, these, or the VIPs."""

    CUSTOMERS = ""
    VIP = "vip"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; `edge` is where the page before ended."""

    words: str = ""
    show: Show = Show.CUSTOMERS
    # The channel of the last contact.
    channel: Channel | None = None
    edge: tuple[datetime, int] | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wanted":
        """From an address; what it does not know it leaves out."""
        show, channel = query.get("show", ""), query.get("channel", "")
        return cls(
            query.get("find", "").strip()[:200],
            Show(show) if show in list(Show) else Show.CUSTOMERS,
            Channel(channel) if channel in list(Channel) else None,
            _edge(query.get("before", "")),
        )

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.words or self.show or self.channel)


@dataclass(frozen=True, slots=True)
class Line:
    """One customer in the list; `last_at` and `last_channel` are None before the first contact."""

    id: int
    name: str
    company: str
    vip: bool
    email: str
    phone: str
    tickets: int
    open_tickets: int
    last_at: datetime | None
    last_channel: str | None


def _edge(text: str) -> tuple[datetime, int] | None:
    moment, _, number = text.partition("-")
    if not (moment.isdecimal() and number.isdecimal() and len(moment) < 18 and len(number) < 19):
        return None
    return _EPOCH + timedelta(microseconds=int(moment)), int(number)


def _written(at: datetime, number: int) -> str:
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{number}"


_THEIRS = exists().where(Ticket.customer_id == Customer.id, Ticket.status.in_(_APART))
# Nothing of theirs was ever a contact, and what there is, is kept apart.
_ONLY_APART = and_(Customer.last_channel.is_(None), _THEIRS)


def read_page(tx: Connection, wanted: Wanted, *, region: str) -> tuple[Sequence[Line], str | None]:
    """The customers of a page, last contact first, and where the next one begins; one statement.

    Words find everybody, also who sent nothing but newsletters.
    """
    walk = (
        select(Customer.id, Customer.listed_at)
        .where(Customer.merged_into_id.is_(None), *_narrowed(wanted, region))
        .order_by(Customer.listed_at.desc(), Customer.id.desc())
        .limit(PAGE + 1)
        .subquery("page")
    )
    rows = tx.execute(
        select(
            Customer.id,
            Customer.name,
            Customer.company,
            Customer.vip,
            Customer.listed_at,
            Customer.last_channel,
            _first_point(ContactPoint.value, ContactPoint.kind == ContactKind.EMAIL.value).label("email"),
            _first_point(ContactPoint.value, ContactPoint.kind == ContactKind.PHONE.value).label("phone"),
            _first_point(ContactPoint.kind + ":" + ContactPoint.value).label("point"),
            _tickets().label("tickets"),
            _tickets(Ticket.status.in_(_LIVE)).label("open_tickets"),
        )
        .join(walk, walk.c.id == Customer.id)
        .order_by(walk.c.listed_at.desc(), walk.c.id.desc())
    ).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return [_line(row, region) for row in rows[:PAGE]], _written(last.listed_at, last.id) if last else None


def _narrowed(wanted: Wanted, region: str) -> list[ColumnElement[bool]]:
    found = [Customer.search.contains(word, autoescape=True) for word in words_of(wanted.words, region)]
    if wanted.show is Show.VIP:
        found.append(Customer.vip.is_(True))
    elif wanted.show is Show.APART:
        found.append(_ONLY_APART)
    elif not wanted.words:
        found.append(~_ONLY_APART)
    if wanted.channel is not None:
        found.append(Customer.last_channel == wanted.channel.value)
    if wanted.edge is not None:
        found.append(tuple_(Customer.listed_at, Customer.id) < tuple_(*wanted.edge))
    return found


def _first_point(told: Any, *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    """What is asked of their first address that fits."""
    mine = select(told).where(ContactPoint.customer_id == Customer.id, *conditions)
    return mine.order_by(ContactPoint.id).limit(1).scalar_subquery()


def _tickets(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    counted = select(func.count(literal_column("1"))).select_from(Ticket)
    return counted.where(Ticket.customer_id == Customer.id, *conditions).scalar_subquery()


def words_of(wanted: str, region: str) -> list[str]:
    """What to look for: a phone number in its stored spelling, else every folded word."""
    try:
        return [normalise_phone(wanted, region)] if wanted.strip() else []
    except BadAddress:
        return fold(wanted).split()[:MOST_WORDS]


def _line(row: Any, region: str) -> Line:
    email = shown_email(row.email) if row.email else ""
    phone = shown_phone(row.phone, region) if row.phone else ""
    kind, _, value = (row.point or "").partition(":")
    return Line(
        id=row.id,
        name=row.name or (display_name("", ContactKind(kind), value) if value else f"#{row.id}"),
        company=row.company,
        vip=row.vip,
        email=email,
        phone=phone,
        tickets=row.tickets,
        open_tickets=row.open_tickets,
        last_at=row.listed_at if row.last_channel else None,
        last_channel=row.last_channel,
    )
