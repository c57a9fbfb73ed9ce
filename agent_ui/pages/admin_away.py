"""Administration of away reasons: what agents choose from, and what each counts as."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.own import AWAY
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext
from contact_center.core.services import services
from routing import away_reasons
from routing.away_reasons import LONGEST_NAME, Away

PATH = "/admin/away-reasons"


def routes() -> list[Route]:
    """/admin/away-reasons and what can be done to one; a reason is named by its `reason` field."""
    return [
        administer("/away-reasons", index, "GET", "POST"),
        administer("/away-reasons/change", change, "POST"),
        administer("/away-reasons/move", move, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """One reason of the list; `shown` is its name in the reader's language if it is one of ours."""

    name: str
    shown: str
    productive: bool
    paid: bool
    active: bool


def list_reasons(tx: Connection, locale: str) -> Sequence[Line]:
    """All reasons in their order, the defaults while nobody has changed any."""
    rows = away_reasons.every(tx)
    found = [(Away(row.name, row.productive, row.paid), bool(row.active)) for row in rows]
    found = found or [(one, True) for one in away_reasons.DEFAULT_REASONS]
    return [
        Line(one.name, gettext(locale, AWAY.get(one.name, one.name)), one.productive, one.paid, active)
        for one, active in found
    ]


async def index(request: Request) -> Response:
    """All reasons, and the form for one more."""
    form = await read_form(request) if request.method == "POST" else blank(await locale_of(request), {"paid": "1"})
    if request.method == "POST":
        reason = read_reason(form)
        if form.ok:
            adding = services(request).db.write(add, reason, by=request.state.person.id, now=utcnow())
            await form.attempt(adding, name="name")
        if form.ok:
            return go(PATH, "added")
    return await _show(request, form)


def read_reason(form: Form) -> Away:
    """The reason of a posted form."""
    name = form.text("name", required=True, longest=LONGEST_NAME)
    return Away(name, form.flag("productive"), form.flag("paid"))


def add(tx: Connection, reason: Away, *, by: int, now: datetime) -> None:
    """Add a reason, and audit it."""
    reason_id = away_reasons.add(tx, reason, now=now)
    details = reason._asdict()
    record(tx, "away_reason.created", f"away_reason:{reason_id}", now=now, user_id=by, details=details)


async def change(request: Request) -> Response:
    """Rename a reason, say what it counts as, offer it or not."""
    form = await read_form(request)
    name, reason, active = form.text("reason", required=True), read_reason(form), form.flag("active")
    if form.ok:
        saving = services(request).db.write(save, name, reason, active=active, by=request.state.person.id, now=utcnow())
        await form.attempt(saving, name="name")
    if form.ok:
        return go(PATH, "saved")
    return await _show(request, blank(form.locale, {"paid": "1"}), changed=form)


def save(tx: Connection, name: str, reason: Away, *, active: bool, by: int, now: datetime) -> None:
    """Change a reason, and audit it."""
    away_reasons.change(tx, name, reason, active=active, now=now)
    details = {**reason._asdict(), "active": active}
    record(tx, "away_reason.changed", f"away_reason:{name}", now=now, user_id=by, details=details)


async def move(request: Request) -> Response:
    """One place up or down."""
    form = await read_form(request)
    await services(request).db.write(
        shift, form.text("reason"), up=form.flag("up"), by=request.state.person.id, now=utcnow()
    )
    return go(PATH, "saved")


def shift(tx: Connection, name: str, *, up: bool, by: int, now: datetime) -> None:
    """Move a reason, and audit it."""
    away_reasons.move(tx, name, up=up, now=now)
    record(tx, "away_reason.moved", f"away_reason:{name}", now=now, user_id=by, details={"up": up})


async def _show(request: Request, form: Form, changed: Form | None = None) -> Response:
    """`changed` is the form of one reason that was refused: its row shows what was typed and why not."""
    locale = await locale_of(request)
    return await admin_page(
        request,
        "away_reasons.html",
        "away-reasons",
        status=422 if not form.ok or changed is not None else 200,
        reasons=await services(request).db.read(list_reasons, locale),
        form=form,
        changed=changed,
    )
