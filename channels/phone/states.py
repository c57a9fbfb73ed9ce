"""What a call is now, derived from the facts known of it, so that reports may come late, twice or in any order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CallState(StrEnum):
    """Where a call is; the last six are final."""

    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    MISSED = "missed"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    BLOCKED = "blocked"  # its number is: it rings nobody and has no conversation


class Direction(StrEnum):
    """Who called: IN is the customer, OUT is us."""

    IN = "in"
    OUT = "out"


class Ending(StrEnum):
    """How an exchange says that a call ended, the surest word last (the order in which they replace each other)."""

    HUNG_UP = "hung_up"
    CANCELED = "canceled"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"


FINAL = frozenset(set(CallState) - {CallState.RINGING, CallState.ANSWERED})

# Not answered by a person: what an ending means for the customer who called, and for us who called.
UNANSWERED: dict[Ending, tuple[CallState, CallState]] = {
    Ending.HUNG_UP: (CallState.MISSED, CallState.NO_ANSWER),
    Ending.CANCELED: (CallState.MISSED, CallState.NO_ANSWER),
    Ending.NO_ANSWER: (CallState.MISSED, CallState.NO_ANSWER),
    Ending.BUSY: (CallState.MISSED, CallState.BUSY),
    Ending.FAILED: (CallState.MISSED, CallState.FAILED),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What has been reported of one call so far; every moment is aware UTC."""

    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None

    def merge(self, other: "Facts") -> "Facts":
        """Both together: the earliest of each moment, the surest ending; order and repetition do not matter."""
        endings = [ending for ending in (self.ending, other.ending) if ending]
        return Facts(
            rang_at=_earliest(self.rang_at, other.rang_at),
            answered_at=_earliest(self.answered_at, other.answered_at),
            ended_at=_earliest(self.ended_at, other.ended_at),
            ending=max(endings, key=list(Ending).index) if endings else None,
        )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


def state_of(facts: Facts, direction: Direction) -> CallState:
    """The state that follows from the facts.

    An ended call that nobody heard ring or saw answered is taken as completed: some exchanges tell only the end.
    """
    if facts.ending is None:
        return CallState.ANSWERED if facts.answered_at else CallState.RINGING
    if facts.answered_at or (facts.ending is Ending.HUNG_UP and not facts.rang_at):
        return CallState.COMPLETED
    return UNANSWERED[facts.ending][direction is Direction.OUT]


def talk_seconds(facts: Facts) -> int:
    """How long the two spoke, 0 while it goes on or if they never did."""
    if not (facts.answered_at and facts.ended_at):
        return 0
    return max(0, round((facts.ended_at - facts.answered_at).total_seconds()))
