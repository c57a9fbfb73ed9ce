"""When and by which channel we last had contact with a customer: kept by the relay, never by intake.

What is kept apart (spam, newsletters) is no contact: whoever sent nothing else has none, and stays out of the list.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, or_, select, update

from contact_center.core.events import Event, together
from contact_center.core.schema import UtcDateTime
from tickets.models import Customer, Ticket
from tickets.states import APART_STATUSES, MessageKind

# A talk that goes on renews the customer's row (and its place in the index) this often at most.
AS_EXACT_AS = timedelta(minutes=1)
CONTACTS = frozenset({MessageKind.INBOUND.value, MessageKind.OUTBOUND.value, MessageKind.CALL.value})
_APART = sorted(status.value for status in APART_STATUSES)
# Whose ticket it is now: it may have changed hands since. Without IN, which no statement for many may hold.
_OWNER = select(Ticket.customer_id).where(
    Ticket.id == bindparam("ticket"), *(Ticket.status != status for status in _APART)
)
_AT, _BEFORE = bindparam("at", type_=UtcDateTime()), bindparam("before", type_=UtcDateTime())
_ELSEWHERE = and_(Customer.last_channel != bindparam("channel"), Customer.listed_at <= _AT)
_RENEW = (
    update(Customer)
    .where(
        Customer.id == _OWNER.scalar_subquery(),
        or_(Customer.last_channel.is_(None), Customer.listed_at < _BEFORE, _ELSEWHERE),
    )
    .values(listed_at=_AT, last_channel=bindparam("channel"))
)
# The moment of the last message either way; NULL where nobody has written yet.
LAST_MOMENT = case(
    (or_(Ticket.last_inbound_at.is_(None), Ticket.last_outbound_at > Ticket.last_inbound_at), Ticket.last_outbound_at),
    else_=Ticket.last_inbound_at,
)
_THEIRS = (
    select(LAST_MOMENT)
    .where(Ticket.customer_id == Customer.id, Ticket.status.not_in(_APART), LAST_MOMENT.is_not(None))
    .order_by(LAST_MOMENT.desc(), Ticket.id.desc())
    .limit(1)
    .correlate(Customer)
)
_LAST = _THEIRS.scalar_subquery()
_BY = _THEIRS.with_only_columns(Ticket.channel).scalar_subquery()
_ANEW = update(Customer).values(
    listed_at=case((_LAST.is_not(None), _LAST), else_=Customer.created_at), last_channel=_BY
)


@together
def on_message_created(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Handler of `message.created`: a customer and we have had contact. A robot's message is none."""
    newest: dict[int, dict[str, Any]] = {}
    for event in events:
        told = event.payload
        if told["kind"] in CONTACTS and not told.get("automatic"):
            at = event.created_at
            newest[told["ticket_id"]] = {
                "ticket": told["ticket_id"],
                "channel": told["channel"],
                "at": at,
                "before": at - AS_EXACT_AS,
            }
    if newest:
        tx.execute(_RENEW, list(newest.values()))


def on_set_apart(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.marked_spam` and `ticket.unmarked_spam`: what it held counts no more, or counts again."""
    owner = select(Ticket.customer_id).where(Ticket.id == event.payload["ticket_id"])
    tx.execute(_ANEW.where(Customer.id == owner.scalar_subquery()))


def remember(tx: Connection, customer_id: int, channel: str, at: datetime) -> None:
    """A message of the past, which no event tells of: it counts unless there was contact later."""
    earlier = or_(Customer.last_channel.is_(None), Customer.listed_at < at)
    tx.execute(update(Customer).where(Customer.id == customer_id, earlier).values(listed_at=at, last_channel=channel))


def recount(tx: Connection, customer_ids: Collection[int]) -> None:
    """Find the last contact of customers whose conversations came or went."""
    tx.execute(_ANEW.where(Customer.id.in_(customer_ids)))
