"""Quality in the demo: scorecards, evaluations by the reviewer, complaints in several stages, drafts taken over."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from contact_center.demo.cast import Cast
from contact_center.demo.checklist import SIMULATED
from knowledge_base import articles
from knowledge_base.articles import ArticleState
from knowledge_base.models import Article
from tickets.models import Assignment, Customer, Ticket
from tickets.quality import complaints, default_scorecards, evaluations, scorecard_versions
from tickets.quality.complaint_stages import Decision, Severity, Stage
from tickets.quality.models import Complaint, Scorecard
from tickets.quality.scorecards import Definition

EVALUATED_A_DAY = 6
LEFT_AS_DRAFT = 0.02
DRAFTS_WAITING = 12
CONVERSATION = "Conversation"
COMMENTS = ("Warm and precise.", "Good answer, a little slow.", "Correct, but the date of the promise is missing.", "")
CAUSES = tuple(complaints.ROOT_CAUSES)
STAGES = list(Stage)


def prepare(tx: Connection, cast: Cast, *, now: datetime) -> int:
    """Two scorecards; returns the id of the one for conversations."""
    scorecard_versions.create(tx, "Complaint", default_scorecards.COMPLAINT, user_id=cast.qa, now=now)
    return scorecard_versions.create(tx, CONVERSATION, default_scorecards.CONVERSATION, user_id=cast.qa, now=now)


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


def conversation_scorecard(tx: Connection) -> int:
    """The id of the scorecard for conversations, in a database that was prepared before."""
    return tx.execute(select(Scorecard.id).where(Scorecard.name == CONVERSATION)).scalar_one()


def evaluate(tx: Connection, cast: Cast, scorecard_id: int, rng: random.Random, *, now: datetime) -> int:
    """The reviewer scores a few assignments that were resolved since yesterday; now and then one stays a draft."""
    card = scorecard_versions.current(tx, scorecard_id)
    rows: Sequence[Any] = tx.execute(
        select(Assignment.id)
        .join(Ticket, Ticket.id == Assignment.ticket_id)
        .where(Ticket.resolved_at > now - timedelta(days=1), Assignment.user_id.in_(cast.agents.values()))
        .order_by(Assignment.id)
    ).all()
    chosen = rng.sample(rows, min(EVALUATED_A_DAY, len(rows)))
    for row in chosen:
        evaluation_id = evaluations.start(tx, row.id, scorecard_id, evaluator_id=cast.qa, now=now)
        evaluations.save(
            tx,
            evaluation_id,
            answers=_answers(card.definition, rng),
            comments={},
            comment=rng.choice(COMMENTS),
            evaluator_id=cast.qa,
            now=now,
        )
        if rng.random() > LEFT_AS_DRAFT:
            evaluations.finish(tx, evaluation_id, evaluator_id=cast.qa, now=now)
    return len(chosen)


def review_drafts(tx: Connection, *, now: datetime) -> int:
    """A supervisor takes the oldest drafts of simulated cases over for colleagues; the newest wait. How many."""
    rows = tx.execute(
        select(Article.id)
        .join(Ticket, Ticket.id == Article.source_ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(Article.state == ArticleState.DRAFT.value, Customer.attributes[SIMULATED].as_boolean().is_(True))
        .order_by(Article.id.desc())
        .offset(DRAFTS_WAITING)
    ).all()
    for row in rows:
        articles.set_state(tx, row.id, ArticleState.INTERNAL, now=now)
    return len(rows)


def _answers(definition: Definition, rng: random.Random) -> dict[str, str]:
    """Mostly the best option of each question, sometimes a lesser one."""
    answers = {}
    for section in definition.sections:
        for question in section.questions:
            plain = [option for option in question.options if not option.auto_fail]
            best = max(plain, key=lambda option: option.score)
            answers[question.key] = best.key if rng.random() < 0.82 else rng.choice(plain).key
    return answers
