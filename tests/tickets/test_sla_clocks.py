"""SLA rows on both databases: what they say after each entry, in whatever order the events come."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from contact_center.core.db import Database
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_ticket, make_user
from tickets import assignments, intake, lifecycle, replies, service_levels, sla_clocks
from tickets.hours import calendar_data, office_hours
from tickets.models import Message, Ticket
from tickets.replies import Author, Reply
from tickets.sla import Clock, Metric, default_policy, policy_data
from tickets.sla_explain import Phase
from tickets.sla_history import explanations
from tickets.sla_models import SlaBook, SlaClock
from tickets.states import AssignmentReason, Channel, MessageKind, Priority, Status

MINUTES = timedelta(minutes=1)


def make_promising_queue(tx: Connection, **values: Any) -> int:
    policy = service_levels.create_policy(tx, f"policy {values}", policy_data(default_policy()))
    return make_queue(tx, sla_policy_id=policy, **values)


def open_ticket(tx: Connection, queue_id: int | None = None) -> int:
    account = make_account(tx, queue_id=queue_id or make_promising_queue(tx))
    ticket_id = make_ticket(tx, account_id=account).ticket_id
    assert ticket_id
    return ticket_id


def relay(tx: Connection, *, backwards: bool = False) -> None:
    """Run the handlers as the relay does, in whatever order."""
    rows = tx.execute(select(EventRow.id, EventRow.name, EventRow.payload, EventRow.created_at)).all()
    for row in sorted(rows, key=lambda row: row.id, reverse=backwards):
        event = Event(row.id, row.name, row.payload, row.created_at)
        if row.name == "message.created":
            sla_clocks.on_message(tx, event, NOW)
        elif row.name == "ticket.created":
            sla_clocks.on_ticket_created(tx, event, NOW)


def events(tx: Connection, name: str) -> list[dict[str, Any]]:
    return list(tx.execute(select(EventRow.payload).where(EventRow.name == name).order_by(EventRow.id)).scalars())


def clocks(tx: Connection, ticket_id: int) -> dict[Metric, Clock]:
    return {clock.metric: clock for clock in sla_clocks.clocks_of(tx, ticket_id)}


def due(tx: Connection, ticket_id: int) -> Any:
    return tx.execute(select(Ticket.sla_due_at).where(Ticket.id == ticket_id)).scalar_one()


async def test_a_new_ticket_gets_a_response_and_a_resolution_clock(db: Database) -> None:
    ticket = await db.write(open_ticket)
    await db.write(relay)
    found = await db.read(clocks, ticket)
    assert (found[Metric.FIRST_RESPONSE].started_at, found[Metric.FIRST_RESPONSE].target) == (NOW, 8 * 3600)
    assert found[Metric.RESOLUTION].target == 24 * 3600
    assert await db.read(due, ticket) == NOW + timedelta(hours=8)


async def test_an_answer_ends_the_response_and_the_next_question_starts_another(db: Database) -> None:
    ticket = await db.write(open_ticket)
    agent = await db.write(make_user)
    await db.write(replies.reply, ticket, Reply("Soon."), author=Author(agent), now=NOW + 5 * MINUTES)
    await db.write(relay)
    assert (await db.read(clocks, ticket))[Metric.FIRST_RESPONSE].ended_at == NOW + 5 * MINUTES
    account = await db.read(lambda tx: tx.execute(select(Ticket.channel_account_id)).scalar_one())
    await db.write(intake.receive, inbound(account), now=NOW + 60 * MINUTES)
    await db.write(relay)
    assert (await db.read(clocks, ticket))[Metric.NEXT_RESPONSE].started_at == NOW + 60 * MINUTES


async def test_an_automatic_reply_is_no_answer(db: Database) -> None:
    ticket = await db.write(open_ticket)
    await db.write(replies.reply, ticket, Reply("We got it.", automatic=True), author=replies.SYSTEM, now=NOW)
    await db.write(relay)
    assert (await db.read(clocks, ticket))[Metric.FIRST_RESPONSE].ended_at is None


async def test_pending_pauses_and_the_customers_answer_resumes(db: Database) -> None:
    ticket = await db.write(open_ticket)
    await db.write(lifecycle.set_status, ticket, Status.PENDING, user_id=None, now=NOW + 10 * MINUTES)
    account = await db.read(lambda tx: tx.execute(select(Ticket.channel_account_id)).scalar_one())
    await db.write(intake.receive, inbound(account), now=NOW + 70 * MINUTES)
    await db.write(relay)
    [pause] = (await db.read(clocks, ticket))[Metric.RESOLUTION].pauses
    assert (pause.since, pause.until, pause.reason) == (NOW + 10 * MINUTES, NOW + 70 * MINUTES, "pending")


def live_a_little(tx: Connection, ticket: int, other_queue: int) -> None:
    agent = make_user(tx)
    account = tx.execute(select(Ticket.channel_account_id).where(Ticket.id == ticket)).scalar_one()
    replies.reply(tx, ticket, Reply("One moment"), author=Author(agent), now=NOW + 7 * MINUTES)
    lifecycle.set_status(tx, ticket, Status.PENDING, user_id=agent, now=NOW + 8 * MINUTES)
    replies.note(tx, ticket, "Hm.", author=Author(agent), now=NOW + 9 * MINUTES)
    intake.receive(tx, inbound(account), now=NOW + 30 * MINUTES)
    lifecycle.set_fields(tx, ticket, user_id=agent, now=NOW + 31 * MINUTES, priority=Priority.URGENT)
    assignments.move_to_queue(tx, ticket, other_queue, now=NOW + 33 * MINUTES)
    replies.reply(tx, ticket, Reply("Done"), author=Author(agent), now=NOW + 90 * MINUTES)
    lifecycle.resolve(tx, ticket, user_id=agent, now=NOW + 95 * MINUTES)
    lifecycle.reopen(tx, ticket, user_id=agent, now=NOW + 200 * MINUTES)


async def test_events_in_any_order_and_twice_give_the_same_rows_as_recounting(db: Database) -> None:
    forward = await db.write(open_ticket)
    hours = await db.write(service_levels.create_calendar, "Office", calendar_data(office_hours("Asia/Ho_Chi_Minh")))
    other = await db.write(make_promising_queue, calendar_id=hours)
    await db.write(live_a_little, forward, other)
    await db.write(relay, backwards=True)
    await db.write(relay)
    counted = await db.read(clocks, forward)
    await db.write(sla_clocks.recount, forward, now=NOW)
    assert await db.read(clocks, forward) == counted
    breaches = await db.read(events, "sla.breached")
    assert sorted(breach["metric"] for breach in breaches) == ["next_response"]


async def test_the_loop_warns_once_and_then_announces_the_breach_once(db: Database) -> None:
    ticket = await db.write(open_ticket)
    await db.write(relay)
    assert await db.write(sla_clocks.run_due, NOW + timedelta(hours=5)) == 0
    assert await db.write(sla_clocks.run_due, NOW + timedelta(hours=6, minutes=1)) == 1
    account = await db.read(lambda tx: tx.execute(select(Ticket.channel_account_id)).scalar_one())
    await db.write(intake.receive, inbound(account), now=NOW + timedelta(hours=7))
    await db.write(relay)
    assert await db.write(sla_clocks.run_due, NOW + timedelta(hours=7)) == 0
    assert await db.write(sla_clocks.run_due, NOW + timedelta(hours=9)) == 1
    assert await db.write(sla_clocks.run_due, NOW + timedelta(hours=10)) == 0
    assert [event["metric"] for event in await db.read(events, "sla.warning")] == ["first_response"]
    [breach] = await db.read(events, "sla.breached")
    assert (breach["ticket_id"], breach["metric"]) == (ticket, "first_response")


async def test_other_hours_count_from_the_moment_they_change(db: Database) -> None:
    calendar = await db.write(service_levels.create_calendar, "Hours", calendar_data(office_hours()))
    queue = await db.write(make_promising_queue, calendar_id=calendar)
    ticket = await db.write(open_ticket, queue)
    await db.write(relay)
    assert await db.read(due, ticket) == NOW + timedelta(hours=8)
    short = calendar_data(office_hours()) | {"holidays": ["2026-11-02"]}
    await db.write(service_levels.change_calendar, calendar, short, now=NOW + timedelta(hours=2))
    payload = (await db.read(events, "service_level.changed"))[0]
    event = Event(1, "service_level.changed", payload, NOW + timedelta(hours=2))
    await db.write(sla_clocks.on_service_level_changed, event, NOW + timedelta(hours=2))
    assert await db.read(due, ticket) == NOW + timedelta(days=1, hours=6)


async def test_without_a_policy_nothing_is_due(sqlite_db: Database) -> None:
    ticket = await sqlite_db.write(lambda tx: open_ticket(tx, make_queue(tx)))
    await sqlite_db.write(relay)
    assert await sqlite_db.read(due, ticket) is None
    assert len(await sqlite_db.read(clocks, ticket)) == 2


async def test_a_call_waits_while_it_rings_and_talking_is_an_answer(db: Database) -> None:
    policy_queue = await db.write(make_promising_queue)
    account = await db.write(lambda tx: make_account(tx, Channel.PHONE, queue_id=policy_queue))
    ringing = {"call": {"direction": "in", "state": "ringing", "wait_seconds": 0}}
    call = inbound(account, channel=Channel.PHONE, kind=MessageKind.CALL, meta=ringing)
    receipt = await db.write(intake.receive, call, now=NOW)
    await db.write(relay)
    assert (await db.read(clocks, receipt.ticket_id))[Metric.FIRST_RESPONSE].ended_at is None
    answered = {"call": {"direction": "in", "state": "answered", "wait_seconds": 18}}
    change = update(Message).where(Message.id == receipt.message_id).values(meta=answered)
    await db.write(lambda tx: tx.execute(change).rowcount)
    event = Event(1, "message.updated", {"ticket_id": receipt.ticket_id, "message_id": receipt.message_id}, NOW)
    await db.write(sla_clocks.on_message_updated, event, NOW)
    counted = await db.read(clocks, receipt.ticket_id)
    assert counted[Metric.FIRST_RESPONSE].ended_at == NOW + timedelta(seconds=18)
    await db.write(sla_clocks.recount, receipt.ticket_id, now=NOW)
    assert await db.read(clocks, receipt.ticket_id) == counted


async def test_entries_that_change_nothing_are_written_down_now_and_then(sqlite_db: Database) -> None:
    await sqlite_db.write(open_ticket)
    account = await sqlite_db.read(lambda tx: tx.execute(select(Ticket.channel_account_id)).scalar_one())

    def applied(tx: Connection) -> tuple[int, int]:
        return tx.execute(select(SlaBook.applied_seq)).scalar_one(), len(tx.execute(select(SlaClock.id)).all())

    await sqlite_db.write(relay)
    await sqlite_db.write(relay)
    assert await sqlite_db.read(applied) == (1, 2)
    for number in range(25):
        await sqlite_db.write(intake.receive, inbound(account), now=NOW + number * MINUTES)
        await sqlite_db.write(relay)
    assert await sqlite_db.read(applied) == (25, 2)


async def test_a_breach_is_told_by_who_held_the_ticket(db: Database) -> None:
    ticket = await db.write(open_ticket)
    lan = await db.write(make_user, name="Lan")
    tier = await db.write(lambda tx: make_queue(tx, "Tier 2"))

    def live(tx: Connection) -> None:
        assignments.assign(tx, ticket, lan, reason=AssignmentReason.TAKEN, now=NOW + 5 * 60 * MINUTES)
        assignments.move_to_queue(tx, ticket, tier, now=NOW + 6 * 60 * MINUTES)
        assignments.unassign(tx, ticket, end_reason="transferred", now=NOW + 6 * 60 * MINUTES)

    await db.write(live)
    await db.write(relay)
    [first, _] = await db.read(explanations, ticket, now=NOW + 10 * 60 * MINUTES)
    told = [(share.stage.phase, share.stage.queue, share.stage.agent, share.seconds / 3600) for share in first.shares]
    queue = told[0][1]
    assert told == [
        (Phase.WAITING, queue, "", 5),
        (Phase.OWNED, queue, "Lan", 1),
        (Phase.WAITING, "Tier 2", "", 4),
    ]
