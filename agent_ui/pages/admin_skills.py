"""Administration of skills: what work asks for and agents know, languages among them."""

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
from agent_ui.pages.admin_profiles import HANDLERS
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from routing import profiles, skills
from routing.models import AgentSkill, Skill


def routes() -> list[Route]:
    """/admin/skills and one skill."""
    return [
        administer("/skills", index, "GET", "POST"),
        administer("/skills/{skill_id:int}", edit, "GET", "POST"),
        administer("/skills/{skill_id:int}/remove", remove, "POST"),
    ]


def list_skills(tx: Connection) -> Sequence[Row[*tuple[Any, ...]]]:
    """Every skill with how many agents know it, and how well at best."""
    return tx.execute(
        select(
            Skill.id,
            Skill.name,
            func.count(AgentSkill.user_id).label("agents"),
            func.max(AgentSkill.level).label("best"),
        )
        .outerjoin(AgentSkill, AgentSkill.skill_id == Skill.id)
        .group_by(Skill.id, Skill.name)
        .order_by(Skill.name)
    ).all()


async def index(request: Request) -> Response:
    """All skills, and the form for one more."""
    held = services(request)
    form = await read_form(request) if request.method == "POST" else blank(await locale_of(request), {})
    if request.method == "POST":
        name = form.text("name", required=True, longest=skills.LONGEST_NAME)
        if form.ok:
            adding = held.db.write(add, name, by=request.state.person.id)
            skill_id = await form.attempt(adding, name="name")
            if skill_id is not None:
                return go(f"/admin/skills/{skill_id}", "added")
    found = await held.db.read(list_skills)
    return await admin_page(request, "skills.html", "skills", status=200 if form.ok else 422, skills=found, form=form)


def add(tx: Connection, name: str, *, by: int) -> int:
    """Add a skill, and audit it."""
    skill_id = profiles.add_skill(tx, name)
    record(tx, "skill.created", f"skill:{skill_id}", now=utcnow(), user_id=by, details={"name": name})
    return skill_id


@dataclass(frozen=True, slots=True)
class Opened:
    """A skill, everybody who may handle work with their level (None: not at all), and the queues that ask for it."""

    skill: Row[*tuple[Any, ...]]
    agents: Sequence[Row[*tuple[Any, ...]]]
    asking: Sequence[str]


def open_skill(tx: Connection, skill_id: int) -> Opened:
    """A skill by id; three statements."""
    skill = tx.execute(select(Skill.id, Skill.name).where(Skill.id == skill_id)).first()
    if skill is None:
        raise NotFound("There is no such skill.")
    agents = (
        select(User.id, User.name, AgentSkill.level)
        .outerjoin(AgentSkill, (AgentSkill.user_id == User.id) & (AgentSkill.skill_id == skill_id))
        .where(User.active, User.role.in_(HANDLERS))
        .order_by(User.name, User.id)
    )
    return Opened(skill, tx.execute(agents).all(), skills.queues_that_ask(tx, skill_id))


async def edit(request: Request) -> Response:
    """One skill: its name, and who knows it how well."""
    held = services(request)
    skill_id = request.path_params["skill_id"]
    opened = await held.db.read(open_skill, skill_id)
    if request.method == "GET":
        values = {"name": opened.skill.name} | {f"level_{row.id}": str(row.level or 0) for row in opened.agents}
        return await _show(request, opened, blank(await locale_of(request), values))
    form = await read_form(request)
    name = form.text("name", required=True, longest=skills.LONGEST_NAME)
    levels = {row.id: form.number(f"level_{row.id}", 0, 5, default=row.level or 0) for row in opened.agents}
    if form.ok:
        saving = held.db.write(save, skill_id, name, levels, by=request.state.person.id, now=utcnow())
        await form.attempt(saving, name="name")
    if form.ok:
        return go(f"/admin/skills/{skill_id}", "saved")
    return await _show(request, opened, form)


def save(tx: Connection, skill_id: int, name: str, levels: Mapping[int, int], *, by: int, now: datetime) -> None:
    """Rename a skill, set who knows it how well, and audit what changed."""
    skills.rename(tx, skill_id, name)
    changed = skills.set_levels(tx, skill_id, levels, now=now)
    details = {"name": name, "levels": {str(user_id): level for user_id, level in changed.items()}}
    record(tx, "skill.changed", f"skill:{skill_id}", now=now, user_id=by, details=details)


async def remove(request: Request) -> Response:
    """Forget a skill that no queue asks for."""
    skill_id = request.path_params["skill_id"]
    form = await read_form(request)
    held = services(request)
    await form.attempt(held.db.write(drop, skill_id, by=request.state.person.id, now=utcnow()))
    if form.ok:
        return go("/admin/skills", "removed")
    opened = await held.db.read(open_skill, skill_id)
    form.values |= {"name": opened.skill.name} | {f"level_{row.id}": str(row.level or 0) for row in opened.agents}
    return await _show(request, opened, form)


def drop(tx: Connection, skill_id: int, *, by: int, now: datetime) -> None:
    """Remove a skill, and audit it."""
    name = open_skill(tx, skill_id).skill.name
    skills.remove(tx, skill_id, now=now)
    record(tx, "skill.removed", f"skill:{skill_id}", now=now, user_id=by, details={"name": name})


async def _show(request: Request, opened: Opened, form: Form) -> Response:
    status = 200 if form.ok else 422
    return await admin_page(request, "skill.html", "skills", status=status, opened=opened, form=form)
