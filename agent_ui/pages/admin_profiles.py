"""Administration of routing profiles: which queues an agent serves, what they know, how much they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.permissions import TABLE, Permission
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import mark
from contact_center.core.services import services
from routing import presence, profiles
from routing.models import AgentSkill, AgentState, ProfileRow, Skill
from routing.pools import CAPACITY, Medium
from tickets.models import Queue

LONGEST_DELAY = 604_800
HANDLERS = [role.value for role, granted in TABLE.items() if Permission.HANDLE in granted]
MEDIA = {
    Medium.CALL.value: mark("Calls"),
    Medium.CHAT.value: mark("Chats"),
    Medium.MAIL.value: mark("E-mail"),
    Medium.SMS.value: mark("SMS"),
    Medium.WHATSAPP.value: mark("WhatsApp"),
}


def routes() -> list[Route]:
    """/admin/profiles and one agent's profile."""
    return [
        administer("/profiles", index),
        administer("/profiles/{user_id:int}", edit, "GET", "POST"),
    ]


def list_profiles(tx: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
    """Everybody who handles work, with the number of their queues and skills and their room."""
    queues = select(func.count()).where(ProfileRow.user_id == User.id).correlate(User).scalar_subquery()
    skills = select(func.count()).where(AgentSkill.user_id == User.id).correlate(User).scalar_subquery()
    return tx.execute(
        select(
            User.id,
            User.name,
            AgentState.live_capacity,
            AgentState.deferred_capacity,
            AgentState.out_until,
            queues.label("queues"),
            skills.label("skills"),
        )
        .outerjoin(AgentState, AgentState.user_id == User.id)
        .where(User.active, User.role.in_(HANDLERS))
        .order_by(User.name, User.id)
    ).all()


async def index(request: Request) -> Response:
    """All profiles."""
    found = await services(request).db.read(list_profiles)
    return await admin_page(request, "profiles.html", "profiles", agents=found, whole=CAPACITY)


@dataclass(frozen=True, slots=True)
class Opened:
    """One agent's profile, and all queues and skills there are."""

    user: Row[*tuple[Any, ...]]
    state: Row[Any] | None
    queues: Sequence[Row[*tuple[Any, ...]]]
    skills: Sequence[Row[*tuple[Any, ...]]]


def open_profile(tx: Connection, user_id: int) -> Opened:
    """The profile of a user who may handle work."""
    user = tx.execute(select(User.id, User.name).where(User.id == user_id, User.role.in_(HANDLERS))).first()
    if user is None:
        raise NotFound("There is no such agent.")
    return Opened(
        user,
        tx.execute(select(AgentState.__table__).where(AgentState.user_id == user_id)).first(),
        tx.execute(
            select(Queue.id, Queue.name, ProfileRow.priority, ProfileRow.delay)
            .outerjoin(ProfileRow, (ProfileRow.queue_id == Queue.id) & (ProfileRow.user_id == user_id))
            .where(Queue.active)
            .order_by(Queue.name)
        ).all(),
        tx.execute(
            select(Skill.id, Skill.name, AgentSkill.level)
            .outerjoin(AgentSkill, (AgentSkill.skill_id == Skill.id) & (AgentSkill.user_id == user_id))
            .order_by(Skill.name)
        ).all(),
    )


async def edit(request: Request) -> Response:
    """One agent: queues with priority and delay, skills with levels, room, channels."""
    held = services(request)
    user_id = request.path_params["user_id"]
    if request.method == "GET":
        return await show(request, user_id)
    opened = await held.db.read(open_profile, user_id)
    form = await read_form(request)
    wanted = read_profile(form, opened)
    if form.ok:
        saving = held.db.write(save, user_id, wanted, by=request.state.person.id, now=utcnow())
        await form.attempt(saving)
    if form.ok:
        return go(f"/admin/profiles/{user_id}", "saved")
    return await _show(request, opened, form, frozenset(form.several("media")))


async def show(request: Request, user_id: int, absence: Form | None = None) -> Response:
    """The profile as it is stored; `absence` is that form, refused."""
    opened = await services(request).db.read(open_profile, user_id)
    form = blank(await locale_of(request), stored(opened))
    return await _show(request, opened, form, _media_on(opened.state), absence)


def _media_on(state: Row[Any] | None) -> frozenset[str]:
    off = set(state.media_off) if state is not None else set()
    return frozenset(medium for medium in MEDIA if medium not in off)


def stored(opened: Opened) -> dict[str, str]:
    """A profile as the values of its form."""
    values = {
        "live": str(opened.state.live_capacity if opened.state else CAPACITY),
        "deferred": str(opened.state.deferred_capacity if opened.state else CAPACITY),
    }
    for queue in opened.queues:
        if queue.priority is not None:
            values |= {
                f"serves_{queue.id}": "1",
                f"priority_{queue.id}": str(queue.priority),
                f"delay_{queue.id}": str(queue.delay),
            }
    return values | {f"level_{skill.id}": str(skill.level or 0) for skill in opened.skills}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a posted profile asks for."""

    queues: Mapping[int, tuple[int, int] | None]
    skills: Mapping[int, int]
    live: int
    deferred: int
    media: tuple[Medium, ...]


def read_profile(form: Form, opened: Opened) -> Wanted:
    """The profile of a posted form; a queue that is not served is None."""
    queues = {
        queue.id: (
            form.number(f"priority_{queue.id}", 1, 9, default=1),
            form.number(f"delay_{queue.id}", 0, LONGEST_DELAY, default=0),
        )
        if form.flag(f"serves_{queue.id}")
        else None
        for queue in opened.queues
    }
    chosen = form.several("media")
    return Wanted(
        queues=queues,
        skills={skill.id: form.number(f"level_{skill.id}", 0, 5, default=0) for skill in opened.skills},
        live=form.number("live", 0, 1000),
        deferred=form.number("deferred", 0, 1000),
        # Media that the form does not show stay on.
        media=tuple(medium for medium in Medium if medium.value in chosen or medium.value not in MEDIA),
    )


def save(tx: Connection, user_id: int, wanted: Wanted, *, by: int, now: datetime) -> None:
    """Make the profile exactly this, and audit it."""
    before = open_profile(tx, user_id)
    for queue in before.queues:
        row = wanted.queues.get(queue.id)
        present = None if queue.priority is None else (queue.priority, queue.delay)
        if row is None and present is not None:
            profiles.drop_row(tx, user_id, queue.id, now=now)
        elif row is not None and row != present:
            profiles.set_row(tx, user_id, queue.id, priority=row[0], delay=row[1], now=now)
    for skill in before.skills:
        if wanted.skills.get(skill.id, 0) != (skill.level or 0):
            profiles.set_skill(tx, user_id, skill.id, wanted.skills.get(skill.id, 0), now=now)
    profiles.set_pools(tx, user_id, live=wanted.live, deferred=wanted.deferred, now=now)
    presence.set_channels(tx, user_id, wanted.media, now=now)
    details = {
        "queues": {str(queue_id): list(row) for queue_id, row in wanted.queues.items() if row},
        "skills": {str(skill_id): level for skill_id, level in wanted.skills.items() if level},
        "live": wanted.live,
        "deferred": wanted.deferred,
    }
    record(tx, "profile.changed", f"user:{user_id}", now=now, user_id=by, details=details)


async def _show(
    request: Request, opened: Opened, form: Form, media_on: frozenset[str], absence: Form | None = None
) -> Response:
    until = opened.state.out_until if opened.state else None
    return await admin_page(
        request,
        "profile.html",
        "profiles",
        status=200 if form.ok and absence is None else 422,
        opened=opened,
        form=form,
        media=MEDIA,
        media_on=media_on,
        absence=absence or blank(form.locale, {}),
        out_until=until if until is not None and until > utcnow() else None,
        zone=services(request).settings.timezone,
    )
