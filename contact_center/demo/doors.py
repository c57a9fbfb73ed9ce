"""The five doors: one click signs you in as somebody, each on its own host name so that they live side by side."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from contact_center.accounts.models import User
from contact_center.accounts.web import begin, locale_of, set_cookie
from contact_center.core.i18n import mark
from contact_center.core.secrets import BadToken
from contact_center.core.services import services
from contact_center.demo import cast

PURPOSE = "demo-door"
TOKEN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Door:
    """Who you become, where it leads, and what you see there."""

    host: str
    title: str
    person: str
    path: str
    icon: str
    text: str


DOORS = (
    Door("agent", mark("Agent"), "Emma Clarke", "/inbox", "headset", mark("Answer, resolve, next.")),
    Door("supervisor", mark("Supervisor"), "Huong Vo", "/board", "activity", mark("The floor, live.")),
    Door("qa", mark("Quality"), "Ines Duarte", "/qa", "award", mark("How complaints were resolved.")),
    Door("admin", mark("Administrator"), "Alex Kim", "/admin", "settings", mark("Channels, people, queues.")),
    Door("shop", mark("Customer"), "", "/demo/shop", "message-circle", mark("A chat, a mailbox, a phone.")),
)


async def doors_page(request: Request) -> Response:
    """The page at `/` of the demo."""
    held = services(request)
    locale = await locale_of(request)
    port = request.url.port or held.settings.port
    people = await held.db.read(_people)
    links = [
        (
            door,
            f"http://{door.host}.localhost:{port}"
            + (
                f"/demo/enter?token={held.vault.sign(PURPOSE, [people[door.person], door.path])}"
                if door.person
                else door.path
            ),
        )
        for door in DOORS
    ]
    return HTMLResponse(held.templates.render(locale, "demo/doors.html", doors=links, shop=cast.SHOP, shell=None))


def _people(tx: Connection) -> dict[str, int]:
    wanted = [door.person for door in DOORS if door.person]
    return {row.name: row.id for row in tx.execute(select(User.id, User.name).where(User.name.in_(wanted)))}


async def enter(request: Request) -> Response:
    """Sign in through a door; its link is signed and lasts ten minutes."""
    try:
        user_id, path = services(request).vault.verify(
            PURPOSE, request.query_params.get("token", ""), max_age=TOKEN_SECONDS
        )
    except BadToken:
        return RedirectResponse(f"http://127.0.0.1:{request.url.port}/", 303)
    response = RedirectResponse(path, 303)
    set_cookie(request, response, await begin(request, user_id))
    return response


ROUTES = [Route("/", doors_page), Route("/demo/enter", enter)]
