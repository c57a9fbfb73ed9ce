"""The survey after a resolution: who is asked, when, and that an answer counts once."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.events import EventRow
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_ticket, make_user
from tickets import lifecycle, replies
from tickets.models import Message
from tickets.quality import surveys
from tickets.quality.models import Complaint, Survey
from tickets.replies import Author, Reply

URL = "https://help.example"
SOON = NOW + timedelta(minutes=11)


def resolved(tx: Connection, answered: bool = True, **queue: object) -> int:
    account_id = make_account(tx, queue_id=make_queue(tx, **queue))
    agent = make_user(tx)
    ticket_id = make_ticket(tx, account_id=account_id).ticket_id
    if answered:
        replies.reply(tx, ticket_id, Reply("It left today."), author=Author(agent), now=NOW)
    lifecycle.resolve(tx, ticket_id, user_id=agent, now=NOW)
    return ticket_id


def survey(tx: Connection) -> tuple[str, int | None, str]:
    row = tx.execute(select(Survey.state, Survey.rating, Survey.comment)).one()
    return row.state, row.rating, row.comment


def last_text(tx: Connection) -> str:
    return str(
        tx.execute(select(Message.text).where(Message.automatic).order_by(Message.id.desc()).limit(1)).scalar_one()
    )


async def test_it_is_sent_through_the_tickets_channel_when_the_matter_rested(db: Database) -> None:
    ticket_id = await db.write(resolved)
    for _ in range(2):
        await db.write(surveys.plan, ticket_id, now=NOW)
    assert await db.write(surveys.send_due, NOW, base_url=URL) == 0
    assert await db.write(surveys.send_due, SOON, base_url=URL) == 1
    assert await db.write(surveys.send_due, SOON, base_url=URL) == 0
    token = await db.read(lambda tx: tx.execute(select(Survey.token)).scalar_one())
    assert f"{URL}/survey/{token}" in await db.read(last_text)
    status = await db.read(lambda tx: lifecycle.access(tx, ticket_id).status)
    assert status == "resolved"


async def test_no_phone_rings_with_a_survey_at_night_but_answers_leave(db: Database) -> None:
    night, morning = NOW + timedelta(hours=12), NOW + timedelta(hours=22)  # 22:00 and 8:00 of the German number
    ticket_id = await db.write(resolved)
    await db.write(surveys.plan, ticket_id, now=NOW)
    assert await db.write(surveys.send_due, night, base_url=URL) == 1
    due = await db.read(lambda tx: tx.execute(select(Survey.state, Survey.due_at)).one())
    assert (due.state, due.due_at) == ("planned", morning)
    assert await db.write(surveys.send_due, morning - timedelta(seconds=1), base_url=URL) == 0
    answer = await db.write(replies.reply, ticket_id, Reply("Here it is."), author=Author(None), now=night)
    sent_after = await db.read(
        lambda tx: tx.execute(select(Message.send_after).where(Message.id == answer.message_id)).scalar_one()
    )
    assert sent_after < night + timedelta(minutes=1)


async def test_a_held_survey_is_sent_in_the_morning(db: Database) -> None:
    ticket_id = await db.write(resolved)
    await db.write(surveys.plan, ticket_id, now=NOW)
    await db.write(surveys.send_due, NOW + timedelta(hours=12), base_url=URL)
    assert await db.write(surveys.send_due, NOW + timedelta(hours=22), base_url=URL) == 1
    assert f"{URL}/survey/" in await db.read(last_text)


async def test_a_reopened_ticket_is_not_asked_about(db: Database) -> None:
    ticket_id = await db.write(resolved)
    await db.write(surveys.plan, ticket_id, now=NOW)
    await db.write(lifecycle.reopen, ticket_id, user_id=None, now=NOW)
    await db.write(surveys.send_due, SOON, base_url=URL)
    assert (await db.read(survey))[0] == "canceled"


@pytest.mark.parametrize("case", [{"answered": False}, {"survey": False}])
async def test_nobody_is_asked_without_reason(sqlite_db: Database, case: dict[str, bool]) -> None:
    ticket_id = await sqlite_db.write(resolved, **case)
    assert await sqlite_db.write(surveys.plan, ticket_id, now=NOW) is None


async def test_a_customer_is_not_asked_twice_a_day(sqlite_db: Database) -> None:
    first = await sqlite_db.write(resolved)
    assert await sqlite_db.write(surveys.ask, first, base_url=URL, now=NOW)
    await sqlite_db.write(lifecycle.reopen, first, user_id=None, now=NOW)
    await sqlite_db.write(lifecycle.resolve, first, user_id=None, now=SOON)
    assert await sqlite_db.write(surveys.ask, first, base_url=URL, now=SOON) is None


async def test_an_answer_counts_once(db: Database) -> None:
    token = await db.write(surveys.ask, await db.write(resolved), base_url=URL, now=NOW)
    assert await db.write(surveys.answer, token, 4, comment=" Fine ", now=SOON)
    assert not await db.write(surveys.answer, token, 1, comment="No", now=SOON)
    assert await db.read(survey) == ("answered", 4, "Fine")
    events = await db.read(
        lambda tx: tx.execute(select(EventRow.payload).where(EventRow.name == "survey.answered")).scalars().all()
    )
    assert [event["rating"] for event in events] == [4]


async def test_a_customer_can_make_their_answer_a_complaint(sqlite_db: Database) -> None:
    token = await sqlite_db.write(surveys.ask, await sqlite_db.write(resolved), base_url=URL, now=NOW)
    await sqlite_db.write(surveys.answer, token, 1, comment="Rude", complain=True, now=SOON)
    row = await sqlite_db.read(lambda tx: tx.execute(select(Complaint.opener, Complaint.summary)).one())
    assert tuple(row) == ("customer", "Rude")


async def test_wrong_links_and_ratings_are_refused(sqlite_db: Database) -> None:
    token = await sqlite_db.write(surveys.ask, await sqlite_db.write(resolved), base_url=URL, now=NOW)
    with pytest.raises(Invalid):
        await sqlite_db.write(surveys.answer, token, 6, now=NOW)
    with pytest.raises(NotFound):
        await sqlite_db.write(surveys.answer, "guess", 5, now=NOW)
    with pytest.raises(NotFound):
        await sqlite_db.write(surveys.answer, token, 5, now=NOW + timedelta(days=15))
