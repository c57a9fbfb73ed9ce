"""Finding tickets and customers by number, name, address or subject, with or without diacritics.

Both databases compare one folded text with LIKE; PostgreSQL has trigram indexes for it. Hits are collected first, up
to a bound, and sorted afterwards: an ORDER BY beside the match would walk the whole table by date instead.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, ForeignKey, Table, Text, bindparam, event, or_, select, union
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.events import Event
from contact_center.core.schema import Base, BigId
from contact_center.core.text import fold
from contact_center.core.upsert import upsert
from tickets.customers.identities import BadAddress, normalise_phone
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Ticket
from tickets.numbers import id_of, number_of
from tickets.states import ContactKind

MOST_HITS = 500
MOST_WORDS = 6
LIMIT = 20
_NUMBER = re.compile(r"#?(\d{3,10})")
_SUBJECT = select(Ticket.subject).where(Ticket.id == bindparam("ticket"))


class TicketText(Base):
    """What a ticket is found by: its folded subject."""

    __tablename__ = "ticket_texts"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX IF NOT EXISTS ix_ticket_texts_grams ON ticket_texts USING gin (text gin_trgm_ops)",
    "CREATE INDEX IF NOT EXISTS ix_customers_search_grams ON customers USING gin (search gin_trgm_ops)",
)


def create_search_indexes(connection: Connection) -> None:
    """Create the trigram indexes of PostgreSQL; called when the table is created, and by its migration."""
    if connection.dialect.name == "postgresql":
        for statement in POSTGRESQL:
            connection.exec_driver_sql(statement)


@event.listens_for(TicketText.__table__, "after_create")
def _after_create(_: Table, connection: Connection, **__: Any) -> None:
    create_search_indexes(connection)


@dataclass(frozen=True, slots=True)
class TicketHit:
    """A ticket that was found."""

    ticket_id: int
    subject: str
    preview: str
    status: str
    channel: str
    customer_id: int
    customer: str
    updated_at: datetime

    @property
    def number(self) -> int:
        """The public number."""
        return number_of(self.ticket_id)


@dataclass(frozen=True, slots=True)
class CustomerHit:
    """A customer who was found, with their first address."""

    customer_id: int
    name: str
    company: str
    address: str


@dataclass(frozen=True, slots=True)
class Found:
    """Tickets (an exact number first, then the last changed) and customers."""

    tickets: tuple[TicketHit, ...] = ()
    customers: tuple[CustomerHit, ...] = ()


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.created`: make it findable."""
    index(tx, event.payload["ticket_id"])


def on_ticket_updated(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.updated`: a new subject is found by its new words."""
    if event.payload.get("field") == "subject":
        index(tx, event.payload["ticket_id"])


def index(tx: Connection, ticket_id: int) -> None:
    """Write the folded subject of a ticket."""
    subject = tx.execute(_SUBJECT, {"ticket": ticket_id}).scalar_one_or_none()
    if subject is not None:
        upsert(tx, TicketText, key=["ticket_id"], values={"ticket_id": ticket_id, "text": fold(subject)})


def search(tx: Connection, query: str, *, limit: int = LIMIT, region: str = "VN") -> Found:
    """Find up to `limit` tickets and customers; two statements. Every word must be there, in any order."""
    words = fold(query).split()[:MOST_WORDS]
    if not words:
        return Found()
    customers = _customers(tx, words, query, region, limit)
    tickets = _tickets(tx, words, query, [customer.customer_id for customer in customers], limit)
    return Found(tickets, customers)


def _customers(tx: Connection, words: list[str], query: str, region: str, limit: int) -> tuple[CustomerHit, ...]:
    matches: ColumnElement[bool] = _all_words(Customer.search, words)
    phone = _phone(query, region)
    if phone is not None:
        matches = or_(matches, Customer.search.like(f"%{phone}%"))
    hits = select(Customer.id).where(matches, Customer.merged_into_id.is_(None)).limit(MOST_HITS).cte("hits")
    first_point = (
        select(ContactPoint.id)
        .where(ContactPoint.customer_id == Customer.id)
        .order_by(ContactPoint.id)
        .limit(1)
        .correlate(Customer)
        .scalar_subquery()
    )
    rows = tx.execute(
        select(Customer.id, Customer.name, Customer.company, ContactPoint.kind, ContactPoint.value)
        .join(hits, hits.c.id == Customer.id)
        .outerjoin(ContactPoint, ContactPoint.id == first_point)
        .order_by(Customer.name, Customer.id)
        .limit(limit)
    )
    return tuple(
        CustomerHit(row.id, row.name or _makeshift(row.kind, row.value), row.company, row.value or "") for row in rows
    )


def _tickets(
    tx: Connection, words: list[str], query: str, customer_ids: list[int], limit: int
) -> tuple[TicketHit, ...]:
    number = _NUMBER.fullmatch(query.strip())
    exact = id_of(int(number[1])) if number else 0
    # A union, not an OR: each part has its own index.
    parts = [
        select(TicketText.ticket_id.label("id")).where(_all_words(TicketText.text, words)).limit(MOST_HITS),
        select(Ticket.id).where(Ticket.id == exact),
    ]
    if customer_ids:
        parts.append(select(Ticket.id).where(Ticket.customer_id.in_(customer_ids)).limit(MOST_HITS))
    hits = union(*(select(part.subquery()) for part in parts)).cte("hits")
    rows = tx.execute(
        select(
            Ticket.id,
            Ticket.subject,
            Ticket.preview,
            Ticket.status,
            Ticket.channel,
            Ticket.customer_id,
            Ticket.updated_at,
            Customer.name,
            ContactPoint.kind,
            ContactPoint.value,
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .join(hits, hits.c.id == Ticket.id)
        .order_by((Ticket.id == exact).desc(), Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(limit)
    )
    return tuple(
        TicketHit(
            row.id,
            row.subject,
            row.preview,
            row.status,
            row.channel,
            row.customer_id,
            row.name or _makeshift(row.kind, row.value),
            row.updated_at,
        )
        for row in rows
    )


def _all_words(column: Any, words: list[str]) -> ColumnElement[bool]:
    conditions = [column.like(f"%{_escaped(word)}%", escape="\\") for word in words]
    matches: ColumnElement[bool] = conditions[0]
    for condition in conditions[1:]:
        matches = matches & condition
    return matches


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _phone(query: str, region: str) -> str | None:
    """`0912 345 678` finds +84912345678."""
    try:
        return normalise_phone(query, region)
    except BadAddress:
        return None


def _makeshift(kind: str | None, value: str | None) -> str:
    return display_name("", ContactKind(kind), value or "") if kind else ""
