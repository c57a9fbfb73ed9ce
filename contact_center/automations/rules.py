"""Rules, as administrators write them: their order, on and off, and what they did lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from contact_center.accounts import audit
from contact_center.automations import actions as acts
from contact_center.automations import conditions as conds
from contact_center.automations import doing
from contact_center.automations.actions import Action
from contact_center.automations.conditions import Conditions
from contact_center.automations.rule_models import Rule, RuleFiring
from contact_center.automations.triggers import Trigger
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.upsert import insert_once

LONGEST_NAME = 80
MOST = 200
"""Rules of an installation: each that is on is looked at for its events."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A rule as somebody wrote it."""

    name: str
    trigger: Trigger
    conditions: Conditions
    actions: tuple[Action, ...]


_FIRED = (
    select(func.count()).where(RuleFiring.rule_id == Rule.id).correlate(Rule).scalar_subquery().label("fired"),
    select(func.max(RuleFiring.fired_at))
    .where(RuleFiring.rule_id == Rule.id)
    .correlate(Rule)
    .scalar_subquery()
    .label("last_fired_at"),
)
_LISTED = select(Rule.__table__, *_FIRED).order_by(Rule.position, Rule.id)


def listed(tx: Connection) -> Sequence[Row[Any]]:
    """All rules in their order, with how often each has run in the days that are kept, and when last."""
    return tx.execute(_LISTED).all()


def access(tx: Connection, rule_id: int) -> Row[Any]:
    """One rule with the same; NotFound if there is none."""
    row = tx.execute(_LISTED.where(Rule.id == rule_id)).first()
    if row is None:
        raise NotFound("There is no such rule.")
    return row


def create(tx: Connection, wanted: Wanted, *, user_id: int, now: datetime) -> int:
    """Add a rule after all others, switched off; Conflict for a name in use."""
    last, count = tx.execute(select(func.coalesce(func.max(Rule.position), 0), func.count(Rule.id))).one()
    if count >= MOST:
        raise Conflict("There are {most} rules already. Delete one first.", most=MOST)
    rest = {"active": False, "position": last + 1, "error": None, "failed_at": None, "created_at": now}
    rule_id = insert_once(tx, Rule, key=["name"], values={**_values(tx, wanted), **rest})
    if rule_id is None:
        raise Conflict("There is already a rule called {name}.", name=wanted.name)
    _note_down(tx, "rule.created", rule_id, wanted.name, user_id=user_id, now=now)
    return rule_id


def change(tx: Connection, rule_id: int, wanted: Wanted, *, user_id: int, now: datetime) -> None:
    """Change a rule; it applies to what happens from now on. Its last error is forgotten."""
    access(tx, rule_id)
    taken = tx.execute(select(Rule.id).where(Rule.name == wanted.name, Rule.id != rule_id)).first()
    if taken is not None:
        raise Conflict("There is already a rule called {name}.", name=wanted.name)
    tx.execute(update(Rule).where(Rule.id == rule_id).values(**_values(tx, wanted), error=None, failed_at=None))
    _note_down(tx, "rule.changed", rule_id, wanted.name, user_id=user_id, now=now)


def switch(tx: Connection, rule_id: int, *, on: bool, user_id: int, now: datetime) -> None:
    """On or off, from now on."""
    rule = access(tx, rule_id)
    if rule.active is on:
        return
    tx.execute(update(Rule).where(Rule.id == rule_id).values(active=on, error=None, failed_at=None))
    _note_down(tx, "rule.switched_on" if on else "rule.switched_off", rule_id, rule.name, user_id=user_id, now=now)


def move(tx: Connection, rule_id: int, *, up: bool, user_id: int, now: datetime) -> None:
    """One place earlier or later; the first and the last stay where they are."""
    order = [(row.id, row.name) for row in tx.execute(select(Rule.id, Rule.name).order_by(Rule.position, Rule.id))]
    place = next((at for at, (one, _) in enumerate(order) if one == rule_id), None)
    if place is None:
        raise NotFound("There is no such rule.")
    other = place - 1 if up else place + 1
    if not 0 <= other < len(order):
        return
    order[place], order[other] = order[other], order[place]
    for position, (one, _) in enumerate(order, 1):
        tx.execute(update(Rule).where(Rule.id == one, Rule.position != position).values(position=position))
    _note_down(tx, "rule.moved", rule_id, order[other][1], user_id=user_id, now=now)


def remove(tx: Connection, rule_id: int, *, user_id: int, now: datetime) -> None:
    """Delete a rule; the timelines keep its name."""
    rule = access(tx, rule_id)
    tx.execute(delete(Rule).where(Rule.id == rule_id))
    _note_down(tx, "rule.removed", rule_id, rule.name, user_id=user_id, now=now)


def _values(tx: Connection, wanted: Wanted) -> dict[str, Any]:
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        raise Invalid("A rule needs a name of at most {most} characters.", field="name", most=LONGEST_NAME)
    doing.check(tx, wanted.actions)
    return {
        "name": wanted.name.strip(),
        "trigger": wanted.trigger.value,
        "conditions": conds.write(wanted.conditions),
        "actions": acts.write(wanted.actions),
    }


def _note_down(tx: Connection, what: str, rule_id: int, name: str, *, user_id: int, now: datetime) -> None:
    audit.record(tx, what, f"rule:{rule_id}", now=now, user_id=user_id, details={"name": name})
