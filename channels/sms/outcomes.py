"""What the carrier reports of our own messages later: delivery receipts, and what they say of the number."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, update

from channels import receipts
from channels.models import DeliveryAttempt
from channels.sms.errors import lookup
from channels.sms.status import from_twilio
from contact_center.core.i18n import mark
from tickets.states import Delivery

NOT_DELIVERED = mark("The carrier reports that the message was not delivered.")
RECEIPT = "receipt:"  # how the journal names a receipt that nobody could take: receipt:ATTEMPT:STATUS


def receive(tx: Connection, attempt_id: int, values: Mapping[str, str], *, now: datetime) -> bool:
    """Move the attempt's message forward by a status callback; False if it changes nothing."""
    reported = from_twilio(values.get("MessageStatus", ""))
    if reported is None:
        return False
    error = None
    if reported is Delivery.FAILED:
        error = lookup(values.get("ErrorCode"), values.get("ErrorMessage", ""))
        tx.execute(
            update(DeliveryAttempt)
            .where(DeliveryAttempt.id == attempt_id)
            .values(error_code=error.code, error=error.text)
        )
    return receipts.receive(
        tx,
        attempt_id,
        reported,
        now=now,
        external_id=values.get("MessageSid") or None,
        error=error.text if error else None,
    )


def apply(tx: Connection, attempt_id: int, reported: Delivery, error: str, *, now: datetime) -> bool:
    """The same for a gateway's report, whose word is ours already; `error` is its own sentence, or empty."""
    text = None
    if reported is Delivery.FAILED:
        text = error or NOT_DELIVERED
        tx.execute(update(DeliveryAttempt).where(DeliveryAttempt.id == attempt_id).values(error=text))
    return receipts.receive(tx, attempt_id, reported, now=now, error=text)
