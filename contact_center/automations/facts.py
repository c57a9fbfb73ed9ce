"""What conditions ask about, read for one ticket or for many, and whether a rule may write to the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, func, select

from contact_center.automations.conditions import Facts
from contact_center.core.among import among
from contact_center.core.i18n import mark
from tickets import service_levels
from tickets.hours import is_open
from tickets.models import Calendar, ContactPoint, Customer, Message, Queue, Tag, Ticket, TicketTag
from tickets.states import APART_STATUSES, Channel, Kind, MessageKind, Status

# The breaker: whoever gets that many automatic messages in an hour is a robot that looks like a person.
MOST_PER_HOUR = 3
APART = mark("it is kept apart")
NEVER_WROTE = mark("the customer has never written here")
ROBOT = mark("the last message came from a robot or cannot be answered")
TOO_MANY = mark("the customer got several automatic messages within the hour")


@dataclass(frozen=True, slots=True)
class Known:
    """A ticket with the message that is looked at, and what conditions ask about."""

    ticket_id: int
    subject: str
    customer: str
    at: datetime
    facts: Facts


_COLUMNS = (
    Ticket.id.label("ticket_id"),
    Ticket.channel,
    Ticket.queue_id,
    Ticket.topic_id,
    Ticket.priority,
    Ticket.status,
    Ticket.kind.label("ticket_kind"),
    Ticket.created_at.label("opened_at"),
    Ticket.preview,
    func.coalesce(Ticket.locale, Customer.locale, "").label("language"),
    Ticket.subject.label("ticket_subject"),
    Message.subject.label("message_subject"),
    Message.text,
    Message.created_at.label("written_at"),
    ContactPoint.value.label("sender"),
    Customer.name.label("customer"),
    Customer.vip,
    Customer.company,
    Customer.attributes,
    Queue.routing,
    Calendar.definition.label("calendar"),
)


def _joined(statement: Select[Any]) -> Select[Any]:
    return (
        statement.join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .outerjoin(ContactPoint, ContactPoint.id == func.coalesce(Message.contact_point_id, Ticket.contact_point_id))
    )


_NEWEST_INBOUND = (
    select(func.max(Message.id))
    .where(Message.ticket_id == Ticket.id, Message.kind == MessageKind.INBOUND.value)
    .correlate(Ticket)
    .scalar_subquery()
)
_ONE = _joined(
    select(*_COLUMNS)
    .select_from(Ticket)
    .outerjoin(Message, Message.id == func.coalesce(bindparam("message", type_=BigInteger()), _NEWEST_INBOUND))
).where(Ticket.id == bindparam("ticket"))
_MANY = _joined(select(*_COLUMNS).select_from(Message).join(Ticket, Ticket.id == Message.ticket_id)).where(
    among(Message.id, "messages")
)
_TAGS = (
    select(TicketTag.ticket_id, Tag.name)
    .join(Tag, Tag.id == TicketTag.tag_id)
    .where(among(TicketTag.ticket_id, "tickets"))
)


def of(tx: Connection, ticket_id: int, message_id: int | None, *, now: datetime) -> Known | None:
    """What is known of a ticket now, with this message or its newest one of the customer; two statements."""
    row = tx.execute(_ONE, {"ticket": ticket_id, "message": message_id}).first()
    if row is None:
        return None
    return _known(row, _tags(tx, [ticket_id]).get(ticket_id, frozenset()), now)


def of_messages(tx: Connection, message_ids: Sequence[int]) -> list[Known]:
    """The same for many, as they are now but for the hours, which are those of their moment; two statements."""
    if not message_ids:
        return []
    rows = tx.execute(_MANY, {"messages": list(message_ids)}).all()
    tags = _tags(tx, [row.ticket_id for row in rows])
    return [_known(row, tags.get(row.ticket_id, frozenset()), row.written_at) for row in rows]


def _tags(tx: Connection, ticket_ids: Sequence[int]) -> Mapping[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for row in tx.execute(_TAGS, {"tickets": ticket_ids}):
        found.setdefault(row.ticket_id, set()).add(row.name)
    return {ticket_id: frozenset(names) for ticket_id, names in found.items()}


def _known(row: Row[Any], tags: frozenset[str], at: datetime) -> Known:
    hours = service_levels.terms_from(None, row.calendar).calendar
    attributes = {str(name): str(value) for name, value in (row.attributes or {}).items()}
    facts = Facts(
        channel=row.channel,
        queue_id=row.queue_id,
        topic_id=row.topic_id,
        priority=row.priority,
        status=row.status,
        language=row.language.partition("-")[0].lower(),
        subject=row.message_subject or row.ticket_subject,
        text=row.text or "",
        sender=row.sender or "",
        vip=row.vip,
        tags=tags,
        attributes={"company": row.company, **attributes},
        open=not (row.routing or {}).get("closed") and is_open(hours, at),
        complaint=row.ticket_kind == Kind.COMPLAINT.value,
    )
    subject = row.ticket_subject or row.preview
    return Known(row.ticket_id, subject, row.customer or row.sender or "", row.written_at or row.opened_at, facts)


_LAST_WORDS = (
    select(Ticket.status, Ticket.contact_point_id, Message.channel, Message.automatic, Message.meta)
    .select_from(Ticket)
    .outerjoin(Message, Message.id == _NEWEST_INBOUND)
    .where(Ticket.id == bindparam("ticket"))
)
_AUTOMATIC = select(func.count()).where(
    Message.contact_point_id == bindparam("point"),
    Message.automatic,
    Message.kind == MessageKind.OUTBOUND.value,
    Message.created_at > bindparam("since"),
)


def silence(tx: Connection, ticket_id: int, *, now: datetime) -> str:
    """Why a rule must not write to the customer of this ticket; "" if it may.

    Never to spam and newsletters, to robots, lists and bounces, and never often: two robots would talk for ever.
    """
    row = tx.execute(_LAST_WORDS, {"ticket": ticket_id}).one()
    if Status(row.status) in APART_STATUSES:
        return APART
    if row.channel is None:
        return NEVER_WROTE
    is_mail = row.channel == Channel.EMAIL.value
    if row.automatic or (is_mail and (not row.meta.get("answerable") or row.meta.get("forwarded_by"))):
        return ROBOT
    values = {"point": row.contact_point_id, "since": now - timedelta(hours=1)}
    return TOO_MANY if tx.execute(_AUTOMATIC, values).scalar_one() >= MOST_PER_HOUR else ""
