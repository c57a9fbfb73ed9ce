"""Administration of how a queue hands out its work: rings, required skills, what work weighs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.views import Choice
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from routing import queue_rules, queue_settings
from routing.models import AgentSkill, ProfileRow, Skill
from routing.pools import WEIGHTS, Medium
from routing.queue_settings import MOST_STEPS, QueueSettings, StepSettings
from tickets.models import Queue

KNOWN, ANYBODY = "agent", "any"
WHO = {
    "": mark("Not used"),
    KNOWN: mark("Only the agent who knows the customer"),
    ANYBODY: mark("Everybody who serves the queue"),
}
MEDIA = {
    Medium.CALL: mark("A call"),
    Medium.CHAT: mark("A chat"),
    Medium.MAIL: mark("An e-mail"),
    Medium.SMS: mark("An SMS"),
    Medium.WHATSAPP: mark("A WhatsApp message"),
    Medium.TASK: mark("A task"),
}
LONGEST_RING = 86_400


def routes() -> list[Route]:
    """/admin/queues/…/rules."""
    return [administer("/queues/{queue_id:int}/rules", edit, "GET", "POST")]


@dataclass(frozen=True, slots=True)
class Opened:
    """A queue with all skills there are, and what each of its agents knows (skill id -> level)."""

    queue: Row[*tuple[Any, ...]]
    settings: QueueSettings
    skills: Sequence[Row[*tuple[Any, ...]]]
    agents: Sequence[Mapping[int, int]]

    def able(self, step: StepSettings | None) -> int:
        """How many of the queue's agents know what is required and, with a step, what it asks for besides."""
        need = [*self.settings.skills.items(), *(step.needs.items() if step else ())]
        return sum(all(known.get(skill, 0) >= level for skill, level in need) for known in self.agents)


def open_rules(tx: Connection, queue_id: int) -> Opened:
    """A queue's rules by its id; four statements."""
    queue = tx.execute(select(Queue.id, Queue.name, Queue.routing).where(Queue.id == queue_id)).first()
    if queue is None:
        raise NotFound("There is no such queue.")
    serving = (
        select(ProfileRow.user_id)
        .join(User, User.id == ProfileRow.user_id)
        .where(ProfileRow.queue_id == queue_id, User.active)
    )
    known: dict[int, dict[int, int]] = {user_id: {} for user_id in tx.execute(serving).scalars()}
    for row in tx.execute(select(AgentSkill.__table__).where(AgentSkill.user_id.in_(serving))):
        known[row.user_id][row.skill_id] = row.level
    skills = tx.execute(select(Skill.id, Skill.name).order_by(Skill.name)).all()
    return Opened(queue, queue_settings.read(queue.routing), skills, list(known.values()))


async def edit(request: Request) -> Response:
    """The rules of one queue."""
    held = services(request)
    queue_id = request.path_params["queue_id"]
    opened = await held.db.read(open_rules, queue_id)
    if request.method == "GET":
        return await _show(request, opened, blank(await locale_of(request), stored(opened.settings)))
    form = await read_form(request)
    wanted = read_rules(form, opened)
    if form.ok:
        saving = held.db.write(save, queue_id, wanted, by=request.state.person.id, now=utcnow())
        await form.attempt(saving)
    if form.ok:
        return go(f"/admin/queues/{queue_id}/rules", "saved")
    return await _show(request, opened, form)


def stored(settings: QueueSettings) -> dict[str, str]:
    """A queue's rules as the values of their form."""
    values = {f"skill_{skill}": str(level) for skill, level in settings.skills.items()}
    values |= {f"weight_{medium.value}": str(weight) for medium, weight in settings.weights.items()}
    for number, step in enumerate(settings.steps):
        values[f"step_{number}_who"] = KNOWN if step.agent else ANYBODY
        values[f"step_{number}_level"] = str(step.level)
        values[f"step_{number}_seconds"] = "" if step.seconds is None else f"{step.seconds:g}"
        for place, (skill, level) in enumerate(sorted(step.needs.items())):
            values |= {f"step_{number}_skill_{place}": str(skill), f"step_{number}_need_{place}": str(level)}
    return values


def places(settings: QueueSettings) -> list[int]:
    """How many extra skills the form shows in each ring: as many as are stored, at least one."""
    shown = [max(1, len(step.needs)) for step in settings.steps]
    return shown + [1] * (MOST_STEPS - len(shown))


def read_rules(form: Form, opened: Opened) -> dict[str, Any]:
    """The rules of a posted form, in the shape that is stored."""
    used = [number for number in range(MOST_STEPS) if form.one_of(f"step_{number}_who", list(WHO))]
    if not used:
        form.fail("step_0_who", mark("One ring is needed: say who gets the work."))
    shown = places(opened.settings)
    skills = {skill.id: form.number(f"skill_{skill.id}", 0, 5, default=0) for skill in opened.skills}
    weights = {
        medium.value: form.number(f"weight_{medium.value}", 1, 100, default=WEIGHTS[medium])
        for medium in MEDIA
        if form.text(f"weight_{medium.value}")
    }
    kept = {medium.value: weight for medium, weight in opened.settings.weights.items() if medium not in MEDIA}
    return {
        "steps": [_step(form, number, shown[number], is_last=number == used[-1]) for number in used],
        "skills": {skill: level for skill, level in skills.items() if level},
        "weights": kept | weights,
    }


def _step(form: Form, number: int, shown: int, *, is_last: bool) -> dict[str, Any]:
    step: dict[str, Any] = {"agent": form.values[f"step_{number}_who"] == KNOWN}
    if not is_last:
        if not form.text(f"step_{number}_seconds"):
            form.fail(f"step_{number}_seconds", mark("Say for how long. Only the last ring has no end."))
        else:
            step["seconds"] = form.number(f"step_{number}_seconds", 1, LONGEST_RING)
    if step["agent"]:
        return step
    step["level"] = form.number(f"step_{number}_level", 0, 5, default=0)
    step["needs"] = {}
    for place in range(shown):
        skill = form.reference(f"step_{number}_skill_{place}")
        if skill is not None:
            step["needs"][skill] = form.number(f"step_{number}_need_{place}", 1, 5, default=1)
    return step


def save(tx: Connection, queue_id: int, wanted: Mapping[str, Any], *, by: int, now: datetime) -> None:
    """Change the rules of a queue, and audit them."""
    queue_rules.change(tx, queue_id, wanted, now=now)
    record(tx, "queue.rules_changed", f"queue:{queue_id}", now=now, user_id=by, details=wanted)


async def _show(request: Request, opened: Opened, form: Form) -> Response:
    locale = await locale_of(request)
    steps = opened.settings.steps
    return await admin_page(
        request,
        "queue_rules.html",
        "queues",
        status=200 if form.ok else 422,
        opened=opened,
        form=form,
        who=choices(locale, WHO),
        places=places(opened.settings),
        extra=[Choice("", gettext(locale, mark("no other skill"))), *_named(opened.skills)],
        able=[opened.able(step) for step in steps],
        serving=len(opened.agents),
        stuck=bool(opened.agents) and not opened.able(None if steps[-1].agent else steps[-1]),
        media=MEDIA,
        weights=WEIGHTS,
    )


def _named(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Choice]:
    return [Choice(str(row.id), row.name) for row in rows]
