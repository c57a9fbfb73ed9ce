"""Delivery states of one outgoing message and the only ways between them (pure)."""

from enum import StrEnum


class Delivery(StrEnum):
    """Where an outgoing message is."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELED = "canceled"


# Receipts arrive late, twice and out of order, so each state names what may still follow it.
# `uncertain` means that we do not know: any word of the carrier's settles it.
AFTER: dict[Delivery, frozenset[Delivery]] = {
    Delivery.QUEUED: frozenset(set(Delivery) - {Delivery.QUEUED}),
    Delivery.SENDING: frozenset(set(Delivery) - {Delivery.QUEUED, Delivery.SENDING}),
    Delivery.UNCERTAIN: frozenset(set(Delivery) - {Delivery.QUEUED, Delivery.SENDING, Delivery.UNCERTAIN}),
    Delivery.SENT: frozenset({Delivery.DELIVERED, Delivery.READ, Delivery.FAILED}),
    Delivery.DELIVERED: frozenset({Delivery.READ}),
    Delivery.READ: frozenset(),
    Delivery.FAILED: frozenset(),
    Delivery.CANCELED: frozenset(),
}

# Twilio's words (MessageStatus) in ours. Once Twilio has queued a message it has left us for good, so it is sent.
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
    "canceled": Delivery.CANCELED,
}


def advance(current: Delivery, reported: Delivery) -> Delivery:
    """The state after a report: it moves forward or stays where it is."""
    return reported if reported in AFTER[current] else current


def from_twilio(status: str) -> Delivery | None:
    """Our word for a MessageStatus; None for one that Twilio invents later, which must change nothing."""
    return TWILIO.get(status.strip().lower())
