"""Administration of skills: what work asks for and agents know, languages among them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from routing import profiles
from routing.models import AgentSkill, Skill


def routes() -> list[Route]:
    """/admin/skills."""
    return [administer("/skills", index, "GET", "POST")]


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
        name = form.text("name", required=True, longest=60)
        if form.ok:
            adding = held.db.write(add, name, by=request.state.person.id)
            if await form.attempt(adding, name="name"):
                return go("/admin/skills", "added")
    found = await held.db.read(list_skills)
    return await admin_page(request, "skills.html", "skills", status=200 if form.ok else 422, skills=found, form=form)


def add(tx: Connection, name: str, *, by: int) -> int:
    """Add a skill, and audit it."""
    skill_id = profiles.add_skill(tx, name)
    record(tx, "skill.created", f"skill:{skill_id}", now=utcnow(), user_id=by, details={"name": name})
    return skill_id
