"""A person's own settings: look, work, and where they are signed in."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import own, shell
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts import sessions, users
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services

THEMES = ("", "light", "dark")
DENSITIES = ("", "compact")
SWITCHES = ("sound", "single_keys", "enter_sends")
LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
DEVICES = (
    ("iPhone", "iPhone"),
    ("Android", "Android"),
    ("Macintosh", "Mac"),
    ("Windows", "Windows"),
    ("Linux", "Linux"),
)
BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))


async def show(request: Request) -> Response:
    """The settings page."""
    person = await person_of(request)
    locale = await locale_of(request)
    _ = translate(locale)
    rows = await services(request).db.read(sessions.list_open, person.id, now=utcnow())
    wishes = person.preferences
    return await shell.page(
        request,
        "settings.html",
        here="settings",
        own=await own.state(request),
        settings={
            "theme": wishes.get("theme", ""),
            "density": wishes.get("density", ""),
            "locale": locale,
            **{name: wishes.get(name, True) for name in SWITCHES},
        },
        themes=[Choice("", _("System")), Choice("light", _("Light")), Choice("dark", _("Dark"))],
        densities=[Choice("", _("Comfortable")), Choice("compact", _("Compact"))],
        locales=[Choice(code, LANGUAGES[code]) for code in LOCALES],
        saved="saved" in request.query_params,
        sessions=[
            {
                "session_id": row.id,
                "device": device_name(row.device),
                "last_seen_at": row.seen_at,
                "current": row.id == person.session_id,
            }
            for row in rows
        ],
    )


async def save(request: Request) -> Response:
    """Store the settings; unknown values fall back to the default."""
    person = await person_of(request)
    form = await request.form()
    wanted: dict[str, Any] = {name: form.get(name) == "1" for name in SWITCHES}
    wanted["theme"] = form.get("theme") if form.get("theme") in THEMES else ""
    wanted["density"] = form.get("density") if form.get("density") in DENSITIES else ""
    if form.get("locale") in LOCALES:
        wanted["locale"] = form.get("locale")
    await services(request).db.write(users.set_preferences, person.id, wanted, now=utcnow())
    return RedirectResponse("/settings?saved", 303)


async def end_session(request: Request) -> Response:
    """Sign out on another device."""
    person = await person_of(request)
    await services(request).db.write(
        sessions.revoke, request.path_params["session_id"], user_id=person.id, now=utcnow()
    )
    return RedirectResponse("/settings", 303)


def device_name(agent: str) -> str:
    """A user agent as people say it: "Firefox on Linux"."""
    browser = next((name for sign, name in BROWSERS if sign in agent), "")
    device = next((name for sign, name in DEVICES if sign in agent), "")
    return " · ".join(part for part in (browser, device) if part) or agent[:40] or "?"
