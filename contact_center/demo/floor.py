"""The living floor: the simulated colleagues in real time, and customers who keep writing through the real edges."""

import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, select

from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.core.services import Services
from contact_center.demo import mark
from contact_center.demo.cast import load
from contact_center.demo.checklist import SIMULATED
from contact_center.demo.colleagues import Act, Colleagues, attempt
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper, invent
from contact_center.demo.talk import Talk, opening
from routing import offers
from routing.models import AgentConnection, AgentState, Offer
from routing.presence import set_presence
from routing.states import Presence
from tickets.models import Customer, Ticket
from tickets.states import Channel

log = structlog.get_logger()

# Seconds between two new customers.
PACE = {"calm": 20.0, "busy": 3.0}
STEP_SECONDS = 0.25
LOOK_AROUND_SECONDS = 3.0
LUNCH_MINUTES = 4
ENOUGH_AVAILABLE = 5
# A person at the agent's door gets what people write; the simulated colleagues step back for that long.
STEP_BACK = timedelta(seconds=12)

# Begins a conversation of a simulated customer through the channel's real edge.
Begin = Callable[[Shopper, Script, Talk], Awaitable[None]]


class Floor:
    """Drives the colleagues' plans and the customers' arrivals; one step every quarter of a second."""

    def __init__(self, services: Services, edges: Mapping[Channel, Begin], rng: random.Random) -> None:
        self.services = services
        self.edges = edges
        self.rng = rng
        self.shoppers = invent()
        self.colleagues: Colleagues | None = None
        self.pace = "calm"
        self._pokes: list[Poke] = []
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._count = itertools.count()
        self._next_customer = utcnow() + timedelta(seconds=5)
        self._next_look = utcnow()
        services.bus.listen(self._heard, lambda: None)

    def loop(self) -> Loop:
        """The loop to run."""
        return Loop("demo-floor", self.step, STEP_SECONDS)

    def _heard(self, pokes: Sequence[Poke]) -> None:
        self._pokes.extend(poke for poke in pokes if poke.topic.startswith("ticket:"))

    async def step(self) -> bool:
        """React to what happened, do what is due, look around, let somebody write."""
        now = utcnow()
        if self.colleagues is None:
            cast = await self.services.db.read(load)
            self.colleagues = Colleagues(cast, self.rng)
        if self._plan(self.colleagues, now):
            await self.services.db.write(_step_back, self.colleagues.ids - self.colleagues.resting, now)
        if now >= self._next_look:
            self._next_look = now + timedelta(seconds=LOOK_AROUND_SECONDS)
            await self._look_around(self.colleagues, now)
        if self.pace == "pause":
            return False
        await self._do_due(now)
        if now >= self._next_customer:
            self._next_customer = now + timedelta(seconds=self.rng.expovariate(1 / PACE[self.pace]))
            await self._somebody_writes(now)
        return False

    def _plan(self, colleagues: Colleagues, now: datetime) -> bool:
        """Plan what the changes make the colleagues do; True when one of them was offered something."""
        pokes, self._pokes = self._pokes, []
        for poke in pokes:
            for plan in colleagues.on_poke(poke, now):
                heapq.heappush(self._agenda, (now + plan.after, next(self._count), plan.act))
        return any(poke.data.get("event") == "offer.created" for poke in pokes)

    async def _do_due(self, now: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= now:
            _, _, act = heapq.heappop(self._agenda)
            await self.services.db.write(_attempt, act, now)

    async def _look_around(self, colleagues: Colleagues, now: datetime) -> None:
        db = self.services.db
        self.pace, played = await db.read(_who_is_played)
        colleagues.resting = played & colleagues.ids
        if self.pace == "pause":
            return
        await db.write(colleagues.finish_wrap_ups, now)
        await db.write(self._shifts, colleagues, now)
        await db.write(mark.write, worked_until=now.isoformat())

    def _shifts(self, tx: Connection, colleagues: Colleagues, now: datetime) -> None:
        """Keep enough colleagues at work, and send one to lunch now and then."""
        rows = tx.execute(select(AgentState.user_id, AgentState.presence, AgentState.since)).all()
        mine = [row for row in rows if row.user_id in colleagues.ids - colleagues.resting]
        for row in mine:
            back = row.presence == Presence.AWAY.value and now - row.since > timedelta(minutes=LUNCH_MINUTES)
            if back or row.presence == Presence.NOT_RESPONDING.value:
                attempt(partial(_become, row.user_id, Presence.AVAILABLE, None), tx, now)
        available = [row.user_id for row in mine if row.presence == Presence.AVAILABLE.value]
        offline = [row.user_id for row in mine if row.presence == Presence.OFFLINE.value]
        if len(available) < ENOUGH_AVAILABLE and offline:
            attempt(partial(_become, self.rng.choice(offline), Presence.AVAILABLE, None), tx, now)
        elif len(available) > ENOUGH_AVAILABLE and self.rng.random() < 0.01:
            attempt(partial(_become, self.rng.choice(available), Presence.AWAY, "Lunch"), tx, now)

    async def _somebody_writes(self, now: datetime) -> None:
        script, shopper = opening(self.rng), self.rng.choice(self.shoppers)
        channel = self.rng.choice(list(self.edges)) if self.edges else None
        if channel is None:
            return
        talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
        try:
            await self.edges[channel](shopper, script, talk)
        except OSError as error:
            # A cut line or a server that is just restarting: the customer tries another time.
            log.info("demo.customer_gave_up", channel=channel.value, error=str(error))


def _attempt(tx: Connection, act: Act, now: datetime) -> None:
    attempt(act, tx, now)


def _become(user_id: int, presence: Presence, reason: str | None, tx: Connection, now: datetime) -> None:
    set_presence(tx, user_id, presence, reason=reason, now=now)


def _who_is_played(tx: Connection) -> tuple[str, set[int]]:
    """The pace that was chosen, and the users whom a person plays: those with an open page."""
    played = set(tx.execute(select(AgentConnection.user_id)).scalars())
    return (mark.read(tx) or {}).get("pace", "calm"), played


def _step_back(tx: Connection, simulated: set[int], now: datetime) -> None:
    """While a person is available as an agent, colleagues hand back offers of people's own matters."""
    ready = tx.execute(
        select(AgentState.user_id)
        .join(AgentConnection, AgentConnection.user_id == AgentState.user_id)
        .where(AgentState.presence == Presence.AVAILABLE.value)
        .limit(1)
    ).first()
    if ready is None:
        return
    rows = tx.execute(
        select(Offer.id, Offer.agent_id)
        .join(Ticket, Ticket.id == Offer.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .where(
            Offer.state == "offered",
            Offer.agent_id.in_(simulated),
            Ticket.created_at > now - STEP_BACK,
            Customer.attributes[SIMULATED].as_boolean().is_not(True),
        )
    ).all()
    for row in rows:
        attempt(partial(_hand_back, row.id, row.agent_id), tx, now)


def _hand_back(offer_id: int, agent_id: int, tx: Connection, now: datetime) -> None:
    offers.decline(tx, offer_id, agent_id, "Left to you", now=now)
