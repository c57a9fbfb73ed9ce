"""The receipt for a new matter that came by mail: once, with its number, and never to a robot."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from channels.email.texts import receipt_of
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import Event
from tickets.models import ChannelAccount, Message, Queue, Ticket
from tickets.numbers import number_of
from tickets.replies import Author, Reply, reply
from tickets.states import Channel

# The breaker: whoever gets that many automatic mails in an hour is a robot that looks like a person.
MOST_PER_HOUR = 3


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """Acknowledge a ticket that a person opened by mail, where its queue wants that."""
    if event.payload["channel"] != Channel.EMAIL.value or event.payload["automated"] or event.payload["by_user_id"]:
        return
    row = _facts(tx, event.payload["ticket_id"])
    if row is None or not row.acknowledge or not row.meta.get("answerable") or row.meta.get("forwarded_by"):
        return
    if _automatic_mails(tx, row.contact_point_id, since=now - timedelta(hours=1)) >= MOST_PER_HOUR:
        return
    text = receipt_of(row.locale or row.queue_locale, number_of(row.ticket_id), row.subject, row.team or row.queue_name)
    answer = Reply(text, automatic=True, meta={"receipt": True})
    try:
        # The client id makes a handler that runs again write nothing new.
        reply(tx, row.ticket_id, answer, author=Author(None, f"receipt-{row.ticket_id}"), now=now)
    except (Invalid, Conflict):
        # Nobody to send it to (suppressed, no account) or closed already: a receipt is never worth an error.
        return


_FACTS = (
    select(
        Ticket.id.label("ticket_id"),
        Ticket.subject,
        Ticket.locale,
        Ticket.contact_point_id,
        Queue.acknowledge,
        Queue.locale.label("queue_locale"),
        Queue.name.label("queue_name"),
        ChannelAccount.name.label("team"),
        Message.meta,
    )
    .join(Queue, Queue.id == Ticket.queue_id)
    .join(Message, (Message.ticket_id == Ticket.id) & (Message.seq == 1))
    .outerjoin(ChannelAccount, ChannelAccount.id == Ticket.channel_account_id)
    .where(Ticket.id == bindparam("ticket"))
)
_AUTOMATIC = select(func.count()).where(
    Message.contact_point_id == bindparam("contact_point"),
    Message.automatic,
    Message.delivery.is_not(None),
    Message.created_at >= bindparam("since"),
)


def _facts(tx: Connection, ticket_id: int) -> Any:
    return tx.execute(_FACTS, {"ticket": ticket_id}).first()


def _automatic_mails(tx: Connection, contact_point_id: int | None, *, since: datetime) -> int:
    return int(tx.execute(_AUTOMATIC, {"contact_point": contact_point_id, "since": since}).scalar_one())
