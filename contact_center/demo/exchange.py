"""The demo's telephone network: Twilio Voice without sound. Phones ring, our documents are read to them, keys are
pressed; the person in front of the demo has one phone, everybody else is simulated.

The protocol is contact_center.demo.voice's, which the tests of the product's phone use too. This adds time: how long
words take, when a question gives up, who picks up when.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import Element

import httpx2
from sqlalchemy import Connection, select
from starlette.routing import BaseRoute

from channels.phone.legs import ALIVE
from channels.phone.models import Call, CallLeg
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.demo import line_plan
from contact_center.demo.carrier import MOUNT, Carrier, new_sid, webhook_key
from contact_center.demo.cast import NUMBER, PHONE_NUMBER
from contact_center.demo.hearing import Ear
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk
from contact_center.demo.voice.people import People
from contact_center.demo.voice.playing import Unplayable, apology
from contact_center.demo.voice.rest import Rest
from contact_center.demo.voice.telling import Post
from contact_center.demo.voice.world import ACCOUNT_SID, AUTH_TOKEN, Leg, Recording, World, stamp
from routing.models import AgentConnection
from tickets.models import Ticket
from tickets.states import DONE_STATUSES, Channel

STEP_SECONDS = 0.3
# Until somebody picks up: at a desk, who accepted in the console; anybody else.
DESK_RINGS = (1.0, 2.0)
OTHERS_RING = (3.0, 7.0)
# What a simulated caller does: chooses, waits, talks, leaves a word.
CHOOSES_AFTER = (4.0, 9.0)
PATIENCE = (60.0, 180.0)
TALKS_FOR = (20.0, 60.0)
SPEAKS_FOR = (5, 15)
# Longer than the product needs to fetch a recording.
FORGOTTEN_AFTER = timedelta(minutes=30)


@dataclass(slots=True)
class Somebody:
    """A simulated person at one end: when they press their key, give up waiting, and have said everything."""

    key_at: datetime
    digit: str
    gives_up_at: datetime
    talks_until: datetime | None = None


class Exchange(People):
    """The carrier's calls and everybody at its phones; all of it is this process's memory."""

    def __init__(self, carrier: Carrier, rng: random.Random) -> None:
        super().__init__(world=World(new_sid))
        self.carrier = carrier
        self.rng = rng
        self.rest = Rest(self, MOUNT)
        # The latest call of each customer's phone, whoever called whom.
        self.calls: dict[str, Leg] = {}
        self.ears: dict[str, Ear] = {}
        self.simulated: dict[str, Somebody] = {}
        self._answers_at: dict[str, datetime] = {}
        self._began = False

    def routes(self) -> list[BaseRoute]:
        """Twilio's addresses for calls, under the carrier's."""
        return [*self.rest.routes()]

    def loop(self) -> Loop:
        """The loop to run."""
        return Loop("demo-exchange", self.step, STEP_SECONDS)

    async def post(self, url: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN) -> httpx2.Response:
        """By way of the carrier, which signs and tries again."""
        answer = await self.carrier.post(url, form)
        if answer is None:
            raise httpx2.ConnectError("nobody answers")
        return answer

    def hear(self, leg: Leg, verb: Element) -> None:
        super().hear(leg, verb)
        self.ear(leg).hear(verb, utcnow())

    def ear(self, leg: Leg) -> Ear:
        """What this end hears."""
        return self.ears.setdefault(leg.sid, Ear(leg.at))

    # -- what people do ------------------------------------------------------------------------------------------------

    async def begin(self, shopper: Shopper, _script: Script, talk: Talk) -> None:
        """A simulated customer calls; a call has no sound here, so nobody hears what it is about."""
        leg = await self.call_us(shopper.phone)
        now = utcnow()
        sales_or_support = self.rng.choice((line_plan.SALES, line_plan.SUPPORT))
        self.simulated.setdefault(
            leg.sid,
            Somebody(
                key_at=now + timedelta(seconds=self.rng.uniform(*CHOOSES_AFTER)),
                digit=line_plan.VIETNAMESE if talk.locale == "vi" else sales_or_support,
                gives_up_at=now + timedelta(seconds=self.rng.uniform(*PATIENCE)),
            ),
        )

    async def call_us(self, number: str) -> Leg:
        """Somebody calls us; a phone has one call at a time."""
        current = self.calls.get(number)
        if current is not None and current.live:
            return current
        key = await self.carrier.services.db.read(webhook_key, Channel.PHONE)
        url = f"{self.carrier.services.settings.base_url}/hooks/twilio/{key}/voice"
        leg = self.inbound(sender=number, to=PHONE_NUMBER, status_callback=url)
        self.calls[number] = leg
        try:
            await self.connect(leg, url)
        except Unplayable:
            self.hear(leg, apology())
            await self.end(leg, "failed")
        return leg

    async def key(self, number: str, digit: str) -> None:
        """A key of the phone; it only means something where a question waits."""
        leg = self.calls.get(number)
        if leg is None or leg.waiting is None:
            return
        now = utcnow()
        if leg.waiting.tag == "Record" and digit in leg.waiting.get("finishOnKey", "1234567890*#"):
            await self._said(leg, now)
        elif leg.waiting.tag == "Gather":
            self.ear(leg).cut(now)
            await self.press(leg, digit)

    async def pick_up(self, number: str) -> None:
        """Answer the phone that rings."""
        leg = self.calls.get(number)
        if leg is not None and leg.status == "ringing" and leg.direction != "inbound":
            await self.answer(leg)

    async def put_down(self, number: str) -> None:
        """End the call, or refuse it while it rings."""
        leg = self.calls.get(number)
        if leg is None or not leg.live:
            return
        if leg.waiting is not None and leg.waiting.tag == "Record":
            await self._said(leg, utcnow())
        if leg.status == "ringing" and leg.direction != "inbound":
            await self.refuse(leg, "busy")
        else:
            await self.hang_up(leg)

    async def _said(self, leg: Leg, now: datetime) -> None:
        """A word was left after the tone; who says nothing leaves none."""
        seconds = round((now - self.ear(leg).until).total_seconds())
        if seconds > 0:
            await self.speak(leg, seconds)

    # -- what the network does -----------------------------------------------------------------------------------------

    def ring(self, to: str, sender: str, direction: str) -> Leg:
        """A phone rings because we called it."""
        leg = super().ring(to, sender, direction)
        current = self.calls.get(to)
        if to.startswith("+") and not (current and current.live):
            self.calls[to] = leg
        low, high = DESK_RINGS if to.startswith("client:") else OTHERS_RING
        self._answers_at[leg.sid] = leg.at + timedelta(seconds=self.rng.uniform(low, high))
        return leg

    async def end(self, leg: Leg, status: str = "completed") -> None:
        """The same, and the phone's list says so."""
        was_live, number = leg.live, customer_of(leg)
        await super().end(leg, status)
        if was_live and number and leg.sid not in self.simulated:
            missed = leg.direction != "inbound" and leg.answered_at is None
            self.carrier.note(number, "missed" if missed else status, leg.seconds)

    def finish(self, recording: Recording) -> None:
        """A talk's recording is as long as it ran; a voicemail's length is known."""
        if recording.source != "RecordVerb" and recording.status in ("in-progress", "paused"):
            recording.seconds = max(1, round((utcnow() - recording.at).total_seconds()))
        super().finish(recording)

    async def step(self) -> bool:
        """Time passes for everybody at a phone; then the carrier tells us what happened."""
        now = utcnow()
        if not self._began:
            self._began = True
            await self._end_lost()
        going = [leg for leg in self.world.legs.values() if leg.live]
        for leg in going:
            await self._pass_time(leg, now)
        talking = [leg.sid for leg in going if leg.live and leg.conference is not None]
        if talking:
            for sid in await self.carrier.services.db.read(_settled, talking):
                await self.end(self.world.legs[sid])
        await self.settle()
        if not going:
            self._forget(now)
        return False

    async def _end_lost(self) -> None:
        """Calls of an earlier process, and of the invented past, that nobody here knows: they are over."""
        path, lost = await self.carrier.services.db.read(_lost, set(self.world.legs))
        for place, sid in lost:
            form = {"CallSid": sid, "AccountSid": ACCOUNT_SID, "CallStatus": "completed", "Direction": "inbound"}
            form |= {"From": "", "To": PHONE_NUMBER, "Timestamp": stamp(self.now())}
            self.outbox.append(Post(f"{self.carrier.services.settings.base_url}{path}/{place}", form))

    async def _pass_time(self, leg: Leg, now: datetime) -> None:
        if not leg.live:
            return
        if leg.status == "ringing":
            await self._ring_on(leg, now)
            return
        if somebody := self.simulated.get(leg.sid):
            await self._act(leg, somebody, now)
        ear, verb = self.ear(leg), leg.waiting
        if not leg.live or now < ear.until:
            return
        if verb is not None and verb.tag == "Gather":
            if now >= ear.until + timedelta(seconds=float(verb.get("timeout", "5"))):
                await self.silence(leg)
        elif verb is not None and verb.tag == "Record":
            if now >= ear.until + timedelta(seconds=float(verb.get("maxLength", "3600"))):
                await self._said(leg, now)
        elif leg.conference is not None:
            place = next(one for one in leg.conference.people if one.leg is leg)
            if place.hold and place.hold_url:
                await self.hold_round(place)

    async def _ring_on(self, leg: Leg, now: datetime) -> None:
        if leg.direction == "inbound":
            return
        if leg.to == NUMBER and self.calls.get(NUMBER) is not leg:
            await self.refuse(leg, "busy")
        elif now >= leg.at + timedelta(seconds=leg.timeout):
            await self.refuse(leg, "no-answer")
        elif leg.to != NUMBER and now >= self._answers_at[leg.sid]:
            await self.answer(leg)
            if leg.to.startswith("+"):
                far = now + timedelta(hours=1)
                self.simulated[leg.sid] = Somebody(key_at=now, digit="1", gives_up_at=far)

    async def _act(self, leg: Leg, somebody: Somebody, now: datetime) -> None:
        """What a simulated person does next."""
        verb = leg.waiting
        if leg.conference is not None and len(leg.conference.inside) > 1:
            if somebody.talks_until is None:
                somebody.talks_until = now + timedelta(seconds=self.rng.uniform(*TALKS_FOR))
            elif now > somebody.talks_until:
                await self.hang_up(leg)
        elif verb is not None and verb.tag == "Record":
            if now > self.ear(leg).until + timedelta(seconds=SPEAKS_FOR[0]):
                await self.speak(leg, self.rng.randint(*SPEAKS_FOR))
        elif now > somebody.gives_up_at:
            await self.hang_up(leg)
        elif verb is not None and verb.tag == "Gather" and somebody.digit and now >= somebody.key_at:
            digit, somebody.digit = somebody.digit, ""
            self.ear(leg).cut(now)
            await self.press(leg, digit)

    def _forget(self, now: datetime) -> None:
        """Calls that are long over make room."""
        before, legs = now - FORGOTTEN_AFTER, self.world.legs
        old = [leg.sid for leg in legs.values() if leg.ended_at is not None and leg.ended_at < before]
        for sid in old:
            leg = self.world.legs.pop(sid)
            for kept in (self.ears, self.simulated, self._answers_at):
                kept.pop(sid, None)
            if self.calls.get(customer_of(leg)) is leg:
                del self.calls[customer_of(leg)]
        recordings, rooms = self.world.recordings, self.world.conferences
        for name in [name for name, one in recordings.items() if one.leg.sid not in self.world.legs]:
            del recordings[name]
        for name in [name for name, one in rooms.items() if all(p.leg.sid not in self.world.legs for p in one.people)]:
            del rooms[name]


def customer_of(leg: Leg) -> str:
    """The customer's number of a call, empty at a desk."""
    number = leg.sender if leg.direction == "inbound" else leg.to
    return number if number.startswith("+") else ""


def _settled(tx: Connection, sids: list[str]) -> list[Any]:
    """Of these customers' calls those whose matter a simulated colleague has resolved: they say goodbye."""
    done = [status.value for status in DONE_STATUSES]
    played = select(AgentConnection.user_id)
    return list(
        tx.execute(
            select(CallLeg.external_id)
            .join(Call, Call.id == CallLeg.call_id)
            .join(Ticket, Ticket.id == Call.ticket_id)
            .where(
                CallLeg.external_id.in_(sids),
                CallLeg.role == "caller",
                Ticket.status.in_(done),
                Call.user_id.not_in(played),
            )
        ).scalars()
    )


def _lost(tx: Connection, known: set[str]) -> tuple[str, list[tuple[str, str]]]:
    """The line's address, and (place below it, the carrier's id) of each call and dialled leg that goes on."""
    path = f"/hooks/twilio/{webhook_key(tx, Channel.PHONE)}"
    calls = select(Call.external_id).where(Call.ending.is_(None), Call.source == "twilio", Call.live)
    legs = select(CallLeg.id, CallLeg.external_id).where(CallLeg.state.in_(ALIVE), CallLeg.number != "")
    found = [("voice", sid) for sid in tx.execute(calls).scalars()]
    found += [(f"leg/{row.id}", row.external_id) for row in tx.execute(legs) if row.external_id]
    return path, [(place, sid) for place, sid in found if sid not in known]
