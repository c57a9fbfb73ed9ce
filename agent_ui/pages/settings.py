"""A person's own settings: look, work, and where they are signed in."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from channels.phone.people import PHONE, read_phone
from contact_center.accounts import sessions, users
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import LOCALES, gettext
from contact_center.core.services import services
from tickets import replies
from tickets.customers.identities import BadAddress

THEMES = ("", "light", "dark")
DENSITIES = ("", "compact")
# Seconds in which a reply can be taken back; 0 sends at once.
UNDOS = (0, 5, 10, 20, 30)
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
    return await _page(request)


async def _page(request: Request, *, phone: str | None = None, phone_error: str = "") -> Response:
    """The page; after a refusal with the phone number as it was typed and what is wrong with it."""
    person = await person_of(request)
    locale = await locale_of(request)
    _ = translate(locale)
    rows = await services(request).db.read(sessions.list_open, person.id, now=utcnow())
    wishes = person.preferences
    return await shell.page(
        request,
        "settings.html",
        here="settings",
        settings={
            "theme": wishes.get("theme", ""),
            "density": wishes.get("density", ""),
            "locale": locale,
            "undo": str(int(undo_of(person).total_seconds())),
            "phone": wishes.get(PHONE, "") if phone is None else phone,
            **{name: wishes.get(name, True) for name in SWITCHES},
        },
        themes=[Choice("", _("System")), Choice("light", _("Light")), Choice("dark", _("Dark"))],
        densities=[Choice("", _("Comfortable")), Choice("compact", _("Compact"))],
        undos=[Choice(str(seconds), _("%(n)s s", n=seconds) if seconds else _("Off")) for seconds in UNDOS],
        locales=[Choice(code, LANGUAGES[code]) for code in LOCALES],
        saved="saved" in request.query_params,
        phone_error=phone_error,
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
    """Store the settings; unknown values fall back to the default, a phone number that is none is said."""
    person = await person_of(request)
    form = await request.form()
    typed = form.get(PHONE, "")
    phone = typed.strip() if isinstance(typed, str) else ""
    try:
        number = read_phone(phone, services(request).settings.region) if phone else ""
    except BadAddress as error:
        said = gettext(await locale_of(request), str(error))
        return await _page(request, phone=phone[:40], phone_error=said)
    wanted: dict[str, Any] = {name: form.get(name) == "1" for name in SWITCHES}
    wanted[PHONE] = number
    wanted["theme"] = form.get("theme") if form.get("theme") in THEMES else ""
    wanted["density"] = form.get("density") if form.get("density") in DENSITIES else ""
    if form.get("undo") in [str(seconds) for seconds in UNDOS]:
        wanted["undo"] = int(str(form.get("undo")))
    if form.get("locale") in LOCALES:
        wanted["locale"] = form.get("locale")
    await services(request).db.write(users.set_preferences, person.id, wanted, now=utcnow())
    return RedirectResponse("/settings?saved", 303)


def undo_of(person: Person) -> timedelta:
    """How long this person can take back what they sent by mail or SMS."""
    seconds = person.preferences.get("undo")
    return timedelta(seconds=seconds) if seconds in UNDOS else replies.UNDO


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
