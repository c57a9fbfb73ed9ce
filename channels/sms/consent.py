"""Consent: a ledger of STOP and START, and the contact point that it opens or closes for SMS."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from channels.models import DeliveryAttempt
from channels.sms.errors import ERRORS, OPTED_OUT
from channels.sms.keywords import Wish
from channels.sms.models import SmsConsent
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import Event
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.models import ChannelAccount, ContactPoint, Message
from tickets.replies import changed
from tickets.states import Channel, Delivery

KEYWORD, CARRIER, PERSON = "keyword", "carrier", "person"
MOST_ENTRIES = 20
# One wish holds for the number, whichever of these it was said in.
BY_NUMBER = (Channel.SMS.value, Channel.WHATSAPP.value)
SHORTEST_REASON = 4


def is_opted_out(tx: Connection, address: Address) -> bool:
    """Whether this number asked for no SMS."""
    reason = tx.execute(
        select(ContactPoint.suppressed_reason).where(
            ContactPoint.kind == address.kind.value, ContactPoint.value == address.value
        )
    ).scalar_one_or_none()
    return reason == OPTED_OUT


def record(
    tx: Connection,
    contact_point_id: int,
    wish: Wish,
    *,
    account_id: int | None,
    source: str,
    word: str,
    now: datetime,
    user_id: int | None = None,
) -> None:
    """Write a wish into the ledger."""
    tx.execute(
        insert(SmsConsent),
        {
            "contact_point_id": contact_point_id,
            "channel_account_id": account_id,
            "wish": wish.value,
            "source": source,
            "word": word,
            "user_id": user_id,
            "created_at": now,
        },
    )


def close(tx: Connection, contact_point_id: int, *, now: datetime) -> None:
    """Send no more SMS to this number, whatever it was suppressed for before."""
    contacts.lift(tx, contact_point_id)
    contacts.suppress(tx, contact_point_id, OPTED_OUT, now=now)


def reopen(tx: Connection, contact_point_id: int) -> None:
    """Send to this number again, unless it is suppressed for another reason."""
    reason = tx.execute(
        select(ContactPoint.suppressed_reason).where(ContactPoint.id == contact_point_id)
    ).scalar_one_or_none()
    if reason == OPTED_OUT:
        contacts.lift(tx, contact_point_id)


def lift(tx: Connection, contact_point_id: int, *, reason: str, user_id: int, now: datetime) -> None:
    """A person opens a number again that had opted out, for a reason that the ledger keeps."""
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("Say why: how has the customer asked for messages again?")
    if not _is_closed(tx, contact_point_id):
        raise Conflict("This number has not opted out, or somebody has lifted it already.")
    contacts.lift(tx, contact_point_id)
    record(
        tx, contact_point_id, Wish.START, account_id=None, source=PERSON, word=reason.strip(), now=now, user_id=user_id
    )


def _is_closed(tx: Connection, contact_point_id: int) -> bool:
    reason = tx.execute(
        select(ContactPoint.suppressed_reason).where(ContactPoint.id == contact_point_id).with_for_update()
    ).scalar_one_or_none()
    return reason == OPTED_OUT


_LEDGER = (
    select(
        SmsConsent.wish,
        SmsConsent.source,
        SmsConsent.word,
        SmsConsent.created_at,
        ContactPoint.value,
        ChannelAccount.name.label("account"),
        User.name.label("person"),
    )
    .join(ContactPoint, ContactPoint.id == SmsConsent.contact_point_id)
    .outerjoin(ChannelAccount, ChannelAccount.id == SmsConsent.channel_account_id)
    .outerjoin(User, User.id == SmsConsent.user_id)
    .where(ContactPoint.customer_id == bindparam("customer"))
    .order_by(SmsConsent.id.desc())
    .limit(MOST_ENTRIES)
)


def ledger(tx: Connection, customer_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """What a customer's numbers asked for, newest first: when, in which word, in which account, who lifted it."""
    return tx.execute(_LEDGER, {"customer": customer_id}).all()


def stop_queued(tx: Connection, contact_point_id: int, *, now: datetime) -> int:
    """Fail what is to leave for this number and has not yet; returns how many."""
    rows = tx.execute(
        update(Message)
        .where(
            Message.contact_point_id == contact_point_id,
            Message.channel.in_(BY_NUMBER),
            Message.delivery == Delivery.QUEUED.value,
        )
        .values(delivery=Delivery.FAILED.value, delivery_error=OPTED_OUT)
        .returning(Message.id, Message.ticket_id)
    ).all()
    for row in rows:
        changed(tx, row.ticket_id, row.id, Delivery.FAILED, now=now)
    return len(rows)


def on_message_updated(tx: Connection, event: Event, now: datetime) -> None:
    """The carrier refused a message because the number has opted out with it: our ledger says so too."""
    if event.payload.get("delivery") != Delivery.FAILED.value:
        return
    row = tx.execute(
        select(Message.contact_point_id, Message.channel_account_id, DeliveryAttempt.error_code)
        .join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
        .where(Message.id == event.payload["message_id"], Message.channel.in_(BY_NUMBER))
        .order_by(DeliveryAttempt.number.desc())
        .limit(1)
    ).first()
    known = ERRORS.get(row.error_code) if row and row.error_code else None
    if row is None or known is None or not known.opted_out or row.contact_point_id is None:
        return
    last = tx.execute(
        select(SmsConsent.wish)
        .where(SmsConsent.contact_point_id == row.contact_point_id)
        .order_by(SmsConsent.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    close(tx, row.contact_point_id, now=now)
    if last != Wish.STOP.value:
        account_id, code = row.channel_account_id, row.error_code
        record(tx, row.contact_point_id, Wish.STOP, account_id=account_id, source=CARRIER, word=code, now=now)
