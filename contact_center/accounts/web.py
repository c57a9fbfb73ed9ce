"""Who is behind a request: the login cookie, the guards of endpoints, login and logout."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from contact_center.accounts import sessions
from contact_center.accounts.permissions import Permission, require
from contact_center.accounts.users import Person
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError
from contact_center.core.i18n import choose
from contact_center.core.services import services
from contact_center.core.web import client_address, wants_page

COOKIE = "cc_session"

Endpoint = Callable[[Request], Awaitable[Response]]


class NotSignedIn(DomainError):
    """There is no valid login; pages redirect to the login, programs get 401."""

    code = "not_signed_in"
    status = 401


async def find_person(connection: HTTPConnection) -> Person | None:
    """The person behind the login cookie; one read per request, kept on its state."""
    state = connection.state
    if hasattr(state, "person"):
        person: Person | None = state.person
        return person
    token = connection.cookies.get(COOKIE)
    found = await services(connection).db.read(sessions.find, token, now=utcnow()) if token else None
    state.person = found[0] if found else None
    if found is not None:
        await _touch(connection, found[0], found[1])
    return state.person  # type: ignore[no-any-return]


async def _touch(connection: HTTPConnection, person: Person, seen_at: datetime) -> None:
    now = utcnow()
    if now - seen_at > sessions.SEEN_EVERY:
        days = services(connection).settings.session_days
        await services(connection).db.write(sessions.touch, person.session_id, days=days, now=now)


async def person_of(connection: HTTPConnection) -> Person:
    """The person behind the login cookie; NotSignedIn if there is none."""
    person = await find_person(connection)
    if person is None:
        raise NotSignedIn("Sign in to go on.")
    return person


def signed_in(endpoint: Endpoint, permission: Permission | None = None) -> Endpoint:
    """Let only signed-in people with the permission through; `request.state.person` is set then."""

    async def guarded(request: Request) -> Response:
        person = await find_person(request)
        if person is None:
            if wants_page(request) and request.method == "GET":
                wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)
            raise NotSignedIn("Sign in to go on.")
        if permission is not None:
            require(person.role, permission)
        return await endpoint(request)

    return guarded


async def sign_in(request: Request, email: str, password: str) -> str:
    """Check a password and begin a login; the token for `set_cookie`. Raises LoginFailed or TooMany."""
    held = services(request)
    address = client_address(request, held.settings.trusted_proxies)
    email = email.strip().lower()
    await held.db.read(sessions.check_limits, email, address, now=utcnow())
    found = await held.db.read(sessions.find_login, email)
    try:
        # Hashing takes 20 ms on purpose: not in the event loop.
        user_id = await asyncio.to_thread(sessions.verify_password, found, password)
    except sessions.LoginFailed:
        await held.db.write(sessions.count_failure, email, address, now=utcnow())
        raise
    return await begin(request, user_id)


async def begin(request: Request, user_id: int) -> str:
    """Begin a login for a user whose identity has been proven."""
    held = services(request)
    return await held.db.write(
        sessions.start,
        user_id,
        device=request.headers.get("user-agent", ""),
        address=client_address(request, held.settings.trusted_proxies),
        days=held.settings.session_days,
        now=utcnow(),
    )


def set_cookie(request: Request, response: Response, token: str) -> None:
    """Give the browser its login, for this host only."""
    held = services(request)
    response.set_cookie(
        COOKIE,
        token,
        max_age=held.settings.session_days * 86_400,
        httponly=True,
        samesite="lax",
        secure=held.settings.base_url.startswith("https"),
        path="/",
    )


async def sign_out(request: Request, response: Response) -> None:
    """End this login."""
    person = await find_person(request)
    if person is not None:
        await services(request).db.write(sessions.revoke, person.session_id, user_id=person.id, now=utcnow())
    response.delete_cookie(COOKIE, path="/")


async def locale_of(connection: HTTPConnection) -> str:
    """The language to answer in: the person's, the visitor's choice, the browser's, the installation's."""
    person = await find_person(connection)
    return choose(
        person.locale if person else None,
        connection.cookies.get("cc_locale"),
        accept=connection.headers.get("accept-language", services(connection).settings.locale),
    )
