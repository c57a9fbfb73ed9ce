"""Administration of service levels: targets per priority in business time, and what pauses the resolution clock."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets import service_levels
from tickets.service_levels import Definition
from tickets.sla import Metric, default_policy, policy_data
from tickets.states import Priority, Status

METRICS = {
    Metric.FIRST_RESPONSE.value: mark("First response"),
    Metric.NEXT_RESPONSE.value: mark("Next response"),
    Metric.RESOLUTION.value: mark("Resolution"),
}
PRIORITIES = {
    Priority.URGENT.value: mark("Urgent"),
    Priority.HIGH.value: mark("High"),
    Priority.MEDIUM.value: mark("Medium"),
    Priority.LOW.value: mark("Low"),
}
PAUSES = {
    Status.PENDING.value: mark("Pending: we wait for the customer"),
    Status.ON_HOLD.value: mark("On hold: we wait for somebody else"),
    Status.SNOOZED.value: mark("Snoozed"),
}
LONGEST_MINUTES = 525_600


def routes() -> list[Route]:
    """/admin/service-levels and one policy."""
    return [
        administer("/service-levels", index),
        administer("/service-levels/new", edit, "GET", "POST"),
        administer("/service-levels/{policy_id:int}", edit, "GET", "POST"),
    ]


async def index(request: Request) -> Response:
    """All policies."""
    found = await services(request).db.read(service_levels.policies)
    return await admin_page(
        request, "service_levels.html", "service-levels", policies=found, priorities=PRIORITIES, metrics=METRICS
    )


def open_policy(tx: Connection, policy_id: int) -> Definition:
    """A policy by id."""
    found = next((one for one in service_levels.policies(tx) if one.id == policy_id), None)
    if found is None:
        raise NotFound("There is no such service level.")
    return found


async def edit(request: Request) -> Response:
    """A new policy, or one that exists."""
    held = services(request)
    policy_id = request.path_params.get("policy_id")
    opened = await held.db.read(open_policy, policy_id) if policy_id is not None else None
    if request.method == "GET":
        definition = opened.definition if opened else policy_data(default_policy())
        form = blank(await locale_of(request), stored(opened.name if opened else "", definition))
        return await _show(request, opened, form, frozenset(definition.get("pauses", ())))
    form = await read_form(request)
    name, definition = form.text("name", required=True, longest=80), read_definition(form)
    if form.ok:
        saving = held.db.write(save, policy_id, name, definition, by=request.state.person.id, now=utcnow())
        saved = await form.attempt(saving)
        if saved is not None:
            return go(f"/admin/service-levels/{saved}", "saved" if policy_id else "created")
    return await _show(request, opened, form, frozenset(form.several("pause")))


def stored(name: str, definition: dict[str, Any]) -> dict[str, str]:
    """A policy as the values of its form: minutes."""
    values = {"name": name}
    for priority, targets in definition["targets"].items():
        for metric, seconds in targets.items():
            values[f"{priority}_{metric}"] = f"{seconds / 60:g}"
    return values


def read_definition(form: Form) -> dict[str, Any]:
    """The policy of a posted form; an empty field promises nothing."""
    targets: dict[str, dict[str, int]] = {}
    for priority in PRIORITIES:
        for metric in METRICS:
            minutes = form.number(f"{priority}_{metric}", 1, LONGEST_MINUTES, default=0)
            if minutes:
                targets.setdefault(priority, {})[metric] = minutes * 60
    return {"targets": targets, "pauses": [one for one in form.several("pause") if one in PAUSES]}


def save(
    tx: Connection, policy_id: int | None, name: str, definition: dict[str, Any], *, by: int, now: datetime
) -> int:
    """Create or change a policy, and audit it."""
    if policy_id is None:
        policy_id = service_levels.create_policy(tx, name, definition)
    else:
        service_levels.rename_policy(tx, policy_id, name)
        service_levels.change_policy(tx, policy_id, definition, now=now)
    record(
        tx, "service_level.changed", f"policy:{policy_id}", now=now, user_id=by, details={"name": name, **definition}
    )
    return policy_id


async def _show(request: Request, opened: Definition | None, form: Form, pauses: frozenset[str]) -> Response:
    return await admin_page(
        request,
        "service_level.html",
        "service-levels",
        status=200 if form.ok else 422,
        opened=opened,
        form=form,
        chosen=pauses,
        priorities=PRIORITIES,
        metrics=METRICS,
        pauses=PAUSES,
    )
