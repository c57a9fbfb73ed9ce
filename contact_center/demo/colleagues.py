"""What the simulated colleagues do: sync acts on the real use cases, planned with a delay by whoever drives them.

History runs the plans in virtual time, the living floor in real time; the colleagues are the same.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, select

from contact_center.core.bus import Poke
from contact_center.core.errors import DomainError
from contact_center.demo.cast import ALWAYS_OPEN, Cast
from contact_center.demo.talk import Talk, recognise
from routing import handling, offers
from routing.models import AgentState, Offer, WorkItem
from routing.presence import set_presence
from routing.states import Presence, WorkItemState
from tickets import lifecycle, replies
from tickets.models import Ticket
from tickets.replies import Author, Reply
from tickets.states import OPEN_STATUSES, Channel, Priority, Status

DECLINED = 0.03
MISSED = 0.015
# Of the answers: how many are passed on instead, how many settled matters wait for somebody else first.
PASSED_ON = 0.04
HELD = 0.04
HELD_HOURS = (4.0, 60.0)
# A customer who has not come back after this long is taken to be content.
TIDIED_AFTER = timedelta(days=3)
GONE_AFTER = timedelta(hours=1)
# Longer than any offer lasts.
OFFER_OVER = timedelta(seconds=31)
NOTES = (
    "Checked with the warehouse.",
    "Customer is friendly, quick answer is enough.",
    "Same as last week, see the article.",
)
HOLD_REASONS = ("The carrier looks for the parcel", "Spare part ordered", "The bank checks the payment")
SUMMARIES = ("Please take over: this is about your queue.", "Not ours after all, the customer knows that you answer.")
FROM_CHANNELS = frozenset({"chat", "email", "sms", "whatsapp"})


# Does something on the real use cases; what somebody will do because of it comes back as plans.
Act = Callable[[Connection, datetime], "Sequence[Plan] | None"]


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
        # (ticket, colleague) of the answers that somebody is about to write.
        self._promised: set[tuple[int, int]] = set()

    def on_poke(self, poke: Poke, now: datetime) -> list[Plan]:
        """What a change makes the colleagues do."""
        return self.on_change(poke.data, now) if poke.topic.startswith("ticket:") else []

    def on_change(self, data: Mapping[str, Any], now: datetime) -> list[Plan]:
        """The same for what an event about a ticket says."""
        match data.get("event"):
            case "offer.created" if self._simulated(data["agent_id"]):
                return self._respond(data["offer_id"], data["agent_id"])
            case "ticket.assigned" if self._simulated(data["user_id"]):
                return [self._answer_soon(data["ticket_id"], data["user_id"], now)]
            case "message.created" if data["kind"] == "inbound" and self._simulated(data.get("assignee_id")):
                return [self._answer_soon(data["ticket_id"], data["assignee_id"], now)]
            case "ticket.status_changed" if data.get("to") == "on_hold" and self._simulated(data.get("by_user_id")):
                after = timedelta(hours=self.rng.uniform(*HELD_HOURS))
                return [
                    self._plan(after, data["by_user_id"], partial(self._take_up, data["ticket_id"], data["by_user_id"]))
                ]
            case "ticket.resolved" if self._simulated(data.get("by_user_id")):
                after = timedelta(seconds=self.rng.uniform(3, 20))
                return [self._plan(after, data["by_user_id"], partial(_finish, data["ticket_id"], data["by_user_id"]))]
        return []

    def _simulated(self, user_id: int | None) -> bool:
        return user_id in self.ids and user_id not in self.resting

    def _plan(self, after: timedelta, user_id: int, act: Act) -> Plan:
        """A colleague's plan, which is dropped if a person plays them by then."""
        return Plan(after, lambda tx, now: act(tx, now) if self._simulated(user_id) else None)

    def _respond(self, offer_id: int, agent_id: int) -> list[Plan]:
        chance = self.rng.random()
        if chance < MISSED:
            return [
                self._plan(OFFER_OVER, agent_id, partial(_let_expire, offer_id)),
                self._plan(timedelta(seconds=self.rng.uniform(60, 200)), agent_id, partial(_come_back, agent_id)),
            ]
        seconds = timedelta(seconds=self.rng.uniform(2, 9))
        if chance < MISSED + DECLINED:
            return [self._plan(seconds, agent_id, partial(_decline, offer_id, agent_id))]
        return [self._plan(seconds, agent_id, partial(_accept, offer_id, agent_id))]

    def _answer_soon(self, ticket_id: int, user_id: int, now: datetime) -> Plan:
        self._promised.add((ticket_id, user_id))
        begin = max(now, self._busy_until.get(user_id, now))
        done = begin + timedelta(seconds=self.rng.uniform(12, 75))
        # Two or three chats at once: the next answer begins before this one is finished.
        self._busy_until[user_id] = begin + (done - begin) * 0.6
        return Plan(done - now, partial(self.answer, ticket_id, user_id))

    def answer(self, ticket_id: int, user_id: int, tx: Connection, now: datetime) -> None:
        """Write the next answer of the script; the last one resolves the ticket."""
        self._promised.discard((ticket_id, user_id))
        if not self._simulated(user_id):
            return
        ticket = tx.execute(_STANDS, {"ticket": ticket_id}).one()
        if ticket.assignee_id != user_id or Status(ticket.status) not in OPEN_STATUSES or ticket.waiting_since is None:
            return
        talk, given = recognise(tx, ticket_id)
        text = talk.answer(given)
        if text is None or ticket.channel == "phone":
            self._settle(tx, talk, user_id, now)
            return
        if given == 0 and self.rng.random() < PASSED_ON:
            self._pass_on(tx, ticket_id, user_id, now)
            return
        if given == 0 and talk.script is not None and talk.script.angry:
            lifecycle.set_fields(tx, ticket_id, user_id=user_id, now=now, priority=Priority.HIGH)
        if self.rng.random() < 0.06:
            replies.note(tx, ticket_id, self.rng.choice(NOTES), author=Author(user_id), now=now)
        replies.reply(tx, ticket_id, Reply(text), author=Author(user_id), now=now)
        if talk.is_last_answer(given) or talk.line(given + 1) is None:
            self._settle(tx, talk, user_id, now)
        elif ticket.channel != "chat":
            lifecycle.set_status(tx, ticket_id, Status.PENDING, user_id=user_id, now=now)

    def _pass_on(self, tx: Connection, ticket_id: int, user_id: int, now: datetime) -> None:
        queue_id = tx.execute(select(Ticket.queue_id).where(Ticket.id == ticket_id)).scalar_one()
        others = [self.cast.queues[name] for name in ALWAYS_OPEN if self.cast.queues[name] != queue_id]
        handling.transfer(
            tx,
            ticket_id,
            by_user_id=user_id,
            queue_id=self.rng.choice(others),
            summary=self.rng.choice(SUMMARIES),
            now=now,
        )

    def _settle(self, tx: Connection, talk: Talk, user_id: int, now: datetime) -> None:
        ticket_id = talk.ticket_id
        if talk.script is not None:
            topic_id = self.cast.topics[" / ".join(talk.script.topic)]
            lifecycle.set_fields(tx, ticket_id, user_id=user_id, now=now, topic_id=topic_id)
            if self.rng.random() < HELD:
                reason = self.rng.choice(HOLD_REASONS)
                lifecycle.set_status(tx, ticket_id, Status.ON_HOLD, user_id=user_id, now=now, hold_reason=reason)
                return
        lifecycle.resolve(tx, ticket_id, user_id=user_id, now=now)

    def _take_up(self, ticket_id: int, user_id: int, tx: Connection, now: datetime) -> None:
        """What was waited for has come: tell the customer, and be done."""
        ticket = tx.execute(select(Ticket.status, Ticket.channel).where(Ticket.id == ticket_id)).one()
        if ticket.status != Status.ON_HOLD.value:
            return
        if ticket.channel in FROM_CHANNELS:
            talk, _ = recognise(tx, ticket_id)
            replies.reply(tx, ticket_id, Reply(talk.good_news()), author=Author(user_id), now=now)
        lifecycle.resolve(tx, ticket_id, user_id=user_id, now=now)

    def owed(self, tx: Connection, now: datetime, *, since: datetime) -> list[Plan]:
        """Answers that simulated colleagues have owed since before `since`: whoever promised them is gone."""
        rows = [(row.id, row.assignee_id) for row in tx.execute(_OWED, {"since": since})]
        mine = [one for one in rows if one not in self._promised and self._simulated(one[1])]
        return [self._answer_soon(ticket_id, user_id, now) for ticket_id, user_id in mine]

    def tidy(self, tx: Connection, now: datetime) -> int:
        """Resolve what nobody has come back to for days, and chats that were left; returns how many it were."""
        rows = tx.execute(_FORGOTTEN, {"before": now - TIDIED_AFTER, "gone": now - GONE_AFTER}).all()
        mine = [row for row in rows if self._simulated(row.assignee_id)]
        for row in mine:
            if row.status == Status.ON_HOLD.value:
                self._take_up(row.id, row.assignee_id, tx, now)
            else:
                lifecycle.resolve(tx, row.id, user_id=row.assignee_id, now=now)
        return len(mine)

    def finish_wrap_ups(self, tx: Connection, now: datetime) -> None:
        """Finish wrap-ups of simulated agents without waiting for the timer."""
        rows = tx.execute(select(WorkItem.ticket_id, WorkItem.agent_id).where(WorkItem.state == "wrapping")).all()
        for row in rows:
            if self._simulated(row.agent_id):
                handling.finish(tx, row.ticket_id, row.agent_id, now=now)


def _finish(ticket_id: int, user_id: int, tx: Connection, now: datetime) -> None:
    if tx.execute(_WRAPPING, {"ticket": ticket_id}).first() is not None:
        handling.finish(tx, ticket_id, user_id, now=now)


def _let_expire(offer_id: int, tx: Connection, now: datetime) -> None:
    offers.expire(tx, offer_id, now=now)


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


def attempt(act: Act, tx: Connection, now: datetime) -> Sequence[Plan]:
    """Do something that somebody else's faster act may have made impossible; what follows from it."""
    try:
        with tx.begin_nested():
            return act(tx, now) or ()
    except DomainError:
        return ()


# Built once: the past runs them thousands of times.
_WRAPPING = select(WorkItem.id).where(
    WorkItem.ticket_id == bindparam("ticket"), WorkItem.state == WorkItemState.WRAPPING.value
)
_STANDS = select(Ticket.status, Ticket.assignee_id, Ticket.waiting_since, Ticket.channel).where(
    Ticket.id == bindparam("ticket")
)
_OWED = select(Ticket.id, Ticket.assignee_id).where(
    Ticket.waiting_since < bindparam("since"),
    Ticket.assignee_id.is_not(None),
    Ticket.status.in_([status.value for status in OPEN_STATUSES]),
)
_FORGOTTEN = (
    select(Ticket.id, Ticket.assignee_id, Ticket.status)
    .where(
        Ticket.status.in_([Status.PENDING.value, Status.ON_HOLD.value]),
        Ticket.updated_at < bindparam("before"),
        Ticket.merged_into_id.is_(None),
    )
    .union_all(
        select(Ticket.id, Ticket.assignee_id, Ticket.status).where(
            Ticket.status == Status.OPEN.value,
            Ticket.channel == Channel.CHAT.value,
            Ticket.waiting_since.is_(None),
            Ticket.updated_at < bindparam("gone"),
            Ticket.merged_into_id.is_(None),
        )
    )
)
