"""The words of a ticket and the table of its legal transitions."""

from enum import StrEnum

from contact_center.core.i18n import mark


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    PENDING = "pending"  # we wait for the customer
    ON_HOLD = "on_hold"  # we wait for somebody else
    SNOOZED = "snoozed"  # we wait for a date
    RESOLVED = "resolved"
    CLOSED = "closed"
    SPAM = "spam"  # no customer's matter: kept apart, in no number
    NEWSLETTER = "newsletter"  # mail that went to many: kept apart as well


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
    WHATSAPP = "whatsapp"
    CHAT = "chat"
    PHONE = "phone"
    # Zalo, Messenger and whatever a bridge brings: one account is one app.
    MESSAGING = "messaging"
    # A person opened it: walk-in, letter.
    DESK = "desk"


class ContactKind(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    VISITOR = "visitor"
    # Who somebody is in a messaging app: "account:id".
    HANDLE = "handle"


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
    MISSING = "missing"  # was uncertain, and the other side knows nothing of it
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
# Marked and unmarked by their own use cases only (tickets.spam).
APART_STATUSES = frozenset({Status.SPAM, Status.NEWSLETTER})
APART_REASONS = {
    Status.SPAM: mark("This is marked as spam. Say first that it is not."),
    Status.NEWSLETTER: mark("This is kept apart as a newsletter. Say first that it is none."),
}
# What the timeline says when something is put apart, and when it comes back.
SET_APART = {Status.SPAM: "marked_spam", Status.NEWSLETTER: "kept_newsletter"}
BROUGHT_BACK = {Status.SPAM: "not_spam", Status.NEWSLETTER: "no_newsletter"}
# Nobody has to act, nobody is waited for.
RESTING_STATUSES = DONE_STATUSES | APART_STATUSES

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
    Status.SPAM: frozenset(),
    Status.NEWSLETTER: frozenset(),
}

# Delivery only moves forward; failed is final except for a receipt that proves the opposite.
DELIVERY_ORDER = {
    Delivery.QUEUED: 0,
    Delivery.SENDING: 1,
    Delivery.UNCERTAIN: 2,
    Delivery.MISSING: 3,
    Delivery.SENT: 4,
    Delivery.FAILED: 5,
    Delivery.DELIVERED: 6,
    Delivery.READ: 7,
}


def may_become(current: Status, wanted: Status) -> bool:
    """Whether a person may move a ticket from one status to the other."""
    return wanted in TRANSITIONS[current]


def moves_forward(current: Delivery, reported: Delivery) -> bool:
    """Whether a receipt changes a delivery state (late and repeated receipts do not)."""
    if current is Delivery.CANCELED or reported is Delivery.CANCELED:
        return False
    return DELIVERY_ORDER[reported] > DELIVERY_ORDER[current]
