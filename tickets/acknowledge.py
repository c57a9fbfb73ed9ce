"""The receipt for a new matter by SMS or WhatsApp: its number, and when we are open. Once, and never to robots.

Mail has its own (channels.email.acknowledge), because only its headers tell a person from a robot.
"""

from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_datetime, get_timezone
from sqlalchemy import Connection, Row, bindparam, func, select

from contact_center.core.errors import DomainError
from contact_center.core.events import Event
from contact_center.core.i18n import gettext
from tickets import replies, service_levels
from tickets.hours import Calendar, is_open, next_open
from tickets.models import Customer, Message, Queue, Ticket
from tickets.numbers import number_of
from tickets.replies import Author, Reply
from tickets.states import RESTING_STATUSES, Channel, MessageKind, Status

MOST_PER_DAY = 3
"""New matters of one address in 24 hours that get a receipt; more than that is a loop or a burst."""


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.created`: send the receipt where the queue wants one."""
    if event.payload["automated"] or event.payload["by_user_id"] is not None:
        return
    if event.payload["channel"] in (Channel.SMS.value, Channel.WHATSAPP.value):
        acknowledge(tx, event.payload["ticket_id"], now=now)


_FACTS = (
    select(
        Ticket.id,
        Ticket.subject,
        Ticket.channel,
        Ticket.status,
        Ticket.queue_id,
        Ticket.locale,
        Ticket.contact_point_id,
        Queue.acknowledge,
        Queue.locale.label("queue_locale"),
        Customer.locale.label("customer_locale"),
    )
    .join(Queue, Queue.id == Ticket.queue_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .where(Ticket.id == bindparam("ticket"))
)
_SENT_OR_RECEIVED = (
    select(Message.kind, Message.automatic)
    .where(
        Message.ticket_id == bindparam("ticket"),
        Message.kind.in_([MessageKind.INBOUND.value, MessageKind.OUTBOUND.value, MessageKind.CALL.value]),
    )
    .order_by(Message.seq)
    .limit(20)
)
_RECENT = select(func.count()).where(
    Ticket.contact_point_id == bindparam("contact_point"), Ticket.created_at > bindparam("since")
)


def acknowledge(tx: Connection, ticket_id: int, *, now: datetime) -> int | None:
    """Send a ticket's receipt unless it was sent, is not wanted, or goes to a robot; returns the message's id."""
    ticket = tx.execute(_FACTS, {"ticket": ticket_id}).first()
    if ticket is None or not ticket.acknowledge or Status(ticket.status) in RESTING_STATUSES:
        return None
    if _answered_or_robot(tx, ticket_id) or _too_many(tx, ticket, now):
        return None
    locale = ticket.customer_locale or ticket.locale or ticket.queue_locale
    text = receipt_text(locale, ticket.id, service_levels.calendar_of(tx, ticket.queue_id), now)
    author = Author(None, f"receipt:{ticket_id}")
    answer = Reply(text, automatic=True, meta={"purpose": "receipt"})
    try:
        with tx.begin_nested():
            return replies.reply(tx, ticket_id, answer, author=author, now=now).message_id
    except DomainError:
        # The address is suppressed or the channel cannot send: a receipt is no reason to fail.
        return None


def receipt_text(locale: str, ticket_id: int, calendar: Calendar, now: datetime) -> str:
    """The words of a receipt, with the next opening where the queue is closed."""
    lines = [gettext(locale, "We have received your message. Its number is #%(number)d.", number=number_of(ticket_id))]
    opening = None if is_open(calendar, now) else next_open(calendar, now)
    if opening is not None:
        local = format_datetime(opening, "EEEE, d MMMM, HH:mm", tzinfo=get_timezone(calendar.zone), locale=locale)
        lines.append(gettext(locale, "We are closed at the moment and open again on %(when)s.", when=local))
    else:
        lines.append(gettext(locale, "We will answer as soon as we can."))
    return "\n".join(lines)


def _answered_or_robot(tx: Connection, ticket_id: int) -> bool:
    """Whether an automatic message opened the ticket, or something was sent in it already."""
    rows = tx.execute(_SENT_OR_RECEIVED, {"ticket": ticket_id}).all()
    return not rows or rows[0].automatic or any(row.kind != MessageKind.INBOUND.value for row in rows)


def _too_many(tx: Connection, ticket: Row[*tuple[Any, ...]], now: datetime) -> bool:
    since = now - timedelta(days=1)
    recent: int = tx.execute(_RECENT, {"contact_point": ticket.contact_point_id, "since": since}).scalar_one()
    return recent > MOST_PER_DAY
