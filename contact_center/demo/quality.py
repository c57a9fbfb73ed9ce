"""Quality in the demo: scorecards, evaluations by the reviewer, complaints in several stages."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from contact_center.demo.cast import Cast
from tickets.models import Assignment, Ticket
from tickets.quality import complaints, default_scorecards, evaluations, scorecard_versions
from tickets.quality.complaint_stages import Decision, Severity, Stage
from tickets.quality.models import Complaint
from tickets.quality.scorecards import Definition

EVALUATED = 140
COMMENTS = ("Warm and precise.", "Good answer, a little slow.", "Correct, but the date of the promise is missing.", "")
CAUSES = tuple(complaints.ROOT_CAUSES)
STAGES = list(Stage)


def prepare(tx: Connection, cast: Cast, *, now: datetime) -> int:
    """Two scorecards; returns the id of the one for conversations."""
    scorecard_versions.create(tx, "Complaint", default_scorecards.COMPLAINT, user_id=cast.qa, now=now)
    return scorecard_versions.create(tx, "Conversation", default_scorecards.CONVERSATION, user_id=cast.qa, now=now)


def handle_complaints(tx: Connection, cast: Cast, rng: random.Random, *, now: datetime) -> int:
    """Move open complaints along by their age; returns how many moved. Run it once a simulated day."""
    rows = tx.execute(select(Complaint.__table__).where(Complaint.stage != Stage.CLOSED.value)).all()
    moved = 0
    for row in rows:
        place = STAGES.index(Stage(row.stage))
        following = STAGES[place + 1]
        if row.received_at + timedelta(hours=rng.uniform(10, 40) * (place + 1)) <= now:
            by, facts = _handler(cast, following), _facts(cast, rng, following)
            complaints.move(tx, row.id, following, user_id=by, now=now, values=facts)
            moved += 1
    return moved


def _handler(cast: Cast, stage: Stage) -> int:
    return cast.qa if stage in (Stage.INVESTIGATING, Stage.CLOSED) else cast.supervisors["Huong Vo"]


def _facts(cast: Cast, rng: random.Random, stage: Stage) -> dict[str, Any]:
    """What has to be written down before a stage; the guards refuse anything less."""
    upheld = rng.random() < 0.7
    facts: dict[Stage, dict[str, Any]] = {
        Stage.ACKNOWLEDGED: {"acknowledgement": "Written to the customer: we take this up and answer within a week."},
        Stage.ASSESSED: {
            "severity": rng.choice([Severity.LOW, Severity.MEDIUM, Severity.MEDIUM, Severity.HIGH]).value,
            "owner_id": cast.supervisors["Huong Vo"],
        },
        Stage.INVESTIGATING: {},
        Stage.RESPONSE_PROPOSED: {
            "findings": "The carrier's scans show two days without movement, then the loss. Our two mails waited.",
            "decision": (Decision.UPHELD if upheld else Decision.PARTLY_UPHELD).value,
            "reasons": "The customer did everything right; we answered late and the parcel was lost.",
            "remedy": "Replacement by express, shipping refunded, a voucher of 15.",
            "root_cause": rng.choice(CAUSES),
        },
        Stage.DECISION_COMMUNICATED: {"communicated": "Told the customer by mail and apologised."},
        Stage.CLOSED: {"root_cause": rng.choice(CAUSES)},
    }
    return facts[stage]


def evaluate(tx: Connection, cast: Cast, scorecard_id: int, rng: random.Random, *, now: datetime) -> int:
    """The reviewer scores resolved assignments of the last two weeks; the last three are left as drafts."""
    card = scorecard_versions.current(tx, scorecard_id)
    rows: Sequence[Any] = tx.execute(
        select(Assignment.id, Ticket.resolved_at)
        .join(Ticket, Ticket.id == Assignment.ticket_id)
        .where(Ticket.resolved_at > now - timedelta(days=14), Assignment.user_id.in_(cast.agents.values()))
        .order_by(Ticket.resolved_at)
    ).all()
    chosen = sorted(rng.sample(rows, min(EVALUATED, len(rows))), key=lambda row: row.resolved_at)
    for number, row in enumerate(chosen):
        at = min(now, row.resolved_at + timedelta(hours=rng.uniform(2, 40)))
        evaluation_id = evaluations.start(tx, row.id, scorecard_id, evaluator_id=cast.qa, now=at)
        evaluations.save(
            tx,
            evaluation_id,
            answers=_answers(card.definition, rng),
            comments={},
            comment=rng.choice(COMMENTS),
            evaluator_id=cast.qa,
            now=at,
        )
        if number < len(chosen) - 3:
            evaluations.finish(tx, evaluation_id, evaluator_id=cast.qa, now=at)
    return len(chosen)


def _answers(definition: Definition, rng: random.Random) -> dict[str, str]:
    """Mostly the best option of each question, sometimes a lesser one."""
    answers = {}
    for section in definition.sections:
        for question in section.questions:
            plain = [option for option in question.options if not option.auto_fail]
            best = max(plain, key=lambda option: option.score)
            answers[question.key] = best.key if rng.random() < 0.82 else rng.choice(plain).key
    return answers
