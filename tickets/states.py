"""The words of a ticket and the table of its legal transitions."""

from enum import StrEnum


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"  # we wait for the customer
    ON_HOLD = "on_hold"  # we wait for somebody else
    SNOOZED = "snoozed"  # we wait for a date
    RESOLVED = "resolved"
    CLOSED = "closed"


class Priority(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Kind(StrEnum):
    QUESTION = "question"
    INCIDENT = "incident"
    REQUEST = "request"
    COMPLAINT = "complaint"
    FEEDBACK = "feedback"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    CHAT = "chat"
    PHONE = "phone"
    # A person opened it: walk-in, letter.
    DESK = "desk"


class ContactKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    VISITOR = "visitor"


class MessageKind(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"
    CALL = "call"
    EVENT = "event"


class AuthorKind(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class Delivery(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELED = "canceled"


class JournalState(StrEnum):
    RECEIVED = "received"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    SUPPRESSED = "suppressed"
    QUARANTINED = "quarantined"


class AssignmentReason(StrEnum):
    OFFERED = "offered"
    AUTO = "auto"
    TAKEN = "taken"
    ASSIGNED = "assigned"
    FOLLOW_UP = "follow_up"
    TRANSFERRED = "transferred"


OPEN_STATUSES = frozenset({Status.NEW, Status.OPEN})
WAITING_STATUSES = frozenset({Status.PENDING, Status.ON_HOLD, Status.SNOOZED})
DONE_STATUSES = frozenset({Status.RESOLVED, Status.CLOSED})

# From a status, what a person may set. Inbound messages and timers have their own rules (tickets.lifecycle).
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.NEW: frozenset(
        {Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.SNOOZED, Status.RESOLVED, Status.CLOSED}
    ),
    Status.OPEN: frozenset({Status.PENDING, Status.ON_HOLD, Status.SNOOZED, Status.RESOLVED, Status.CLOSED}),
    Status.PENDING: frozenset({Status.OPEN, Status.ON_HOLD, Status.SNOOZED, Status.RESOLVED, Status.CLOSED}),
    Status.ON_HOLD: frozenset({Status.OPEN, Status.PENDING, Status.SNOOZED, Status.RESOLVED, Status.CLOSED}),
    Status.SNOOZED: frozenset({Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.RESOLVED, Status.CLOSED}),
    Status.RESOLVED: frozenset({Status.OPEN, Status.CLOSED}),
    # A closed matter stays closed: a reply to it opens a ticket that follows it up.
    Status.CLOSED: frozenset(),
}

# Delivery only moves forward; failed is final except for a receipt that proves the opposite.
DELIVERY_ORDER = {
    Delivery.QUEUED: 0,
    Delivery.SENDING: 1,
    Delivery.UNCERTAIN: 2,
    Delivery.SENT: 3,
    Delivery.FAILED: 4,
    Delivery.DELIVERED: 5,
    Delivery.READ: 6,
}


def may_become(current: Status, wanted: Status) -> bool:
    """Whether a person may move a ticket from one status to the other."""
    return wanted in TRANSITIONS[current]


def moves_forward(current: Delivery, reported: Delivery) -> bool:
    """Whether a receipt changes a delivery state (late and repeated receipts do not)."""
    if current is Delivery.CANCELED or reported is Delivery.CANCELED:
        return False
    return DELIVERY_ORDER[reported] > DELIVERY_ORDER[current]
