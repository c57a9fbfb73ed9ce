"""Send later: the moments to choose from, and what is done to a reply that waits for its moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, and_, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import scheduled as shown
from agent_ui import shell
from agent_ui.pages.commands import MORNING, text, ticket_id, zone_of
from agent_ui.pages.settings import undo_of
from agent_ui.pages.taking_back import answer_of
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import lifecycle, scheduled, service_levels
from tickets.customers.quiet import zones_of
from tickets.hours import Calendar, always_open, is_open, next_open
from tickets.models import ContactPoint, Customer, Ticket
from tickets.states import ContactKind

AFTERNOON = 14


@dataclass(frozen=True, slots=True)
class There:
    """Where the customer is: their clock, and the hours of the queue that answers."""

    zone: str
    calendar: Calendar
    # Whether `zone` is the customer's; else it is our own.
    known: bool = True


def there_of(tx: Connection, ticket: int, fallback: str) -> There:
    """The customer's zone: as it is known, or the one of their number's country; else that of the queue's hours, else
    the given one."""
    row = tx.execute(
        select(Ticket.queue_id, Customer.timezone, ContactPoint.value.label("number"))
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(
            ContactPoint,
            and_(ContactPoint.customer_id == Customer.id, ContactPoint.kind == ContactKind.PHONE.value),
        )
        .where(Ticket.id == ticket)
        .order_by(ContactPoint.id)
        .limit(1)
    ).one()
    calendar = service_levels.calendar_of(tx, row.queue_id)
    if row.timezone and _is_zone(row.timezone):
        return There(row.timezone, calendar)
    if len(around := zones_of(row.number or "")) == 1:
        return There(around[0].key, calendar)
    kept = calendar.zone if calendar != always_open() else fallback
    return There(kept if _is_zone(kept) else "UTC", calendar, known=False)


def moments(now: datetime, there: There) -> list[tuple[str, datetime]]:
    """What people choose, as (key, moment): 9:00 and 14:00 where the customer is, and the next opening while closed."""
    local = now.astimezone(ZoneInfo(there.zone)).replace(hour=MORNING, minute=0, second=0, microsecond=0)
    found = [("soon", now.replace(second=0, microsecond=0) + timedelta(hours=2))]
    opening = None if is_open(there.calendar, now) else next_open(there.calendar, now)
    if opening is not None:
        found.append(("open", opening))
    found += [
        ("tomorrow", local + timedelta(days=1)),
        ("afternoon", local.replace(hour=AFTERNOON) + timedelta(days=1)),
        ("monday", local + timedelta(days=7 - local.weekday())),
    ]
    first: dict[datetime, str] = {}
    for key, at in found:
        first.setdefault(at, key)
    return sorted(((key, at) for at, key in first.items()), key=lambda one: one[1])


async def laters(request: Request) -> Response:
    """The choices of "Send later", loaded when their menu opens; with `?of=` those for a reply that waits already."""
    locale = await locale_of(request)
    _ = translate(locale)
    names = {
        "soon": _("In two hours"),
        "open": _("When we open"),
        "tomorrow": _("Tomorrow morning"),
        "afternoon": _("Tomorrow afternoon"),
        "monday": _("Monday morning"),
    }
    there = await services(request).db.read(there_of, ticket_id(request), await _fallback(request))
    choices = [
        Choice(at.isoformat(timespec="minutes"), names[key], shown.local(at, there.zone, locale).partition(" (")[0])
        for key, at in moments(utcnow(), there)
    ]
    of = request.query_params.get("of", "")
    return await shell.fragment(
        request,
        "parts/later_menu.html",
        choices=choices,
        city=there.zone.rpartition("/")[2].replace("_", " "),
        known=there.known,
        of=int(of) if of.isdecimal() else 0,
    )


async def when_of(request: Request, ticket: int) -> tuple[datetime, str] | None:
    """The moment that a form names and the zone it is meant in; None for "now"."""
    said = await text(request, "when")
    if not said:
        return None
    there = await services(request).db.read(there_of, ticket, await _fallback(request))
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise Invalid("Choose a moment in the future.", field="when") from None
    # What was typed is a time of the customer's clock.
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(there.zone)), there.zone


async def move(request: Request) -> Response:
    """Another moment."""
    found = await services(request).db.read(scheduled.ticket_of, _id(request))
    when = await when_of(request, found)
    if when is None:
        raise Invalid("Choose a moment in the future.", field="when")
    ticket = await services(request).db.write(scheduled.move, _id(request), send_at=when[0], now=utcnow())
    return await _waiting(request, ticket)


async def send_now(request: Request) -> Response:
    """It leaves now, with the time to take it back."""
    person = await person_of(request)
    ticket = await services(request).db.write(scheduled.send_now, _id(request), undo=undo_of(person), now=utcnow())
    return await _waiting(request, ticket)


async def take_back(request: Request) -> Response:
    """It does not leave: back into the composer of the person who says so."""
    person = await person_of(request)
    back = await services(request).db.write(scheduled.take_back, _id(request), user_id=person.id, now=utcnow())
    return JSONResponse(answer_of(back) | await parts_of(request, back.ticket_id))


async def parts_of(request: Request, ticket: int) -> dict[str, Any]:
    """What waits now, in the form of a live frame, and where the conversation is."""
    held, locale = services(request), await locale_of(request)

    def read(tx: Connection) -> tuple[Any, int]:
        return scheduled.open_of(tx, ticket), lifecycle.access(tx, ticket).seq

    rows, seq = await held.db.read(read)
    html = held.templates.render(locale, "parts/scheduled.html", scheduled=shown.as_replies(rows, locale))
    return {"parts": [{"to": "scheduled", "how": "fill", "html": html}], "seq": seq}


async def _waiting(request: Request, ticket: int) -> JSONResponse:
    return JSONResponse(await parts_of(request, ticket))


async def _fallback(request: Request) -> str:
    return zone_of(request, await person_of(request)).key


def _id(request: Request) -> int:
    return int(request.path_params["scheduled_id"])


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError):
        return False
