"""Blocked senders: their messages end in the journal, counted, and a person can let them through."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_user
from tickets import blocking, blocks, inbox, intake
from tickets.blocking import Way
from tickets.blocks import Block, Scope
from tickets.inbound import Address, InboundMessage
from tickets.models import JournalItem, Ticket
from tickets.states import Channel, ContactKind, MessageKind


def sms(account: int) -> InboundMessage:
    return inbound(account, sender="+84903123456", raw=b"Body=hello")


def mail(account: int, sender: str) -> InboundMessage:
    return inbound(account, channel=Channel.EMAIL, sender=sender, raw=b"From: x")


async def block(db: Database, scope: Scope, value: str, days: int | None = None) -> None:
    user_id = await db.write(make_user)
    until = None if days is None else NOW + timedelta(days=days)
    await db.write(blocks.add, scope, value, reason="rubbish", user_id=user_id, now=NOW, expires_at=until)


def tickets(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(Ticket)).scalar_one()


async def test_a_blocked_numbers_message_is_in_the_journal_only(db: Database) -> None:
    account = await db.write(make_account)
    await db.write(intake.receive, sms(account), now=NOW)
    await block(db, Scope.PHONE, "0903 123 456")
    message = sms(account)
    receipt = await db.write(intake.receive, message, now=NOW)
    assert (receipt.outcome, receipt.ticket_id) == ("suppressed", None)
    again = await db.write(intake.receive, message, now=NOW)
    assert again.outcome == "duplicate"
    states = await db.read(lambda tx: tx.execute(select(JournalItem.state).order_by(JournalItem.id)).scalars().all())
    assert states == ["accepted", "suppressed"]
    row = await db.read(lambda tx: tx.execute(select(Block.hits, Block.last_hit_at)).one())
    assert tuple(row) == (1, NOW)
    assert await db.read(tickets) == 1


async def test_a_domain_blocks_its_subdomains_and_no_other(db: Database) -> None:
    account = await db.write(make_account, Channel.EMAIL)
    await block(db, Scope.DOMAIN, "@Spam.example")
    outcomes = [
        (await db.write(intake.receive, mail(account, sender), now=NOW)).outcome
        for sender in ("a@spam.example", "b@mail.spam.example", "c@notspam.example")
    ]
    assert outcomes == ["suppressed", "suppressed", "accepted"]


async def test_a_block_ends_by_itself_and_can_be_lifted(db: Database) -> None:
    account = await db.write(make_account)
    await block(db, Scope.PHONE, "+84903123456", days=1)
    assert (await db.write(intake.receive, sms(account), now=NOW)).outcome == "suppressed"
    assert (await db.write(intake.receive, sms(account), now=NOW + timedelta(days=2))).outcome == "accepted"
    await block(db, Scope.PHONE, "+84903123456")
    assert (await db.write(intake.receive, sms(account), now=NOW)).outcome == "suppressed"
    block_id = await db.read(lambda tx: tx.execute(select(Block.id)).scalar_one())
    await db.write(blocks.lift, block_id, user_id=1, now=NOW)
    assert (await db.write(intake.receive, sms(account), now=NOW)).outcome == "accepted"
    assert await db.read(blocks.in_force, NOW) == []
    with pytest.raises(NotFound):
        await db.write(blocks.lift, block_id, user_id=1, now=NOW)


async def test_a_released_item_becomes_a_conversation_although_the_block_stays(db: Database) -> None:
    account = await db.write(make_account)
    await block(db, Scope.PHONE, "+84903123456")
    message = sms(account)
    await db.write(intake.receive, message, now=NOW)
    item_id = await db.read(lambda tx: tx.execute(select(JournalItem.id)).scalar_one())
    await db.write(inbox.release, item_id, now=NOW)
    receipt = await db.write(intake.receive, replace(message, journal_id=item_id), now=NOW)
    assert (receipt.outcome, receipt.created) == ("accepted", True)
    with pytest.raises(NotFound):
        await db.write(inbox.release, item_id, now=NOW)


async def test_calls_are_stopped_before_they_are_messages(db: Database) -> None:
    account = await db.write(make_account)
    await block(db, Scope.PHONE, "+84903123456")
    call = replace(sms(account), kind=MessageKind.CALL)
    assert (await db.write(intake.receive, call, now=NOW)).outcome == "accepted"


async def test_a_person_of_a_messaging_app_is_blocked_by_their_account_there(db: Database) -> None:
    account = await db.write(make_account, Channel.MESSAGING)
    await block(db, Scope.HANDLE, f"{account}:user-1")
    outcomes = []
    for person in ("user-1", "user-2"):
        sender = Address(ContactKind.HANDLE, f"{account}:{person}")
        said = replace(inbound(account, channel=Channel.MESSAGING, raw=b"{}"), sender=sender)
        outcomes.append((await db.write(intake.receive, said, now=NOW)).outcome)
    assert outcomes == ["suppressed", "accepted"]


async def test_a_conversation_offers_what_its_sender_can_be_blocked_by(db: Database) -> None:
    user_id = await db.write(make_user)
    mailbox, line = await db.write(make_account, Channel.EMAIL), await db.write(make_account)
    free = (await db.write(intake.receive, mail(mailbox, "a@yahoo.com.vn"), now=NOW)).ticket_id
    firm = (await db.write(intake.receive, mail(mailbox, "b@ads.example"), now=NOW)).ticket_id
    text = (await db.write(intake.receive, sms(line), now=NOW)).ticket_id
    assert None not in (free, firm, text)
    assert await db.read(blocking.ways, free, now=NOW) == [
        Way(Scope.EMAIL, "a@yahoo.com.vn"),
        Way(Scope.DOMAIN, "yahoo.com.vn", everybody=True),
    ]
    assert await db.read(blocking.ways, text, now=NOW) == [Way(Scope.PHONE, "+84903123456")]
    given = {"user_id": user_id, "now": NOW}
    await db.write(blocking.block_sender, firm, Scope.DOMAIN, days=7, as_spam=True, reason="ads", **given)
    assert (await db.write(intake.receive, mail(mailbox, "c@ads.example"), now=NOW)).outcome == "suppressed"
    [row] = await db.read(blocks.in_force, NOW)
    assert (row.value, row.reason, row.expires_at) == ("ads.example", "ads", NOW + timedelta(days=7))
    statuses = await db.read(lambda tx: tx.execute(select(Ticket.status).order_by(Ticket.id)).scalars().all())
    assert statuses == ["new", "spam", "new"]
    for ticket_id, scope in ((free, Scope.DOMAIN), (text, Scope.EMAIL)):
        with pytest.raises(Invalid):
            await db.write(blocking.block_sender, ticket_id, scope, **given)


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        (Scope.EMAIL, "nobody"),
        (Scope.PHONE, "abc"),
        (Scope.DOMAIN, "gmail.com"),
        (Scope.DOMAIN, "hotmail.co.uk"),
        (Scope.EMAIL, "support@shop.test"),
    ],
)
async def test_what_cannot_be_blocked_is_refused(db: Database, scope: Scope, value: str) -> None:
    await db.write(make_account, Channel.EMAIL)
    with pytest.raises(Invalid):
        await db.write(blocks.add, scope, value, reason="", user_id=1, now=NOW)
