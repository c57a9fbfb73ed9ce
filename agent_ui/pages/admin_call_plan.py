"""Administration of a line's call plan: what callers hear and may choose, and all of it read as text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui import shell
from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.views import Choice
from channels.phone.flow import preview
from channels.phone.flow.plan import (
    DIGITS,
    LIMITS,
    MOST_OPTIONS,
    TEXTS,
    TRIES,
    Consent,
    Option,
    Plan,
    Voice,
    Way,
    mistakes,
    read,
    write,
)
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import LOCALES, gettext, mark
from contact_center.core.secrets import Vault
from contact_center.core.services import services
from tickets import channel_accounts, queues
from tickets.channel_accounts import Account
from tickets.states import Channel

LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
LONGEST = 1_000
SPARE_ROWS = 2
LEAST_ROWS = 3
SWITCHES = ("hours", "record", "say_position", "say_wait", "callback", "voicemail", "transcribe")
WAY_FIELDS = ("closed", "nothing", "wrong", "refused")
LABELS = {
    "greeting": mark("Greeting"),
    "menu": mark("Menu"),
    "consent": mark("About the recording"),
    "closed": mark("When the queue is closed"),
    "waiting": mark("On the way into the queue"),
    "voicemail": mark("Before the tone"),
}
VOICES = {Voice.WOMAN.value: mark("A woman"), Voice.MAN.value: mark("A man")}
WAYS = {
    Way.QUEUE.value: mark("Into the line's own queue"),
    Way.VOICEMAIL.value: mark("To voicemail"),
    Way.HANG_UP.value: mark("Say goodbye and hang up"),
}
CLOSED_WAYS = {Way.VOICEMAIL.value: WAYS["voicemail"], Way.HANG_UP.value: WAYS["hang_up"]}
REFUSED_WAYS = {Way.QUEUE.value: mark("Serve them without a recording"), Way.HANG_UP.value: WAYS["hang_up"]}
CONSENTS = {
    Consent.ANNOUNCE.value: mark("Announce it"),
    Consent.ASK.value: mark("Ask for a key"),
    Consent.NONE.value: mark("The greeting says it"),
}


def routes() -> list[Route]:
    """/admin/channels/…/plan."""
    return [
        administer("/channels/{account_id:int}/plan", show, "GET", "POST"),
        administer("/channels/{account_id:int}/plan/heard", heard, "POST"),
    ]


def values_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """A stored plan (or the usual one) as the values of its form."""
    stored = settings.get("plan") or {}
    plan = read(stored)
    values = {name: "1" if getattr(plan, name) else "" for name in SWITCHES}
    values |= {name: str(getattr(plan, name)) for name in (*LIMITS, "tries", "locale", "repeat")}
    values |= {name: getattr(plan, name).value for name in ("voice", "consent", *WAY_FIELDS)}
    values |= {name: getattr(plan, name) for name in ("greeting_audio", "music")}
    values |= {f"{name}_{locale}": text for name, own in plan.texts.items() for locale, text in own.items()}
    for place, option in enumerate(plan.options):
        values |= {f"digit_{place}": option.digit, f"locale_{place}": option.locale}
        values[f"queue_{place}"] = "" if option.queue_id is None else str(option.queue_id)
    return values | {"enabled": "1" if stored.get("enabled") else ""}


def read_plan(form: Form, queue_ids: set[int]) -> Plan:
    """The plan of a posted form, with a sentence at every field that would leave a caller stranded."""
    texts = {
        name: {locale: text for locale in LOCALES if (text := form.text(f"{name}_{locale}", longest=LONGEST))}
        for name in TEXTS
    }
    known: dict[str, Any] = {name: form.choice(name, Way, Way.QUEUE) for name in WAY_FIELDS}
    known |= {name: form.number(name, low, high) for name, (low, high) in LIMITS.items()}
    known |= {name: form.flag(name) for name in SWITCHES}
    plan = Plan(
        locale=form.one_of("locale", LOCALES),
        texts={name: own for name, own in texts.items() if own},
        options=tuple(_options(form)),
        repeat=form.one_of("repeat", ["", *DIGITS]),
        voice=form.choice("voice", Voice, Voice.WOMAN),
        consent=form.choice("consent", Consent, Consent.ANNOUNCE),
        tries=form.number("tries", TRIES[0], TRIES[-1]),
        greeting_audio=form.text("greeting_audio", longest=500),
        music=form.text("music", longest=500),
        **known,
    )
    for field, text in mistakes(plan, queue_ids):
        form.fail(field, text)
    return plan


def _options(form: Form) -> list[Option]:
    """The rows of the menu that have a key, close together: what is wrong with one stands at its new place."""
    found = []
    for row in range(MOST_OPTIONS):
        digit = form.values.get(f"digit_{row}", "").strip()[:1]
        if digit:
            found.append(Option(digit, form.reference(f"queue_{row}"), form.values.get(f"locale_{row}", "")))
    for row in range(MOST_OPTIONS):
        option = found[row] if row < len(found) else Option("")
        form.values[f"digit_{row}"] = option.digit
        form.values[f"queue_{row}"] = "" if option.queue_id is None else str(option.queue_id)
        form.values[f"locale_{row}"] = option.locale
    return found


async def show(request: Request) -> Response:
    """The form with what callers hear beside it."""
    held, locale = services(request), await locale_of(request)
    account_id = request.path_params["account_id"]
    account, names = await held.db.read(open_line, held.vault, account_id)
    if request.method == "POST":
        form = await read_form(request)
        plan = read_plan(form, set(names))
        if form.ok:
            stored = write(plan, enabled=form.flag("enabled"))
            await held.db.write(save, held.vault, account_id, stored, by=request.state.person.id, now=utcnow())
            return go(f"/admin/channels/{account_id}/plan", "saved")
    else:
        form = blank(locale, values_of(account.settings))
        plan = read(account.settings.get("plan") or {})
    used = sum(bool(form.values.get(f"digit_{row}")) for row in range(MOST_OPTIONS))
    keys = {digit: digit for digit in DIGITS}
    return await admin_page(
        request,
        "call_plan.html",
        "channels",
        status=200 if form.ok else 422,
        account=account,
        form=form,
        stops=_told(locale, plan, names, account.queue_id),
        texts=TEXTS,
        labels=LABELS,
        languages=LANGUAGES,
        rows=range(min(MOST_OPTIONS, max(LEAST_ROWS, used + SPARE_ROWS))),
        keys=choices(locale, {"": mark("No key"), **keys}),
        queues=[Choice("", gettext(locale, WAYS["queue"])), *(Choice(str(one), names[one]) for one in names)],
        locales=choices(locale, {"": mark("As before"), **LANGUAGES}),
        first_locales=choices(locale, LANGUAGES),
        tries=[Choice(str(one), str(one)) for one in TRIES],
        voices=choices(locale, VOICES),
        ways=choices(locale, WAYS),
        closed_ways=choices(locale, CLOSED_WAYS),
        refused_ways=choices(locale, REFUSED_WAYS),
        consents=choices(locale, CONSENTS),
        limits=LIMITS,
    )


async def heard(request: Request) -> Response:
    """What callers would hear with what the form holds now."""
    held, locale = services(request), await locale_of(request)
    account, names = await held.db.read(open_line, held.vault, request.path_params["account_id"])
    form = await read_form(request)
    plan = read_plan(form, set(names))
    stops = _told(locale, plan, names, account.queue_id) if form.ok else []
    return await shell.fragment(request, "admin/call_plan_heard.html", stops=stops, languages=LANGUAGES)


def _told(locale: str, plan: Plan, names: Mapping[int, str], queue_id: int) -> list[dict[str, Any]]:
    return [
        {"title": gettext(locale, stop.title, **stop.values), "lines": stop.lines}
        for stop in preview.walk(plan, names, queue_id)
    ]


def open_line(tx: Connection, vault: Vault, account_id: int) -> tuple[Account, dict[int, str]]:
    """A phone line and the names of all queues; NotFound for other channels."""
    account = channel_accounts.by_id(tx, vault, account_id)
    if account.channel is not Channel.PHONE:
        raise NotFound("Only phone lines have a call plan.")
    return account, {row.id: row.name for row in queues.all_named(tx)}


def save(tx: Connection, vault: Vault, account_id: int, stored: Mapping[str, Any], *, by: int, now: datetime) -> None:
    """Change the plan of a line, and audit it."""
    account, _ = open_line(tx, vault, account_id)
    settings = {**account.settings, "plan": dict(stored)}
    channel_accounts.change(tx, vault, account_id, now=now, values={"settings": settings})
    details = {"name": account.name, "plan": dict(stored)}
    record(tx, "channel_account.plan", f"channel_account:{account_id}", now=now, user_id=by, details=details)
