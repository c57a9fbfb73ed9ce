"""Administration of absence: an agent is out until a moment, or back before it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, read_form
from agent_ui.pages import admin_profiles
from agent_ui.pages.admin import administer, go
from contact_center.accounts.audit import record
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.services import services
from routing import profiles


def routes() -> list[Route]:
    """/admin/profiles/…/absence."""
    return [administer("/profiles/{user_id:int}/absence", edit, "POST")]


async def edit(request: Request) -> Response:
    """Set until when somebody is out; `back` says that they are here again."""
    held = services(request)
    user_id = request.path_params["user_id"]
    form = await read_form(request)
    until = None if form.flag("back") else read_moment(form, held.settings.timezone, utcnow())
    if form.ok:
        await held.db.write(save, user_id, until, by=request.state.person.id, now=utcnow())
        return go(f"/admin/profiles/{user_id}", "back" if until is None else "out")
    return await admin_profiles.show(request, user_id, absence=form)


def read_moment(form: Form, zone: str, now: datetime) -> datetime | None:
    """The moment of a date-and-time field, typed in the installation's zone; it must lie ahead."""
    raw = form.text("out_until", required=True)
    if not form.ok:
        return None
    try:
        until = datetime.fromisoformat(raw).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        form.fail("out_until", mark("Write a day and a time."))
        return None
    if until <= now:
        form.fail("out_until", mark("This moment is over already."))
    return until


def save(tx: Connection, user_id: int, until: datetime | None, *, by: int, now: datetime) -> None:
    """Set an agent out or back, and audit it."""
    admin_profiles.open_profile(tx, user_id)
    profiles.set_out_until(tx, user_id, until, now=now)
    details = {"until": until.isoformat() if until else None}
    record(tx, "agent.absence", f"user:{user_id}", now=now, user_id=by, details=details)
