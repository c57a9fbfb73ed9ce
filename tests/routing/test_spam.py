"""A conversation marked as spam leaves every list and number, stays silent, and comes back as it was."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select, update

from contact_center.accounts.models import AuditEntry, User
from contact_center.core.db import Database
from contact_center.core.errors import Conflict
from contact_center.reports import live
from contact_center.reports.floor import Scope
from knowledge_base.models import Article
from routing import handling, offers
from tests.routing.desk import Desk
from tickets import counters, lifecycle, merging, replies, service_levels, sla_clocks, spam
from tickets.filters import Filters, View, filters_of
from tickets.models import Assignment, Message, Queue, Ticket
from tickets.notifications import Notification
from tickets.quality.models import Survey
from tickets.queries import list_tickets
from tickets.replies import Author, Reply
from tickets.sla import default_policy, policy_data
from tickets.states import Channel, Status

HOUR = timedelta(hours=1)


async def open_desk(db: Database) -> Desk:
    """A desk whose queue promises times."""
    desk = await Desk.open(db, acceptance={"deferred": "offer"})

    def promise(tx: Connection) -> None:
        policy = service_levels.create_policy(tx, "times", policy_data(default_policy()))
        tx.execute(update(Queue).where(Queue.id == desk.queue_id).values(sla_policy_id=policy))

    await db.write(promise)
    return desk


async def mark(desk: Desk, ticket_id: int, user_id: int) -> None:
    await desk.do(spam.mark, ticket_id, user_id=user_id)


async def in_list(desk: Desk, filters: Filters) -> list[int]:
    page = await desk.db.read(list_tickets, filters, user_id=0, now=desk.now)
    return [row.ticket_id for row in page.rows]


def said(tx: Connection) -> int:
    return tx.execute(select(func.count()).where(Message.kind == "outbound")).scalar_one()


async def test_what_waits_is_withdrawn_and_counted_nowhere(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    chat = (await desk.writes(Channel.CHAT, who="bot")).ticket_id
    await desk.decide()
    assert await desk.offered_to(chat) == agent
    await mark(desk, chat, agent)
    item, ticket = await desk.item(chat), await desk.ticket(chat)
    assert (item.state, (await desk.offer(chat)).state) == ("canceled", "canceled")
    assert (ticket.status, ticket.waiting_since, ticket.sla_due_at) == ("spam", None, None)
    assert (await desk.state(agent)).live_held == 0
    numbers = await desk.db.read(counters.view_counts, agent, now=desk.now)
    assert {view: number for view, number in numbers.items() if number} == {View.SPAM: 1}
    assert await in_list(desk, filters_of(View.SPAM, agent)) == [chat]
    for filters in (Filters(), filters_of(View.OPEN, agent), Filters(late=True), Filters(queue_ids=(desk.queue_id,))):
        assert await in_list(desk, filters) == []
    assert await in_list(desk, Filters(customer_id=ticket.customer_id)) == [chat], "marked in the customer's history"
    assert await desk.broken() == {}


async def test_answered_spam_is_in_no_number_of_the_board(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    chat = (await desk.writes(Channel.CHAT, who="bot")).ticket_id
    await desk.decide()
    await desk.do(offers.accept, (await desk.offer(chat)).id, agent)
    before = await desk.db.read(live.present, Scope(), zone="UTC", now=desk.now)
    assert (before.today.answered, before.agents[0].contacts) == (1, 1)
    await mark(desk, chat, agent)
    after = await desk.db.read(live.present, Scope(), zone="UTC", now=desk.now)
    assert (after.today.offered, after.agents[0].contacts, after.agents[0].live_held) == (0, 0, 0)
    assert after.in_queue == 0
    await desk.do(spam.unmark, chat, user_id=agent)
    back = await desk.db.read(live.present, Scope(), zone="UTC", now=desk.now)
    assert back.today.answered >= 1


async def test_its_clocks_end_without_a_breach_and_nothing_is_sent_or_learned(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    mail = (await desk.writes(Channel.SMS)).ticket_id
    sent = await desk.db.read(said)
    await desk.passes(hours=9)
    await mark(desk, mail, agent)
    clocks = await desk.db.read(sla_clocks.clocks_of, mail)
    assert [(clock.breached_at, clock.ended_at, clock.dropped_at) for clock in clocks] == [(None, None, desk.now)] * 2
    assert await desk.db.write(sla_clocks.run_due, desk.now + 99 * HOUR) == 0
    counts = [
        await desk.db.read(lambda tx, t=table: tx.execute(select(func.count(t.id))).scalar_one())
        for table in (Survey, Article)
    ]
    assert (counts, await desk.db.read(said)) == ([0, 0], sent)


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.CHAT])
async def test_what_its_sender_writes_later_is_kept_and_rings_nobody(db: Database, channel: Channel) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    who = "+49301234567" if channel is Channel.SMS else "bot"
    first = await desk.writes(channel, who=who)
    await mark(desk, first.ticket_id, agent)
    await desk.passes(hours=1)
    again = await desk.writes(channel, who=who, text="I want to complain about buying nothing!")
    assert (again.ticket_id, again.created) == (first.ticket_id, False)
    ticket = await desk.ticket(first.ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.sla_due_at, ticket.reopened, ticket.kind) == (
        "spam",
        None,
        None,
        0,
        "question",
    )
    assert (await desk.item(first.ticket_id)).state == "canceled"
    assert await desk.db.read(lambda tx: tx.execute(select(func.count(Notification.id))).scalar_one()) == 0


async def test_undoing_gives_back_owner_age_status_and_clocks(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    mail = (await desk.writes(Channel.EMAIL)).ticket_id
    await desk.do(handling.take, mail, agent)
    before, due = await desk.ticket(mail), (await desk.item(mail)).enqueued_at
    clocks = await desk.db.read(sla_clocks.clocks_of, mail)
    await desk.passes(minutes=10)
    await mark(desk, mail, agent)
    ends = await desk.db.read(lambda tx: tx.execute(select(Assignment.end_reason)).scalars().all())
    assert ((await desk.ticket(mail)).assignee_id, ends) == (None, ["spam"])
    await desk.passes(hours=2)
    await desk.do(spam.unmark, mail, user_id=agent)
    after, item = await desk.ticket(mail), await desk.item(mail)
    kept = ("status", "assignee_id", "waiting_since", "sla_due_at", "queue_id", "thread_key", "reopened", "resolved_at")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert (item.state, item.agent_id, item.enqueued_at) == ("assigned", agent, due)
    assert await desk.db.read(sla_clocks.clocks_of, mail) == clocks
    actions = await desk.db.read(
        lambda tx: tx.execute(select(AuditEntry.action).order_by(AuditEntry.id)).scalars().all()
    )
    assert actions[-2:] == ["ticket.marked_spam", "ticket.unmarked_spam"]
    assert await desk.broken() == {}


async def test_what_was_written_into_spam_counts_once_it_is_none(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    sms = await desk.writes(Channel.SMS, who="+49301234567")
    await desk.do(replies.reply, sms.ticket_id, Reply("Yes?"), author=Author(agent))
    await desk.do(lifecycle.resolve, sms.ticket_id, user_id=agent)
    await mark(desk, sms.ticket_id, agent)
    await desk.passes(hours=1)
    await desk.writes(Channel.SMS, who="+49301234567")
    wrote = desk.now
    await desk.passes(hours=1)
    await desk.do(spam.unmark, sms.ticket_id, user_id=agent)
    ticket = await desk.ticket(sms.ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.resolved_at) == ("open", wrote, None)
    assert ticket.sla_due_at == wrote + 8 * HOUR
    assert (await desk.item(sms.ticket_id)).state in {"queued", "reserved", "assigned"}


async def test_an_owner_who_has_left_gets_nothing_back(db: Database) -> None:
    desk = await open_desk(db)
    agent, other = await desk.agent(), await desk.agent(here=False)
    mail = (await desk.writes(Channel.EMAIL)).ticket_id
    await desk.do(handling.take, mail, other)
    await mark(desk, mail, agent)
    await desk.db.write(lambda tx: tx.execute(update(User).where(User.id == other).values(active=False)))
    await desk.do(spam.unmark, mail, user_id=agent)
    assert ((await desk.ticket(mail)).assignee_id, (await desk.item(mail)).state) == (None, "queued")


async def test_a_closed_conversation_whose_thread_goes_on_elsewhere_can_be_spam_too(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    old = (await desk.writes(Channel.SMS, who="+49301234567")).ticket_id
    await desk.do(lifecycle.set_status, old, Status.CLOSED, user_id=agent)
    new = (await desk.writes(Channel.SMS, who="+49301234567")).ticket_id
    assert new != old
    await mark(desk, old, agent)
    assert (await desk.writes(Channel.SMS, who="+49301234567")).ticket_id == new
    await desk.do(spam.unmark, old, user_id=agent)
    assert (await desk.ticket(old)).status == "closed"


async def test_what_is_spam_is_not_answered_merged_taken_or_moved_into(db: Database) -> None:
    desk = await open_desk(db)
    agent = await desk.agent()
    mail = (await desk.writes(Channel.EMAIL, who="a@shop.vn")).ticket_id
    other = (await desk.writes(Channel.EMAIL, who="a@shop.vn")).ticket_id
    await mark(desk, mail, agent)
    await mark(desk, mail, agent)
    for refused in (
        desk.do(replies.reply, mail, Reply("Hello"), author=Author(agent)),
        desk.do(handling.take, mail, agent),
        desk.do(merging.merge, other, mail, user_id=agent),
        desk.do(lifecycle.reopen, mail, user_id=agent),
        desk.do(spam.unmark, other, user_id=agent),
    ):
        with pytest.raises(Conflict):
            await refused
    await desk.do(spam.unmark, mail, user_id=agent)
    await desk.do(merging.merge, other, mail, user_id=agent)
    with pytest.raises(Conflict):
        await mark(desk, mail, agent)
    assert await desk.db.read(lambda tx: tx.execute(select(func.count(Ticket.id))).scalar_one()) == 2
