"""What the simulated colleagues do: sync acts on the real use cases, planned with a delay by whoever drives them.

History runs the plans in virtual time, the living floor in real time; the colleagues are the same.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from contact_center.core.bus import Poke
from contact_center.core.errors import DomainError
from contact_center.demo.cast import Cast
from contact_center.demo.talk import recognise
from routing import handling, offers
from routing.models import AgentState, Offer, WorkItem
from routing.presence import set_presence
from routing.states import Presence
from tickets import lifecycle, replies
from tickets.models import Ticket
from tickets.replies import Author, Reply
from tickets.states import OPEN_STATUSES, Status

Act = Callable[[Connection, datetime], None]

DECLINED = 0.03
MISSED = 0.015
LEFT_OPEN = 0.04
NOTES = (
    "Checked with the warehouse.",
    "Customer is friendly, quick answer is enough.",
    "Same as last week, see the article.",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Something somebody does after a while."""

    after: timedelta
    act: Act


class Colleagues:
    """The minds of the simulated agents. `resting` are those that a person plays at the moment."""

    def __init__(self, cast: Cast, rng: random.Random) -> None:
        self.cast = cast
        self.rng = rng
        self.ids = set(cast.agents.values())
        self.resting: set[int] = set()
        self._busy_until: dict[int, datetime] = {}

    def on_poke(self, poke: Poke, now: datetime) -> list[Plan]:
        """What a change makes the colleagues do."""
        data = poke.data
        if poke.topic.startswith("ticket:"):
            if data.get("event") == "offer.created" and self._simulated(data["agent_id"]):
                return [self._respond(data["offer_id"], data["agent_id"])]
            if data.get("event") == "ticket.assigned" and self._simulated(data["user_id"]):
                return [self._answer_soon(data["ticket_id"], data["user_id"], now)]
            if data.get("event") == "message.created" and data["kind"] == "inbound":
                owner = data.get("assignee_id")
                if owner is not None and self._simulated(owner):
                    return [self._answer_soon(data["ticket_id"], owner, now)]
        return []

    def _simulated(self, user_id: int) -> bool:
        return user_id in self.ids and user_id not in self.resting

    def _respond(self, offer_id: int, agent_id: int) -> Plan:
        chance = self.rng.random()
        if chance < MISSED:
            return Plan(timedelta(seconds=70), partial(_come_back, agent_id))
        seconds = self.rng.uniform(2, 9)
        if chance < MISSED + DECLINED:
            return Plan(timedelta(seconds=seconds), partial(_decline, offer_id, agent_id))
        return Plan(timedelta(seconds=seconds), partial(_accept, offer_id, agent_id))

    def _answer_soon(self, ticket_id: int, user_id: int, now: datetime) -> Plan:
        begin = max(now, self._busy_until.get(user_id, now))
        done = begin + timedelta(seconds=self.rng.uniform(12, 75))
        # Two or three chats at once: the next answer begins before this one is finished.
        self._busy_until[user_id] = begin + (done - begin) * 0.6
        return Plan(done - now, partial(self.answer, ticket_id, user_id))

    def answer(self, ticket_id: int, user_id: int, tx: Connection, now: datetime) -> None:
        """Write the next answer of the script; the last one resolves the ticket."""
        ticket = tx.execute(
            select(Ticket.status, Ticket.assignee_id, Ticket.waiting_since, Ticket.channel).where(
                Ticket.id == ticket_id
            )
        ).one()
        if ticket.assignee_id != user_id or Status(ticket.status) not in OPEN_STATUSES or ticket.waiting_since is None:
            return
        talk, given = recognise(tx, ticket_id)
        text = talk.answer(given)
        if text is None or ticket.channel == "phone":
            self._settle(tx, ticket_id, user_id, now)
            return
        if self.rng.random() < 0.06:
            replies.note(tx, ticket_id, self.rng.choice(NOTES), author=Author(user_id), now=now)
        replies.reply(tx, ticket_id, Reply(text), author=Author(user_id), now=now)
        if talk.is_last_answer(given) or talk.line(given + 1) is None:
            self._settle(tx, ticket_id, user_id, now)
        elif ticket.channel != "chat":
            lifecycle.set_status(tx, ticket_id, Status.PENDING, user_id=user_id, now=now)

    def _settle(self, tx: Connection, ticket_id: int, user_id: int, now: datetime) -> None:
        if self.rng.random() < LEFT_OPEN:
            return
        talk, _ = recognise(tx, ticket_id)
        if talk.script is not None:
            topic_id = self.cast.topics[" / ".join(talk.script.topic)]
            lifecycle.set_fields(tx, ticket_id, user_id=user_id, now=now, topic_id=topic_id)
        lifecycle.resolve(tx, ticket_id, user_id=user_id, now=now)

    def finish_wrap_ups(self, tx: Connection, now: datetime) -> None:
        """Finish wrap-ups of simulated agents without waiting for the timer."""
        rows = tx.execute(select(WorkItem.ticket_id, WorkItem.agent_id).where(WorkItem.state == "wrapping")).all()
        for row in rows:
            if self._simulated(row.agent_id):
                handling.finish(tx, row.ticket_id, row.agent_id, now=now)


def _accept(offer_id: int, agent_id: int, tx: Connection, now: datetime) -> None:
    if tx.execute(select(Offer.state).where(Offer.id == offer_id)).scalar_one() == "offered":
        offers.accept(tx, offer_id, agent_id, now=now)


def _decline(offer_id: int, agent_id: int, tx: Connection, now: datetime) -> None:
    if tx.execute(select(Offer.state).where(Offer.id == offer_id)).scalar_one() == "offered":
        offers.decline(tx, offer_id, agent_id, "On the phone", now=now)


def _come_back(agent_id: int, tx: Connection, now: datetime) -> None:
    presence = tx.execute(select(AgentState.presence).where(AgentState.user_id == agent_id)).scalar_one_or_none()
    if presence == Presence.NOT_RESPONDING.value:
        set_presence(tx, agent_id, Presence.AVAILABLE, now=now)


def attempt(act: Act, tx: Connection, now: datetime) -> bool:
    """Do something that somebody else's faster act may have made impossible."""
    try:
        with tx.begin_nested():
            act(tx, now)
    except DomainError:
        return False
    return True
