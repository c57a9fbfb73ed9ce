"""What a ticket's life costs in statements, which on PostgreSQL are round trips: nothing grows unnoticed."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from channels import delivery
from channels.base import Sent
from contact_center.core.db import Database
from contact_center.core.relay import relay_batch
from contact_center.wiring import HANDLERS
from routing import handling, offers
from tests.factories import inbound
from tests.routing.desk import Desk
from tickets import intake, lifecycle, replies
from tickets.replies import Author, Reply
from tickets.states import Channel, Delivery, Status


@contextlib.contextmanager
def at_most(db: Any, statements: int) -> Iterator[None]:
    """Fail when more statements run inside, or less than half as many: then the number here says nothing any more."""
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = getattr(db.engine, "sync_engine", db.engine)
    event.listen(engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert statements / 2 < len(seen) <= statements, "\n".join(seen)


async def test_a_chat_from_hello_to_resolved(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    await desk.decide()
    with at_most(db, 32):
        chat = await desk.writes(who="visitor-one-0001", text="Hello, where is my order?")
    with at_most(db, 10):
        await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    with at_most(db, 12):
        await db.write(offers.accept, offer.id, agent, now=desk.now)
    with at_most(db, 9):
        await desk.relay()
    author = Author(agent, "one")
    with at_most(db, 6):
        await db.write(replies.reply, chat.ticket_id, Reply("It left yesterday."), author=author, now=desk.now)
    with at_most(db, 9):
        await desk.relay()
    with at_most(db, 4):
        await db.write(lifecycle.resolve, chat.ticket_id, user_id=agent, now=desk.now)
    with at_most(db, 26):
        await desk.relay()
    with at_most(db, 6):
        await db.write(handling.finish, chat.ticket_id, agent, now=desk.now)


async def test_a_status_a_field_and_a_note(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent(here=False)
    mail = await desk.writes(Channel.EMAIL)
    with at_most(db, 4):
        await db.write(lifecycle.set_status, mail.ticket_id, Status.PENDING, user_id=agent, now=desk.now)
    with at_most(db, 4):
        await db.write(lifecycle.set_fields, mail.ticket_id, user_id=agent, subject="Another one", now=desk.now)
    with at_most(db, 5):
        await db.write(replies.note, mail.ticket_id, "Checked.", author=Author(agent, "a"), now=desk.now)


@pytest.mark.parametrize("count", [1, 20])
async def test_claiming_what_is_due_costs_the_same_however_much_it_is(db: Database, count: int):
    desk = await Desk.open(db)
    agent = await desk.agent(here=False)
    for _ in range(count):
        mail = await desk.writes(Channel.EMAIL)
        answer = Reply("Here you are.", undo=timedelta(0))
        await db.write(replies.reply, mail.ticket_id, answer, author=Author(agent), now=desk.now)
    with at_most(db, 2):
        claimed = await db.write(delivery.claim, ["email"], desk.now)
    assert len(claimed) == count
    outcome = delivery.Outcome(Delivery.SENT, Sent(external_id="x"))
    with at_most(db, 4):
        await db.write(delivery.record, *claimed[0], outcome, desk.now)
    with at_most(db, 1):
        assert await db.write(delivery.claim, ["email"], desk.now) == []


@pytest.mark.parametrize("count", [1, 20])
async def test_handling_messages_costs_the_same_however_many_they_are(db: Database, count: int):
    desk = await Desk.open(db)
    people = [f"visitor-{number:03d}-long-enough" for number in range(count)]
    for who in people:
        await desk.writes(who=who)
    for who in people:
        again = inbound(desk.accounts[Channel.CHAT], sender=who, text="Are you there?")
        await db.write(intake.receive, again, now=desk.now)
    with at_most(db, 8):
        assert await db.write(relay_batch, HANDLERS, desk.now) == count
