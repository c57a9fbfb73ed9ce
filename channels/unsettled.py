"""Messages of which nobody knows whether they left: listed, and ended by a person who has looked.

Twilio's are looked up by themselves (`sms.finding`), a gateway's report may still come. Where neither does, somebody
asks the customer or the gateway's own pages, and says it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy import text as sql

from channels.models import DeliveryAttempt
from contact_center.accounts.audit import record
from contact_center.core.errors import Conflict
from contact_center.core.i18n import mark
from tickets.models import UNCERTAIN, ChannelAccount, ContactPoint, Customer, Message, Ticket
from tickets.replies import changed
from tickets.states import Delivery
from tickets.timeline import add_event

# Until then a look or a report settles most of them.
SETTLED_BY_ITSELF = timedelta(minutes=5)
SAID_NOT_SENT = mark("A colleague has looked: it was not sent.")

_END = (
    update(Message)
    .where(Message.id == bindparam("message"), Message.delivery == Delivery.UNCERTAIN.value)
    .values(delivery=bindparam("became"), delivery_error=bindparam("why"))
    .returning(Message.ticket_id)
)


def settle(tx: Connection, message_id: int, *, sent: bool, user_id: int, now: datetime) -> int:
    """Somebody says what became of a message; Conflict when that is known already. Returns its ticket.

    What was not sent can be sent again by one click; a report that comes later and says more still counts.
    """
    became = Delivery.SENT if sent else Delivery.MISSING
    why = None if sent else SAID_NOT_SENT
    values = {"message": message_id, "became": became.value, "why": why}
    ticket_id: int | None = tx.execute(_END, values).scalar_one_or_none()
    if ticket_id is None:
        raise Conflict("What became of this message is known already.")
    name = "said_sent" if sent else "said_not_sent"
    add_event(tx, ticket_id, name, {"message_id": message_id}, user_id=user_id, now=now)
    record(tx, f"message.{name}", f"message:{message_id}", now=now, user_id=user_id)
    changed(tx, ticket_id, message_id, became, now=now)
    return ticket_id


_WAITING = (sql(UNCERTAIN), Message.created_at < bindparam("before"))
_COUNT = select(func.count()).select_from(Message).where(*_WAITING)
_LAST_TRY = (
    select(func.max(DeliveryAttempt.started_at)).where(DeliveryAttempt.message_id == Message.id).scalar_subquery()
)
_LISTED = (
    select(
        Message.id,
        Message.ticket_id,
        Message.channel,
        Message.text,
        _LAST_TRY.label("tried_at"),
        ContactPoint.value.label("to"),
        ContactPoint.kind,
        Customer.name.label("customer"),
        Ticket.subject,
        ChannelAccount.name.label("account"),
    )
    .join(Ticket, Ticket.id == Message.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .outerjoin(ContactPoint, ContactPoint.id == Message.contact_point_id)
    .outerjoin(ChannelAccount, ChannelAccount.id == Message.channel_account_id)
    .where(*_WAITING)
    .order_by(Message.id.desc())
)


def count(tx: Connection, now: datetime) -> int:
    """How many messages wait for somebody to say what became of them."""
    found: int = tx.execute(_COUNT, {"before": now - SETTLED_BY_ITSELF}).scalar_one()
    return found


def waiting(tx: Connection, now: datetime, *, before: int | None, most: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Those messages, newest first, before an id."""
    query = _LISTED.limit(most)
    if before is not None:
        query = query.where(Message.id < before)
    return tx.execute(query, {"before": now - SETTLED_BY_ITSELF}).all()
