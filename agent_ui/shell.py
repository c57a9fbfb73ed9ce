"""The frame around every signed-in page, and the one function that answers with such a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from agent_ui import own
from agent_ui.views import Choice, Offer, Presence, Wrapup
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services

# key, label, address, icon, what one must be allowed to do.
AREAS = (
    ("inbox", mark("Inbox"), "/inbox", "inbox", Permission.VIEW_TICKETS),
    ("customers", mark("Customers"), "/customers", "users", Permission.VIEW_TICKETS),
    ("board", mark("Board"), "/board", "layout-dashboard", Permission.VIEW_BOARD),
    ("qa", mark("Quality"), "/qa", "clipboard-check", Permission.MANAGE_COMPLAINTS),
    ("kb", mark("Knowledge"), "/kb", "book-open", Permission.WRITE_ARTICLES),
    ("admin", mark("Administration"), "/admin", "sliders-horizontal", Permission.ADMINISTER),
)


async def page(request: Request, template: str, /, *, here: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A signed-in page in the person's language; the template extends `shell.html`.

    `own`: what is the person's own in the frame, if the page has read it already.
    """
    person = await person_of(request)
    locale = await locale_of(request)
    mine = values.pop("own", None)
    shell = shell_of(person, locale, here=here, **(await own.state(request) if mine is None else mine))
    html = services(request).templates.render(
        locale, template, shell=shell, nonce=request.state.nonce, **{"query": "", **values}
    )
    return HTMLResponse(html, status_code=status)


async def fragment(
    request: Request, template: str, /, *, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """A part of a page, for htmx."""
    locale = await locale_of(request)
    return HTMLResponse(services(request).templates.render(locale, template, **values), headers=dict(headers or {}))


@dataclass(frozen=True)
class NavItem:
    """One entry of the rail."""

    key: str
    label: str
    url: str
    icon: str
    count: int = 0


@dataclass(frozen=True)
class Shell:
    """The frame around every signed-in page."""

    user_id: int
    user_name: str
    role: str
    nav: tuple[NavItem, ...]
    here: str
    locale: str = "en"
    theme: str = ""
    density: str = ""
    sound: bool = True
    single_keys: bool = True
    chat_enter_sends: bool = True
    presence: Presence | None = None
    away_reasons: tuple[Choice, ...] = ()
    decline_reasons: tuple[Choice, ...] = ()
    dispositions: tuple[Choice, ...] = ()
    offers: tuple[Offer, ...] = ()
    wrapups: tuple[Wrapup, ...] = ()
    # Whether things happen to this person: everybody but those who only look.
    bell: bool = False
    notices: int = 0
    unread: int = 0
    # How many channel accounts of theirs are silent or not reached.
    troubles: int = 0
    topics: tuple[str, ...] = field(default=())


def shell_of(person: Person, locale: str, *, here: str, **mine: Any) -> Shell:
    """The frame for one person; `mine` are their presence, offers and wrap-ups where they handle work."""
    wishes = person.preferences
    return Shell(
        user_id=person.id,
        user_name=person.name,
        role=person.role.value,
        nav=tuple(
            NavItem(key, gettext(locale, label), url, icon)
            for key, label, url, icon, permission in AREAS
            if may(person.role, permission)
        ),
        here=here,
        locale=locale,
        theme=str(wishes.get("theme", "")),
        density=str(wishes.get("density", "")),
        sound=bool(wishes.get("sound", True)),
        single_keys=bool(wishes.get("single_keys", True)),
        chat_enter_sends=bool(wishes.get("enter_sends", True)),
        topics=(f"user:{person.id}",),
        **mine,
    )


async def translator(request: Request) -> Any:
    """gettext in the language of this request."""
    return partial(gettext, await locale_of(request))
