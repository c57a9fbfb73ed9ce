"""Receipts: with the number, in the customer's language, once, and never to robots."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from contact_center.core.db import Database
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_ticket, make_user
from tickets import acknowledge, intake, lifecycle, replies
from tickets.acknowledge import receipt_text
from tickets.hours import always_open, office_hours
from tickets.models import Message, Ticket
from tickets.opening import Opening, open_
from tickets.replies import Author, Reply
from tickets.states import Channel, Status


def relay(tx: Connection) -> None:
    for row in tx.execute(select(EventRow.id, EventRow.payload).where(EventRow.name == "ticket.created")).all():
        acknowledge.on_ticket_created(tx, Event(row.id, "ticket.created", row.payload, NOW), NOW)


def sent(tx: Connection) -> list[Any]:
    return list(tx.execute(select(Message.__table__).where(Message.kind == "outbound").order_by(Message.id)))


def text(tx: Connection, **values: Any) -> int:
    return make_ticket(tx, **values).ticket_id or 0


async def test_a_new_text_gets_its_number_once(db: Database) -> None:
    ticket = await db.write(text)
    await db.write(relay)
    await db.write(relay)
    [receipt] = await db.read(sent)
    assert f"#{ticket + 99}" in receipt.text
    assert (receipt.automatic, receipt.delivery, receipt.meta["purpose"]) == (True, "queued", "receipt")
    row = await db.read(
        lambda tx: tx.execute(select(Ticket.status, Ticket.first_response_at, Ticket.waiting_since)).one()
    )
    assert (row.status, row.first_response_at, row.waiting_since) == ("new", None, NOW)


async def test_robots_get_nothing(db: Database) -> None:
    await db.write(lambda tx: text(tx, automated=True))
    await db.write(relay)
    assert await db.read(sent) == []


async def test_a_queue_may_want_none_and_an_answered_matter_needs_none(sqlite_db: Database) -> None:
    silent = await sqlite_db.write(
        lambda tx: make_account(tx, queue_id=make_queue(tx, acknowledge=False), address="+15005550009")
    )
    await sqlite_db.write(intake.receive, inbound(silent), now=NOW)
    ticket = await sqlite_db.write(text)
    agent = await sqlite_db.write(make_user)
    await sqlite_db.write(replies.reply, ticket, Reply("Hello"), author=Author(agent), now=NOW)
    await sqlite_db.write(relay)
    assert [message.text for message in await sqlite_db.read(sent)] == ["Hello"]


async def test_chats_and_conversations_we_begin_get_none(sqlite_db: Database) -> None:
    await sqlite_db.write(lambda tx: make_ticket(tx, channel=Channel.CHAT, sender="3c9d77e0a1b2"))
    agent = await sqlite_db.write(make_user)
    queue = await sqlite_db.write(make_queue)
    opening = Opening("Letter", queue, Channel.DESK, customer_id=1)
    await sqlite_db.write(open_, opening, author=Author(agent), now=NOW)
    await sqlite_db.write(relay)
    assert await sqlite_db.read(sent) == []


async def test_a_burst_from_one_address_is_not_echoed(sqlite_db: Database) -> None:
    account = await sqlite_db.write(make_account)
    for number in range(6):
        receipt = await sqlite_db.write(intake.receive, inbound(account), now=NOW + timedelta(hours=number))
        await sqlite_db.write(relay)
        closed = Status.CLOSED
        await sqlite_db.write(lifecycle.set_status, receipt.ticket_id, closed, user_id=None, now=NOW)
    assert len(await sqlite_db.read(sent)) == 3


async def test_a_suppressed_address_is_left_in_peace(sqlite_db: Database) -> None:
    await sqlite_db.write(text)
    suppress = "UPDATE contact_points SET suppressed_reason = 'bounced'"
    await sqlite_db.write(lambda tx: tx.exec_driver_sql(suppress).rowcount)
    await sqlite_db.write(relay)
    assert await sqlite_db.read(sent) == []


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "open again on Monday, 2 November, 09:00"), ("vi", "trở lại vào")]
)
def test_outside_hours_it_says_when_somebody_will_be_there(locale: str, words: str) -> None:
    sunday = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert words in receipt_text(locale, 1, office_hours("Asia/Ho_Chi_Minh"), sunday)
    assert words not in receipt_text(locale, 1, always_open(), sunday)


async def test_the_customers_language_goes_before_the_queues(sqlite_db: Database) -> None:
    await sqlite_db.write(lambda tx: text(tx, text="Alo", locale="vi"))
    await sqlite_db.write(lambda tx: tx.execute(update(Ticket).values(locale="en")).rowcount)
    await sqlite_db.write(relay)
    assert "Mã yêu cầu là #" in (await sqlite_db.read(sent))[0].text
