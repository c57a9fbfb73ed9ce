"""A stretch of the past: the real use cases and the real policy, driven in virtual time."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, func, select

from contact_center.core.bus import Poke
from contact_center.core.db import take_pokes
from contact_center.core.events import Handlers
from contact_center.core.relay import BATCH, relay_batch
from contact_center.demo import quality
from contact_center.demo.cast import Cast
from contact_center.demo.colleagues import Act, Colleagues, Plan, attempt
from contact_center.demo.days import LUNCH, Shift, shifts
from contact_center.demo.matters import Customers
from routing import handling
from routing import timers as routing_timers
from routing.engine import Engine
from routing.models import WorkItem
from routing.presence import set_presence
from routing.states import HOLDING_STATES, Presence, WorkItemState
from routing.steps import NEVER
from tickets import timers
from tickets.lifecycle import CLOSE_AFTER
from tickets.models import Message, Ticket
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.sla_models import SlaClock
from tickets.timers import Reminder

# How often somebody looks whether a moment has come, and at silent chats and the like.
TICK = timedelta(minutes=5)
LOOK_AROUND = timedelta(hours=1)
ACTS_PER_COMMIT = 400

# The earliest moment of each kind of timer, in one statement; every part has its own index.
_NEXT = select(
    select(func.min(SlaClock.next_at)).where(SlaClock.next_at.is_not(None)).scalar_subquery().label("clock"),
    select(func.min(Ticket.snoozed_until)).where(Ticket.snoozed_until.is_not(None)).scalar_subquery().label("snooze"),
    select(func.min(Ticket.resolved_at)).where(Ticket.status == "resolved").scalar_subquery().label("resolved"),
    select(func.min(Reminder.due_at))
    .where(Reminder.rang_at.is_(None), Reminder.done_at.is_(None))
    .scalar_subquery()
    .label("reminder"),
    select(func.min(Survey.due_at)).where(Survey.state == "planned").scalar_subquery().label("survey"),
    select(func.min(Message.send_after)).where(Message.delivery == "queued").scalar_subquery().label("send"),
    select(func.min(WorkItem.wrap_until)).where(WorkItem.state == "wrapping").scalar_subquery().label("wrap"),
)

_HELD = select(WorkItem.ticket_id, WorkItem.agent_id, WorkItem.state).where(
    WorkItem.state.in_([state.value for state in HOLDING_STATES])
)


class History:
    """The clock, the agenda and everybody in it. Plan, then `run`."""

    def __init__(
        self,
        tx: Connection,
        cast: Cast,
        customers: Customers,
        handlers: Handlers,
        rng: random.Random,
        *,
        base_url: str,
        scorecard_id: int,
    ) -> None:
        self.tx = tx
        self.cast = cast
        self.customers = customers
        self.handlers = handlers
        self.rng = rng
        self.base_url = base_url
        self.scorecard_id = scorecard_id
        self.engine = Engine(None)  # type: ignore[arg-type]
        self.colleagues = Colleagues(cast, rng)
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._count = itertools.count()
        self._looks_at = NEVER

    def at(self, moment: datetime, act: Act) -> None:
        """Put something on the agenda."""
        heapq.heappush(self._agenda, (moment, next(self._count), act))

    def plan_customers(self, begin: datetime, end: datetime, count: int) -> None:
        """`count` customers write between two moments."""
        for moment, act in self.customers.arrivals(begin, end, count):
            self.at(moment, act)

    def plan_work(self, begin: datetime, end: datetime, *, tick: timedelta = TICK) -> None:
        """Shifts between two moments, what happens because time passes, and what is done now and then."""
        for shift in shifts(list(self.cast.agents.values()), begin, end):
            self._plan_shift(shift, begin, end)
        self.plan_timers(begin, end, tick=tick)
        self._every(LOOK_AROUND, begin, end, self._look_around)
        self._every(timedelta(days=1), begin + timedelta(hours=3), end, self._review)

    def plan_timers(self, begin: datetime, end: datetime, *, tick: timedelta) -> None:
        """What happens because time passes, with nobody at work."""
        self._every(tick, begin, end, self._tick)

    def plan_handover(self, moment: datetime) -> None:
        """Everybody goes at this moment: what comes after it is told elsewhere."""
        for user_id in self.cast.agents.values():
            self.at(moment, partial(_presence, user_id, Presence.OFFLINE, None))

    def _every(self, step: timedelta, begin: datetime, end: datetime, act: Act) -> None:
        moment = begin
        while moment < end:
            self.at(moment, act)
            moment += step

    def _plan_shift(self, shift: Shift, begin: datetime, end: datetime) -> None:
        if begin > shift.lunch:
            first: tuple[tuple[datetime, Presence, str | None], ...] = ()
        else:
            first = (
                (shift.lunch, Presence.AWAY, "Lunch"),
                (shift.lunch + LUNCH, Presence.AVAILABLE, None),
            )
        for moment, presence, reason in (
            (max(shift.begin, begin), Presence.AVAILABLE, None),
            *first,
            (shift.end, Presence.OFFLINE, None),
        ):
            if moment < end:
                self.at(moment, partial(_presence, shift.user_id, presence, reason))

    def run(self, until: datetime, commit: Callable[[datetime], Connection]) -> None:
        """Work off what is on the agenda until a moment; `commit` is told how far it is, every few hundred acts."""
        for number in itertools.count(1):
            if not self._agenda or self._agenda[0][0] > until:
                break
            moment, _, act = heapq.heappop(self._agenda)
            for plan in attempt(act, self.tx, moment):
                self.at(moment + plan.after, plan.act)
            self.settle(moment)
            if number % ACTS_PER_COMMIT == 0:
                self.tx = commit(moment)
        self.tx = commit(until)

    def hand_over(self, now: datetime) -> None:
        """Everybody goes, and gives back what they still have: nobody holds anything of this past any more."""
        for user_id in self.cast.agents.values():
            set_presence(self.tx, user_id, Presence.OFFLINE, now=now)
        self.settle(now)
        supervisor = next(iter(self.cast.supervisors.values()))
        for item in self.tx.execute(_HELD).all():
            if item.state == WorkItemState.WRAPPING.value:
                handling.finish(self.tx, item.ticket_id, item.agent_id, now=now)
            else:
                handling.requeue(self.tx, item.ticket_id, by_user_id=supervisor, now=now)
        self.settle(now)

    def settle(self, now: datetime) -> None:
        """Let handlers, engine and colleagues react until nothing moves."""
        unhandled = False
        while True:
            pokes = take_pokes(self.tx)
            if pokes or unhandled:
                # What has no handler of its own waits for the others of its moment: most batches are saved.
                unhandled = bool(pokes) and not any(poke.data.get("event") in self.handlers for poke in pokes)
                if not unhandled:
                    while relay_batch(self.tx, self.handlers, now) == BATCH:
                        pass
                self._react(pokes, now)
            elif now.timestamp() >= self._looks_at:
                self._decide(now)
            else:
                return

    def _react(self, pokes: Sequence[Poke], now: datetime) -> None:
        for poke in pokes:
            if poke.topic.startswith("ticket:"):
                for plan in (*self.colleagues.on_change(poke.data, now), *self.customers.on_change(poke.data)):
                    self.at(now + plan.after, plan.act)
        self.engine.on_pokes(pokes)
        if any(poke.topic in ("routing", "queues") for poke in pokes):
            self._decide(now)

    def _decide(self, now: datetime) -> None:
        self._looks_at = self.engine.decide_marked(self.tx, now)
        if self._looks_at < (now + LOOK_AROUND).timestamp():
            self.at(datetime.fromtimestamp(self._looks_at, now.tzinfo), _nothing)

    def _tick(self, tx: Connection, now: datetime) -> None:
        due = tx.execute(_NEXT).one()
        closes = due.resolved + CLOSE_AFTER if due.resolved else None
        if any(moment and moment <= now for moment in (due.clock, due.snooze, due.reminder, closes)):
            timers.run_due(tx, now)
        if due.survey and due.survey <= now:
            surveys.send_due(tx, now, base_url=self.base_url)
        if due.send and due.send <= now:
            self.customers.deliver(tx, now)
        if due.wrap and due.wrap <= now:
            routing_timers.run_all(tx, now)

    def _look_around(self, tx: Connection, now: datetime) -> Sequence[Plan]:
        routing_timers.run_all(tx, now)
        # Queues open and close by the clock alone.
        self.engine.resync()
        self._looks_at = now.timestamp()
        self.colleagues.tidy(tx, now)
        quality.review_drafts(tx, now=now)
        return self.colleagues.owed(tx, now, since=now - LOOK_AROUND)

    def _review(self, tx: Connection, now: datetime) -> None:
        """Once a day: complaints move on, and the reviewer scores."""
        quality.handle_complaints(tx, self.cast, self.rng, now=now)
        quality.evaluate(tx, self.cast, self.scorecard_id, self.rng, now=now)


def _nothing(tx: Connection, now: datetime) -> None:
    """Only the moment matters: the engine looks again."""


def _presence(user_id: int, presence: Presence, reason: str | None, tx: Connection, now: datetime) -> None:
    set_presence(tx, user_id, presence, reason=reason, now=now)
