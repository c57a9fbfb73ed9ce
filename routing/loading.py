"""From rows to the facts that the policy works on."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BindParameter, Connection, Executable, Row, bindparam, null, select

from contact_center.accounts.models import User
from contact_center.accounts.permissions import Role
from routing import queue_settings
from routing.facts import SUPERVISOR, Agent, Overflow, Queue, Step, Work
from routing.facts import Row as ProfileFact
from routing.models import AgentSkill, AgentState, ProfileRow, WorkItem
from routing.pools import Medium, Pool
from routing.states import Presence, WorkItemState
from tickets.hours import Calendar as HoursCalendar
from tickets.hours import always_open, calendar_from, is_open
from tickets.models import Calendar
from tickets.models import Queue as QueueTable
from tickets.states import Priority

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
CHUNK = 5_000
"""Ids per statement: asyncpg takes at most 32,767 parameters."""
_WORKS = select(WorkItem.__table__).where(WorkItem.state == WorkItemState.QUEUED.value, WorkItem.id.in_(_IDS))
_AGENTS = (
    select(AgentState.__table__, User.role)
    .join(User, User.id == AgentState.user_id)
    .where(AgentState.user_id.in_(_IDS))
)
# Profile rows and skills of agents in one statement: a skill is a row without a delay.
_PROFILES = (
    select(
        ProfileRow.user_id, ProfileRow.queue_id.label("subject"), ProfileRow.priority.label("value"), ProfileRow.delay
    )
    .where(ProfileRow.user_id.in_(_IDS))
    .union_all(
        select(AgentSkill.user_id, AgentSkill.skill_id, AgentSkill.level, null()).where(AgentSkill.user_id.in_(_IDS))
    )
)
_QUEUES = (
    select(QueueTable.id, QueueTable.routing, QueueTable.target_seconds, Calendar.definition)
    .outerjoin(Calendar, Calendar.id == QueueTable.calendar_id)
    .where(QueueTable.active)
)
ANY_LEVEL = 5


def load_works(tx: Connection, ids: Collection[int]) -> dict[int, tuple[Work, int]]:
    """The queued ones among these work items, each with its version."""
    return {row.id: (work_of(row), row.version) for row in _rows(tx, _WORKS, ids)}


def work_of(row: Row[Any]) -> Work:
    """A work item's row as the policy sees it."""
    return Work(
        id=row.id,
        queue_id=row.queue_id,
        medium=Medium(row.medium),
        weight=row.weight,
        enqueued_at=row.enqueued_at.timestamp(),
        waiting_since=row.waiting_since.timestamp(),
        priority=Priority(row.priority),
        credit=float(row.credit),
        due_at=row.due_at.timestamp() if row.due_at else None,
        skills=tuple((skill, level) for skill, level in row.skills),
        wishes=tuple(row.wishes),
        tried=frozenset(row.tried),
        offers=row.offers,
        round=row.round,
        not_before=row.not_before.timestamp() if row.not_before else 0.0,
        preferred_id=row.preferred_id,
        preferred_until=row.preferred_until.timestamp() if row.preferred_until else 0.0,
    )


def load_agents(tx: Connection, ids: Collection[int], *, now: datetime) -> dict[int, tuple[Agent, int]]:
    """These agents with their profiles and skills, each with its version."""
    rows = list(_rows(tx, _AGENTS, ids))
    if not rows:
        return {}
    profiles: dict[int, dict[int, ProfileFact]] = defaultdict(dict)
    skills: dict[int, dict[int, int]] = defaultdict(dict)
    for one in _rows(tx, _PROFILES, ids):
        if one.delay is None:
            skills[one.user_id][one.subject] = one.value
        else:
            profiles[one.user_id][one.subject] = ProfileFact(one.subject, one.value, float(one.delay))
    return {row.user_id: (_agent(row, profiles[row.user_id], skills[row.user_id], now), row.version) for row in rows}


def load_queues(tx: Connection, *, now: datetime) -> dict[int, Queue]:
    """All active queues, open or closed as of now."""
    rows = tx.execute(_QUEUES).all()
    known = {row.id for row in rows}
    return {row.id: _queue(row, known, now) for row in rows}


def _rows(tx: Connection, statement: Executable, ids: Collection[int]) -> Iterator[Row[Any]]:
    """The rows of a statement for these ids, in as many statements as it takes."""
    remaining = list(ids)
    for start in range(0, len(remaining), CHUNK):
        yield from tx.execute(statement, {"ids": remaining[start : start + CHUNK]}).all()


def _queue(row: Row[Any], known: Collection[int], now: datetime) -> Queue:
    settings = _settings(orjson.dumps(row.routing))
    calendar = _calendar(orjson.dumps(row.definition)) if row.definition else always_open()
    return Queue(
        id=row.id,
        selection=settings.selection,
        ordering=settings.ordering,
        credit=float(settings.credit),
        strict=settings.strict,
        target=float(row.target_seconds),
        steps=tuple(
            Step(step.seconds, step.agent, step.level, tuple(sorted(step.needs.items()))) for step in settings.steps
        ),
        overflows=tuple(Overflow(one.queue_id, one.after) for one in settings.overflows if one.queue_id in known),
        max_offers=settings.max_offers,
        is_open=settings.closed is None and is_open(calendar, now),
        acceptance=settings.acceptance(),
        timeouts={medium: float(seconds) for medium, seconds in settings.timeouts.items()},
    )


@lru_cache(256)
def _settings(text: bytes) -> queue_settings.QueueSettings:
    """Read once per content: every engine looks at every queue once a second."""
    return queue_settings.read(orjson.loads(text))


@lru_cache(256)
def _calendar(text: bytes) -> HoursCalendar:
    return calendar_from(orjson.loads(text))


def _agent(row: Row[Any], profile: Mapping[int, ProfileFact], skills: dict[int, int], now: datetime) -> Agent:
    if row.role == Role.SUPERVISOR.value:
        skills = {**skills, SUPERVISOR: ANY_LEVEL}
    return Agent(
        id=row.user_id,
        presence=Presence(row.presence),
        absent=is_absent(row, now),
        media=frozenset(medium for medium in Medium if medium.value not in row.media_off),
        live=Pool(row.live_capacity, row.live_held),
        deferred=Pool(row.deferred_capacity, row.deferred_held),
        skills=skills,
        rows=profile,
        last_assigned_at=row.last_assigned_at.timestamp() if row.last_assigned_at else 0.0,
        free_since=row.free_since.timestamp(),
    )


def is_absent(row: Row[Any], now: datetime) -> bool:
    """Whether nothing should be given to this agent although they may still show as available: their line is cut,
    they are out, deactivated, or about to change their status."""
    is_out = row.out_until is not None and row.out_until > now
    return row.lost_at is not None or is_out or not row.active or row.next_presence is not None
