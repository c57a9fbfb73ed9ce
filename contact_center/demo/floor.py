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
from contact_center.demo import mark, quality
from contact_center.demo.cast import load
from contact_center.demo.colleagues import Act, Colleagues, Plan, attempt
from contact_center.demo.matters import CHANNELS
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper, others
from contact_center.demo.stepping_back import step_back
from contact_center.demo.talk import Talk, opening
from routing.models import AgentConnection, AgentState
from routing.presence import set_presence
from routing.states import Presence
from tickets.states import Channel

log = structlog.get_logger()

# Seconds between two new customers.
PACE = {"calm": 20.0, "busy": 3.0}
STEP_SECONDS = 0.25
LOOK_AROUND_SECONDS = 3.0
# An answer owed for longer was planned by nobody: the demo was stopped in between.
OWED_AFTER = timedelta(minutes=2)
OWED_SECONDS = 60.0
TIDY_SECONDS = 600.0
LUNCH_MINUTES = 4
ENOUGH_AVAILABLE = 5

SHARES = {channel: share for channel, share, _ in CHANNELS}

# Begins a conversation of a simulated customer through the channel's real edge.
Begin = Callable[[Shopper, Script, Talk], Awaitable[None]]


class Floor:
    """Drives the colleagues' plans and the customers' arrivals; one step every quarter of a second."""

    def __init__(self, services: Services, edges: Mapping[Channel, Begin], rng: random.Random) -> None:
        self.services = services
        self.edges = edges
        self.rng = rng
        self.shoppers = others()
        self.colleagues: Colleagues | None = None
        self.pace = "calm"
        self._pokes: list[Poke] = []
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._count = itertools.count()
        self._next_customer = utcnow() + timedelta(seconds=5)
        self._next_look = self._next_owed = self._next_tidy = utcnow()
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
        # At once: whoever has just sat down is not to have their offers answered for them.
        self.colleagues.resting |= self.colleagues.ids & {one.user_id for one in self.services.hub.sockets}
        if self._plan(self.colleagues, now):
            await self.services.db.write(step_back, self.colleagues.ids - self.colleagues.resting, now)
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
        """Plan what the changes make the colleagues do; True when somebody was offered or given something."""
        pokes, self._pokes = self._pokes, []
        for poke in pokes:
            self._put(colleagues.on_poke(poke, now), now)
        return any(poke.data.get("event") in ("offer.created", "ticket.assigned") for poke in pokes)

    def _put(self, plans: Sequence[Plan], now: datetime) -> None:
        for plan in plans:
            heapq.heappush(self._agenda, (now + plan.after, next(self._count), plan.act))

    async def _do_due(self, now: datetime) -> None:
        while self._agenda and self._agenda[0][0] <= now:
            _, _, act = heapq.heappop(self._agenda)
            self._put(await self.services.db.write(_attempt, act, now), now)

    async def _look_around(self, colleagues: Colleagues, now: datetime) -> None:
        db = self.services.db
        self.pace, played = await db.read(_who_is_played)
        colleagues.resting = played & colleagues.ids
        if self.pace == "pause":
            return
        await db.write(colleagues.finish_wrap_ups, now)
        await db.write(self._shifts, colleagues, now)
        await db.write(mark.write, worked_until=now.isoformat())
        if now >= self._next_owed:
            self._next_owed = now + timedelta(seconds=OWED_SECONDS)
            self._put(await db.read(partial(colleagues.owed, since=now - OWED_AFTER), now), now)
        if now >= self._next_tidy:
            self._next_tidy = now + timedelta(seconds=TIDY_SECONDS)
            await db.write(colleagues.tidy, now)
            await db.write(quality.review_drafts, now=now)

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
        if not self.edges:
            return
        channels = list(self.edges)
        channel = self.rng.choices(channels, [SHARES[channel] for channel in channels])[0]
        talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
        try:
            await self.edges[channel](shopper, script, talk)
        except OSError as error:
            # A cut line or a server that is just restarting: the customer tries another time.
            log.info("demo.customer_gave_up", channel=channel.value, error=str(error))


def _attempt(tx: Connection, act: Act, now: datetime) -> Sequence[Plan]:
    return attempt(act, tx, now)


def _become(user_id: int, presence: Presence, reason: str | None, tx: Connection, now: datetime) -> None:
    set_presence(tx, user_id, presence, reason=reason, now=now)


def _who_is_played(tx: Connection) -> tuple[str, set[int]]:
    """The pace that was chosen, and the users whom a person plays: those with an open page."""
    played = set(tx.execute(select(AgentConnection.user_id)).scalars())
    return (mark.read(tx) or {}).get("pace", "calm"), played
