"""Evaluations: one evaluator scores how one agent handled one assignment, with one scorecard."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from contact_center.core.errors import Conflict, Forbidden, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from tickets.models import Assignment
from tickets.quality import scorecard_versions
from tickets.quality.models import Evaluation, EvaluationAnswer
from tickets.quality.scorecards import NOT_APPLICABLE, missing, score_answers, verdict

LONGEST_COMMENT = 5000


class EvaluationState(StrEnum):
    """A draft is seen by its evaluator only; a finished one by the agent too, and does not change."""

    DRAFT = "draft"
    FINISHED = "finished"


class Unfinished(Invalid):
    """The form lacks answers; `problems` names each."""

    code = "unfinished"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Answer all questions first: {missing} are open.", field="answers", missing=len(problems))
        self.problems = problems


def start(tx: Connection, assignment_id: int, scorecard_id: int, *, evaluator_id: int, now: datetime) -> int:
    """Begin an evaluation and return its id; beginning again gives the one that was begun."""
    assignment = tx.execute(
        select(Assignment.ticket_id, Assignment.user_id).where(Assignment.id == assignment_id)
    ).first()
    if assignment is None:
        raise NotFound("There is no such assignment.")
    if assignment.user_id == evaluator_id:
        raise Forbidden("Nobody evaluates their own work.")
    version = scorecard_versions.current(tx, scorecard_id)
    key = {"assignment_id": assignment_id, "scorecard_version_id": version.id, "evaluator_id": evaluator_id}
    values = {
        **key,
        "ticket_id": assignment.ticket_id,
        "agent_id": assignment.user_id,
        "state": EvaluationState.DRAFT.value,
        "comment": "",
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
    evaluation_id = insert_once(tx, Evaluation, key=list(key), values=values)
    if evaluation_id is not None:
        return evaluation_id
    same = [getattr(Evaluation, name) == value for name, value in key.items()]
    existing: int = tx.execute(select(Evaluation.id).where(*same)).scalar_one()
    return existing


def save(
    tx: Connection,
    evaluation_id: int,
    *,
    answers: Mapping[str, str],
    comments: Mapping[str, str],
    comment: str,
    evaluator_id: int,
    now: datetime,
) -> None:
    """Keep the answers (question → option key or `na`) given so far, and the score they make."""
    evaluation = access(tx, evaluation_id, lock=True)
    _may_write(evaluation, evaluator_id)
    definition = scorecard_versions.version(tx, evaluation.scorecard_version_id).definition
    allowed = {q.key: {NOT_APPLICABLE, *(option.key for option in q.options)} for q in definition.questions}
    chosen = {key: choice for key, choice in answers.items() if choice in allowed.get(key, ())}
    tx.execute(delete(EvaluationAnswer).where(EvaluationAnswer.evaluation_id == evaluation_id))
    rows = [
        {
            "evaluation_id": evaluation_id,
            "question": key,
            "choice": chosen.get(key, ""),
            "comment": comments.get(key, "").strip()[:LONGEST_COMMENT],
        }
        for key in allowed
        if key in chosen or comments.get(key, "").strip()
    ]
    if rows:
        tx.execute(insert(EvaluationAnswer), rows)
    score = score_answers(definition, chosen)
    tx.execute(
        update(Evaluation)
        .where(Evaluation.id == evaluation_id)
        .values(
            raw_score=hundredths(score.raw),
            final_score=hundredths(score.final),
            verdict=verdict(definition, score).value,
            comment=comment.strip()[:LONGEST_COMMENT],
            updated_at=now,
            version=Evaluation.version + 1,
        )
    )


def finish(tx: Connection, evaluation_id: int, *, evaluator_id: int, now: datetime) -> None:
    """Close the evaluation and show it to the agent; Unfinished while questions are open."""
    evaluation = access(tx, evaluation_id, lock=True)
    _may_write(evaluation, evaluator_id)
    definition = scorecard_versions.version(tx, evaluation.scorecard_version_id).definition
    problems = missing(definition, answers_of(tx, evaluation_id)[0])
    if problems:
        raise Unfinished(problems)
    tx.execute(
        update(Evaluation)
        .where(Evaluation.id == evaluation_id)
        .values(state=EvaluationState.FINISHED.value, finished_at=now, updated_at=now, version=Evaluation.version + 1)
    )
    payload = {
        "evaluation_id": evaluation_id,
        "ticket_id": evaluation.ticket_id,
        "agent_id": evaluation.agent_id,
        "evaluator_id": evaluator_id,
        "final_score": evaluation.final_score,
        "verdict": evaluation.verdict,
    }
    emit(tx, "evaluation.finished", payload, now=now, topics=["evaluations", f"user:{evaluation.agent_id}"])


def access(tx: Connection, evaluation_id: int, *, lock: bool = False) -> Row[Any]:
    """The evaluation's row, locked on request; NotFound if there is none."""
    statement = select(Evaluation.__table__).where(Evaluation.id == evaluation_id)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise NotFound("There is no such evaluation.")
    return row


def answers_of(tx: Connection, evaluation_id: int) -> tuple[dict[str, str], dict[str, str]]:
    """The chosen options and the comments, by question."""
    rows = tx.execute(
        select(EvaluationAnswer.question, EvaluationAnswer.choice, EvaluationAnswer.comment).where(
            EvaluationAnswer.evaluation_id == evaluation_id
        )
    ).all()
    return {row.question: row.choice for row in rows if row.choice}, {row.question: row.comment for row in rows}


def hundredths(percent: Decimal | None) -> int | None:
    """A percentage as it is stored: 71.67 is 7167."""
    return None if percent is None else int(percent * 100)


def _may_write(evaluation: Row[Any], evaluator_id: int) -> None:
    if evaluation.evaluator_id != evaluator_id:
        raise Forbidden("Only the person who began this evaluation may change it.")
    if evaluation.state != EvaluationState.DRAFT.value:
        raise Conflict("This evaluation is finished. Begin another one if you see it differently.")
