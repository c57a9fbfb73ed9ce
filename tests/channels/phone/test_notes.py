"""Calls written down by hand, and the callbacks they settle."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.phone.models import Call
from channels.phone.notes import CallNote, log_call
from channels.phone.states import CallState, Direction
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user
from tickets import lifecycle, timers
from tickets.models import Message, Ticket
from tickets.replies import Author
from tickets.states import Channel, Status

SPOKE = CallNote(Direction.OUT, CallState.COMPLETED, "Will deliver on Friday.", talk_seconds=125, disposition="Solved")


async def ticket_and_agent(db: Database) -> tuple[int, int]:
    def make(tx: Connection) -> tuple[int, int]:
        make_account(tx, Channel.PHONE)
        receipt = make_ticket(tx, sender="+84903123456")
        assert receipt.ticket_id is not None
        return receipt.ticket_id, make_user(tx)

    return await db.write(make)


async def rows(db: Database, model: Any) -> list[Any]:
    table = model.__table__
    return await db.read(lambda tx: list(tx.execute(table.select().order_by(table.c.id)).all()))


async def test_a_talk_is_an_answer_in_the_ticket_and_in_the_ledger(db: Database) -> None:
    ticket_id, user_id = await ticket_and_agent(db)
    await db.write(log_call, ticket_id, SPOKE, author=Author(user_id), now=NOW)
    message = (await rows(db, Message))[-1]
    [ticket], [call] = await rows(db, Ticket), await rows(db, Call)
    assert (message.kind, message.text, message.public_seq) == ("call", "Will deliver on Friday.", None)
    assert message.meta["call"]["disposition"] == "Solved"
    assert (ticket.waiting_since, ticket.first_response_at) == (None, NOW)
    assert (call.state, call.number, call.talk_seconds, call.user_id) == ("completed", "+84903123456", 125, user_id)
    assert (call.message_id, call.answered_at) == (message.id, NOW - timedelta(seconds=125))


async def test_an_attempt_leaves_the_customer_waiting(db: Database) -> None:
    ticket_id, user_id = await ticket_and_agent(db)
    tried = CallNote(Direction.OUT, CallState.NO_ANSWER, "No answer")
    await db.write(log_call, ticket_id, tried, author=Author(user_id), now=NOW)
    [ticket] = await rows(db, Ticket)
    assert (ticket.waiting_since, ticket.first_response_at) == (NOW, None)


async def test_a_repeated_post_writes_once(sqlite_db: Database) -> None:
    ticket_id, user_id = await ticket_and_agent(sqlite_db)
    author = Author(user_id, client_id="c1")
    first = await sqlite_db.write(log_call, ticket_id, SPOKE, author=author, now=NOW)
    assert await sqlite_db.write(log_call, ticket_id, SPOKE, author=author, now=NOW) == first
    assert len(await rows(sqlite_db, Call)) == 1


async def test_a_talk_settles_the_planned_callbacks_and_an_attempt_does_not(db: Database) -> None:
    ticket_id, user_id = await ticket_and_agent(db)
    due = NOW + timedelta(hours=1)
    await db.write(timers.remind, ticket_id, due_at=due, now=NOW, user_id=user_id, by_user_id=user_id)
    await db.write(timers.remind, ticket_id, due_at=due, now=NOW, kind="todo", by_user_id=user_id)
    tried = CallNote(Direction.OUT, CallState.BUSY, "Busy")
    await db.write(log_call, ticket_id, tried, author=Author(user_id), now=NOW)
    assert len(await db.read(timers.open_reminders, ticket_id=ticket_id)) == 2
    await db.write(log_call, ticket_id, SPOKE, author=Author(user_id), now=NOW)
    assert [left.kind for left in await db.read(timers.open_reminders, ticket_id=ticket_id)] == ["todo"]


@pytest.mark.parametrize(
    ("note", "field"),
    [
        (CallNote(Direction.OUT, CallState.MISSED, "x"), "outcome"),
        (CallNote(Direction.IN, CallState.RINGING, "x"), "outcome"),
        (CallNote(Direction.IN, CallState.COMPLETED, "  "), "text"),
        (CallNote(Direction.IN, CallState.COMPLETED, "x", talk_seconds=-1), "talk_seconds"),
        (CallNote(Direction.IN, CallState.COMPLETED, "x", talk_seconds=86_401), "talk_seconds"),
        (CallNote(Direction.IN, CallState.COMPLETED, "x", ended_at=NOW + timedelta(minutes=1)), "ended_at"),
    ],
)
async def test_a_note_that_cannot_be_is_refused_by_field(sqlite_db: Database, note: CallNote, field: str) -> None:
    ticket_id, user_id = await ticket_and_agent(sqlite_db)
    with pytest.raises(Invalid) as caught:
        await sqlite_db.write(log_call, ticket_id, note, author=Author(user_id), now=NOW)
    assert caught.value.field == field


async def test_a_closed_ticket_takes_no_more_calls(sqlite_db: Database) -> None:
    ticket_id, user_id = await ticket_and_agent(sqlite_db)
    await sqlite_db.write(lifecycle.set_status, ticket_id, Status.CLOSED, user_id=None, now=NOW)
    with pytest.raises(Conflict):
        await sqlite_db.write(log_call, ticket_id, SPOKE, author=Author(user_id), now=NOW)


async def test_without_a_phone_line_the_entry_is_all_there_is(sqlite_db: Database) -> None:
    receipt = await sqlite_db.write(make_ticket)
    user_id = await sqlite_db.write(make_user)
    await sqlite_db.write(log_call, receipt.ticket_id, SPOKE, author=Author(user_id), now=NOW)
    assert (len(await rows(sqlite_db, Call)), len(await rows(sqlite_db, Message))) == (0, 2)
