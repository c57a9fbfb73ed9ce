"""Calls beside a conversation: planned ones, a new plan, one written down by hand; and what an SMS costs."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import shell
from agent_ui.forms import Form
from agent_ui.pages.commands import snoozed_until, zone_of
from agent_ui.views import Choice
from channels.phone import placing
from channels.phone.notes import CallNote, log_call
from channels.phone.states import CallState, Direction
from channels.sms.segments import measure
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.i18n import gettext, mark, ngettext
from contact_center.core.services import services
from tickets import timers
from tickets.customers.identities import shown_phone
from tickets.numbers import id_of
from tickets.replies import MAX_TEXT, Author

# direction:outcome, in the words of whoever tells it.
OUTCOMES = {
    "out:completed": mark("I called and we spoke"),
    "out:no_answer": mark("I called, no answer"),
    "out:busy": mark("I called, line busy"),
    "in:completed": mark("They called and we spoke"),
}
MOMENTS = {
    "1h": mark("In one hour"),
    "4h": mark("In four hours"),
    "tomorrow": mark("Tomorrow morning"),
    "monday": mark("Monday morning"),
    "week": mark("In a week"),
    "exact": mark("At an exact time"),
}
MOST_MINUTES = 600
NO_FORM = Form({}, "en")


async def panel(request: Request) -> Response:
    """The block of the customer panel."""
    return await _panel(request)


async def _panel(request: Request, *, log: Form = NO_FORM, plan: Form = NO_FORM) -> Response:
    locale = await locale_of(request)
    ticket_id = id_of(request.path_params["number"])
    planned, numbers = await services(request).db.read(_planned, ticket_id)
    return await shell.fragment(
        request,
        "parts/calls.html",
        number=request.path_params["number"],
        planned=planned,
        numbers=[Choice(str(row.id), shown_phone(row.value)) for row in numbers],
        outcomes=[Choice(key, gettext(locale, text)) for key, text in OUTCOMES.items()],
        moments=[Choice(key, gettext(locale, text)) for key, text in MOMENTS.items()],
        client_id=secrets.token_hex(8),
        log=log,
        plan=plan,
    )


def _planned(tx: Connection, ticket_id: int) -> tuple[list[Any], Sequence[Any]]:
    """The planned calls, and the numbers of the customer that can be called from here."""
    planned = [row for row in timers.open_reminders(tx, ticket_id=ticket_id) if row.kind == "callback"]
    return planned, placing.numbers_of(tx, ticket_id)


async def log(request: Request) -> Response:
    """Write a call down; the same form sent twice writes once."""
    person = await person_of(request)
    form = Form(await request.form(), await locale_of(request))
    text = form.text("text", required=True, longest=MAX_TEXT)
    told = form.one_of("outcome", tuple(OUTCOMES))
    minutes = form.number("minutes", 0, MOST_MINUTES, default=0)
    if not form.ok:
        return await _panel(request, log=form)
    direction, _, outcome = told.partition(":")
    note = CallNote(Direction(direction), CallState(outcome), text, talk_seconds=minutes * 60)
    author = Author(person.id, form.text("client_id") or None)
    ticket_id = id_of(request.path_params["number"])
    try:
        await services(request).db.write(log_call, ticket_id, note, author=author, now=utcnow())
    except DomainError as error:
        form.refuse(error, "text")
        return await _panel(request, log=form)
    return await _panel(request)


async def plan(request: Request) -> Response:
    """Plan a call back; it opens the conversation again when its time comes."""
    person = await person_of(request)
    form = Form(await request.form(), await locale_of(request))
    note = form.text("note", longest=200)
    when = form.one_of("when", tuple(MOMENTS))
    if not form.ok:
        return await _panel(request, plan=form)
    try:
        due_at = _due(form, when, zone_of(request, person))
        await services(request).db.write(
            timers.remind,
            id_of(request.path_params["number"]),
            due_at=due_at,
            now=utcnow(),
            text=note,
            by_user_id=person.id,
            client_id=form.text("client_id") or None,
        )
    except DomainError as error:
        form.refuse(error, "when")
        return await _panel(request, plan=form)
    return await _panel(request)


def _due(form: Form, when: str, zone: ZoneInfo) -> datetime:
    if when != "exact":
        return snoozed_until(when, utcnow(), zone)
    try:
        at = datetime.fromisoformat(form.text("at"))
    except ValueError:
        raise Invalid("Choose a moment in the future.", field="at") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


async def done(request: Request) -> Response:
    """A planned call was made, or is no longer needed."""
    person = await person_of(request)
    await services(request).db.write(timers.finish, request.path_params["reminder_id"], user_id=person.id, now=utcnow())
    return await _panel(request)


async def measure_sms(request: Request) -> Response:
    """What a text would cost as SMS, while it is being written."""
    locale = await locale_of(request)
    text = (await request.form()).get("text", "")
    found = measure(text[:MAX_TEXT] if isinstance(text, str) else "")
    said = ngettext(locale, "%(num)s SMS", "%(num)s SMS", found.segments)
    if found.costly:
        signs = " ".join(found.costly[:5])
        said += " · " + gettext(locale, "special characters halve the room: %(signs)s", signs=signs)
    return JSONResponse({"segments": found.segments, "room": found.room, "said": said})
