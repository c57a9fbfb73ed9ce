"""Changing a queue's rules reaches its waiting work, its running engine, and nothing that an agent already holds."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from contact_center.core.bus import Poke
from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from routing import explain, profiles, queue_rules, queue_settings, skills
from routing.engine import Marks
from routing.pools import Medium
from tests.factories import make_queue
from tests.routing.desk import Desk
from tickets import lifecycle
from tickets.states import Channel


async def _skill(desk: Desk, name: str) -> int:
    skill_id: int = await desk.db.write(profiles.add_skill, name)
    return skill_id


async def test_a_skill_that_is_required_now_is_required_of_waiting_work(db: Database):
    desk = await Desk.open(db)
    vip = await _skill(desk, "vip")
    chat = await desk.writes()
    await desk.do(queue_rules.change, desk.queue_id, {"skills": {vip: 3}})
    plain, expert = await desk.agent(), await desk.agent()
    await desk.do(profiles.set_skill, expert, vip, 3)
    await desk.decide()
    assert await desk.offered_to(chat.ticket_id) == expert
    assert plain != expert


async def test_a_skill_that_is_no_longer_required_holds_nothing_back(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    vip = await _skill(desk, "vip")
    await desk.do(queue_rules.change, desk.queue_id, {"skills": {vip: 5}})
    agent = await desk.agent()
    chat = await desk.writes()
    assert await desk.decide() == 0
    await desk.do(queue_rules.change, desk.queue_id, {"skills": {}})
    assert await desk.decide() == 1
    assert await desk.offered_to(chat.ticket_id) == agent


async def test_a_new_weight_counts_for_what_waits_and_not_for_what_is_held(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    held = await desk.writes(Channel.EMAIL)
    await desk.decide()
    await desk.agent(here=False)
    await desk.do(profiles.set_pools, agent, deferred=10)
    waits = await desk.writes(Channel.EMAIL)
    await desk.do(queue_rules.change, desk.queue_id, {"weights": {"mail": 40}})
    assert (await desk.item(held.ticket_id)).weight == 10
    assert (await desk.item(waits.ticket_id)).weight == 40
    assert await desk.broken() == {}


async def test_the_running_engine_hears_of_it_without_a_sweep(sqlite_db: Database):
    desk = await Desk.open(sqlite_db, closed="power cut")
    await desk.agent()
    await desk.writes()
    await desk.decide()
    desk.engine._marks = Marks()

    def hear(pokes: Sequence[Poke]) -> None:
        desk.engine.on_pokes(pokes)

    desk.db.after_commit = hear
    await desk.do(queue_rules.change, desk.queue_id, {"closed": None, "weights": {"chat": 50}})
    marks, desk.engine._marks = desk.engine._marks, Marks()
    done = await sqlite_db.write(desk.engine.decide, marks, now=desk.now)
    assert done.decided == 1


async def test_settings_that_are_not_named_stay(sqlite_db: Database):
    desk = await Desk.open(sqlite_db, credit=300)
    after = await desk.do(queue_rules.change, desk.queue_id, {"steps": [{"seconds": 5, "agent": True}, {}]})
    assert (after.credit, after.steps[0].agent, after.weight(Medium.CHAT)) == (300, True, 25)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"skills": {99: 3}}, "skills"),
        ({"steps": [{"seconds": 5, "needs": {99: 3}}, {}]}, "steps"),
        ({"skills": {1: 6}}, "skills.1"),
        ({"weights": {"chat": 0}}, "weights.chat"),
        ({"overflows": [{"queue_id": 99, "after": 5}]}, "overflows"),
    ],
)
async def test_what_is_not_there_or_makes_no_sense_is_refused(sqlite_db: Database, changes: dict, field: str):
    desk = await Desk.open(sqlite_db)
    with pytest.raises(Invalid) as caught:
        await desk.do(queue_rules.change, desk.queue_id, changes)
    assert caught.value.field == field


async def test_a_queue_overflows_into_others_once_each(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    other = await sqlite_db.write(make_queue)
    for bad in ([desk.queue_id], [other, other]):
        overflows = [{"queue_id": one, "after": 5} for one in bad]
        with pytest.raises(Invalid):
            await desk.do(queue_rules.change, desk.queue_id, {"overflows": overflows})
    after = await desk.do(queue_rules.change, desk.queue_id, {"overflows": [{"queue_id": other, "after": 5}]})
    assert after.overflows[0].queue_id == other
    with pytest.raises(NotFound):
        await desk.do(queue_rules.change, 999, {})


async def test_a_skill_is_given_levels_for_many_at_once(db: Database):
    desk = await Desk.open(db)
    first, second, third = [await desk.agent() for _ in range(3)]
    vip = await _skill(desk, "vip")
    await desk.do(skills.set_levels, vip, {first: 3, second: 5})
    changed = await desk.do(skills.set_levels, vip, {first: 3, second: 0, third: 1})
    assert changed == {second: 0, third: 1}
    with pytest.raises(Invalid):
        await desk.do(skills.set_levels, vip, {first: 6})
    with pytest.raises(NotFound):
        await desk.do(skills.set_levels, 999, {first: 1})


async def test_a_removed_skill_leaves_nobody_waiting_for_it(db: Database):
    desk = await Desk.open(db, steps=[{"level": 1}])
    german = await _skill(desk, "de")
    chat = await desk.writes(text="Hallo", locale="de")
    assert (await desk.item(chat.ticket_id)).wishes == [german]
    agent = await desk.agent()
    await desk.do(profiles.set_skill, agent, await _skill(desk, "fr"), 2)
    assert await desk.decide() == 0
    await desk.do(skills.remove, german)
    assert await desk.decide() == 1
    assert await desk.offered_to(chat.ticket_id) == agent
    with pytest.raises(NotFound):
        await desk.do(skills.remove, german)


async def test_a_skill_that_a_queue_asks_for_cannot_be_removed(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    vip = await _skill(desk, "vip")
    await desk.do(queue_rules.change, desk.queue_id, {"steps": [{"seconds": 9, "needs": {vip: 2}}, {}]})
    with pytest.raises(Exception, match="Take it out there first"):
        await desk.do(skills.remove, vip)


async def test_a_skill_is_renamed_unless_another_has_the_name(db: Database):
    desk = await Desk.open(db)
    first = await _skill(desk, "vip")
    await _skill(desk, "fr")
    await db.write(skills.rename, first, "gold")
    assert await db.read(profiles.skill_by_name, "gold") == first
    with pytest.raises(Exception, match="already a skill called fr"):
        await db.write(skills.rename, first, "fr")
    with pytest.raises(NotFound):
        await db.write(skills.rename, 999, "x")


def test_stored_settings_of_before_are_still_read():
    assert queue_settings.read({"weights": {"chat": 0}}) == queue_settings.DEFAULTS


async def test_the_language_of_the_words_is_preferred_and_then_let_go(db: Database):
    desk = await Desk.open(db, steps=[{"level": 1, "seconds": 30}, {}])
    vietnamese = await _skill(desk, "vi")
    await desk.agent()
    chat = await desk.writes(text="cho minh hoi ve cai ao nay voi", locale="en")
    item = await desk.item(chat.ticket_id)
    assert item.wishes == [vietnamese]
    assert await desk.decide() == 0
    why = await desk.db.read(explain.of_work, item.id, desk.now)
    assert why is not None
    assert why.language is not None
    assert why.language[0] == "vi"
    assert why.language[1] is not None
    assert why.language[1] > 0.9
    desk.now += timedelta(seconds=31)
    assert await desk.decide() == 1


async def test_an_agents_word_on_the_language_goes_before_ours(db: Database):
    desk = await Desk.open(db, steps=[{"level": 1}])
    await _skill(desk, "vi")
    english = await _skill(desk, "en")
    chat = await desk.writes(text="cho minh hoi ve cai ao nay voi")
    await desk.do(lifecycle.set_fields, chat.ticket_id, user_id=None, locale="en")
    item = await desk.item(chat.ticket_id)
    assert item.wishes == [english]
    why = await desk.db.read(explain.of_work, item.id, desk.now)
    assert why is not None
    assert why.language == ("en", None)
