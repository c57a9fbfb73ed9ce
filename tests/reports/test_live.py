"""The board's numbers, recomputed from the rows of a real floor, on both databases."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from agent_ui.pages.board_view import tiles
from contact_center.accounts.permissions import Role
from contact_center.core.db import Database
from contact_center.reports.definitions import AGES, Metric
from contact_center.reports.floor import Board, Scope
from contact_center.reports.history import history
from contact_center.reports.live import day_start, present
from routing import handling, offers, presence
from routing.models import AgentState, Offer, QueueEntry, WorkItem
from routing.states import Presence
from tests.agent_ui.console import statements
from tests.factories import make_queue, make_user
from tests.routing.desk import Desk
from tickets.models import Queue, Ticket
from tickets.quality.models import Survey
from tickets.states import Channel

UTC = "UTC"


def read(tx: Connection, scope: Scope, now: datetime) -> Board:
    return Board(scope, present(tx, scope, zone=UTC, now=now), history(tx, scope, zone=UTC, now=now))


async def board(desk: Desk, scope: Scope | None = None) -> Board:
    return await desk.db.read(read, scope or Scope(), desk.now)


async def rows(db: Database, model: Any) -> list[Any]:
    return await db.read(lambda tx: list(tx.execute(select(model.__table__))))


async def answer(desk: Desk) -> None:
    """The agent accepts whatever is offered."""
    for offer in await rows(desk.db, Offer):
        if offer.state == "offered":
            await desk.do(offers.accept, offer.id, offer.agent_id)


async def a_morning(desk: Desk) -> tuple[int, int]:
    """Chats in time and late, one that gave up, mail in hand and waiting, an answer to the survey; two agents."""
    first, second = await desk.agent(), await desk.agent(here=False)
    for patience in (2, 3, 25):
        await desk.writes()
        await desk.decide()
        await desk.passes(seconds=patience)
        await answer(desk)
    await desk.do(presence.set_presence, first, Presence.AWAY, reason="Lunch", by_user_id=None)
    gone = await desk.writes()
    await desk.passes(seconds=40)
    await desk.db.write(_abandon, gone.ticket_id, desk.now)
    await desk.writes()
    for _ in range(2):
        await desk.writes(Channel.EMAIL)
    await desk.passes(minutes=7)
    await desk.db.write(_survey, gone.ticket_id, desk.now)
    return first, second


def _abandon(tx: Connection, ticket_id: int, now: datetime) -> None:
    tx.execute(update(QueueEntry).where(QueueEntry.ticket_id == ticket_id).values(exited_at=now, exit="abandoned"))
    tx.execute(update(WorkItem).where(WorkItem.ticket_id == ticket_id).values(state="canceled"))


def _survey(tx: Connection, ticket_id: int, now: datetime) -> None:
    ticket = tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one()
    for number, rating in enumerate((5, 4, 2)):
        values = {
            "ticket_id": ticket_id,
            "customer_id": ticket.customer_id,
            "queue_id": ticket.queue_id,
            "token": f"{ticket_id}-{number}",
            "state": "answered",
            "channel": "chat",
            "locale": "en",
            "due_at": now,
            "sent_at": now,
            "expires_at": now + timedelta(days=7),
            "resolved_at": now + timedelta(seconds=number),
            "rating": rating,
            "comment": "",
            "answered_at": now,
        }
        tx.execute(insert(Survey), values)


async def test_every_tile_is_what_its_rows_say(db: Database) -> None:
    desk = await Desk.open(db)
    await a_morning(desk)
    shown = {tile.metric: tile for tile in tiles(await board(desk))}

    live = [row for row in await rows(db, QueueEntry) if row.medium in ("chat", "call")]
    [target] = {row.target_seconds for row in await rows(db, Queue)}
    waits = {row.id: (row.exited_at - row.entered_at).total_seconds() for row in live if row.exited_at}
    answered = [waits[row.id] for row in live if row.exit == "answered"]
    left = [row for row in live if row.exit == "abandoned" and waits[row.id] >= 5]
    open_ = [row for row in await rows(db, WorkItem) if row.state in ("queued", "reserved") and row.pool == "live"]
    assert len(answered) == 3
    assert len(left) == 1
    assert len(open_) == 1

    in_time = sum(wait <= target for wait in answered)
    assert shown[Metric.SERVICE_LEVEL].value == pytest.approx(100 * in_time / 4)
    assert shown[Metric.ASA].value == pytest.approx(sum(answered) / 3)
    assert shown[Metric.ABANDONMENT].value == pytest.approx(25)
    assert shown[Metric.IN_QUEUE].value == 1
    assert shown[Metric.LONGEST_WAIT].since == min(row.waiting_since for row in open_)
    assert shown[Metric.AGENTS].value == sum(row.presence != "offline" for row in await rows(db, AgentState)) == 1
    assert shown[Metric.CSAT].value == pytest.approx(100 * 2 / 3)
    assert shown[Metric.CSAT].share.n == 3


async def test_deferred_work_is_counted_apart_from_live_work(db: Database) -> None:
    desk = await Desk.open(db)
    await a_morning(desk)
    now = desk.now
    deferred = (await board(desk)).present.deferred
    open_ = [
        row for row in await rows(db, WorkItem) if row.pool == "deferred" and row.state not in ("completed", "canceled")
    ]
    due = {row.id: row.sla_due_at for row in await rows(db, Ticket)}
    assert deferred.open == len(open_) == 2
    assert deferred.unowned == sum(row.agent_id is None for row in open_)
    assert deferred.oldest_since == min(row.enqueued_at for row in open_)
    assert deferred.breached == sum(bool(due[row.ticket_id] and due[row.ticket_id] <= now) for row in open_)
    assert sum(deferred.ages) == deferred.open
    assert len(deferred.ages) == len(AGES)


async def test_each_age_lies_in_one_group(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    ages = (timedelta(hours=1), timedelta(hours=5), timedelta(days=2), timedelta(days=5), timedelta(days=30))
    for age in ages:
        receipt = await desk.writes(Channel.EMAIL)
        await sqlite_db.write(_age, receipt.ticket_id, desk.now - age)
    assert (await board(desk)).present.deferred.ages == (1, 1, 1, 1, 1)


def _age(tx: Connection, ticket_id: int, at: datetime) -> None:
    tx.execute(update(WorkItem).where(WorkItem.ticket_id == ticket_id).values(enqueued_at=at))


async def test_the_agent_grid_shows_presence_load_contacts_and_missed_offers(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await desk.writes()
    await desk.decide()
    await answer(desk)
    await desk.writes()
    await desk.decide()
    await desk.passes(seconds=31)
    [line] = [one for one in (await board(desk)).present.agents if one.id == agent]
    assert (line.presence, line.activity, line.contacts, line.missed) == ("not_responding", "on_contact", 1, 1)
    assert (line.live, line.live_held) == (1, 25)


async def test_who_only_looks_on_is_no_agent(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    away = await desk.agent(here=False)
    supervisor = await sqlite_db.write(make_user, role=Role.SUPERVISOR)
    await desk.do(presence.set_presence, supervisor, Presence.OFFLINE)
    assert [line.id for line in (await board(desk)).present.agents] == [away]
    await desk.do(presence.set_presence, supervisor, Presence.AVAILABLE)
    assert {line.id for line in (await board(desk)).present.agents} == {supervisor, away}


async def test_a_scope_shows_one_queue_only(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    other = await sqlite_db.write(make_queue)
    await desk.agent()
    await desk.writes()
    shown = await board(desk, Scope(queue_id=other))
    assert [queue.id for queue in shown.present.queues] == [other]
    assert shown.present.in_queue == 0
    assert shown.present.waiting == ()
    assert shown.present.agents == ()


async def test_waits_of_yesterday_are_not_todays(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    await a_morning(desk)
    desk.now = day_start(desk.now, UTC) + timedelta(days=1, hours=1)
    assert (await board(desk)).present.today.offered == 0


async def test_the_same_time_last_week_is_compared_where_data_exist(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    await a_morning(desk)
    assert (await board(desk)).history.last_week is None
    before = (await board(desk)).present.today
    desk.now += timedelta(days=7)
    shown = await board(desk)
    assert shown.history.last_week == before
    change = next(tile for tile in tiles(shown) if tile.metric is Metric.IN_QUEUE).change
    assert change is None or change.before == shown.history.last_week_waiting


async def test_the_hour_in_steps_adds_up_to_what_ended_in_it(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    await a_morning(desk)
    shown = await board(desk)
    assert sum(moment.counts.offered for moment in shown.history.hour) == shown.present.today.offered
    assert shown.history.hour[-1].waiting == shown.present.in_queue


async def test_the_cost_does_not_grow_with_the_floor(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    await desk.agent()
    with statements() as small:
        await board(desk)
    for _ in range(4):
        await desk.agent(queues=(desk.queue_id, await sqlite_db.write(make_queue)))
        await desk.writes()
        await desk.writes(Channel.EMAIL)
    with statements() as large:
        await board(desk)
    assert len(small) == len(large) <= 22


async def test_work_taken_away_waits_again(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    await desk.agent()
    receipt = await desk.writes()
    await desk.decide()
    await answer(desk)
    assert (await board(desk)).present.in_queue == 0
    await desk.do(handling.requeue, receipt.ticket_id, by_user_id=None)
    assert (await board(desk)).present.in_queue == 1
