"""Rules run in the relay, by its handlers: in order, each at most once on an event, one's error never another's.

Without a rule that is switched on none of these handlers is there, so a message costs nothing more (`Watch`).
What a rule changes is announced with the rules that led to it: none of those runs on it again, and after MOST_DEPTH
no rule does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, bindparam, delete, select, update
from sqlalchemy.exc import DataError, IntegrityError

from contact_center.automations import actions as acts
from contact_center.automations import conditions as conds
from contact_center.automations import doing, facts
from contact_center.automations.actions import FOR_RULES, Do
from contact_center.automations.conditions import IDS, Condition
from contact_center.automations.doing import By
from contact_center.automations.facts import Known
from contact_center.automations.rule_models import Rule, RuleFiring
from contact_center.automations.triggers import BY_EVENT, Trigger, meant
from contact_center.core.clock import monotonic
from contact_center.core.db import Database
from contact_center.core.errors import DomainError
from contact_center.core.events import Event, Handlers, caused, together
from contact_center.core.metrics import RULES_FAILED, RULES_RUN
from contact_center.core.upsert import insert_once
from tickets.models import Queue, Topic
from tickets.states import APART_STATUSES, Status
from tickets.timeline import add_event

log = structlog.get_logger()

MOST_DEPTH = 3
KEPT = timedelta(days=30)
LOOK_SECONDS = 1.0
CAUSE = "rules"
"""In an event's payload: the ids of the rules that led to it, oldest first."""
# What a rule can fail with that is its own: a refusal, a value that no longer fits. All else is the relay's to retry.
FAILURES = (DomainError, IntegrityError, DataError, ValueError, LookupError)

_ACTIVE = (
    select(Rule.__table__)
    .where(Rule.active, Rule.trigger.in_(bindparam("triggers", expanding=True)))
    .order_by(Rule.position, Rule.id)
)
_TRIGGERS = select(Rule.trigger).where(Rule.active).distinct()


def on_event(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of every event that is a trigger by itself: run the rules that wait for it."""
    _run_all(tx, [event], now)


@together
def on_messages(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Handler of `message.created`: run the rules that wait for what a customer or an agent wrote."""
    _run_all(tx, events, now)


def _run_all(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    said = [(event, found) for event in events if (found := meant(event.name, event.payload))]
    if not said:
        return
    wanted = sorted({trigger.value for _, found in said for trigger in found})
    rules = tx.execute(_ACTIVE, {"triggers": wanted}).all()
    for event, found in said:
        waiting = [rule for rule in rules if rule.trigger in found and _may_follow(rule, event)]
        if waiting:
            _run(tx, event, waiting, now)


def _may_follow(rule: Row[Any], event: Event) -> bool:
    chain = event.payload.get(CAUSE, ())
    return rule.id not in chain and len(chain) < MOST_DEPTH


def _run(tx: Connection, event: Event, rules: Sequence[Row[Any]], now: datetime) -> None:
    """Run the rules that wait for an event, each on what the ones before it left."""
    ticket_id, message_id = event.payload["ticket_id"], event.payload.get("message_id")
    known = facts.of(tx, ticket_id, message_id, now=now)
    for rule in rules:
        if known is None or Status(known.facts.status) in APART_STATUSES:
            return
        if _fire(tx, rule, event, known, now):
            known = facts.of(tx, ticket_id, message_id, now=now)


def _fire(tx: Connection, rule: Row[Any], event: Event, known: Known, now: datetime) -> bool:
    """Run one rule in a savepoint if it applies; whether it changed something. Its failure is noted beside it."""
    try:
        with tx.begin_nested():
            reasons = conds.matches(conds.read(rule.conditions), known.facts)
            if reasons is None:
                return False
            firing = {"rule_id": rule.id, "event_id": event.id, "ticket_id": known.ticket_id, "fired_at": now}
            if insert_once(tx, RuleFiring, key=["rule_id", "event_id"], values=firing) is None:
                return False
            with caused(tx, {CAUSE: [*event.payload.get(CAUSE, ()), rule.id]}):
                _do(tx, rule, known.ticket_id, reasons, now)
    except FAILURES as error:
        _mark(tx, rule, error, now)
        return False
    RULES_RUN.inc()
    return True


def _do(tx: Connection, rule: Row[Any], ticket_id: int, reasons: Sequence[Condition], now: datetime) -> None:
    actions = acts.read(rule.actions, allowed=FOR_RULES)
    silent = facts.silence(tx, ticket_id, now=now) if any(one.do is Do.REPLY for one in actions) else ""
    done = doing.do_all(tx, ticket_id, actions, by=By(silent=silent), now=now)
    values = {"rule": rule.name, "because": _because(tx, reasons), "held": done.held}
    add_event(tx, ticket_id, "rule_ran", values, now=now)


def _because(tx: Connection, reasons: Sequence[Condition]) -> list[list[str]]:
    """The reasons as the timeline keeps them: field, operator, value by its name, the customer's field."""
    return [[one.field.value, one.op.value, _named(tx, one), one.name] for one in reasons]


def _named(tx: Connection, one: Condition) -> str:
    if one.field not in IDS:
        return one.value
    model = Queue if one.field is conds.Field.QUEUE else Topic
    return str(tx.execute(select(model.name).where(model.id == int(one.value))).scalar_one_or_none() or one.value)


def _mark(tx: Connection, rule: Row[Any], error: Exception, now: datetime) -> None:
    RULES_FAILED.inc()
    log.warning("rule.failed", rule_id=rule.id, exc_info=error)
    told = {"message": f"{type(error).__name__}: {error}"[:500], "params": {}}
    if isinstance(error, DomainError):
        told = {"message": error.message, "params": {key: str(value) for key, value in error.params.items()}}
    tx.execute(update(Rule).where(Rule.id == bindparam("rule")).values(error=told, failed_at=now), {"rule": rule.id})


def forget(tx: Connection, now: datetime) -> None:
    """Delete what rules did longer ago than is kept; the timelines keep it."""
    tx.execute(delete(RuleFiring).where(RuleFiring.fired_at < now - KEPT))


class Watch:
    """Which events rules wait for now, asked once a second and not for every message."""

    def __init__(self, db: Database, plain: Handlers, rules: Handlers) -> None:
        self._db, self._plain, self._rules = db, plain, rules
        self._looked_at: float | None = None
        self.handlers: Handlers = plain

    async def look(self) -> Handlers:
        """All handlers that are wanted now; those of rules come first, so that work is placed where they put it."""
        if self._looked_at is None or monotonic() - self._looked_at >= LOOK_SECONDS:
            self.handlers = merged(self._plain, self._rules, await self._db.read(_wanted))
            self._looked_at = monotonic()
        return self.handlers


def _wanted(tx: Connection) -> frozenset[Trigger]:
    return frozenset(Trigger(one) for one in tx.execute(_TRIGGERS).scalars())


def merged(plain: Handlers, rules: Handlers, wanted: frozenset[Trigger]) -> Handlers:
    """The plain handlers and, before them, those of rules for the events that some rule waits for."""
    waited = [name for name, triggers in BY_EVENT.items() if triggers & wanted]
    found: Mapping[str, Any] = {name: [*rules.get(name, ()), *plain.get(name, ())] for name in waited}
    return {**plain, **found} if waited else plain
