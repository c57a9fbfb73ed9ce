"""Undo: a reply comes back while it waits, with everything that it had changed; once it is on its way, it stays."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from channels import delivery
from contact_center.core.db import Database
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user
from tests.tickets.test_sla_clocks import clocks, make_promising_queue, relay
from tickets import draft_files, drafts, lifecycle, replies, sla_clocks, taking_back
from tickets.draft_files import DraftFile
from tickets.drafts import Draft
from tickets.inbound import StoredFile
from tickets.models import Message, Ticket
from tickets.replies import Author, Reply
from tickets.sla import Metric
from tickets.states import Channel, Delivery, Status

SECOND = timedelta(seconds=1)
FILE = StoredFile("a" * 64, "bill.pdf", "application/pdf", 8)


def make_mail(tx: Connection) -> dict[str, int]:
    account_id = make_account(tx, Channel.EMAIL, queue_id=make_promising_queue(tx))
    opened = make_ticket(tx, account_id=account_id, channel=Channel.EMAIL, sender="an@shop.vn", now=NOW - SECOND)
    assert opened.ticket_id
    return {"ticket": opened.ticket_id, "agent": make_user(tx)}


def write(tx: Connection, at: dict[str, int], **values: Any) -> int:
    return replies.reply(tx, at["ticket"], Reply("It ships.", **values), author=Author(at["agent"]), now=NOW).message_id


def row(tx: Connection, model: Any, *where: Any) -> Any:
    return tx.execute(select(model.__table__).where(*where)).first()


def tell(tx: Connection) -> None:
    """The relay, for what clocks hear of messages that changed."""
    for told in tx.execute(select(EventRow.__table__).where(EventRow.name == "message.updated")).all():
        sla_clocks.on_message_updated(tx, Event(told.id, told.name, told.payload, told.created_at), NOW)


async def back(db: Database, at: dict[str, int], message_id: int, *, after: timedelta = 2 * SECOND) -> Any:
    return await db.write(taking_back.take_back, message_id, user_id=at["agent"], now=NOW + after)


async def test_the_text_and_the_files_are_a_draft_again(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at, attachments=(FILE,))
    given = await back(db, at, message_id)
    message = await db.read(row, Message, Message.id == message_id)
    draft, file = await db.read(row, Draft), await db.read(row, DraftFile)
    assert (message.delivery, given.text, given.key) == ("canceled", "It ships.", f"email:{message.contact_point_id}")
    assert (draft.channel, draft.text) == (given.key, "It ships.")
    assert (file.digest, file.filename, file.mode, file.user_id) == (FILE.digest, "bill.pdf", "reply", at["agent"])
    [taken] = await db.write(draft_files.take, at["ticket"], at["agent"], [given.files[0].id])
    assert taken == FILE


async def test_what_was_begun_since_stays_behind_it(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at)
    point = (await db.read(row, Message, Message.id == message_id)).contact_point_id
    await db.write(
        drafts.save, at["ticket"], at["agent"], f"email:{point}", "And also", begun_at_seq=2, now=NOW + SECOND
    )
    await back(db, at, message_id)
    assert (await db.read(row, Draft)).text == "It ships.\n\nAnd also"


async def test_the_customer_waits_again_and_the_clock_runs_on(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at)
    await db.write(relay)
    assert (await db.read(clocks, at["ticket"]))[Metric.FIRST_RESPONSE].ended_at == NOW
    assert (await db.read(row, Ticket)).waiting_since is None
    await back(db, at, message_id)
    await db.write(tell)
    ticket = await db.read(row, Ticket)
    assert (ticket.waiting_since, ticket.first_response_at, ticket.last_outbound_at) == (NOW - SECOND, None, None)
    assert ticket.preview == "Where is my order?"
    clock = (await db.read(clocks, at["ticket"]))[Metric.FIRST_RESPONSE]
    assert (clock.started_at, clock.ended_at) == (NOW - SECOND, None)


async def test_send_and_resolve_is_taken_back_as_one(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at, meta={"then": Status.RESOLVED.value})
    await db.write(lifecycle.resolve, at["ticket"], user_id=at["agent"], now=NOW)
    await back(db, at, message_id)
    ticket = await db.read(row, Ticket)
    assert (ticket.status, ticket.resolved_at, ticket.waiting_since) == ("open", None, NOW - SECOND)


async def test_what_has_left_stays(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at)
    assert await db.write(delivery.claim, ["email"], NOW + 9 * SECOND) == []
    [(claimed, _)] = await db.write(delivery.claim, ["email"], NOW + 10 * SECOND)
    assert claimed == message_id
    with pytest.raises(Conflict, match="already been sent"):
        await back(db, at, message_id, after=10 * SECOND)
    assert (await db.read(row, Message, Message.id == message_id)).delivery == Delivery.SENDING.value


async def test_what_was_tried_once_stays_while_it_waits_for_the_next_try(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at)
    tried = {"send_after": NOW + timedelta(hours=1), "delivery_error": "The connection broke off."}
    await db.write(lambda tx: tx.execute(update(Message).where(Message.id == message_id).values(**tried)))
    with pytest.raises(Conflict):
        await back(db, at, message_id)


async def test_nobody_takes_back_what_another_wrote(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at)
    other = await db.write(make_user)
    with pytest.raises(NotFound):
        await db.write(taking_back.take_back, message_id, user_id=other, now=NOW + SECOND)
    with pytest.raises(NotFound):
        await db.write(taking_back.take_back, 9999, user_id=other, now=NOW + SECOND)


async def test_without_undo_it_leaves_at_once(db: Database) -> None:
    at = await db.write(make_mail)
    message_id = await db.write(write, at, undo=timedelta(0))
    [(claimed, _)] = await db.write(delivery.claim, ["email"], NOW)
    assert claimed == message_id
