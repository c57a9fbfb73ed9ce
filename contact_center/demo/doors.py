"""The five doors: one click signs you in as somebody, each on its own host name so that they live side by side.

A door's link is signed by the page that shows it, and only this machine may follow it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode

from sqlalchemy import Connection, select
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from contact_center.accounts import users
from contact_center.accounts.models import User
from contact_center.accounts.web import begin, find_person, locale_of, set_cookie
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden
from contact_center.core.i18n import LOCALES, choose, mark
from contact_center.core.secrets import BadToken
from contact_center.core.services import services
from contact_center.demo import cast
from contact_center.demo.breaking import request_host

PURPOSE = "demo-door"
TOKEN_SECONDS = 86_400
OWN_NAMES = {"127.0.0.1", "localhost"}
HOME = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Door:
    """Who you become, where it leads, and what you see there."""

    host: str
    title: str
    # Who opens it in English; whoever reads Vietnamese becomes somebody who serves Vietnamese customers.
    person: str
    path: str
    icon: str
    text: str
    person_vi: str = ""

    def who(self, locale: str) -> str:
        """The name of the person behind it, in a language; none is the customer."""
        return self.person_vi if locale == "vi" and self.person_vi else self.person


DOORS = (
    Door("agent", mark("Agent"), "Emma Clarke", "/inbox", "headset", mark("Answer, resolve, next."), "Mai Tran"),
    Door("supervisor", mark("Supervisor"), "Brian Doyle", "/board", "activity", mark("The floor, live."), "Huong Vo"),
    Door("qa", mark("Quality"), "Ines Duarte", "/qa", "award", mark("How complaints were resolved.")),
    Door("admin", mark("Administrator"), "Alex Kim", "/admin", "settings", mark("Channels, people, queues.")),
    Door("shop", mark("Customer"), "", "/demo/shop", "message-circle", mark("A chat, a mailbox, a phone.")),
)
BY_HOST: Mapping[str, Door] = {f"{door.host}.localhost": door for door in DOORS}
BY_NAME: Mapping[str, Door] = {door.host: door for door in DOORS}


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses behind doors: `links("agent", "/tickets/101")` signs in there first, if need be."""

    request: Request
    locale: str

    def __call__(self, name: str, path: str) -> str:
        door = BY_NAME[name]
        who = door.who(self.locale)
        address = at(self.request, f"{name}.localhost", path)
        if not who:
            return str(address)
        token = services(self.request).vault.sign(PURPOSE, [who, path, self.locale])
        return str(address.replace(path="/demo/enter", query=urlencode({"token": token})))


def at(request: Request, host: str, path: str) -> URL:
    """An address of this server under another host name, at the same port."""
    return request.url.replace(hostname=host, path=path, query="", fragment="")


def is_local(request: Request) -> bool:
    """Whether this machine asks, by a name of this machine: nobody else may become somebody by one click."""
    host = request_host(request)
    if "x-forwarded-for" in request.headers or not (host in OWN_NAMES or host in BY_HOST):
        return False
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def require_local(request: Request) -> None:
    """Refuse whoever is not on this machine."""
    if not is_local(request):
        raise Forbidden("The demo's doors open on the machine that it runs on only.")


async def doors_page(request: Request) -> Response:
    """The page at `/` of the demo; under a door's own host name, that door."""
    require_local(request)
    locale = choose(request.query_params.get("lang"), await locale_of(request))
    links = Links(request, locale)
    door = BY_HOST.get(request_host(request))
    if door is not None:
        return RedirectResponse(links(door.host, door.path), 303)
    html = services(request).templates.render(
        locale,
        "demo/doors.html",
        doors=[(door, door.who(locale), links(door.host, door.path)) for door in DOORS],
        shop=cast.SHOP,
        other=next(one for one in LOCALES if one != locale),
        hints=HINTS,
        shell=None,
    )
    response = HTMLResponse(html)
    if request.query_params.get("lang") in LOCALES:
        response.set_cookie("cc_locale", locale, samesite="lax", path="/")
    return response


HINTS = (
    mark("Open Customer and Agent side by side: they are different people in one browser."),
    mark("The checklist in the bar below ticks itself with what was measured, and says what comes next."),
    mark("In the middle of it cut your line or kill the worker, and count what is lost."),
)


async def enter(request: Request) -> Response:
    """Sign in through a door, unless one is inside already; links are signed and last a day."""
    require_local(request)
    held = services(request)
    try:
        name, path, locale = held.vault.verify(PURPOSE, request.query_params.get("token", ""), max_age=TOKEN_SECONDS)
    except BadToken:
        return RedirectResponse(str(at(request, HOME, "/")), 303)
    response = RedirectResponse(path, 303)
    person = await find_person(request)
    if person is None or person.name != name:
        user_id = await held.db.write(_speaks, name, locale)
        set_cookie(request, response, await begin(request, user_id))
    return response


def _speaks(tx: Connection, name: str, locale: str) -> int:
    """The id of somebody, who reads from now on what the person at the door reads."""
    user = tx.execute(select(User.id, User.locale).where(User.name == name)).one()
    if user.locale != locale:
        users.set_preferences(tx, user.id, {"locale": locale}, now=utcnow())
    return int(user.id)


ROUTES = [Route("/", doors_page), Route("/demo/enter", enter)]
