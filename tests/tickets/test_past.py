"""Messages of the past: closed tickets of their own day, joined by references, seen by nobody's handler."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.events import EventRow
from tests.conftest import NOW
from tests.factories import make_account, unique
from tickets import intake, past
from tickets.inbound import Address, InboundMessage
from tickets.models import JournalItem, Message, Ticket
from tickets.states import Channel, ContactKind


def mail(account_id: int, days_ago: float, **values: Any) -> InboundMessage:
    sender = Address(ContactKind.EMAIL, "anna@example.test", "Anna")
    at = NOW - timedelta(days=days_ago)
    made = InboundMessage(Channel.EMAIL, account_id, unique("past"), sender, "hello", subject="Order", sent_at=at)
    return replace(made, **values)


async def rows(db: Database, model: Any) -> list[Any]:
    return await db.read(lambda tx: list(tx.execute(select(model.__table__).order_by(model.id)).all()))


async def test_an_answer_of_the_past_joins_its_closed_ticket(db: Database) -> None:
    def story(tx: Connection) -> list[Any]:
        account = make_account(tx, Channel.EMAIL)
        first = past.remember(tx, mail(account, 9, own_reference="a@x"), now=NOW)
        second = past.remember(tx, mail(account, 8, references=("a@x",), own_reference="b@x"), now=NOW)
        stranger = Address(ContactKind.EMAIL, "eve@example.test")
        third = past.remember(tx, mail(account, 7, references=("b@x",), sender=stranger), now=NOW)
        again = past.remember(tx, mail(account, 9, external_id="once"), now=NOW)
        return [first, second, third, again, past.remember(tx, mail(account, 9, external_id="once"), now=NOW)]

    first, second, third, once, twice = await db.write(story)

    assert second.ticket_id == first.ticket_id
    assert (second.seq, second.matched_by) == (2, "reference")
    assert third.ticket_id != first.ticket_id
    assert (twice.outcome, twice.message_id) == ("duplicate", once.message_id)
    ticket = (await rows(db, Ticket))[0]
    assert (ticket.status, ticket.created_at, ticket.closed_at) == (
        "closed",
        NOW - timedelta(days=9),
        NOW - timedelta(days=8),
    )
    assert [row.created_at for row in await rows(db, Message)][:2] == [ticket.created_at, ticket.closed_at]
    assert "ticket.created" not in {row.name for row in await rows(db, EventRow)}
    assert {row.state for row in await rows(db, JournalItem)} == {"accepted"}


async def test_the_past_never_touches_a_ticket_that_lives(db: Database) -> None:
    def story(tx: Connection) -> list[Any]:
        account = make_account(tx, Channel.EMAIL)
        live = intake.receive(tx, mail(account, 0, own_reference="a@x"), now=NOW)
        old = past.remember(tx, mail(account, 1, references=("a@x",)), now=NOW)
        future = past.remember(tx, mail(account, -3), now=NOW)
        return [live, old, future]

    live, old, _ = await db.write(story)

    found = {row.id: row for row in await rows(db, Ticket)}
    assert old.ticket_id != live.ticket_id
    assert found[live.ticket_id].seq == 1
    assert max(row.created_at for row in found.values()) == NOW
