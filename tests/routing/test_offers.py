import asyncio

import pytest

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, DomainError, NotFound
from routing import handling, offers, presence
from routing.states import Presence
from tests.routing.desk import Desk
from tickets.states import Channel


async def test_a_chat_is_offered_to_an_available_agent_and_accepting_assigns_the_ticket(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    chat = await desk.writes()
    assert await desk.decide() == 1
    offer = await desk.offer(chat.ticket_id)
    assert (offer.agent_id, (offer.expires_at - offer.offered_at).total_seconds()) == (agent, 30)
    accepted = await desk.do(offers.accept, offer.id, agent)
    assert (accepted.ticket_id, accepted.again) == (chat.ticket_id, False)
    assert (await desk.item(chat.ticket_id)).state == "assigned"
    assert (await desk.ticket(chat.ticket_id)).assignee_id == agent
    assert (await desk.state(agent)).live_held == 25
    assert await desk.broken() == {}


async def test_accepting_twice_is_accepting_once(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.do(offers.accept, offer.id, agent)
    assert (await desk.do(offers.accept, offer.id, agent)).again
    assert (await desk.state(agent)).live_held == 25


async def test_an_offer_belongs_to_its_agent(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    await desk.agent()
    stranger = await desk.agent(here=False)
    chat = await desk.writes()
    await desk.decide()
    with pytest.raises(NotFound):
        await desk.do(offers.accept, (await desk.offer(chat.ticket_id)).id, stranger)


async def test_declined_work_goes_to_somebody_else_with_its_age(db: Database):
    desk = await Desk.open(db)
    first, second = await desk.agent(), await desk.agent()
    chat = await desk.writes()
    before = await desk.item(chat.ticket_id)
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.passes(seconds=5)
    await desk.do(offers.decline, offer.id, offer.agent_id, "busy")
    await desk.decide()
    assert {offer.agent_id, await desk.offered_to(chat.ticket_id)} == {first, second}
    after = await desk.item(chat.ticket_id)
    assert (after.enqueued_at, after.waiting_since) == (before.enqueued_at, before.waiting_since)
    assert (await desk.state(offer.agent_id)).live_held == 0
    assert await desk.broken() == {}


async def test_an_accepted_offer_cannot_be_declined_any_more(sqlite_db: Database):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.do(offers.accept, offer.id, agent)
    with pytest.raises(Conflict, match="Transfer it instead"):
        await desk.do(offers.decline, offer.id, agent)


async def test_an_offer_nobody_answers_ends_and_the_agent_is_not_responding(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.passes(seconds=31)
    assert (await desk.offer(chat.ticket_id)).state == "timeout"
    assert (await desk.state(agent)).presence == "not_responding"
    assert await desk.decide() == 0
    with pytest.raises(Conflict, match="run out"):
        await desk.do(offers.accept, offer.id, agent)
    await desk.do(presence.set_presence, agent, Presence.AVAILABLE)
    # Everyone was tried: it rests for 15 s, then comes again.
    assert await desk.decide() == 0
    await desk.passes(seconds=15)
    assert await desk.decide() == 1
    assert await desk.broken() == {}


async def test_mail_is_given_without_asking_and_never_above_the_pool(db: Database):
    desk = await Desk.open(db)
    agent = await desk.agent(deferred=20)
    mails = [await desk.writes(Channel.EMAIL) for _ in range(3)]
    await desk.decide()
    states = [(await desk.item(mail.ticket_id)).state for mail in mails]
    assert states == ["assigned", "assigned", "queued"]
    assert (await desk.state(agent)).deferred_held == 20
    assert (await desk.ticket(mails[0].ticket_id)).assignee_id == agent
    assert await desk.broken() == {}


async def test_of_a_hundred_takes_one_wins(db: Database):
    desk = await Desk.open(db)
    people = [await desk.agent(here=False) for _ in range(10)]
    chat = await desk.writes()

    async def take(user_id: int) -> int | None:
        try:
            await db.write(handling.take, chat.ticket_id, user_id, now=desk.now)
        except Conflict:
            return None
        return user_id

    winners = {one for one in await asyncio.gather(*map(take, people * 10)) if one is not None}
    assert len(winners) == 1
    assert (await desk.ticket(chat.ticket_id)).assignee_id in winners
    held = [(await desk.state(one)).live_held for one in people]
    assert sorted(held) == [0] * 9 + [25]
    assert await desk.broken() == {}


async def test_of_accept_timeout_rescind_and_force_one_wins(db: Database):
    desk = await Desk.open(db)
    for _ in range(6):
        # Room for everything that earlier rounds put back into the queue.
        agent, other = await desk.agent(live=1000), await desk.agent(here=False)
        chat = await desk.writes()
        await desk.decide()
        offer = await desk.offer(chat.ticket_id)
        late = offer.expires_at

        async def attempt(use_case, *args, **options) -> bool:
            try:
                return await db.write(use_case, *args, now=late, **options) is not False  # noqa: B023
            except DomainError:
                return False

        await asyncio.gather(
            attempt(offers.accept, offer.id, agent),
            attempt(offers.expire, offer.id),
            attempt(handling.requeue, chat.ticket_id, by_user_id=other),
            attempt(handling.assign, chat.ticket_id, other, by_user_id=other),
            attempt(offers.accept, offer.id, agent),
            attempt(offers.decline, offer.id, agent, "busy"),
        )
        ended = await desk.offer(chat.ticket_id)
        assert ended.id == offer.id
        assert ended.state in {"accepted", "timeout", "rescinded", "rejected"}
        desk.now = late
        assert await desk.broken() == {}
        await db.write(presence.set_presence, agent, Presence.OFFLINE, now=late)


async def test_two_engines_never_give_the_same_work_twice_or_fill_a_pool_twice(db: Database):
    desk = await Desk.open(db)
    other = Desk(db, desk.queue_id, desk.accounts)
    agents = [await desk.agent(live=50) for _ in range(3)]
    chats = [await desk.writes() for _ in range(8)]
    for _ in range(3):
        await asyncio.gather(desk.decide(), other.decide())
    held = [(await desk.state(one)).live_held for one in agents]
    assert held == [50, 50, 50]
    states = [(await desk.item(chat.ticket_id)).state for chat in chats]
    assert sorted(states) == ["queued"] * 2 + ["reserved"] * 6
    assert await desk.broken() == {}
