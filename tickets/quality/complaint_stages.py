"""The stages of a complaint: one table of legal moves, each with the guards that must hold. Pure.

Modelled on ISO 10002: acknowledge, assess, investigate, propose, communicate, close; a step back needs a reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contact_center.core.errors import Conflict
from contact_center.core.i18n import mark


class Stage(StrEnum):
    """Where a complaint stands."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    ASSESSED = "assessed"
    INVESTIGATING = "investigating"
    RESPONSE_PROPOSED = "response_proposed"
    DECISION_COMMUNICATED = "decision_communicated"
    CLOSED = "closed"


class Severity(StrEnum):
    """How bad it is for the customer and for us."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Decision(StrEnum):
    """Whether the complaint was right."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"


class Opener(StrEnum):
    """Who said that this is a complaint."""

    AGENT = "agent"
    CUSTOMER = "customer"
    RULE = "rule"


@dataclass(frozen=True)
class ComplaintFacts:
    """What is known of a complaint when a move is judged."""

    stage: Stage
    received_at: datetime
    severity: Severity | None = None
    owner_id: int | None = None
    subject_agent_id: int | None = None
    acknowledgement: str = ""
    findings: str = ""
    decision: Decision | None = None
    reasons: str = ""
    remedy: str = ""
    root_cause: str = ""
    communicated: str = ""


@dataclass(frozen=True)
class Guard:
    """One condition of a move, and what to do while it does not hold."""

    holds: Callable[[ComplaintFacts, str], bool]
    advice: str


@dataclass(frozen=True)
class Move:
    """A legal transition and its guards."""

    source: Stage
    target: Stage
    guards: tuple[Guard, ...]
    back: bool = False


@dataclass(frozen=True)
class Check:
    """A guard as shown on the screen: what it asks for and whether it holds."""

    advice: str
    holds: bool


class IllegalMove(Conflict):
    """A move that the table does not know, or whose guards do not hold; `problems` say what to do first."""

    code = "illegal_move"

    def __init__(self, detail: str, problems: tuple[str, ...] = (), **params: object) -> None:
        super().__init__(detail, **params)
        self.problems = problems


def _owner_is_independent(facts: ComplaintFacts, _: str) -> bool:
    return facts.owner_id is None or facts.owner_id != facts.subject_agent_id


def _remedied(facts: ComplaintFacts, _: str) -> bool:
    return facts.decision is Decision.NOT_UPHELD or bool(facts.remedy.strip())


ACKNOWLEDGED = Guard(
    lambda f, _: bool(f.acknowledgement.strip()),
    mark("Tell the customer that we have the complaint, and note how (message, letter, call)."),
)
SEVERITY = Guard(lambda f, _: f.severity is not None, mark("Choose a severity."))
OWNER = Guard(lambda f, _: f.owner_id is not None, mark("Name an owner who answers for the complaint."))
INDEPENDENT = Guard(_owner_is_independent, mark("Choose another owner: nobody judges a complaint about themselves."))
SIMPLE = Guard(
    lambda f, _: f.severity is Severity.LOW,
    mark("Only a complaint of low severity may skip the investigation: investigate first."),
)
FINDINGS = Guard(lambda f, _: bool(f.findings.strip()), mark("Write down what the investigation found."))
DECISION = Guard(lambda f, _: f.decision is not None, mark("Decide: upheld, partly upheld or not upheld."))
REASONS = Guard(
    lambda f, _: bool(f.reasons.strip()), mark("Give the reasons for the decision, in words for the customer.")
)
REMEDY = Guard(_remedied, mark("Write the remedy: an upheld complaint needs one."))
COMMUNICATED = Guard(
    lambda f, _: bool(f.communicated.strip()),
    mark("Tell the customer the decision, and note how (message, letter, call)."),
)
ROOT_CAUSE = Guard(lambda f, _: bool(f.root_cause.strip()), mark("Name the root cause, so that it can be counted."))
WHY_BACK = Guard(lambda _, reason: bool(reason.strip()), mark("Give a reason for going back."))

_S = Stage
MOVES: tuple[Move, ...] = (
    Move(_S.RECEIVED, _S.ACKNOWLEDGED, (ACKNOWLEDGED,)),
    Move(_S.ACKNOWLEDGED, _S.ASSESSED, (SEVERITY, OWNER, INDEPENDENT)),
    Move(_S.ASSESSED, _S.INVESTIGATING, (SEVERITY, OWNER, INDEPENDENT)),
    Move(_S.ASSESSED, _S.RESPONSE_PROPOSED, (SIMPLE, OWNER, INDEPENDENT, DECISION, REASONS, REMEDY)),
    Move(_S.INVESTIGATING, _S.RESPONSE_PROPOSED, (OWNER, INDEPENDENT, FINDINGS, DECISION, REASONS, REMEDY)),
    Move(_S.INVESTIGATING, _S.ASSESSED, (WHY_BACK,), back=True),
    Move(_S.RESPONSE_PROPOSED, _S.DECISION_COMMUNICATED, (DECISION, REASONS, REMEDY, INDEPENDENT, COMMUNICATED)),
    Move(_S.RESPONSE_PROPOSED, _S.INVESTIGATING, (WHY_BACK,), back=True),
    Move(_S.DECISION_COMMUNICATED, _S.CLOSED, (DECISION, ROOT_CAUSE, REMEDY)),
    Move(_S.DECISION_COMMUNICATED, _S.INVESTIGATING, (WHY_BACK,), back=True),
    Move(_S.CLOSED, _S.INVESTIGATING, (WHY_BACK,), back=True),
)
_TABLE = {(move.source, move.target): move for move in MOVES}

# Working times of ISO 10002 and the FCA's DISP rules, tightened: a reply within two days, a decision in four weeks.
ACKNOWLEDGE_WITHIN = timedelta(days=2)
DECIDE_WITHIN = {
    Severity.CRITICAL: timedelta(days=3),
    Severity.HIGH: timedelta(days=7),
    Severity.MEDIUM: timedelta(days=14),
    Severity.LOW: timedelta(days=28),
}
DECIDED = frozenset({Stage.DECISION_COMMUNICATED, Stage.CLOSED})


def moves_from(stage: Stage) -> tuple[Move, ...]:
    """The moves the table allows from a stage, forward ones first."""
    return tuple(sorted((move for move in MOVES if move.source is stage), key=lambda move: move.back))


def checks(facts: ComplaintFacts, target: Stage, *, reason: str = "") -> tuple[Check, ...]:
    """Every guard of a legal move with its state, for the screen; empty when the table does not know the move."""
    move = _TABLE.get((facts.stage, target))
    if move is None:
        return ()
    return tuple(Check(guard.advice, guard.holds(facts, reason)) for guard in move.guards)


def check_move(facts: ComplaintFacts, target: Stage, *, reason: str = "") -> Move:
    """The move if it is legal and all its guards hold; raises IllegalMove with what to do."""
    move = _TABLE.get((facts.stage, target))
    if move is None:
        raise IllegalMove(
            "A complaint that is {current} cannot become {wanted}. Next is: {ways}.",
            current=_words(facts.stage),
            wanted=_words(target),
            ways=", ".join(_words(possible.target) for possible in moves_from(facts.stage)),
        )
    problems = tuple(guard.advice for guard in move.guards if not guard.holds(facts, reason))
    if problems:
        raise IllegalMove("Not yet. {first}", problems, first=" ".join(problems))
    return move


def due_at(facts: ComplaintFacts) -> datetime | None:
    """When the next promise falls due: the acknowledgement, then the decision; None once decided."""
    if facts.stage is Stage.RECEIVED:
        return facts.received_at + ACKNOWLEDGE_WITHIN
    if facts.stage in DECIDED:
        return None
    return facts.received_at + DECIDE_WITHIN[facts.severity or Severity.LOW]


def _words(stage: Stage) -> str:
    return stage.value.replace("_", " ")
