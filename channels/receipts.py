"""Receipts: what a provider or a customer's device reports about a message later. State only moves forward."""

from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from channels.models import DeliveryAttempt
from contact_center.core.secrets import BadToken, Vault
from tickets.models import Message
from tickets.replies import changed
from tickets.states import Delivery, moves_forward

PURPOSE = "delivery-attempt"


def attempt_token(vault: Vault, attempt_id: int) -> str:
    """The signed part of a receipt's callback address."""
    return vault.sign(PURPOSE, attempt_id)


def attempt_of(vault: Vault, token: str) -> int | None:
    """The attempt that a callback address names; None for a forged or broken one."""
    try:
        value = vault.verify(PURPOSE, token)
    except BadToken:
        return None
    return value if isinstance(value, int) else None


def find_attempt(tx: Connection, external_id: str) -> int | None:
    """The attempt that a provider's id belongs to."""
    return tx.execute(
        select(DeliveryAttempt.id).where(DeliveryAttempt.external_id == external_id).limit(1)
    ).scalar_one_or_none()


def find_attempt_of(tx: Connection, account_id: int, external_id: str) -> int | None:
    """The same among one account's messages: another gateway may count from 1 as well. The newest, if ids return."""
    return tx.execute(
        select(DeliveryAttempt.id)
        .join(Message, Message.id == DeliveryAttempt.message_id)
        .where(DeliveryAttempt.external_id == external_id, Message.channel_account_id == account_id)
        .order_by(DeliveryAttempt.id.desc())
        .limit(1)
    ).scalar_one_or_none()


def last_attempt(tx: Connection, account_id: int, message_id: int) -> Row[int, datetime] | None:
    """(attempt id, when the message was written) of one account's message, for the latest attempt."""
    return tx.execute(
        select(DeliveryAttempt.id, Message.created_at)
        .join(Message, Message.id == DeliveryAttempt.message_id)
        .where(Message.id == message_id, Message.channel_account_id == account_id)
        .order_by(DeliveryAttempt.number.desc())
        .limit(1)
    ).first()


def receive(
    tx: Connection,
    attempt_id: int,
    reported: Delivery,
    *,
    now: datetime,
    external_id: str | None = None,
    error: str | None = None,
) -> bool:
    """Move the attempt's message forward; False for a receipt that changes nothing (late, repeated, unknown)."""
    row = tx.execute(
        select(Message.id, Message.ticket_id, Message.delivery)
        .join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
        .where(DeliveryAttempt.id == attempt_id)
        .with_for_update(of=Message)
    ).first()
    if row is None:
        return False
    if external_id is not None:
        tx.execute(
            update(DeliveryAttempt)
            .where(DeliveryAttempt.id == attempt_id, DeliveryAttempt.external_id.is_(None))
            .values(external_id=external_id)
        )
    return advance(tx, row.id, row.ticket_id, Delivery(row.delivery), reported, now=now, error=error)


def advance(
    tx: Connection,
    message_id: int,
    ticket_id: int,
    current: Delivery,
    reported: Delivery,
    *,
    now: datetime,
    error: str | None = None,
) -> bool:
    """Set a message's delivery state if that moves it forward."""
    if not moves_forward(current, reported):
        return False
    tx.execute(update(Message).where(Message.id == message_id).values(delivery=reported.value, delivery_error=error))
    changed(tx, ticket_id, message_id, reported, now=now)
    return True
