"""Twilio's words for where a message is, in ours; how states may follow each other is tickets.states' business."""

from tickets.states import Delivery

# Once Twilio has queued a message it has left us for good, so it is sent. We schedule nothing at the carrier,
# so a message canceled there was canceled by somebody else and did not arrive.
TWILIO: dict[str, Delivery] = {
    "accepted": Delivery.SENT,
    "scheduled": Delivery.SENT,
    "queued": Delivery.SENT,
    "sending": Delivery.SENT,
    "sent": Delivery.SENT,
    "partially_delivered": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "undelivered": Delivery.FAILED,
    "failed": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}


def from_twilio(status: str) -> Delivery | None:
    """Our word for a MessageStatus; None for one that Twilio invents later, which must change nothing."""
    return TWILIO.get(status.strip().lower())
