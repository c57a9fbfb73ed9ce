"""A month of history: the real use cases and the real policy, driven in virtual time."""

import heapq
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, select

from channels import delivery
from channels.base import Sent
from contact_center.core.bus import Poke
from contact_center.core.db import take_pokes
from contact_center.core.events import Handlers
from contact_center.core.relay import relay_batch
from contact_center.demo import quality
from contact_center.demo.cast import Cast
from contact_center.demo.colleagues import Act, Colleagues, Plan, attempt
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk, opening
from routing import timers as routing_timers
from routing.engine import Engine
from routing.presence import set_presence
from routing.states import Presence
from tickets import intake, timers
from tickets.inbound import Address, InboundMessage
from tickets.models import Ticket
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.states import Channel, ContactKind, Delivery

CHANNELS = (
    (Channel.CHAT, 0.38, "Shop chat"),
    (Channel.EMAIL, 0.36, "Shop mail"),
    (Channel.SMS, 0.26, "Shop SMS"),
)
# Share of a day's customers per hour of the shop's day.
HOURS = (1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 7, 8, 9, 9, 8, 7, 6, 5, 4, 3, 2, 1)
# Timers run this often in the past: the last day as often as a board would notice, earlier ones hourly.
TICKS = (timedelta(hours=1), timedelta(minutes=10))
SHIFT_HOURS = 9


class History:
    """The clock, the agenda and everybody in it. Call `plan_*`, then `run`."""

    def __init__(
        self,
        tx: Connection,
        cast: Cast,
        shoppers: Sequence[Shopper],
        handlers: Handlers,
        rng: random.Random,
        *,
        base_url: str,
    ) -> None:
        self.tx = tx
        self.cast = cast
        self.shoppers = shoppers
        self.handlers = handlers
        self.rng = rng
        self.base_url = base_url
        self.engine = Engine(None)  # type: ignore[arg-type]
        self.colleagues = Colleagues(cast, rng)
        self.talks: dict[int, tuple[Talk, Shopper, Channel]] = {}
        self.opened = 0
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._count = itertools.count()

    def at(self, moment: datetime, act: Act) -> None:
        """Put something on the agenda."""
        heapq.heappush(self._agenda, (moment, next(self._count), act))

    def plan_day(self, day: datetime, count: int, until: datetime) -> None:
        """Customers over one day, most of them in the day's busy hours; shifts, and the timers' ticks."""
        for hour in self.rng.choices(range(24), HOURS, k=count):
            moment = day + timedelta(hours=hour, seconds=self.rng.uniform(0, 3600))
            if moment < until:
                self.at(moment, partial(self._customer_writes, self.rng.choice(self.shoppers)))
        for place, user_id in enumerate(self.cast.agents.values()):
            # Four shifts around the clock, two colleagues each, an hour of overlap.
            begin = day + timedelta(hours=place % 4 * 6, minutes=self.rng.uniform(0, 8))
            self._plan_shift(user_id, begin, until)
        self.at(day, self._judge_complaints)
        moment = day
        while moment < min(day + timedelta(days=1), until):
            self.at(moment, self._tick)
            moment += TICKS[until - moment < timedelta(days=1)]

    def _plan_shift(self, user_id: int, begin: datetime, until: datetime) -> None:
        lunch = begin + timedelta(hours=4, minutes=self.rng.uniform(0, 20))
        for moment, presence, reason in (
            (begin, Presence.AVAILABLE, None),
            (lunch, Presence.AWAY, "Lunch"),
            (lunch + timedelta(minutes=32), Presence.AVAILABLE, None),
            (begin + timedelta(hours=SHIFT_HOURS), Presence.OFFLINE, None),
        ):
            if moment < until:
                self.at(moment, partial(_presence, user_id, presence, reason))

    def run(self, report: Callable[[datetime], None], commit: Callable[[], Connection]) -> None:
        """Work the agenda off; commits every few hundred acts."""
        for number in itertools.count(1):
            if not self._agenda:
                break
            moment, _, act = heapq.heappop(self._agenda)
            attempt(act, self.tx, moment)
            self.settle(moment)
            if number % 500 == 0:
                self.tx = commit()
                report(moment)
        self.tx = commit()

    def settle(self, now: datetime) -> None:
        """Let handlers, engine and colleagues react until nothing moves."""
        while True:
            relayed = relay_batch(self.tx, self.handlers, now)
            pokes = take_pokes(self.tx)
            if not pokes and not relayed:
                return
            self._react(pokes, now)
            self.engine.on_pokes(pokes)
            if any(poke.topic in ("routing", "queues") for poke in pokes):
                self.engine.decide_all(self.tx, now)

    def _react(self, pokes: Sequence[Poke], now: datetime) -> None:
        for poke in pokes:
            for plan in self.colleagues.on_poke(poke, now):
                self.at(now + plan.after, plan.act)
            if poke.topic.startswith("ticket:"):
                plan_ = self._customer_reacts(poke.data)
                if plan_ is not None:
                    self.at(now + plan_.after, plan_.act)

    def _customer_writes(self, shopper: Shopper, tx: Connection, now: datetime) -> None:
        script = opening(self.rng)
        channel, account = self._channel()
        talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
        first = talk.line(0)
        assert first is not None
        subject = script.words[shopper.locale].subject.format(order=shopper.order, item=shopper.item, name="")
        message = self._message(shopper, channel, account, first, now, f"{next(self._count)}")
        receipt = intake.receive(
            tx,
            replace(
                message,
                subject=subject if channel is Channel.EMAIL else "",
                queue_id=self.cast.queues[script.queue],
            ),
            now=now,
        )
        if receipt.ticket_id is not None:
            self.opened += receipt.created
            self.talks[receipt.ticket_id] = (replace(talk, ticket_id=receipt.ticket_id), shopper, channel)

    def _channel(self) -> tuple[Channel, int]:
        channel, _, name = self.rng.choices(CHANNELS, [share for _, share, _ in CHANNELS])[0]
        return channel, self.cast.accounts[name]

    def _message(
        self, shopper: Shopper, channel: Channel, account: int, text: str, now: datetime, key: str
    ) -> InboundMessage:
        sender = {
            Channel.EMAIL: Address(ContactKind.EMAIL, shopper.email, shopper.name),
            Channel.SMS: Address(ContactKind.PHONE, shopper.phone, shopper.name),
            Channel.CHAT: Address(ContactKind.EMAIL, shopper.email, shopper.name),
        }[channel]
        thread = {Channel.EMAIL: None, Channel.SMS: shopper.phone, Channel.CHAT: f"history-{key}"}[channel]
        return InboundMessage(
            channel=channel,
            account_id=account,
            external_id=f"history-{key}",
            sender=sender,
            text=text,
            thread_key=thread,
            locale=shopper.locale,
            sent_at=now,
        )

    def _customer_reacts(self, data: Mapping[str, object]) -> Plan | None:
        ticket_id = data.get("ticket_id")
        if not isinstance(ticket_id, int) or ticket_id not in self.talks:
            return None
        if data.get("event") == "message.created" and data.get("kind") == "outbound":
            quick = self.talks[ticket_id][2] is Channel.CHAT
            seconds = self.rng.uniform(15, 60) if quick else self.rng.uniform(300, 7200)
            return Plan(timedelta(seconds=seconds), partial(self._customer_goes_on, ticket_id))
        if data.get("event") == "ticket.resolved":
            return Plan(timedelta(minutes=self.rng.uniform(40, 900)), partial(self._customer_rates, ticket_id))
        return None

    def _customer_goes_on(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        talk, shopper, channel = self.talks[ticket_id]
        status, seq, thread, account = tx.execute(
            select(Ticket.status, Ticket.public_seq, Ticket.thread_key, Ticket.channel_account_id).where(
                Ticket.id == ticket_id
            )
        ).one()
        text = talk.line((seq + 1) // 2)
        if text is None or status in ("resolved", "closed") or account is None:
            return
        message = self._message(shopper, channel, account, text, now, f"{next(self._count)}")
        intake.receive(
            tx,
            replace(message, thread_key=thread, ticket_token=ticket_id if channel is Channel.EMAIL else None),
            now=now,
        )

    def deliver(self, tx: Connection, now: datetime) -> None:
        """Record the past's mails and texts as sent: who received them exists only in this history."""
        while claimed := delivery.claim(tx, [Channel.EMAIL.value, Channel.SMS.value], now):
            for message_id, attempt_id in claimed:
                outcome = delivery.Outcome(Delivery.SENT, Sent(external_id=f"history-{attempt_id}"))
                delivery.record(tx, message_id, attempt_id, outcome, now)

    def _customer_rates(self, ticket_id: int, tx: Connection, now: datetime) -> None:
        if self.rng.random() > 0.35:
            return
        token = tx.execute(
            select(Survey.token).where(Survey.ticket_id == ticket_id, Survey.state == surveys.SurveyState.SENT.value)
        ).scalar_one_or_none()
        if token is not None:
            script = self.talks[ticket_id][0].script
            grim = script is not None and script.angry
            rating = self.rng.choices((1, 2, 3, 4, 5), (30, 30, 20, 15, 5) if grim else (3, 4, 10, 33, 50))[0]
            surveys.answer(tx, token, rating, now=now)

    def _judge_complaints(self, tx: Connection, now: datetime) -> None:
        quality.handle_complaints(tx, self.cast, self.rng, now=now)

    def _tick(self, tx: Connection, now: datetime) -> None:
        timers.run_due(tx, now)
        surveys.send_due(tx, now, base_url=self.base_url)
        self.deliver(tx, now)
        routing_timers.run_all(tx, now)
        self.colleagues.finish_wrap_ups(tx, now)


def _presence(user_id: int, presence: Presence, reason: str | None, tx: Connection, now: datetime) -> None:
    set_presence(tx, user_id, presence, reason=reason, now=now)
