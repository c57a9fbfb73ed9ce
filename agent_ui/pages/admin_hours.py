"""Administration of business hours: weekly windows, holidays typed or from a calendar file, special days."""

from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection
from starlette.datastructures import UploadFile
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
from tickets.hours import WEEKDAYS, calendar_data, calendar_from, is_open, next_open, office_hours
from tickets.ical import parse_holidays
from tickets.service_levels import Definition

DAY_NAMES = {
    "mon": mark("Monday"),
    "tue": mark("Tuesday"),
    "wed": mark("Wednesday"),
    "thu": mark("Thursday"),
    "fri": mark("Friday"),
    "sat": mark("Saturday"),
    "sun": mark("Sunday"),
}
WINDOWS = 3
YEARS_AHEAD = 2
LARGEST_FILE = 1_000_000


def routes() -> list[Route]:
    """/admin/hours and one calendar."""
    return [
        administer("/hours", index),
        administer("/hours/new", edit, "GET", "POST"),
        administer("/hours/{calendar_id:int}", edit, "GET", "POST"),
    ]


async def index(request: Request) -> Response:
    """All calendars, and whether each is open now."""
    now = utcnow()
    found = await services(request).db.read(service_levels.calendars)
    states = []
    for one in found:
        calendar = calendar_from(one.definition)
        states.append((one, calendar.zone, is_open(calendar, now), next_open(calendar, now)))
    return await admin_page(request, "hours.html", "hours", calendars=states)


def open_calendar(tx: Connection, calendar_id: int) -> Definition:
    """A calendar by id."""
    found = next((one for one in service_levels.calendars(tx) if one.id == calendar_id), None)
    if found is None:
        raise NotFound("There are no such hours.")
    return found


async def edit(request: Request) -> Response:
    """New hours, or those that exist."""
    held = services(request)
    calendar_id = request.path_params.get("calendar_id")
    opened = await held.db.read(open_calendar, calendar_id) if calendar_id is not None else None
    if request.method == "GET":
        form = blank(await locale_of(request), stored(opened, held.settings.timezone))
        return await _show(request, opened, form)
    form = await read_form(request)
    name, definition = form.text("name", required=True, longest=80), read_definition(form, now=utcnow())
    holidays = await _from_file(request, form)
    if form.ok:
        definition["holidays"] = sorted({*definition["holidays"], *holidays})
        saving = held.db.write(save, calendar_id, name, definition, by=request.state.person.id, now=utcnow())
        saved = await form.attempt(saving)
        if saved is not None:
            return go(f"/admin/hours/{saved}", "saved" if calendar_id else "created")
    return await _show(request, opened, form)


def stored(opened: Definition | None, zone: str) -> dict[str, str]:
    """A calendar as the values of its form; office hours for a new one."""
    definition = opened.definition if opened else calendar_data(office_hours(zone))
    values = {
        "name": opened.name if opened else "",
        "zone": definition["zone"],
        "holidays": "\n".join(definition["holidays"]),
        "special": "\n".join(
            f"{day} {', '.join('-'.join(window) for window in windows)}".strip()
            for day, windows in definition["special"].items()
        ),
    }
    for day, windows in definition["week"].items():
        for number, (opens, closes) in enumerate(windows[:WINDOWS]):
            values |= {f"{day}_{number}_from": opens, f"{day}_{number}_to": "00:00" if closes == "24:00" else closes}
    return values


def read_definition(form: Form, *, now: datetime) -> dict[str, Any]:
    """The calendar of a posted form, in the form that is stored; every unreadable line is named."""
    zone = form.text("zone", required=True)
    if zone not in available_timezones():
        form.fail("zone", mark("There is no such time zone. Write one such as Asia/Ho_Chi_Minh or Europe/Berlin."))
    week: dict[str, list[list[str]]] = {}
    for day in WEEKDAYS:
        for number in range(WINDOWS):
            opens, closes = form.values.get(f"{day}_{number}_from", ""), form.values.get(f"{day}_{number}_to", "")
            if bool(opens) != bool(closes):
                form.fail(day, mark("A window needs both its times."))
            elif opens:
                week.setdefault(day, []).append([opens, closes])
    holidays = []
    for row in form.text("holidays", longest=20_000).split():
        if _is_day(row):
            holidays.append(row)
        else:
            form.fail("holidays", mark("%(text)s is not a day: write 2027-01-01."), text=row)
    special: dict[str, list[list[str]]] = {}
    for row in form.text("special", longest=20_000).splitlines():
        day, _, windows = row.strip().partition(" ")
        if not day:
            continue
        if not _is_day(day):
            form.fail("special", mark("%(text)s is not a day: write 2027-01-01."), text=day)
            continue
        special[day] = [[part.strip() for part in window.split("-")] for window in windows.split(",") if window.strip()]
        if any(len(window) != 2 for window in special[day]):
            form.fail("special", mark("Write windows like 09:00-12:00, 13:00-17:00."))
    return {"zone": zone, "week": week, "holidays": sorted(set(holidays)), "special": special}


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


async def _from_file(request: Request, form: Form) -> list[str]:
    """The holidays of an uploaded calendar file, for this year and the next ones."""
    posted = await request.form()
    upload = posted.get("file")
    named = upload is not None and not isinstance(upload, str) and bool(upload.filename)
    data = await upload.read(LARGEST_FILE + 1) if named and isinstance(upload, UploadFile) else b""
    await posted.close()
    if not named:
        return []
    if len(data) > LARGEST_FILE:
        form.fail("file", mark("The file is too large for a list of holidays."))
        return []
    year = utcnow().year
    found = parse_holidays(data.decode("utf-8", "replace"), year, year + YEARS_AHEAD)
    if not found.days:
        form.fail("file", mark("No whole-day events of the next years were found in this file."))
    return [holiday.day.isoformat() for holiday in found.days]


def save(
    tx: Connection, calendar_id: int | None, name: str, definition: dict[str, Any], *, by: int, now: datetime
) -> int:
    """Create or change hours, and audit it."""
    if calendar_id is None:
        calendar_id = service_levels.create_calendar(tx, name, definition)
    else:
        service_levels.rename_calendar(tx, calendar_id, name)
        service_levels.change_calendar(tx, calendar_id, definition, now=now)
    record(tx, "hours.changed", f"calendar:{calendar_id}", now=now, user_id=by, details={"name": name})
    return calendar_id


async def _show(request: Request, opened: Definition | None, form: Form) -> Response:
    return await admin_page(
        request,
        "hours_edit.html",
        "hours",
        status=200 if form.ok else 422,
        opened=opened,
        form=form,
        days=DAY_NAMES,
        windows=range(WINDOWS),
        zones=sorted(available_timezones()),
    )
