"""Signing in and out."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from contact_center.accounts.permissions import Permission, Role, may
from contact_center.accounts.sessions import LoginFailed, find
from contact_center.accounts.web import find_person, locale_of, set_cookie, sign_in, sign_out
from contact_center.core.clock import utcnow
from contact_center.core.errors import TooMany
from contact_center.core.i18n import explain
from contact_center.core.services import services
from routing.presence import set_presence
from routing.states import Presence

HOMES = {Role.AGENT: "/inbox", Role.SUPERVISOR: "/board", Role.QA: "/qa", Role.ADMIN: "/admin"}


async def home(request: Request) -> Response:
    """The first page of the person's role."""
    person = await find_person(request)
    return RedirectResponse("/login" if person is None else HOMES[person.role], 303)


async def login_page(request: Request) -> Response:
    return await _form(request, next_page=safe_next(request.query_params.get("next", "")))


async def login(request: Request) -> Response:
    """Check the password; a script (the dialog of an ended session) gets JSON, a person the next page."""
    form = await request.form()
    email, password, wanted = (str(form.get(name, "")) for name in ("email", "password", "next"))
    programmatic = "application/json" in request.headers.get("accept", "")
    try:
        token = await sign_in(request, email, password)
    except (LoginFailed, TooMany) as error:
        if programmatic:
            raise
        said = explain(await locale_of(request), error)
        return await _form(request, next_page=safe_next(wanted), email=email, error=said, status=error.status)
    response: Response
    if programmatic:
        found = await services(request).db.read(find, token, now=utcnow())
        response = JSONResponse({"user_id": found[0].id if found else None})
    else:
        response = RedirectResponse(safe_next(wanted) or "/", 303)
    set_cookie(request, response, token)
    return response


async def logout(request: Request) -> Response:
    """End this login; somebody who handles work leaves the floor first."""
    person = await find_person(request)
    if person is not None and may(person.role, Permission.HANDLE):
        await services(request).db.write(set_presence, person.id, Presence.OFFLINE, now=utcnow())
    response = RedirectResponse("/login", 303)
    await sign_out(request, response)
    return response


def safe_next(wanted: str) -> str:
    """An address on this site, or "" (`//evil.example` and other schemes are none)."""
    parts = urlsplit(wanted)
    local = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return wanted if local else ""


async def _form(request: Request, *, next_page: str, email: str = "", error: str = "", status: int = 200) -> Response:
    html = services(request).templates.render(
        await locale_of(request), "login.html", shell=None, next=next_page, email=email, error=error
    )
    return HTMLResponse(html, status_code=status)
