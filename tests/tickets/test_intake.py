"""Intake on both databases: one ticket a matter, one message an external id, gap-free numbers."""

import asyncio
from datetime import timedelta

from sqlalchemy import Connection, func, select

from contact_center.core.db import Database
from contact_center.core.events import EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket
from tickets import intake, lifecycle
from tickets.models import ContactPoint, Customer, JournalItem, Message, Ticket
from tickets.states import Channel, Status


def event_names(tx: Connection) -> list[str]:
    return list(tx.execute(select(EventRow.name).order_by(EventRow.id)).scalars())


def count(tx: Connection, model: type) -> int:
    return tx.execute(select(func.count()).select_from(model)).scalar_one()


async def test_the_first_message_opens_a_ticket(db: Database) -> None:
    receipt = await db.write(make_ticket, text="Where is my order?")
    ticket = await db.read(lambda tx: tx.execute(select(Ticket.__table__)).one())
    assert (receipt.outcome, receipt.created, receipt.seq, receipt.public_seq) == ("accepted", True, 1, 1)
    assert (ticket.status, ticket.subject, ticket.waiting_since) == ("new", "Where is my order?", NOW)
    assert "ticket.created" in await db.read(event_names)
    assert "message.created" in await db.read(event_names)


async def test_the_next_message_of_the_thread_is_appended(db: Database) -> None:
    account = await db.write(make_account)
    first = await db.write(intake.receive, inbound(account), now=NOW)
    second = await db.write(intake.receive, inbound(account), now=NOW + timedelta(minutes=1))
    assert (second.ticket_id, second.seq, second.matched_by) == (first.ticket_id, 2, "thread")
    assert await db.read(count, Customer) == 1


async def test_the_same_external_id_is_taken_once(db: Database) -> None:
    account = await db.write(make_account)
    message = inbound(account)
    first = await db.write(intake.receive, message, now=NOW)
    again = await db.write(intake.receive, message, now=NOW)
    assert (again.outcome, again.message_id, again.seq) == ("duplicate", first.message_id, 1)
    assert await db.read(count, Message) == 1


async def test_a_reply_to_a_waiting_ticket_opens_it(db: Database) -> None:
    account = await db.write(make_account)
    first = await db.write(intake.receive, inbound(account), now=NOW)
    await db.write(lifecycle.set_status, first.ticket_id, Status.PENDING, user_id=None, now=NOW)
    await db.write(intake.receive, inbound(account), now=NOW)
    ticket = await db.read(lambda tx: tx.execute(select(Ticket.__table__)).one())
    assert ticket.status == "open"


async def test_a_ticket_resolved_this_week_is_reopened(db: Database) -> None:
    account = await db.write(make_account)
    first = await db.write(intake.receive, inbound(account), now=NOW)
    await db.write(lifecycle.resolve, first.ticket_id, user_id=None, now=NOW)
    receipt = await db.write(intake.receive, inbound(account), now=NOW + timedelta(days=6))
    ticket = await db.read(lambda tx: tx.execute(select(Ticket.__table__)).one())
    assert receipt.ticket_id == first.ticket_id
    assert (ticket.status, ticket.reopened, ticket.resolved_at) == ("open", 1, None)
    assert "ticket.reopened" in await db.read(event_names)


async def test_a_ticket_resolved_long_ago_is_left_alone(db: Database) -> None:
    account = await db.write(make_account)
    first = await db.write(intake.receive, inbound(account), now=NOW)
    await db.write(lifecycle.resolve, first.ticket_id, user_id=None, now=NOW)
    receipt = await db.write(intake.receive, inbound(account), now=NOW + timedelta(days=8))
    assert receipt.created
    assert receipt.ticket_id != first.ticket_id


async def test_automated_mail_wakes_nobody(db: Database) -> None:
    account = await db.write(make_account, Channel.EMAIL)
    first = await db.write(
        intake.receive,
        inbound(account, channel=Channel.EMAIL, sender="ann@example.test", own_reference="<1@x>"),
        now=NOW,
    )
    await db.write(lifecycle.set_status, first.ticket_id, Status.PENDING, user_id=None, now=NOW)
    await db.write(
        intake.receive,
        inbound(
            account,
            channel=Channel.EMAIL,
            sender="ann@example.test",
            references=("<1@x>",),
            automated=True,
            text="I am out of office",
        ),
        now=NOW,
    )
    ticket = await db.read(lambda tx: tx.execute(select(Ticket.__table__)).one())
    assert (ticket.status, ticket.seq) == ("pending", 3)


async def test_a_reference_of_somebody_else_does_not_open_the_door(db: Database) -> None:
    account = await db.write(make_account, Channel.EMAIL)
    first = await db.write(
        intake.receive,
        inbound(account, channel=Channel.EMAIL, sender="ann@example.test", own_reference="<1@x>"),
        now=NOW,
    )
    other = await db.write(
        intake.receive,
        inbound(account, channel=Channel.EMAIL, sender="eve@example.test", references=("<1@x>",)),
        now=NOW,
    )
    assert other.ticket_id != first.ticket_id


async def test_concurrent_messages_leave_no_gap_and_no_double(db: Database) -> None:
    account = await db.write(make_account)
    messages = [inbound(account, external_id=f"m{n}") for n in range(40)]
    await asyncio.gather(*(db.write(intake.receive, m, now=NOW) for m in [*messages, *messages]))

    def look(tx: Connection) -> tuple[list[int], int, int, int]:
        seqs = list(tx.execute(select(Message.seq).order_by(Message.seq)).scalars())
        return seqs, count(tx, Ticket), count(tx, JournalItem), count(tx, ContactPoint)

    assert await db.read(look) == (list(range(1, 41)), 1, 40, 1)
    assert await db.read(count, Customer) == 1
