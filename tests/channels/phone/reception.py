"""A line with a call plan, a floor behind it and Twilio before it: callers, agents and their phones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, update

from channels.phone.flow.models import CallFlow
from channels.phone.flow.plan import Consent, Option, Plan, Way, write
from channels.phone.models import Call
from channels.phone.people import PHONE
from channels.phone.switchboard import Switchboard
from channels.sms.media import MediaLoop
from contact_center.accounts import users
from contact_center.core.clock import utcnow
from contact_center.core.relay import relay_batch
from contact_center.demo.voice.world import Leg
from contact_center.wiring import HANDLERS
from routing import offers, presence, profiles
from routing.engine import Engine
from routing.models import Offer, WorkItem
from routing.states import Presence
from tests.channels.phone.conftest import Line
from tests.factories import make_queue, make_user
from tickets.channel_accounts import Account, change
from tickets.models import Queue, Ticket
from tickets.states import Channel

NUMBER = "+842873001234"
CUSTOMER = "+84903123456"
DESK_PHONE = "+842811112222"
MENU = Plan(hours=False, voicemail=True, options=(Option("1"), Option("2", locale="vi")))
QUEUE = replace(MENU, options=())
RECORDED = replace(QUEUE, record=True, consent=Consent.ASK)
CLOSED = replace(QUEUE, hours=True, closed=Way.VOICEMAIL)


@dataclass
class Reception:
    """What a test does with one line."""

    line: Line
    account: Account
    queue_id: int

    @property
    def db(self) -> Any:
        return self.line.desk.db

    async def calls(self, sender: str = CUSTOMER) -> Leg:
        """A customer calls, hears what they hear first, and our handlers run."""
        url = f"https://desk.test/hooks/twilio/{self.account.key}/voice"
        leg = await self.line.twilio.call(url, sender=sender, to=NUMBER, status_callback=url)
        await self.settle()
        return leg

    async def presses(self, leg: Leg, digit: str) -> None:
        await self.line.twilio.press(leg, digit)
        await self.settle()

    async def waits(self, leg: Leg) -> None:
        """A round of music is over, or a question got no key."""
        await self.line.twilio.silence(leg)
        await self.settle()

    async def has_waited(self, **duration: float) -> None:
        """Time has passed since the caller came into the queue."""

        def shift(tx: Connection) -> None:
            tx.execute(update(CallFlow).values(waits_since=utcnow() - timedelta(**duration)))

        await self.db.write(shift)

    async def settle(self) -> None:
        """Callbacks, handlers and commands until nothing is left to do."""
        board = Switchboard(self.line.desk.services, self.line.twilio.open_http)
        for _ in range(20):
            await self.line.twilio.settle()
            moved = await self.db.write(relay_batch, HANDLERS, utcnow())
            carried = await board.run_once()
            if not (moved or carried or self.line.twilio.outbox):
                return
        raise AssertionError("it never comes to rest")

    async def agent(self, phone: str = DESK_PHONE) -> int:
        """Somebody on the floor, available, with a phone on their desk."""

        def build(tx: Connection) -> int:
            user_id = make_user(tx)
            profiles.set_row(tx, user_id, self.queue_id, now=utcnow())
            presence.set_presence(tx, user_id, Presence.AVAILABLE, now=utcnow())
            users.set_preferences(tx, user_id, {PHONE: phone}, now=utcnow())
            return user_id

        return int(await self.db.write(build))

    async def accepts(self) -> None:
        """The engine offers the caller to somebody, who accepts."""
        await self.offers()
        [offer] = [row for row in await self.rows(Offer) if row.state == "offered"]
        await self.db.write(offers.accept, offer.id, offer.agent_id, now=utcnow())
        await self.settle()

    async def offers(self) -> None:
        engine = Engine(self.db)
        await self.db.write(engine.decide_all, utcnow())

    async def fetch(self) -> None:
        """The sound of recordings is fetched."""
        loop = MediaLoop(self.line.desk.services, self.line.twilio.open_http)
        while await loop.run_once():
            pass

    async def do(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self.db.write(work, *args, **kwargs)

    async def rows(self, model: Any) -> list[Any]:
        return await self.line.desk.rows(model)

    async def call(self) -> Any:
        [found] = await self.rows(Call)
        return found

    async def flow(self) -> Any:
        [found] = await self.rows(CallFlow)
        return found

    async def ticket(self) -> Any:
        [found] = await self.rows(Ticket)
        return found

    async def work(self) -> list[tuple[str, str, str]]:
        """(pool, medium, state) of every piece of work, oldest first."""
        return [(row.pool, row.medium, row.state) for row in await self.rows(WorkItem)]


async def open_reception(line: Line, plan: Plan = QUEUE, **settings: Any) -> Reception:
    """A line with this plan, switched on."""
    stored = {"region": "VN", "plan": write(plan, enabled=True), **settings}
    account = await line.desk.account(Channel.PHONE, address=NUMBER, settings=stored)
    return Reception(line, account, account.queue_id)


async def close_queue(reception: Reception) -> None:
    """The queue was closed by hand."""
    await reception.do(lambda tx: tx.execute(update(Queue).values(routing={"closed": "today"})))


async def another_queue(reception: Reception, name: str) -> int:
    return int(await reception.do(lambda tx: make_queue(tx, name=name)))


async def replan(reception: Reception, plan: Plan) -> None:
    stored = {**reception.account.settings, "plan": write(plan, enabled=True)}
    vault = reception.line.desk.services.vault
    await reception.do(change, vault, reception.account.id, now=utcnow(), values={"settings": stored})
