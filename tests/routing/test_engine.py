"""The engine's floor against the rows: what pokes and sweeps bring in, and what it explains."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import event

from contact_center.core.bus import Poke
from contact_center.core.db import Database, SqliteDatabase
from routing import contacts, explain, offers, presence, profiles, queries, queue_settings
from routing.engine import BATCH, Engine, Marks
from routing.states import Activity, Presence
from tests.routing.desk import Desk
from tickets import hours, queues
from tickets.models import Calendar
from tickets.states import Channel


def _listening(desk: Desk) -> list[Poke]:
    """Everything that is poked from now on also reaches the desk's engine."""
    heard: list[Poke] = []

    def hear(pokes: Sequence[Poke]) -> None:
        heard.extend(pokes)
        desk.engine.on_pokes(pokes)

    desk.db.after_commit = hear
    return heard


async def _decide_on_pokes(desk: Desk) -> int:
    marks, desk.engine._marks = desk.engine._marks, Marks()
    done = await desk.db.write(desk.engine.decide, marks, now=desk.now)
    desk.engine._touched = Marks()
    desk.engine._marks.merge(done.lost)
    return done.decided


async def test_pokes_alone_bring_the_floor_up_to_date(db: Database):
    desk = await Desk.open(db)
    await desk.decide()
    desk.engine._marks = Marks()
    _listening(desk)
    agent = await desk.agent()
    chat = await desk.writes()
    assert await _decide_on_pokes(desk) == 1
    await desk.do(offers.decline, (await desk.offer(chat.ticket_id)).id, agent)
    colleague = await desk.agent()
    assert await _decide_on_pokes(desk) == 1
    assert await desk.offered_to(chat.ticket_id) == colleague
    await desk.do(contacts.customer_left, chat.ticket_id)
    assert await _decide_on_pokes(desk) == 0
    assert not desk.engine.floor.works


async def test_what_an_engine_did_itself_makes_it_look_no_further(sqlite_db: SqliteDatabase):
    desk = await Desk.open(sqlite_db)
    _listening(desk)
    await desk.agent()
    chat = await desk.writes()
    await desk.engine.step()
    # No sweep may come between.
    desk.engine._swept_at = math.inf
    assert await desk.offered_to(chat.ticket_id) is not None
    begun: list[object] = []
    event.listen(sqlite_db.engine, "begin", begun.append)
    assert not await desk.engine.step()
    assert begun == []
    await desk.writes()
    await desk.engine.step()
    assert begun != []


async def test_more_than_one_batch_is_decided_without_another_poke(sqlite_db: SqliteDatabase):
    desk = await Desk.open(sqlite_db)
    _listening(desk)
    for _ in range(BATCH + 1):
        await desk.agent()
    chats = [await desk.writes() for _ in range(BATCH + 1)]
    assert await desk.engine.step()
    await desk.engine.step()
    assert None not in [await desk.offered_to(chat.ticket_id) for chat in chats]


async def test_a_sweep_finds_what_no_poke_told(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    chat = await desk.writes()
    done = await sqlite_db.write(desk.engine.decide, Marks(), now=desk.now)
    assert done.decided == 0
    done = await sqlite_db.write(desk.engine.decide, Marks(everything=True), now=desk.now)
    assert done.decided == 1
    assert await desk.offered_to(chat.ticket_id) == agent


async def test_a_transaction_that_failed_is_decided_again(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    chat = await desk.writes()

    def decide_and_fail(tx):
        desk.engine.decide(tx, Marks(everything=True), now=desk.now)
        raise RuntimeError("the process died here")

    with contextlib.suppress(RuntimeError):
        await db.write(decide_and_fail)
    assert await desk.offer(chat.ticket_id) is None
    done = await db.write(desk.engine.decide, Marks(), now=desk.now)
    assert done.decided == 1
    assert await desk.offered_to(chat.ticket_id) == agent
    assert await desk.broken() == {}


async def test_a_claim_that_is_lost_is_looked_at_again(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent(live=25)
    chats = [await desk.writes() for _ in range(2)]
    slow = Engine(db)
    await db.write(slow.refresh, Marks(everything=True), now=desk.now)
    await desk.decide()
    done = await db.write(slow.decide, Marks(), now=desk.now)
    assert (done.decided, done.again) == (0, True)
    await db.write(slow.decide, done.lost, now=desk.now)
    states = sorted([(await desk.item(chat.ticket_id)).state for chat in chats])
    assert states == ["queued", "reserved"]
    assert (await desk.state(agent)).live_held == 25
    assert await desk.broken() == {}


async def test_a_closed_queue_holds_its_work_and_an_emergency_close_too(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    await desk.agent()

    def close(tx):
        definition = hours.calendar_data(hours.office_hours())
        calendar_id = tx.execute(
            Calendar.__table__.insert().returning(Calendar.id), {"name": "Office", "definition": definition}
        ).scalar_one()
        queues.change(tx, desk.queue_id, {"calendar_id": calendar_id}, now=desk.now)

    await sqlite_db.write(close)
    opens, desk.now = desk.now, desk.now.replace(hour=6)
    await desk.writes()
    assert await desk.decide() == 0
    desk.now = opens
    assert await desk.decide() == 1
    routing = queue_settings.write({"closed": "fire alarm"})
    await sqlite_db.write(queues.change, desk.queue_id, {"routing": routing}, now=desk.now)
    await desk.writes()
    assert await desk.decide() == 0


async def test_language_is_a_wish_that_gives_way_after_a_while(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await sqlite_db.write(profiles.add_skill, "vi")
    chat = await desk.writes(text="Đơn hàng của tôi bao giờ mới giao vậy?")
    assert await desk.decide() == 0
    await desk.passes(seconds=30)
    assert await desk.decide() == 1
    assert await desk.offered_to(chat.ticket_id) == agent


async def test_why_me_and_why_not_me_are_stored_with_the_decision(db: Database):
    desk = await Desk.open(db)
    winner = await desk.agent()
    absent = await desk.agent(here=False)
    chat = await desk.writes()
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    why = await db.read(explain.of_offer, offer.id)
    assert (why.kind, why.record["agent"]) == ("offer", winner)
    assert [one["agent"] for one in why.record["candidates"]] == [winner]
    assert why.record["ruled_out"] == [{"agent": absent, "why": ["presence"]}]
    assert set(why.agents) == {winner, absent}
    assert await db.read(explain.why_not, offer.work_item_id, absent, desk.now) == ["presence"]
    assert await db.read(explain.of_work, offer.work_item_id, desk.now) is None


async def test_why_it_still_waits_is_explained_live(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(live=0)
    chat = await desk.writes()
    await desk.decide()
    item = await desk.item(chat.ticket_id)
    why = await sqlite_db.read(explain.of_work, item.id, desk.now)
    assert (why.record["ruled_out_counts"], why.record["ahead"]) == ({"pool": 1}, 0)
    assert await sqlite_db.read(explain.why_not, item.id, agent, desk.now) == ["pool"]


async def test_a_reset_is_stored_and_announced(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    await desk.do(offers.decline, (await desk.offer(chat.ticket_id)).id, agent)
    heard = _listening(desk)
    await desk.decide()
    assert any(poke.data.get("event") == "work_item.exhausted" for poke in heard)
    item = await desk.item(chat.ticket_id)
    assert (item.tried, item.round, (item.not_before - desk.now).total_seconds()) == ([], 1, 15)
    kinds = [one.kind for one in await sqlite_db.read(explain.history, item.id)]
    assert kinds == ["reset", "offer"]


async def test_an_agents_own_state_shows_what_the_offer_card_needs(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    chat, mail = await desk.writes(text="My parcel is wet"), await desk.writes(Channel.EMAIL)
    await desk.decide()
    own = await db.read(queries.own_state, agent, desk.now)
    [card] = own.offers
    assert (card.ticket_id, card.preview, card.why["agent"]) == (chat.ticket_id, "My parcel is wet", agent)
    assert (own.activity, own.live.held, own.deferred_items) == (Activity.INCOMING, 25, 1)
    assert (await desk.item(mail.ticket_id)).agent_id == agent
    assert await db.read(queries.own_state, 999_999, desk.now) is None


async def test_a_waiting_customer_is_told_their_place(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    await desk.writes()
    await desk.passes(seconds=1)
    chat = await desk.writes()
    wait = await sqlite_db.read(contacts.wait_of, chat.ticket_id, now=desk.now)
    assert (wait.position, wait.estimate_seconds, wait.is_open) == (2, None, True)


async def test_a_changed_profile_is_seen_at_the_next_decision(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await desk.decide()
    await desk.do(profiles.drop_row, agent, desk.queue_id)
    await desk.writes()
    assert await desk.decide() == 0
    await desk.do(profiles.set_row, agent, desk.queue_id)
    assert await desk.decide() == 1


async def test_an_agent_who_comes_back_gets_what_waited(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(here=False)
    await desk.writes()
    assert await desk.decide() == 0
    await desk.do(presence.set_presence, agent, Presence.AVAILABLE)
    assert await desk.decide() == 1


def test_marks_merge():
    marks = Marks(works={1})
    marks.merge(replace(Marks(), agents={2}, queues=True))
    assert marks == Marks(works={1}, agents={2}, queues=True)
