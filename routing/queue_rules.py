"""Changing how a queue hands out its work: rings, required skills, weights, overflow. Waiting work follows at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy import text as sql

from contact_center.core.errors import Invalid, NotFound
from routing import queue_settings
from routing.facts import SUPERVISOR
from routing.models import OPEN_WORK, Skill, WorkItem
from routing.pools import Medium
from routing.queue_settings import QueueSettings
from routing.states import WorkItemState
from tickets import queues
from tickets.models import Queue

# Settings that name other rows; others may change although one of those is gone.
NAMING = frozenset({"skills", "steps", "overflows"})


def change(
    tx: Connection,
    queue_id: int,
    changes: Mapping[str, Any],
    *,
    now: datetime,
    columns: Mapping[str, Any] | None = None,
) -> QueueSettings:
    """Set some routing settings of a queue and, with them, plain columns; what is not named stays as it is.

    Invalid names the setting at fault: a skill or queue that does not exist, a queue that overflows into itself.
    Work that waits takes on the new weights, open work the new skills, so that nothing asks for what is over.
    """
    # No key changes, so that work which refers to the queue need not wait for us.
    row = tx.execute(select(Queue.routing).where(Queue.id == queue_id).with_for_update(key_share=True)).first()
    if row is None:
        raise NotFound("There is no such queue.")
    before = queue_settings.read(row.routing)
    stored = queue_settings.write({**before.model_dump(mode="json"), **changes})
    after = queue_settings.read(stored)
    if not NAMING.isdisjoint(changes):
        check(tx, after, queue_id)
    queues.change(tx, queue_id, {**(columns or {}), "routing": stored}, now=now)
    if after.skills != before.skills:
        _ask_for(tx, queue_id, after)
    for medium in Medium:
        if after.weight(medium) != before.weight(medium):
            _weigh(tx, queue_id, medium, after.weight(medium))
    return after


def check(tx: Connection, settings: QueueSettings, queue_id: int) -> None:
    """Raise Invalid where settings name what is not there."""
    named = {*settings.skills, *(skill for step in settings.steps for skill in step.needs)} - {SUPERVISOR}
    known = set(tx.execute(select(Skill.id).where(Skill.id.in_(named))).scalars()) if named else set()
    if named - known:
        field = "skills" if set(settings.skills) - known - {SUPERVISOR} else "steps"
        raise Invalid("One of these skills does not exist any more.", field=field)
    others = [one.queue_id for one in settings.overflows]
    if queue_id in others:
        raise Invalid("A queue cannot overflow into itself.", field="overflows")
    if len(set(others)) < len(others):
        raise Invalid("This queue is named twice.", field="overflows")
    if len(tx.execute(select(Queue.id).where(Queue.id.in_(others))).all()) < len(others):
        raise Invalid("One of these queues does not exist any more.", field="overflows")


def _ask_for(tx: Connection, queue_id: int, settings: QueueSettings) -> None:
    wanted = sorted([skill, level] for skill, level in settings.skills.items())
    mine = (WorkItem.queue_id == queue_id, sql(OPEN_WORK))
    # In order of id, like everybody who locks several.
    tx.execute(select(WorkItem.id).where(*mine).order_by(WorkItem.id).with_for_update())
    tx.execute(update(WorkItem).where(*mine).values(skills=wanted, version=WorkItem.version + 1))


def _weigh(tx: Connection, queue_id: int, medium: Medium, weight: int) -> None:
    """Only work that nobody holds: what is held was counted with the weight that it had."""
    waiting = (
        WorkItem.queue_id == queue_id,
        WorkItem.medium == medium.value,
        WorkItem.state == WorkItemState.QUEUED.value,
    )
    tx.execute(select(WorkItem.id).where(*waiting).order_by(WorkItem.id).with_for_update())
    tx.execute(update(WorkItem).where(*waiting).values(weight=weight, version=WorkItem.version + 1))
