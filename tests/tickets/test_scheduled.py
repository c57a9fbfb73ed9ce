"""Replies that leave later: once, at their moment, as their author's; held back when the customer writes before it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tests.tickets.test_sla_clocks import clocks, make_promising_queue, relay
from tickets import draft_files, intake, lifecycle, notifications, replies, scheduled
from tickets.drafts import Draft
from tickets.inbound import StoredFile
from tickets.models import Attachment, ContactPoint, Message, Ticket
from tickets.notifications import Notification, What
from tickets.replies import Author, Reply
from tickets.scheduled import ScheduledReply
from tickets.sla import Metric
from tickets.states import Channel, MessageKind, Status

HOUR = timedelta(hours=1)
LATER = NOW + 20 * HOUR
ZONE = "Asia/Ho_Chi_Minh"
FILE = StoredFile("b" * 64, "bill.pdf", "application/pdf", 8)


def make_mail(tx: Connection) -> dict[str, int]:
    account_id = make_account(tx, Channel.EMAIL, queue_id=make_promising_queue(tx))
    opened = make_ticket(tx, account_id=account_id, channel=Channel.EMAIL, sender="an@shop.vn", now=NOW - HOUR)
    assert opened.ticket_id
    return {"ticket": opened.ticket_id, "agent": make_user(tx), "account": account_id}


def plan(tx: Connection, at: dict[str, int], text: str = "It ships.", **values: Any) -> int:
    author = Author(at["agent"], values.pop("client_id", None))
    given = {"send_at": LATER, "zone": ZONE, "now": NOW, **values}
    return scheduled.schedule(tx, at["ticket"], Reply(text, attachments=(FILE,)), author=author, **given)


def write_back(tx: Connection, at: dict[str, int], now: Any, **values: Any) -> None:
    mail = inbound(at["account"], channel=Channel.EMAIL, sender="an@shop.vn", ticket_token=at["ticket"], **values)
    intake.receive(tx, mail, now=now)


def row(tx: Connection, model: Any, *where: Any) -> Any:
    return tx.execute(select(model.__table__).where(*where)).first()


def answers(tx: Connection) -> list[Any]:
    return list(tx.execute(select(Message.__table__).where(Message.kind == MessageKind.OUTBOUND.value)))


def tell(tx: Connection) -> None:
    """The relay, for the handlers that this is about."""
    handlers = {
        "message.created": scheduled.on_message_created,
        "reply.schedule_changed": notifications.on_schedule_changed,
    }
    for _ in range(2):
        for told in tx.execute(select(EventRow.__table__).where(EventRow.name.in_(handlers))).all():
            handlers[told.name](tx, Event(told.id, told.name, told.payload, told.created_at), NOW)


async def run(db: Database, now: Any) -> int:
    """The loop at a moment; how many steps did something."""
    steps = 0
    while await db.write(scheduled.send_next, now):
        steps += 1
    return steps


async def test_until_its_moment_nothing_was_said(db: Database) -> None:
    at = await db.write(make_mail)
    await db.write(plan, at)
    await db.write(relay)
    assert await run(db, LATER - timedelta(seconds=1)) == 0
    ticket = await db.read(row, Ticket)
    assert (await db.read(answers), ticket.waiting_since, ticket.first_response_at) == ([], NOW - HOUR, None)
    assert (await db.read(clocks, at["ticket"]))[Metric.FIRST_RESPONSE].ended_at is None
    [waiting] = await db.read(scheduled.open_of, at["ticket"])
    assert (waiting.to, waiting.zone, waiting.send_at) == ("an@shop.vn", ZONE, LATER)


async def test_at_its_moment_it_leaves_as_its_authors_with_its_files(db: Database) -> None:
    at = await db.write(make_mail)
    scheduled_id = await db.write(plan, at)
    assert await run(db, LATER) == 1
    [sent] = await db.read(answers)
    assert (sent.text, sent.user_id, sent.delivery, sent.send_after) == ("It ships.", at["agent"], "queued", LATER)
    assert (await db.read(row, Attachment)).filename == "bill.pdf"
    kept = await db.read(row, ScheduledReply, ScheduledReply.id == scheduled_id)
    assert (kept.state, kept.message_id) == ("sent", sent.id)
    assert (await db.read(row, Ticket)).first_response_at == LATER
    assert await run(db, LATER + HOUR) == 0


async def test_many_workers_send_it_once(db: Database) -> None:
    at = await db.write(make_mail)
    for number in range(5):
        await db.write(plan, at, f"part {number}")
    done = await asyncio.gather(*(run(db, LATER) for _ in range(6)))
    assert sum(done) == 5
    assert sorted(one.text for one in await db.read(answers)) == [f"part {number}" for number in range(5)]


async def test_the_same_post_again_schedules_once(db: Database) -> None:
    at = await db.write(make_mail)
    ids = [await db.write(plan, at, client_id="c1") for _ in range(2)]
    assert ids[0] == ids[1]
    assert await db.read(scheduled.is_known, Author(at["agent"], "c1"))


async def test_what_the_customer_writes_meanwhile_holds_it_back_and_tells_its_author(db: Database) -> None:
    at = await db.write(make_mail)
    scheduled_id = await db.write(plan, at)
    await db.write(write_back, at, NOW + HOUR)
    await db.write(tell)
    held = await db.read(row, ScheduledReply)
    assert (held.state, held.held_because) == ("held", scheduled.CUSTOMER_WROTE)
    told = await db.read(row, Notification)
    assert (told.what, told.user_id, told.ticket_id) == (What.HELD.value, at["agent"], at["ticket"])
    assert await run(db, LATER) == 0
    await db.write(scheduled.move, scheduled_id, send_at=LATER + HOUR, now=NOW + 2 * HOUR)
    assert await run(db, LATER + HOUR) == 1
    assert len(await db.read(answers)) == 1


async def test_the_customer_is_heard_even_before_any_handler_ran(db: Database) -> None:
    at = await db.write(make_mail)
    await db.write(plan, at)
    await db.write(write_back, at, LATER)
    assert await run(db, LATER) == 1
    assert (await db.read(row, ScheduledReply)).state == "held"
    assert await db.read(answers) == []


async def test_an_out_of_office_mail_holds_nothing_back(db: Database) -> None:
    at = await db.write(make_mail)
    await db.write(plan, at)
    await db.write(write_back, at, NOW + HOUR, automated=True)
    await db.write(tell)
    assert await run(db, LATER) == 1
    assert len(await db.read(answers)) == 1


async def test_a_colleagues_answer_and_a_resolved_ticket_hold_nothing_back(db: Database) -> None:
    at = await db.write(make_mail)
    await db.write(plan, at)
    colleague = await db.write(make_user)
    await db.write(replies.reply, at["ticket"], Reply("Soon."), author=Author(colleague), now=NOW + HOUR)
    await db.write(lifecycle.resolve, at["ticket"], user_id=colleague, now=NOW + HOUR)
    assert await run(db, LATER) == 1
    assert [one.text for one in await db.read(answers)] == ["Soon.", "It ships."]


async def test_what_cannot_leave_is_held_with_its_reason(db: Database) -> None:
    at = await db.write(make_mail)
    await db.write(plan, at)
    await db.write(lifecycle.set_status, at["ticket"], Status.CLOSED, user_id=None, now=NOW + HOUR)
    assert await run(db, LATER) == 1
    held = await db.read(row, ScheduledReply)
    assert (held.state, held.held_because.partition(".")[0]) == ("held", "This ticket is closed")
    with pytest.raises(Conflict, match="closed"):
        await db.write(scheduled.send_now, held.id, undo=timedelta(0), now=LATER)


async def test_a_colleague_sends_it_now_and_its_author_may_still_undo(db: Database) -> None:
    at = await db.write(make_mail)
    scheduled_id = await db.write(plan, at)
    await db.write(write_back, at, NOW + HOUR)
    await db.write(scheduled.send_now, scheduled_id, undo=timedelta(seconds=10), now=NOW + HOUR)
    [sent] = await db.read(answers)
    assert (sent.user_id, sent.send_after) == (at["agent"], NOW + HOUR + timedelta(seconds=10))
    with pytest.raises(Conflict, match="already been sent"):
        await db.write(scheduled.send_now, scheduled_id, undo=timedelta(0), now=NOW + HOUR)


async def test_taken_back_it_is_the_draft_of_who_took_it(db: Database) -> None:
    at = await db.write(make_mail)
    scheduled_id = await db.write(plan, at)
    colleague = await db.write(make_user)
    back = await db.write(scheduled.take_back, scheduled_id, user_id=colleague, now=NOW + HOUR)
    point = await db.read(row, ContactPoint)
    draft = await db.read(row, Draft)
    assert (draft.user_id, draft.channel, draft.text) == (colleague, f"email:{point.id}", "It ships.")
    assert await db.write(draft_files.take, at["ticket"], colleague, [back.files[0].id]) == (FILE,)
    assert await run(db, LATER) == 0
    with pytest.raises(Conflict, match="taken this reply back"):
        await db.write(scheduled.take_back, scheduled_id, user_id=colleague, now=NOW + HOUR)


async def test_a_moment_must_be_ahead_and_the_ticket_writable(db: Database) -> None:
    at = await db.write(make_mail)
    for wrong in (NOW, NOW - HOUR, NOW + timedelta(days=400)):
        with pytest.raises(Invalid, match="future"):
            await db.write(plan, at, send_at=wrong)
    with pytest.raises(NotFound):
        await db.write(scheduled.move, 9999, send_at=LATER, now=NOW)
    await db.write(lifecycle.set_status, at["ticket"], Status.CLOSED, user_id=None, now=NOW)
    with pytest.raises(Conflict, match="follow-up"):
        await db.write(plan, at)


async def test_it_sets_the_status_when_it_leaves(db: Database) -> None:
    at = await db.write(make_mail)

    def planned(tx: Connection, then: str) -> int:
        answer = Reply("It ships.", meta={"then": then})
        return scheduled.schedule(
            tx, at["ticket"], answer, send_at=LATER, zone=ZONE, author=Author(at["agent"]), now=NOW
        )

    await db.write(planned, "resolved")
    assert (await db.read(row, Ticket)).status != Status.RESOLVED.value
    assert await db.write(scheduled.send_next, LATER)
    ticket = await db.read(row, Ticket)
    assert (ticket.status, ticket.resolved_by_id, ticket.resolved_at) == (Status.RESOLVED.value, at["agent"], LATER)
    assert [answer.meta for answer in await db.read(answers)] == [{"then": "resolved", "scheduled": True}]


async def test_a_status_that_cannot_be_set_holds_it_back(sqlite_db: Database) -> None:
    at = await sqlite_db.write(make_mail)

    def planned(tx: Connection) -> None:
        answer = Reply("It ships.", meta={"then": "pending"})
        scheduled.schedule(tx, at["ticket"], answer, send_at=LATER, zone=ZONE, author=Author(at["agent"]), now=NOW)
        lifecycle.resolve(tx, at["ticket"], user_id=at["agent"], now=NOW)

    await sqlite_db.write(planned)
    assert await sqlite_db.write(scheduled.send_next, LATER)
    kept = await sqlite_db.read(row, ScheduledReply)
    assert (kept.state, kept.held_because) == ("held", "A ticket that is resolved cannot become pending.")
    assert await sqlite_db.read(answers) == []
