import pytest

from contact_center.accounts import users
from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from routing import away_reasons, connections, handling, offers, presence, profiles, queries
from routing.pools import Medium
from routing.states import Presence
from tests.routing.desk import Desk
from tickets.states import Channel


async def _connected(desk: Desk, *tabs: str) -> int:
    agent = await desk.agent()
    await desk.do(connections.renew_lease, "web-1", {})
    for tab in tabs:
        await desk.do(connections.connected, agent, f"{agent}-{tab}", "web-1")
    return agent


async def _lives(desk: Desk, seconds: int, **lines: int) -> None:
    """Time passes while the web process renews its lease, with these open lines (tab -> agent)."""
    for _ in range(0, seconds, 2):
        await desk.do(connections.renew_lease, "web-1", {f"{agent}-{tab}": agent for tab, agent in lines.items()})
        await desk.passes(seconds=2)


async def test_away_needs_one_of_the_configured_reasons(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await desk.do(presence.set_presence, agent, Presence.AWAY, reason="Lunch")
    state = await desk.state(agent)
    assert (state.presence, state.reason) == ("away", "Lunch")
    with pytest.raises(Invalid):
        await desk.do(presence.set_presence, agent, Presence.AWAY, reason="No mood")
    with pytest.raises(Invalid):
        await desk.do(presence.set_presence, agent, Presence.NOT_RESPONDING)


async def test_reasons_can_be_configured(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    reasons = [away_reasons.Away("Prayer", productive=False, paid=True)]
    await sqlite_db.write(away_reasons.set_away_reasons, reasons)
    await desk.do(presence.set_presence, agent, Presence.AWAY, reason="Prayer")
    assert await sqlite_db.read(away_reasons.choosable) == reasons


async def test_a_channel_that_is_off_gets_no_work(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    await desk.do(presence.set_channels, agent, [Medium.MAIL])
    await desk.writes()
    mail = await desk.writes(Channel.EMAIL)
    assert await desk.decide() == 1
    assert (await desk.item(mail.ticket_id)).agent_id == agent


async def test_the_day_of_an_agent_is_kept(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    since = desk.now
    agent = await desk.agent()
    await desk.passes(minutes=5)
    await desk.do(presence.set_presence, agent, Presence.AWAY, reason="Break")
    rows = await sqlite_db.read(queries.presence_timeline, agent, since)
    assert [(row.presence, row.ended_at is None) for row in rows] == [("available", False), ("away", True)]


async def test_a_lost_line_takes_offers_back_after_five_seconds_and_blames_nobody(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    chat = await desk.writes()
    await desk.decide()
    await desk.do(connections.disconnected, f"{agent}-tab")
    await _lives(desk, 4)
    assert await desk.offered_to(chat.ticket_id) == agent
    await _lives(desk, 2)
    assert (await desk.offer(chat.ticket_id)).state == "rescinded"
    item = await desk.item(chat.ticket_id)
    assert (item.state, item.tried) == ("queued", [])
    assert await desk.decide() == 0, "nothing is offered to somebody whose line is cut"
    assert await desk.broken() == {}


async def test_back_within_the_grace_nothing_has_changed(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    chat = await desk.writes()
    await desk.decide()
    await desk.do(offers.accept, (await desk.offer(chat.ticket_id)).id, agent)
    await desk.do(connections.disconnected, f"{agent}-tab")
    await _lives(desk, 58)
    await desk.do(connections.connected, agent, f"{agent}-again", "web-1")
    await _lives(desk, 10)
    assert (await desk.item(chat.ticket_id)).agent_id == agent
    assert (await desk.state(agent)).presence == "available"


async def test_after_the_grace_chats_wait_again_with_their_age_and_deferred_work_stays(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    chat, mail = await desk.writes(), await desk.writes(Channel.EMAIL)
    await desk.decide()
    await desk.do(offers.accept, (await desk.offer(chat.ticket_id)).id, agent)
    before = await desk.item(chat.ticket_id)
    await desk.do(connections.disconnected, f"{agent}-tab")
    await _lives(desk, 62)
    after = await desk.item(chat.ticket_id)
    assert (after.state, after.enqueued_at, after.preferred_id) == ("queued", before.enqueued_at, agent)
    assert (await desk.ticket(chat.ticket_id)).assignee_id is None
    assert (await desk.item(mail.ticket_id)).agent_id == agent
    state = await desk.state(agent)
    assert (state.presence, state.reason) == ("offline", "connection_lost")
    assert await desk.broken() == {}


async def test_presence_is_lost_with_the_last_tab_only(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await _connected(desk, "one", "two")
    await desk.do(connections.disconnected, f"{agent}-one")
    assert (await desk.state(agent)).lost_at is None
    await desk.do(connections.disconnected, f"{agent}-two")
    assert (await desk.state(agent)).lost_at == desk.now


async def test_a_killed_web_process_loses_its_connections_when_its_lease_runs_out(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    await desk.passes(seconds=5)
    assert (await desk.state(agent)).lost_at is None
    await desk.passes(seconds=1)
    assert (await desk.state(agent)).lost_at == desk.now


async def test_a_web_process_that_only_stalled_keeps_its_agents(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    receipt = await desk.writes()
    await desk.decide()
    await desk.passes(seconds=7)
    assert (await desk.state(agent)).lost_at is not None
    await _lives(desk, 12, tab=agent)
    assert (await desk.state(agent)).lost_at is None
    assert (await desk.offer(receipt.ticket_id)).state == "offered"


async def test_a_lease_that_was_renewed_meanwhile_loses_nobody(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    await desk.do(connections.lose_process, "web-1")
    assert (await desk.state(agent)).lost_at is None


async def test_a_connection_whose_line_is_gone_is_lost_at_the_next_renewal(db: Database):
    desk = await Desk.open(db)
    agent = await _connected(desk, "tab")
    await _lives(desk, 2)
    assert (await desk.state(agent)).lost_at is None
    await _lives(desk, 2)
    assert (await desk.state(agent)).lost_at is not None


async def test_going_offline_gives_offers_and_chats_back_at_once(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    first, second = await desk.writes(), await desk.writes()
    await desk.decide()
    await desk.do(offers.accept, (await desk.offer(first.ticket_id)).id, agent)
    await desk.do(presence.set_presence, agent, Presence.OFFLINE)
    assert [(await desk.item(one.ticket_id)).state for one in (first, second)] == ["queued", "queued"]
    assert (await desk.state(agent)).live_held == 0
    assert await desk.broken() == {}


async def test_somebody_absent_hands_everything_back_and_is_not_waited_for(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    mail = await desk.writes(Channel.EMAIL)
    await desk.decide()
    before = await desk.item(mail.ticket_id)
    await desk.do(profiles.set_out_until, agent, desk.now.replace(day=9))
    after = await desk.item(mail.ticket_id)
    assert (after.state, after.enqueued_at) == ("queued", before.enqueued_at)
    assert await desk.decide() == 0
    desk.now = desk.now.replace(day=9)
    assert await desk.decide() == 1, "the absence ends by the clock"


async def test_a_deactivated_agent_hands_everything_back(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    mail = await desk.writes(Channel.EMAIL)
    await desk.do(handling.take, mail.ticket_id, agent)
    await desk.do(users.change, agent, active=False, by_user_id=None)
    assert (await desk.item(mail.ticket_id)).state == "queued"
    state = await desk.state(agent)
    assert (state.presence, state.active) == ("offline", False)
