"""Each invariant is counted when it is broken, and only then."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Row, update

from contact_center.core.db import Database
from contact_center.core.metrics import REGISTRY
from routing import handling, invariants, offers, presence, profiles, queue_rules
from routing.models import AgentState, Offer, QueueEntry, WorkItem
from routing.pools import Medium
from tests.factories import make_queue, make_user
from tests.routing.desk import Desk
from tickets import lifecycle
from tickets.models import Ticket
from tickets.states import Channel, Priority

NAMES = {
    "one_open_offer",
    "pool_exceeded",
    "offer_overdue",
    "lost_or_doubled",
    "age_reset",
    "idle_beside_work",
    "overtaken",
    "nothing_lost",
}


async def plant(desk: Desk, model: Any, **values: Any) -> None:
    await desk.db.write(lambda tx: tx.execute(update(model).values(**values)))


async def offered(desk: Desk) -> Row[Any]:
    """A chat on offer to an agent."""
    await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    return await desk.item(chat.ticket_id)


async def test_nothing_is_broken_where_nothing_happens(db: Database):
    desk = await Desk.open(db)
    found = await db.read(invariants.violations, desk.now)
    assert set(found) == NAMES
    assert set(found.values()) == {0}


async def test_an_offer_without_its_reservation_is_counted(db: Database):
    desk = await Desk.open(db)
    await offered(desk)
    await plant(desk, WorkItem, agent_id=await db.write(make_user))
    assert (await desk.broken())["one_open_offer"] == 1


async def test_a_reservation_without_its_offer_is_counted(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    await offered(desk)
    await plant(desk, Offer, state="canceled")
    assert await desk.broken() == {"one_open_offer": 1}


async def test_weights_that_do_not_add_up_are_counted(db: Database):
    desk = await Desk.open(db)
    await offered(desk)
    await plant(desk, AgentState, live_held=75)
    assert await desk.broken() == {"pool_exceeded": 1}


async def test_an_offer_that_outlives_its_time_is_counted(db: Database):
    desk = await Desk.open(db)
    await offered(desk)
    desk.now += timedelta(seconds=31)
    assert await desk.broken() == {}
    desk.now += timedelta(seconds=1)
    assert await desk.broken() == {"offer_overdue": 1}


async def test_a_matter_that_nobody_has_and_nothing_brings_is_counted(db: Database):
    desk = await Desk.open(db)
    mail = await desk.writes(Channel.EMAIL)
    item = await desk.item(mail.ticket_id)
    await plant(desk, WorkItem, state="completed")
    await plant(desk, QueueEntry, exited_at=desk.now, exit="canceled")
    assert item.state == "queued"
    assert await desk.broken() == {}
    desk.now += timedelta(seconds=61)
    assert await desk.broken() == {"lost_or_doubled": 1}


async def test_two_owners_of_one_matter_are_counted(db: Database):
    desk = await Desk.open(db)
    await desk.agent()
    await desk.writes(Channel.EMAIL)
    await desk.decide()
    assert await desk.broken() == {}
    await plant(desk, Ticket, assignee_id=await desk.agent())
    assert await desk.broken() == {"lost_or_doubled": 1}


async def test_an_age_that_was_reset_is_counted(db: Database):
    desk = await Desk.open(db)
    await desk.writes()
    await plant(desk, WorkItem, enqueued_at=desk.now + timedelta(seconds=5))
    assert await desk.broken() == {"age_reset": 1}


async def test_a_wait_that_was_forgotten_is_counted(db: Database):
    desk = await Desk.open(db)
    await desk.writes()
    await plant(desk, QueueEntry, exited_at=desk.now, exit="canceled")
    assert await desk.broken() == {"nothing_lost": 1}


async def test_an_agent_who_idles_beside_work_is_counted(db: Database):
    desk = await Desk.open(db)
    await desk.agent()
    await desk.writes()
    desk.now += timedelta(seconds=0.9)
    assert await desk.broken() == {}
    desk.now += timedelta(seconds=2)
    assert await desk.broken() == {"idle_beside_work": 1}
    await desk.decide()
    assert await desk.broken() == {}


async def _full(desk: Desk, agent: int) -> None:
    await desk.do(profiles.set_pools, agent, live=0)


async def _away(desk: Desk, agent: int) -> None:
    await desk.do(presence.set_presence, agent, presence.Presence.AWAY, reason="Lunch")


async def _no_chats(desk: Desk, agent: int) -> None:
    await desk.do(presence.set_channels, agent, [Medium.MAIL])


async def _elsewhere(desk: Desk, agent: int) -> None:
    await desk.do(profiles.drop_row, agent, desk.queue_id)


async def _closed(desk: Desk, agent: int) -> None:
    await desk.do(queue_rules.change, desk.queue_id, {"closed": "power cut"})


async def _out(desk: Desk, agent: int) -> None:
    await desk.do(profiles.set_out_until, agent, desk.now + timedelta(days=1))


@pytest.mark.parametrize("hindered", [_full, _away, _no_chats, _elsewhere, _closed, _out])
async def test_an_agent_who_may_not_have_the_work_does_not_idle(sqlite_db: Database, hindered: Any):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await hindered(desk, agent)
    await desk.writes()
    desk.now += timedelta(minutes=5)
    assert await desk.broken() == {}


async def test_what_became_possible_just_now_has_its_second(sqlite_db: Database):
    desk = await Desk.open(sqlite_db, steps=[{"seconds": 60, "needs": {"7": 5}}, {}])
    agent = await desk.agent()
    await desk.writes()
    desk.now += timedelta(seconds=60.5)
    assert await desk.broken() == {}
    desk.now += timedelta(seconds=1)
    assert await desk.broken() == {"idle_beside_work": 1}
    await desk.do(presence.set_channels, agent, list(Medium))
    assert await desk.broken() == {}
    desk.now += timedelta(seconds=1.1)
    assert await desk.broken() == {"idle_beside_work": 1}
    await desk.do(queue_rules.change, desk.queue_id, {"credit": 60})
    assert await desk.broken() == {}


def _rest(until: Any) -> Any:
    def put(tx: Connection, ticket_id: int) -> None:
        tx.execute(update(WorkItem).where(WorkItem.ticket_id == ticket_id).values(not_before=until))

    return put


async def _two_mails(desk: Desk) -> tuple[int, int]:
    """An older and a younger mail; the engine is made to see only the younger one, and gives it away."""
    await desk.agent(deferred=10)
    older = await desk.writes(Channel.EMAIL)
    desk.now += timedelta(seconds=5)
    younger = await desk.writes(Channel.EMAIL)
    desk.now += timedelta(seconds=5)
    assert older.ticket_id is not None
    assert younger.ticket_id is not None
    await desk.db.write(_rest(desk.now + timedelta(seconds=9)), older.ticket_id)
    assert await desk.decide() == 1
    await desk.db.write(_rest(None), older.ticket_id)
    return older.ticket_id, younger.ticket_id


async def test_work_that_was_passed_over_is_counted(db: Database):
    desk = await Desk.open(db)
    older, younger = await _two_mails(desk)
    assert (await desk.item(younger)).state == "assigned"
    assert (await desk.item(older)).state == "queued"
    assert await desk.broken() == {"overtaken": 1}
    desk.now += timedelta(seconds=61)
    assert await desk.broken() == {}


async def test_work_that_was_raised_or_on_offer_meanwhile_was_not_passed_over(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    older, _ = await _two_mails(desk)
    desk.now += timedelta(seconds=1)
    await desk.do(lifecycle.set_fields, older, priority=Priority.HIGH, user_id=None)
    assert await desk.broken() == {}


async def test_work_that_a_colleague_declined_was_not_passed_over(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    first = await desk.agent(live=25)
    older = await desk.writes()
    await desk.decide()
    await desk.agent(live=25)
    desk.now += timedelta(seconds=5)
    younger = await desk.writes()
    desk.now += timedelta(seconds=3)
    await desk.decide()
    offer = await desk.offer(younger.ticket_id)
    assert offer is not None
    desk.now += timedelta(seconds=1)
    await desk.do(offers.accept, offer.id, offer.agent_id)
    declined = await desk.offer(older.ticket_id)
    assert declined is not None
    await desk.do(offers.decline, declined.id, first)
    assert "overtaken" not in await desk.broken()


async def test_the_gauges_show_all_of_them(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    await desk.agent()
    await desk.writes()
    await sqlite_db.read(invariants.export, desk.now + timedelta(seconds=5))
    shown = {
        sample.labels["name"]: sample.value
        for metric in REGISTRY.collect()
        if metric.name == "contact_center_invariant_violations"
        for sample in metric.samples
    }
    assert set(shown) == NAMES
    assert shown["idle_beside_work"] == 1
    await sqlite_db.read(invariants.export, desk.now)


async def _work_on(desk: Desk, dice: random.Random, agents: list[int], queues: list[int], tickets: list[int]) -> None:
    """One thing that happens on a floor."""
    agent, queue_id = dice.choice(agents), dice.choice(queues)
    ticket_id = dice.choice(tickets) if tickets else None
    match dice.randrange(9):
        case 0 | 1 | 2:
            receipt = await desk.writes(dice.choice([Channel.CHAT, Channel.EMAIL, Channel.SMS]))
            assert receipt.ticket_id is not None
            tickets.append(receipt.ticket_id)
        case 3 if ticket_id:
            offer = await desk.offer(ticket_id)
            if offer is not None and offer.state == "offered":
                answer = dice.choice([offers.accept, offers.accept, offers.decline])
                await desk.do(answer, offer.id, offer.agent_id)
        case 4 if ticket_id:
            await desk.do(lifecycle.resolve, ticket_id, user_id=agent)
            tickets.remove(ticket_id)
        case 5:
            away = dice.random() < 0.4
            wanted = presence.Presence.AWAY if away else presence.Presence.AVAILABLE
            await desk.do(presence.set_presence, agent, wanted, reason="Lunch" if away else None)
        case 6:
            await desk.do(profiles.set_row, agent, queue_id, priority=dice.randint(1, 3), delay=dice.choice([0, 30]))
        case 7 if ticket_id:
            priority = dice.choice(list(Priority))
            await desk.do(lifecycle.set_fields, ticket_id, priority=priority, user_id=None)
        case 8 if ticket_id and (await desk.item(ticket_id)).state == "assigned":
            await desk.do(handling.transfer, ticket_id, by_user_id=agent, queue_id=queue_id)


@pytest.mark.parametrize("seed", [12, 50, 59])
async def test_a_floor_at_work_breaks_no_promise(sqlite_db: Database, seed: int):
    dice = random.Random(seed)
    desk = await Desk.open(sqlite_db, steps=[{"seconds": 20, "agent": True}, {"seconds": 30, "level": 2}, {}])
    other = await sqlite_db.write(make_queue, routing={"ordering": "time_to_breach", "selection": "most_spare"})
    await desk.do(queue_rules.change, desk.queue_id, {"overflows": [{"queue_id": other, "after": 45}]})
    queues = [desk.queue_id, other]
    agents = [await desk.agent(queues=(dice.choice(queues),), live=50, deferred=20) for _ in range(4)]
    tickets: list[int] = []
    for step in range(90):
        await _work_on(desk, dice, agents, queues, tickets)
        await desk.passes(seconds=dice.choice([0.5, 1.5, 4, 11]))
        await desk.decide()
        assert await desk.broken() == {}, step
