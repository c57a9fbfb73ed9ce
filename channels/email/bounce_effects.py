"""What a bounce changes: our message failed, for a reason people understand; a dead address is left alone.

Only a bounce that proves it is about a mail of ours changes anything: its Message-ID carries our signature.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels import receipts
from channels.email.bounce_reasons import sentence_for
from channels.email.parsed import Bounce, BouncedRecipient, BounceKind
from channels.email.send import is_own_message_id
from channels.models import DeliveryAttempt
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from tickets.customers import contacts
from tickets.models import ContactPoint, Message
from tickets.states import Delivery
from tickets.timeline import add_event

UNKNOWN = "a bounce of a mail that we did not send"
COMPLAINT = mark("The recipient reported our mail as spam.")


def apply(tx: Connection, bounce: Bounce, vault: Vault, *, now: datetime) -> str:
    """Mark the bounced message and, where it is hard, the address; returns what the journal says about it."""
    message = _our_message(tx, bounce, vault)
    if message is None:
        return UNKNOWN
    about = _recipient(bounce, message)
    if about is None:
        return f"bounce in ticket {message.ticket_id}: a copy did not arrive"
    reason = COMPLAINT if bounce.complaint else sentence_for(about.status, about.diagnostic)
    if bounce.delayed_only:
        add_event(tx, message.ticket_id, "mail_delayed", {"address": about.address, "reason": reason}, now=now)
        return "delay notice"
    if not bounce.complaint:
        receipts.advance(
            tx, message.id, message.ticket_id, Delivery(message.delivery), Delivery.FAILED, now=now, error=reason
        )
        _note_attempt(tx, message.id, about)
    hard = bounce.complaint or about.kind is BounceKind.HARD
    if hard and message.contact_point_id is not None:
        contacts.suppress(tx, message.contact_point_id, reason.rstrip("."), now=now)
    values = {
        "address": about.address,
        "kind": "complaint" if bounce.complaint else about.kind.value,
        "reason": reason,
        "diagnostic": about.diagnostic,
    }
    add_event(tx, message.ticket_id, "mail_bounced", values, now=now)
    return f"{'complaint' if bounce.complaint else about.kind.value + ' bounce'}: {reason}"


def _our_message(tx: Connection, bounce: Bounce, vault: Vault) -> Row[*tuple[Any, ...]] | None:
    for reference in bounce.original_message_ids:
        message_id = is_own_message_id(vault, reference)
        if message_id is None:
            continue
        row = tx.execute(
            select(
                Message.id,
                Message.ticket_id,
                Message.delivery,
                Message.contact_point_id,
                ContactPoint.value.label("to"),
            )
            .outerjoin(ContactPoint, ContactPoint.id == Message.contact_point_id)
            .where(Message.id == message_id, Message.delivery.is_not(None))
        ).first()
        if row is not None:
            return row
    return None


def _recipient(bounce: Bounce, message: Row[*tuple[Any, ...]]) -> BouncedRecipient | None:
    """The report's line about the person we wrote to; a report without addresses is about them."""
    wanted = str(message.to or "").lower()
    named = next((found for found in bounce.recipients if found.address.lower() == wanted), None)
    if named is not None:
        return named
    if not bounce.recipients:
        return BouncedRecipient(wanted, "", BounceKind.SOFT, "")
    # Aliases: the report may name an address behind the one we wrote to. It never condemns ours.
    only = bounce.recipients[0]
    return (
        BouncedRecipient(wanted, only.status, BounceKind.SOFT, only.diagnostic) if len(bounce.recipients) == 1 else None
    )


def _note_attempt(tx: Connection, message_id: int, about: BouncedRecipient) -> None:
    """The ledger keeps the other side's own words."""
    last = (
        select(DeliveryAttempt.id)
        .where(DeliveryAttempt.message_id == message_id)
        .order_by(DeliveryAttempt.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    tx.execute(
        update(DeliveryAttempt)
        .where(DeliveryAttempt.id == last)
        .values(state=Delivery.FAILED.value, error_code=f"bounced {about.status}".strip(), error=about.diagnostic)
    )
