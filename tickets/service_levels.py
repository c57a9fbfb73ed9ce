"""Calendars and SLA policies as rows, and the terms they give a queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select, update

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from tickets import hours
from tickets.models import Calendar, Queue, SlaPolicy
from tickets.sla import BadPolicy, Policy, Terms, policy_data, policy_from

NO_PROMISE = Policy({})


@dataclass(frozen=True, slots=True)
class Definition:
    """A calendar or policy with its stored form and how many queues use it."""

    id: int
    name: str
    definition: dict[str, Any]
    queues: int


def calendars(tx: Connection) -> list[Definition]:
    """All calendars by name."""
    return _all(tx, Calendar, Queue.calendar_id)


def policies(tx: Connection) -> list[Definition]:
    """All SLA policies by name."""
    return _all(tx, SlaPolicy, Queue.sla_policy_id)


def create_calendar(tx: Connection, name: str, definition: Mapping[str, Any]) -> int:
    """Add a calendar; Invalid for unreadable hours, Conflict for a name in use."""
    return _create(tx, Calendar, name, _clean_calendar(definition))


def create_policy(tx: Connection, name: str, definition: Mapping[str, Any]) -> int:
    """Add an SLA policy; Invalid for unreadable targets, Conflict for a name in use."""
    return _create(tx, SlaPolicy, name, _clean_policy(definition))


def change_calendar(tx: Connection, calendar_id: int, definition: Mapping[str, Any], *, now: datetime) -> None:
    """Other hours from now on; running clocks keep what they have used and count on in the new hours."""
    _change(tx, Calendar, calendar_id, _clean_calendar(definition), now=now)


def change_policy(tx: Connection, policy_id: int, definition: Mapping[str, Any], *, now: datetime) -> None:
    """Other targets from now on, for running clocks too."""
    _change(tx, SlaPolicy, policy_id, _clean_policy(definition), now=now)


def rename_calendar(tx: Connection, calendar_id: int, name: str) -> None:
    """Give hours another name; Conflict if it is in use."""
    _rename(tx, Calendar, calendar_id, name)


def rename_policy(tx: Connection, policy_id: int, name: str) -> None:
    """Give a policy another name; Conflict if it is in use."""
    _rename(tx, SlaPolicy, policy_id, name)


def calendar_of(tx: Connection, queue_id: int) -> hours.Calendar:
    """The hours of a queue; without any it is always open."""
    return terms_of(tx, queue_id).calendar


def terms_of(tx: Connection, queue_id: int) -> Terms:
    """What holds for tickets of a queue; without a policy nothing is promised."""
    return all_terms(tx, queue_id)[queue_id]


_TERMS = (
    select(Queue.id, Calendar.definition.label("calendar"), SlaPolicy.definition.label("policy"))
    .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
    .outerjoin(SlaPolicy, SlaPolicy.id == Queue.sla_policy_id)
    .where(Queue.id.in_(bindparam("queues", expanding=True)))
)


def all_terms(tx: Connection, *queue_ids: int) -> dict[int, Terms]:
    """The terms of several queues in one statement."""
    rows = tx.execute(_TERMS, {"queues": queue_ids})
    return {row.id: terms_from(row.policy, row.calendar) for row in rows}


def terms_from(policy: Mapping[str, Any] | None, calendar: Mapping[str, Any] | None) -> Terms:
    """Terms out of the stored forms, read once per definition."""
    return Terms(
        _policy(orjson.dumps(policy)) if policy else NO_PROMISE,
        _calendar(orjson.dumps(calendar)) if calendar else hours.always_open(),
    )


@lru_cache(maxsize=256)
def _policy(definition: bytes) -> Policy:
    return policy_from(orjson.loads(definition))


@lru_cache(maxsize=256)
def _calendar(definition: bytes) -> hours.Calendar:
    return hours.calendar_from(orjson.loads(definition))


def _clean_calendar(definition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return hours.calendar_data(hours.calendar_from(definition))
    except hours.BadCalendar as error:
        raise Invalid("These hours cannot be used: {why}", field="definition", why=str(error)) from error


def _clean_policy(definition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return policy_data(policy_from(definition))
    except BadPolicy as error:
        raise Invalid("These targets cannot be used: {why}", field="definition", why=str(error)) from error


def _all(tx: Connection, model: type[Calendar | SlaPolicy], used_by: Any) -> list[Definition]:
    rows = tx.execute(
        select(model.id, model.name, model.definition, func.count(Queue.id))
        .outerjoin(Queue, used_by == model.id)
        .group_by(model.id, model.name, model.definition)
        .order_by(model.name)
    )
    return [Definition(*row) for row in rows]


def _create(tx: Connection, model: type[Calendar | SlaPolicy], name: str, definition: dict[str, Any]) -> int:
    if not name.strip():
        raise Invalid("Give it a name.", field="name")
    new_id = insert_once(tx, model, key=["name"], values={"name": name.strip(), "definition": definition})
    if new_id is None:
        raise Conflict("The name {name} is in use.", name=name.strip())
    return new_id


def _change(
    tx: Connection, model: type[Calendar | SlaPolicy], row_id: int, definition: dict[str, Any], *, now: datetime
) -> None:
    before = tx.execute(select(model.definition).where(model.id == row_id).with_for_update()).scalar_one_or_none()
    if before is None:
        raise NotFound("There are no such hours or targets.")
    if before == definition:
        return
    tx.execute(update(model).where(model.id == row_id).values(definition=definition))
    kind = "calendar" if model is Calendar else "policy"
    emit(tx, "service_level.changed", {"kind": kind, "id": row_id, "before": before}, now=now, topics=["queues"])


def _rename(tx: Connection, model: type[Calendar | SlaPolicy], row_id: int, name: str) -> None:
    if tx.execute(select(model.id).where(model.name == name.strip(), model.id != row_id)).first() is not None:
        raise Conflict("The name {name} is in use.", name=name.strip())
    tx.execute(update(model).where(model.id == row_id).values(name=name.strip()))
