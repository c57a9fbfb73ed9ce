"""Evaluations of assignments, and the versions of scorecards, on both databases."""

import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.permissions import Role
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Forbidden, Invalid, NotFound
from contact_center.core.events import EventRow
from tests.conftest import NOW
from tests.factories import make_ticket, make_user
from tickets import assignments
from tickets.models import Assignment
from tickets.quality import evaluations, scorecard_versions
from tickets.quality.default_scorecards import COMPLAINT, CONVERSATION
from tickets.quality.evaluations import Unfinished
from tickets.quality.models import Evaluation
from tickets.quality.scorecards import Definition
from tickets.states import AssignmentReason

ALL_GOOD = {question.key: "yes" for question in CONVERSATION.questions}


def begun(tx: Connection) -> tuple[int, int, int]:
    """The ids of an evaluation, its evaluator and the agent."""
    agent, qa = make_user(tx), make_user(tx, role=Role.QA)
    ticket_id = make_ticket(tx).ticket_id
    assignments.assign(tx, ticket_id, agent, reason=AssignmentReason.TAKEN, by_user_id=agent, now=NOW)
    assignment_id = tx.execute(select(Assignment.id)).scalar_one()
    card = scorecard_versions.create(tx, "Conversation", CONVERSATION, user_id=qa, now=NOW)
    evaluation_id = evaluations.start(tx, assignment_id, card, evaluator_id=qa, now=NOW)
    return evaluation_id, qa, agent


def save(tx: Connection, evaluation_id: int, answers: dict[str, str], evaluator_id: int) -> None:
    evaluations.save(
        tx,
        evaluation_id,
        answers=answers,
        comments={"tone": "warm"},
        comment="Well done",
        evaluator_id=evaluator_id,
        now=NOW,
    )


def row(tx: Connection) -> tuple[str, int | None, int | None, str | None]:
    found = tx.execute(select(Evaluation.__table__)).one()
    return found.state, found.raw_score, found.final_score, found.verdict


async def test_an_evaluation_is_scored_and_finished(db: Database) -> None:
    evaluation_id, qa, agent = await db.write(begun)
    await db.write(save, evaluation_id, ALL_GOOD, qa)
    await db.write(evaluations.finish, evaluation_id, evaluator_id=qa, now=NOW)
    assert await db.read(row) == ("finished", 10000, 10000, "passed")
    answers, comments = await db.read(evaluations.answers_of, evaluation_id)
    assert (answers, comments["tone"]) == (ALL_GOOD, "warm")
    event = await db.read(
        lambda tx: tx.execute(select(EventRow.payload).where(EventRow.name == "evaluation.finished")).scalar_one()
    )
    assert (event["agent_id"], event["final_score"]) == (agent, 10000)


async def test_an_automatic_fail_keeps_the_raw_score(db: Database) -> None:
    evaluation_id, qa, _ = await db.write(begun)
    await db.write(save, evaluation_id, {**ALL_GOOD, "identity": "no"}, qa)
    state, raw, final, verdict = await db.read(row)
    assert (state, final, verdict) == ("draft", 0, "auto_failed")
    assert raw is not None
    assert raw > 8000


async def test_an_unfinished_form_names_what_is_open(sqlite_db: Database) -> None:
    evaluation_id, qa, _ = await sqlite_db.write(begun)
    await sqlite_db.write(save, evaluation_id, {"greeting": "yes", "tone": "bogus"}, qa)
    with pytest.raises(Unfinished) as caught:
        await sqlite_db.write(evaluations.finish, evaluation_id, evaluator_id=qa, now=NOW)
    assert len(caught.value.problems) == len(ALL_GOOD) - 1


async def test_only_its_evaluator_changes_it_and_only_until_it_is_finished(sqlite_db: Database) -> None:
    evaluation_id, qa, agent = await sqlite_db.write(begun)
    with pytest.raises(Forbidden):
        await sqlite_db.write(save, evaluation_id, ALL_GOOD, agent)
    await sqlite_db.write(save, evaluation_id, ALL_GOOD, qa)
    await sqlite_db.write(evaluations.finish, evaluation_id, evaluator_id=qa, now=NOW)
    with pytest.raises(Conflict):
        await sqlite_db.write(save, evaluation_id, ALL_GOOD, qa)


async def test_beginning_twice_is_one_evaluation_and_nobody_judges_themselves(db: Database) -> None:
    evaluation_id, qa, agent = await db.write(begun)
    assert await db.write(evaluations.start, 1, 1, evaluator_id=qa, now=NOW) == evaluation_id
    with pytest.raises(Forbidden):
        await db.write(evaluations.start, 1, 1, evaluator_id=agent, now=NOW)
    with pytest.raises(NotFound):
        await db.write(evaluations.start, 99, 1, evaluator_id=qa, now=NOW)


async def test_changing_the_questions_makes_a_version_and_leaves_old_evaluations_alone(db: Database) -> None:
    evaluation_id, _, _ = await db.write(begun)
    for _ in range(2):
        assert await db.write(scorecard_versions.revise, 1, COMPLAINT, user_id=None, now=NOW) == 2
    used = await db.read(lambda tx: evaluations.access(tx, evaluation_id).scorecard_version_id)
    assert (await db.read(scorecard_versions.version, used)).definition == CONVERSATION
    assert (await db.read(scorecard_versions.current, 1)).definition == COMPLAINT


async def test_names_are_unique_and_definitions_are_checked(sqlite_db: Database) -> None:
    await sqlite_db.write(scorecard_versions.create, "A", CONVERSATION, user_id=None, now=NOW)
    with pytest.raises(Conflict):
        await sqlite_db.write(scorecard_versions.create, " A ", CONVERSATION, user_id=None, now=NOW)
    with pytest.raises(Invalid):
        scorecard_versions.parse({"sections": []})
    assert isinstance(scorecard_versions.parse(CONVERSATION.model_dump(mode="json")), Definition)
