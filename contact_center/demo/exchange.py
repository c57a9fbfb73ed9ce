"""The demo's telephone exchange: calls with real states and no audio, told to us by signed voice callbacks."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from channels.phone.models import Call
from contact_center.accounts.models import User
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.demo.carrier import Carrier, new_sid, webhook_key
from contact_center.demo.cast import PHONE_NUMBER, TWILIO_ACCOUNT
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk
from routing.models import WorkItem
from tickets.models import Ticket
from tickets.states import DONE_STATUSES, Channel

RINGS_FOR = timedelta(seconds=45)
STEP_SECONDS = 0.3
# How long a simulated caller talks.
TALKS_FOR = (20.0, 60.0)
OVER = {"wrapping", "completed", "canceled"}


@dataclass(slots=True)
class Conversation:
    """One call from its caller's side: `state` is calling, talking or ended."""

    sid: str
    number: str
    since: datetime
    state: str = "calling"
    agent: str = ""
    # How it ended, in the carrier's word, and how long it was talked.
    ending: str = ""
    seconds: int = 0
    # When a simulated caller hangs up by themselves.
    until: datetime | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What our side knows of a call: who has it, and whether their part is over."""

    agent: str
    over: bool


class Exchange:
    """Connects callers with whoever accepts their call in the console; polls only while somebody calls."""

    def __init__(self, carrier: Carrier, rng: random.Random) -> None:
        self.carrier = carrier
        self.rng = rng
        self.calls: dict[str, Conversation] = {}

    def loop(self) -> Loop:
        """The loop to run."""
        return Loop("demo-exchange", self.step, STEP_SECONDS)

    async def begin(self, shopper: Shopper, _script: Script, _talk: Talk) -> None:
        """A simulated customer calls; a call has no audio here, so nobody hears what it is about."""
        conversation = await self.dial(shopper.phone)
        conversation.simulated = True

    async def dial(self, number: str) -> Conversation:
        """Somebody calls us; a phone has one call at a time."""
        current = self.calls.get(number)
        if current is not None and current.state != "ended":
            return current
        conversation = Conversation(new_sid("CA"), number, utcnow())
        self.calls[number] = conversation
        await self._tell(conversation, "ringing")
        return conversation

    async def hang_up(self, number: str) -> None:
        """The caller ends the call, or gives up waiting."""
        conversation = self.calls.get(number)
        if conversation is not None and conversation.state != "ended":
            await self._end(conversation, "completed" if conversation.state == "talking" else "canceled")

    async def step(self) -> bool:
        """Connect what was accepted, end what is over, give up what rings too long."""
        going = [call for call in self.calls.values() if call.state != "ended"]
        if not going:
            return False
        seen = await self.carrier.services.db.read(_look, [call.sid for call in going])
        now = utcnow()
        for call in going:
            found = seen.get(call.sid)
            if call.state == "calling" and found and found.agent:
                await self._connect(call, found.agent, now)
            elif call.state == "calling" and now - call.since > RINGS_FOR:
                await self._end(call, "no-answer")
            elif call.state == "talking" and ((found and found.over) or (call.until and now > call.until)):
                await self._end(call, "completed")
        return False

    async def _connect(self, call: Conversation, agent: str, now: datetime) -> None:
        call.state, call.agent, call.since = "talking", agent, now
        if call.simulated:
            call.until = now + timedelta(seconds=self.rng.uniform(*TALKS_FOR))
        # The agent's leg: a browser phone that was rung and picked up.
        leg = {
            "CallSid": new_sid("CA"),
            "ParentCallSid": call.sid,
            "To": f"client:{agent}",
            "Direction": "outbound-dial",
        }
        await self._tell(call, "in-progress", **leg)

    async def _end(self, call: Conversation, status: str) -> None:
        call.seconds = round((utcnow() - call.since).total_seconds()) if call.state == "talking" else 0
        call.state, call.since, call.ending = "ended", utcnow(), status
        if not call.simulated:
            self.carrier.note(call.number, status, call.seconds)
        await self._tell(call, status, CallDuration=str(call.seconds))

    async def _tell(self, call: Conversation, status: str, **more: str) -> None:
        key = await self.carrier.services.db.read(webhook_key, Channel.PHONE)
        form = {
            "CallSid": call.sid,
            "AccountSid": TWILIO_ACCOUNT,
            "From": call.number,
            "To": PHONE_NUMBER,
            "Direction": "inbound",
            "CallStatus": status,
            "Timestamp": f"{utcnow():%a, %d %b %Y %H:%M:%S +0000}",
        }
        await self.carrier.post(f"/hooks/twilio/{key}/voice", {**form, **more})


def _look(tx: Connection, sids: list[str]) -> dict[str, Seen]:
    """For each call that has a ticket: its owner, and whether the owner is done with it."""
    newest = (
        select(WorkItem.state)
        .where(WorkItem.ticket_id == Ticket.id, WorkItem.medium == "call")
        .order_by(WorkItem.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = tx.execute(
        select(Call.external_id, User.name, Ticket.status, newest.label("work"))
        .join(Ticket, Ticket.id == Call.ticket_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .where(Call.external_id.in_(sids))
    ).all()
    done = {status.value for status in DONE_STATUSES}
    return {row.external_id: Seen(row.name or "", row.status in done or row.work in OVER) for row in rows}
