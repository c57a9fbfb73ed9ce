"""An answer that was written ahead takes queued work only for an author who is at their desk when it leaves."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from contact_center.core.db import Database
from routing import presence
from routing.states import Presence
from tests.routing.desk import Desk
from tickets import replies, scheduled
from tickets.replies import Author, Reply
from tickets.states import Channel


async def leaves(desk: Desk, ticket_id: int, user_id: int, then: str = "") -> None:
    """A reply of this person, written now, leaves in an hour."""
    at = desk.now + timedelta(hours=1)

    def plan(tx: Connection) -> None:
        answer = Reply("It ships.", meta={"then": then} if then else {})
        scheduled.schedule(tx, ticket_id, answer, send_at=at, zone="UTC", author=Author(user_id), now=desk.now)

    await desk.db.write(plan)
    desk.now = at
    assert await desk.db.write(scheduled.send_next, at)
    await desk.relay()


@pytest.mark.parametrize(("away", "reason"), [(Presence.AWAY, "Lunch"), (Presence.OFFLINE, None)])
async def test_who_is_away_takes_nothing(db: Database, away: Presence, reason: str | None) -> None:
    desk = await Desk.open(db)
    agent = await desk.agent()
    await desk.do(presence.set_presence, agent, away, reason=reason)
    mail = await desk.writes(Channel.EMAIL)
    await leaves(desk, mail.ticket_id or 0, agent)
    item = await desk.item(mail.ticket_id)
    assert (item.state, item.agent_id) == ("queued", None)
    assert await desk.broken() == {}


async def test_who_was_never_on_the_floor_takes_nothing(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(here=False)
    mail = await desk.writes(Channel.EMAIL)
    await leaves(desk, mail.ticket_id or 0, agent)
    assert (await desk.item(mail.ticket_id)).state == "queued"


async def test_who_is_available_has_taken_it(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    mail = await desk.writes(Channel.EMAIL)
    await leaves(desk, mail.ticket_id or 0, agent)
    item = await desk.item(mail.ticket_id)
    assert (item.state, item.agent_id) == ("assigned", agent)


async def test_whoever_answers_by_hand_takes_it_also_when_away(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(here=False)
    mail = await desk.writes(Channel.EMAIL)
    await desk.do(replies.reply, mail.ticket_id, Reply("It ships."), author=Author(agent))
    item = await desk.item(mail.ticket_id)
    assert (item.state, item.agent_id) == ("assigned", agent)


async def test_one_that_resolves_takes_the_work_out_of_the_queue(sqlite_db: Database) -> None:
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent(here=False)
    mail = await desk.writes(Channel.EMAIL)
    await leaves(desk, mail.ticket_id or 0, agent, then="resolved")
    assert (await desk.item(mail.ticket_id)).state == "canceled"
