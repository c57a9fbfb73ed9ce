"""What a person changes on a ticket: each command is one use case, answered with the conversation's new head."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.pages.ticket import head, translate
from agent_ui.views import Choice
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from tickets import lifecycle
from tickets.numbers import id_of
from tickets.states import Priority, Status

MORNING = 9
SNOOZES = ("1h", "4h", "tomorrow", "monday", "week")


async def run(request: Request, use_case: Callable[..., Any], *args: Any, **values: Any) -> None:
    """Run a use case on the ticket in the address, for the person who asks, now."""
    await services(request).db.write(use_case, ticket_id(request), *args, now=utcnow(), **values)


def anew(request: Request) -> Response:
    """The conversation as a whole: what can be written in it has changed."""
    url = f"/tickets/{request.path_params['number']}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": url})
    return RedirectResponse(url, 303)


def ticket_id(request: Request) -> int:
    return id_of(request.path_params["number"])


async def text(request: Request, name: str) -> str:
    """A field of the form; "" if it is missing."""
    value = (await request.form()).get(name, "")
    return value.strip() if isinstance(value, str) else ""


def choice_of(kind: Callable[[str], Any], value: str, field: str) -> Any:
    """A member of an enumeration; Invalid for anything else."""
    try:
        return kind(value)
    except ValueError:
        raise Invalid("This is not one of the choices.", field=field) from None


async def set_status(request: Request) -> Response:
    person = await person_of(request)
    wanted = choice_of(Status, await text(request, "status"), "status")
    reason = await text(request, "reason")
    await run(request, lifecycle.set_status, wanted, user_id=person.id, hold_reason=reason or None)
    return await head(request)


async def set_priority(request: Request) -> Response:
    person = await person_of(request)
    wanted = choice_of(Priority, await text(request, "priority"), "priority")
    await run(request, lifecycle.set_fields, user_id=person.id, priority=wanted)
    return await head(request)


async def set_topic(request: Request) -> Response:
    person = await person_of(request)
    wanted = choice_of(int, await text(request, "topic"), "topic")
    await run(request, lifecycle.set_fields, user_id=person.id, topic_id=wanted)
    return await head(request)


async def set_language(request: Request) -> Response:
    """What the agent says counts from now on: it is no guess any more."""
    person = await person_of(request)
    wanted = await text(request, "language")
    if wanted not in LOCALES:
        raise Invalid("This is not one of the choices.", field="language")
    await run(request, lifecycle.set_fields, user_id=person.id, locale=wanted)
    return await head(request)


async def set_tags(request: Request) -> Response:
    person = await person_of(request)
    await run(request, lifecycle.tag, (await text(request, "tags")).split(","), user_id=person.id)
    return await head(request)


async def snooze(request: Request) -> Response:
    person = await person_of(request)
    until = snoozed_until(await text(request, "for"), utcnow(), zone_of(request, person))
    await run(request, lifecycle.snooze, until=until, user_id=person.id)
    return await head(request)


async def snooze_menu(request: Request) -> Response:
    """The choices with the moments that they mean today, loaded when the menu opens."""
    _ = translate(await locale_of(request))
    now, zone = utcnow(), zone_of(request, await person_of(request))
    names = (_("In one hour"), _("In four hours"), _("Tomorrow morning"), _("Monday morning"), _("In a week"))
    choices = [(Choice(key, name), snoozed_until(key, now, zone)) for key, name in zip(SNOOZES, names, strict=True)]
    return await shell.fragment(
        request, "parts/snooze_menu.html", number=request.path_params["number"], choices=choices
    )


def zone_of(request: Request, person: Person) -> ZoneInfo:
    """The person's time zone, else the installation's."""
    for name in (person.timezone, services(request).settings.timezone):
        try:
            return ZoneInfo(name or "")
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def snoozed_until(key: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The moment behind a choice: mornings are 9:00 in the reader's zone."""
    if key == "1h":
        return now + timedelta(hours=1)
    if key == "4h":
        return now + timedelta(hours=4)
    local = now.astimezone(zone).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    days = {"tomorrow": 1, "monday": 7 - local.weekday(), "week": 7}.get(key)
    if days is None:
        raise Invalid("Choose a moment in the future.", field="for")
    return local + timedelta(days=days)
