"""The states of work items, offers and presence, and which move leads from where to where."""

from collections.abc import Mapping
from enum import StrEnum


class WorkItemState(StrEnum):
    """Where a work item stands; `completed` and `canceled` are the ends."""

    QUEUED = "queued"
    RESERVED = "reserved"
    ASSIGNED = "assigned"
    PAUSED = "paused"
    WRAPPING = "wrapping"
    COMPLETED = "completed"
    CANCELED = "canceled"


class Move(StrEnum):
    """What happens to a work item; each has its row in `MOVES`."""

    OFFER = "offer"
    AUTO = "auto"
    TAKE = "take"
    ASSIGN = "assign"
    ACCEPT = "accept"
    DECLINE = "decline"
    TIMEOUT = "timeout"
    RESCIND = "rescind"
    PAUSE = "pause"
    RESUME = "resume"
    TRANSFER = "transfer"
    AGENT_LOST = "agent_lost"
    REQUEUE = "requeue"
    ABSENCE = "absence"
    END = "end"
    FINISH = "finish"
    CANCEL = "cancel"


class OfferState(StrEnum):
    """Where an offer stands; all but `offered` are ends."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    RESCINDED = "rescinded"
    CANCELED = "canceled"


class Presence(StrEnum):
    """What an agent is up to, as set by the agent or by the system."""

    AVAILABLE = "available"
    AWAY = "away"
    NOT_RESPONDING = "not_responding"
    OFFLINE = "offline"


class Activity(StrEnum):
    """What an agent is doing; derived, never stored as truth."""

    IDLE = "idle"
    INCOMING = "incoming"
    ON_CONTACT = "on_contact"
    ACW = "acw"


class QueueExit(StrEnum):
    """How a work item left its queue, as the reports count it."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    FLOWED_OUT = "flowed_out"
    CANCELED = "canceled"


class OfflineReason(StrEnum):
    """Why an agent is offline."""

    SIGNED_OUT = "signed_out"
    CONNECTION_LOST = "connection_lost"
    ABSENT = "absent"


class IllegalMove(ValueError):
    """A work item cannot make this move from the state it is in."""


_OPEN = frozenset(
    {
        WorkItemState.QUEUED,
        WorkItemState.RESERVED,
        WorkItemState.ASSIGNED,
        WorkItemState.PAUSED,
        WorkItemState.WRAPPING,
    }
)
_OWNED = frozenset({WorkItemState.ASSIGNED, WorkItemState.PAUSED})

MOVES: Mapping[Move, tuple[frozenset[WorkItemState], WorkItemState]] = {
    Move.OFFER: (frozenset({WorkItemState.QUEUED}), WorkItemState.RESERVED),
    Move.AUTO: (frozenset({WorkItemState.QUEUED}), WorkItemState.ASSIGNED),
    Move.TAKE: (frozenset({WorkItemState.QUEUED}), WorkItemState.ASSIGNED),
    # A supervisor's force wins over an open offer, which is then rescinded.
    Move.ASSIGN: (
        frozenset({WorkItemState.QUEUED, WorkItemState.RESERVED}) | _OWNED,
        WorkItemState.ASSIGNED,
    ),
    Move.ACCEPT: (frozenset({WorkItemState.RESERVED}), WorkItemState.ASSIGNED),
    Move.DECLINE: (frozenset({WorkItemState.RESERVED}), WorkItemState.QUEUED),
    Move.TIMEOUT: (frozenset({WorkItemState.RESERVED}), WorkItemState.QUEUED),
    Move.RESCIND: (frozenset({WorkItemState.RESERVED}), WorkItemState.QUEUED),
    Move.PAUSE: (frozenset({WorkItemState.ASSIGNED}), WorkItemState.PAUSED),
    Move.RESUME: (frozenset({WorkItemState.PAUSED}), WorkItemState.ASSIGNED),
    Move.TRANSFER: (_OWNED, WorkItemState.QUEUED),
    Move.AGENT_LOST: (frozenset({WorkItemState.ASSIGNED}), WorkItemState.QUEUED),
    Move.REQUEUE: (_OWNED, WorkItemState.QUEUED),
    Move.ABSENCE: (_OWNED, WorkItemState.QUEUED),
    Move.END: (frozenset({WorkItemState.ASSIGNED}), WorkItemState.WRAPPING),
    Move.FINISH: (
        frozenset({WorkItemState.WRAPPING}) | _OWNED,
        WorkItemState.COMPLETED,
    ),
    Move.CANCEL: (_OPEN, WorkItemState.CANCELED),
}

OPEN_STATES = _OPEN
WAITING_STATES = frozenset({WorkItemState.QUEUED, WorkItemState.RESERVED})
HOLDING_STATES = frozenset({WorkItemState.RESERVED, WorkItemState.ASSIGNED, WorkItemState.WRAPPING})
"""In these states a work item holds its weight in its agent's pool."""

PRESENCE_MOVES: Mapping[Presence, frozenset[Presence]] = {
    Presence.AVAILABLE: frozenset({Presence.AWAY, Presence.NOT_RESPONDING, Presence.OFFLINE}),
    Presence.AWAY: frozenset({Presence.AVAILABLE, Presence.AWAY, Presence.OFFLINE}),
    Presence.NOT_RESPONDING: frozenset({Presence.AVAILABLE, Presence.AWAY, Presence.OFFLINE}),
    Presence.OFFLINE: frozenset({Presence.AVAILABLE, Presence.AWAY, Presence.OFFLINE}),
}

OFFER_ENDS = frozenset(OfferState) - {OfferState.OFFERED}


def moved(state: WorkItemState, move: Move) -> WorkItemState:
    """The state after `move`; raises IllegalMove when it is not one of this state's moves."""
    sources, target = MOVES[move]
    if state not in sources:
        raise IllegalMove(f"a work item that is {state} cannot {move}")
    return target
