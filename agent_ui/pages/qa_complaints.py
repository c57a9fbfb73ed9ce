"""One complaint: its stage line, the facts, the guards of each next step, the log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.qa_words import FIELDS, customer_name, words_of
from agent_ui.shell import page
from agent_ui.views import Choice
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import explain, gettext
from contact_center.core.services import services
from tickets.numbers import number_of
from tickets.quality import complaints, reads
from tickets.quality.complaint_stages import Check, IllegalMove, Stage, checks, moves_from


@dataclass(frozen=True)
class Way:
    """A step that the table allows from here, with its guards."""

    target: str
    back: bool
    checks: tuple[Check, ...]

    @property
    def open(self) -> bool:
        """Whether everything it needs is there (a reason for going back is asked for on the spot)."""
        return self.back or all(check.holds for check in self.checks)


@dataclass(frozen=True)
class Opened:
    """A complaint with all that its page shows."""

    row: Any
    ways: tuple[Way, ...]
    steps: list[Any]
    people: list[Any]
    owners: list[Any]
    assignments: list[Any]


def load(tx: Connection, complaint_id: int) -> Opened:
    """The complaint; NotFound if there is none."""
    row = reads.complaint(tx, complaint_id)
    if row is None:
        raise NotFound("There is no such complaint.")
    facts = complaints.facts_of(row._mapping)
    ways = tuple(
        Way(move.target.value, move.back, tuple(c for c in checks(facts, move.target)))
        for move in moves_from(facts.stage)
    )
    return Opened(
        row=row,
        ways=ways,
        steps=reads.steps(tx, complaint_id),
        people=reads.people(tx),
        owners=reads.people(tx, Permission.MANAGE_COMPLAINTS),
        assignments=reads.assignments_of(tx, row.ticket_id),
    )


async def show(request: Request) -> Response:
    """The complaint."""
    return await _page(request)


async def save(request: Request) -> Response:
    """Write down facts."""
    complaint_id = request.path_params["complaint_id"]
    form = await read_form(request)
    saving = services(request).db.write(
        complaints.change, complaint_id, facts_in(form), user_id=request.state.person.id, now=utcnow()
    )
    await form.attempt(saving)
    return (
        RedirectResponse(f"/qa/complaints/{complaint_id}", 303) if form.ok else await _page(request, form, status=422)
    )


async def move(request: Request) -> Response:
    """Go to another stage, with the facts that were typed; what is missing is shown beside them."""
    complaint_id = request.path_params["complaint_id"]
    form = await read_form(request)
    wanted = form.one_of("target", [stage.value for stage in Stage])
    if form.ok:
        try:
            await services(request).db.write(
                complaints.move,
                complaint_id,
                Stage(wanted),
                user_id=request.state.person.id,
                reason=form.values.get("reason", ""),
                values=facts_in(form),
                now=utcnow(),
            )
            return RedirectResponse(f"/qa/complaints/{complaint_id}", 303)
        except IllegalMove as error:
            said = [gettext(form.locale, problem) for problem in error.problems] or [explain(form.locale, error)]
            form.errors[""] = " ".join(said)
    return await _page(request, form, status=422)


def facts_in(form: Form) -> Mapping[str, Any]:
    """The facts among the posted fields."""
    return {name: value for name, value in form.values.items() if name in FIELDS}


async def _page(request: Request, form: Form | None = None, *, status: int = 200) -> Response:
    locale = await locale_of(request)
    opened = await services(request).db.read(load, request.path_params["complaint_id"])
    stored = {name: "" if getattr(opened.row, name) is None else str(getattr(opened.row, name)) for name in FIELDS}
    shown = form or blank(locale, stored)
    shown.values = {**stored, **shown.values}
    words = words_of(locale)
    people = {person.id: person.name for person in opened.people}
    nobody = Choice("", "–")
    return await page(
        request,
        "qa/complaint.html",
        here="qa",
        status=status,
        opened=opened,
        complaint=opened.row,
        form=shown,
        words=words,
        stages=[stage.value for stage in Stage],
        reached=_reached(opened.steps),
        number=number_of(opened.row.ticket_id),
        customer=customer_name(opened.row),
        owners=[nobody, *(Choice(str(person.id), person.name) for person in opened.owners)],
        agents=[nobody, *(Choice(str(person.id), person.name) for person in opened.people)],
        people=people,
        now=utcnow(),
        choices={
            name: [nobody, *(Choice(code, word) for code, word in words[name].items())]
            for name in ("severity", "decision", "root_cause")
        },
    )


def _reached(steps: list[Any]) -> dict[str, Any]:
    """When each stage was reached last."""
    reached: dict[str, Any] = {}
    for step in steps:
        if step.source != step.target:
            reached.setdefault(step.target, step.at)
    return reached
