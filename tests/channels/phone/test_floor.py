"""A ringing call on a real floor: offered, accepted, talked through, wrapped up; or given up and called back."""

from typing import Any

import pytest
from sqlalchemy import Connection, update

from channels.phone import reports
from channels.phone.models import Call
from channels.phone.parse import parse_twilio
from contact_center.core.db import Database
from routing import handling, offers
from tests.factories import VAULT
from tests.routing.desk import Desk
from tickets import channel_accounts, lifecycle
from tickets.inbox import RawItem
from tickets.models import ChannelAccount, Ticket
from tickets.states import Channel

CUSTOMER = "+84903123456"


class Carrier:
    """Tells the desk how one call goes, as Twilio's callbacks do."""

    def __init__(self, desk: Desk, caller: str = CUSTOMER) -> None:
        self.desk = desk
        self.caller = caller

    async def says(self, status: str, **more: str) -> None:
        form = {"CallSid": "CA1", "AccountSid": "AC1", "From": self.caller, "To": "+1500", "Direction": "inbound"}
        pairs = list({**form, "CallStatus": status, **more}.items())
        report = parse_twilio(pairs, now=self.desk.now)
        account = await self.desk.db.read(channel_accounts.by_id, VAULT, self.desk.accounts[Channel.PHONE])
        item = RawItem(Channel.PHONE, account.id, f"twilio:{sorted(pairs)}", raw=b"")
        await self.desk.do(reports.receive, account, reports.TWILIO, item, report, region="VN")


def ring_agents(tx: Connection) -> None:
    settings: dict[str, Any] = {"ring_agents": True}
    tx.execute(update(ChannelAccount).where(ChannelAccount.channel == "phone").values(settings=settings))


async def open_floor(db: Database) -> tuple[Desk, int]:
    desk = await Desk.open(db)
    await db.write(ring_agents)
    return desk, await desk.agent()


async def rows(desk: Desk, model: Any) -> list[Any]:
    table = model.__table__
    return await desk.db.read(lambda tx: list(tx.execute(table.select().order_by(table.c.id)).all()))


async def test_a_ringing_call_is_offered_accepted_talked_through_and_wrapped_up(db: Database) -> None:
    desk, agent = await open_floor(db)
    carrier = Carrier(desk)
    await carrier.says("ringing")
    [ticket] = await rows(desk, Ticket)
    assert (await desk.item(ticket.id)).medium == "call"
    await desk.decide()
    offer = await desk.offer(ticket.id)
    assert offer is not None
    assert (offer.agent_id, offer.state) == (agent, "offered")
    await desk.do(offers.accept, offer.id, agent)
    await desk.passes(seconds=3)
    await carrier.says("in-progress")
    [call] = await rows(desk, Call)
    assert (call.state, call.user_id) == ("answered", agent)
    assert (await desk.ticket(ticket.id)).assignee_id == agent
    await desk.passes(seconds=200)
    await carrier.says("completed")
    [call] = await rows(desk, Call)
    assert (call.state, call.wait_seconds, call.talk_seconds) == ("completed", 3, 200)
    assert (await desk.item(ticket.id)).state == "wrapping"
    await desk.do(lifecycle.resolve, ticket.id, user_id=agent)
    await desk.do(handling.finish, ticket.id, agent)
    assert (await desk.item(ticket.id)).state == "completed"
    assert await desk.broken() == {}


async def test_an_answer_outside_our_screens_takes_the_offer_back(db: Database) -> None:
    desk, agent = await open_floor(db)
    carrier = Carrier(desk)
    await carrier.says("ringing")
    await desk.decide()
    [ticket] = await rows(desk, Ticket)
    assert await desk.offered_to(ticket.id) == agent
    await carrier.says("in-progress")
    assert await desk.offered_to(ticket.id) is None
    await carrier.says("completed")
    assert (await desk.ticket(ticket.id)).status == "resolved"
    assert await desk.broken() == {}


@pytest.mark.parametrize("word", ["completed", "canceled", "no-answer"])
async def test_a_caller_who_gives_up_becomes_work_to_call_back(sqlite_db: Database, word: str) -> None:
    desk, agent = await open_floor(sqlite_db)
    carrier = Carrier(desk)
    await carrier.says("ringing")
    await desk.decide()
    await desk.passes(seconds=9)
    await carrier.says(word)
    [ticket], [call] = await rows(desk, Ticket), await rows(desk, Call)
    assert (call.state, call.wait_seconds, ticket.status) == ("missed", 9, "new")
    item = await desk.item(ticket.id)
    assert (item.medium, item.pool, item.state) == ("task", "deferred", "queued")
    await desk.decide()
    assert (await desk.ticket(ticket.id)).assignee_id == agent
    assert await desk.broken() == {}


async def test_a_hidden_caller_who_gives_up_leaves_a_closed_ticket_only(sqlite_db: Database) -> None:
    desk, _ = await open_floor(sqlite_db)
    carrier = Carrier(desk, "anonymous")
    await carrier.says("ringing")
    await carrier.says("no-answer")
    [ticket] = await rows(desk, Ticket)
    assert (ticket.status, ticket.subject) == ("closed", "Missed call from a hidden number")
    assert await desk.broken() == {}


async def test_a_call_that_rang_and_ended_before_anybody_looked_is_no_live_work(sqlite_db: Database) -> None:
    desk, _ = await open_floor(sqlite_db)
    carrier = Carrier(desk)
    await carrier.says("no-answer")
    [ticket] = await rows(desk, Ticket)
    assert (await desk.item(ticket.id)).medium == "task"
