"""Administration of a chat widget's invitations: the rules in their order, what came of each, and one rule's form."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.pages.admin_widget import widget_account
from channels.chat import invitations
from channels.chat.invitations import TEXT_CHARACTERS, Frequency
from channels.chat.page import LOCALES
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.secrets import Vault
from contact_center.core.services import services

FREQUENCIES = {
    Frequency.SESSION.value: mark("Once in a visit to the website"),
    Frequency.VISITOR.value: mark("Once for ever"),
}
TRIGGERS = {"time": mark("After some seconds on the page"), "exit": mark("When the pointer leaves at the top")}
LANGUAGES = {"en": mark("In English"), "vi": mark("In Vietnamese")}
DEFAULTS = {
    "active": "1",
    "trigger": "time",
    "seconds": "30",
    "visits": "1",
    "frequency": "session",
    "snooze_days": "7",
}
LONGEST_WAIT = 3600


def routes() -> list[Route]:
    """/admin/channels/…/invitations."""
    base = "/channels/{account_id:int}/invitations"
    return [
        administer(base, index),
        administer(f"{base}/new", edit, "GET", "POST"),
        administer(f"{base}/{{invitation_id:int}}", edit, "GET", "POST"),
        administer(f"{base}/{{invitation_id:int}}/move", move, "POST"),
        administer(f"{base}/{{invitation_id:int}}/remove", remove, "POST"),
    ]


async def index(request: Request) -> Response:
    """The rules in the order in which they are tried."""
    held, locale = services(request), await locale_of(request)
    account_id = request.path_params["account_id"]
    account = await held.db.read(widget_account, held.vault, account_id)
    rows = await held.db.read(invitations.of, account_id)
    rules = [(row, sentence(row, locale)) for row in rows]
    full = len(rules) >= invitations.MOST
    return await admin_page(
        request, "channel_invitations.html", "channels", account=account, rules=rules, full=full, locales=LOCALES
    )


def sentence(row: Row[Any], locale: str) -> str:
    """When a rule shows its invitation, in words."""
    parts = [row.page or gettext(locale, mark("every page"))]
    if row.on_exit:
        parts.append(gettext(locale, mark("on leaving")))
    if row.seconds:
        parts.append(gettext(locale, mark("after %(seconds)s s"), seconds=row.seconds))
    if row.visits > 1:
        parts.append(gettext(locale, mark("from visit %(number)s on"), number=row.visits))
    if row.always:
        parts.append(gettext(locale, mark("also when nobody is there")))
    return " · ".join(parts)


def values_of(row: Row[Any]) -> dict[str, str]:
    """A stored rule as the values of its form."""
    values = {name: str(getattr(row, name)) for name in ("name", "page", "seconds", "visits", "frequency", "sender")}
    values |= {"snooze_days": str(row.snooze_days), "trigger": "exit" if row.on_exit else "time"}
    values |= {"active": "1" if row.active else "", "always": "1" if row.always else ""}
    return values | {f"text_{locale}": row.texts.get(locale, "") for locale in LOCALES}


def read_rule(form: Form) -> dict[str, Any]:
    """The columns of a posted form."""
    page = form.text("page", longest=300)
    if page and not page.startswith(("/", "*", "https://", "http://")):
        form.fail("page", mark("Write a path such as /cart or /products/*, or a whole address."))
    texts = {locale: form.text(f"text_{locale}", longest=TEXT_CHARACTERS) for locale in LOCALES}
    if not any(texts.values()):
        form.fail(f"text_{LOCALES[0]}", mark("Write it in one language at least."))
    return {
        "name": form.text("name", required=True, longest=80),
        "active": form.flag("active"),
        "page": page,
        "seconds": form.number("seconds", 0, LONGEST_WAIT, default=0),
        "on_exit": form.one_of("trigger", list(TRIGGERS)) == "exit",
        "visits": form.number("visits", 1, 1000, default=1),
        "frequency": form.one_of("frequency", list(FREQUENCIES)),
        "snooze_days": form.number("snooze_days", 0, 365, default=0),
        "always": form.flag("always"),
        "sender": form.text("sender", longest=60),
        "texts": {locale: " ".join(text.split()) for locale, text in texts.items() if text},
    }


async def edit(request: Request) -> Response:
    """One rule, or a new one."""
    held, locale = services(request), await locale_of(request)
    account_id, invitation_id = request.path_params["account_id"], request.path_params.get("invitation_id")
    account = await held.db.read(widget_account, held.vault, account_id)
    row = await held.db.read(invitations.find, account_id, invitation_id) if invitation_id else None
    form = blank(locale, values_of(row) if row is not None else DEFAULTS)
    if request.method == "POST":
        form = await read_form(request)
        wanted = read_rule(form)
        if form.ok:
            by = request.state.person.id
            saving = held.db.write(save, held.vault, account_id, invitation_id, wanted, by=by, now=utcnow())
            await form.attempt(saving)
        if form.ok:
            return go(f"/admin/channels/{account_id}/invitations", "saved" if invitation_id else "created")
    return await admin_page(
        request,
        "channel_invitation.html",
        "channels",
        status=200 if form.ok else 422,
        account=account,
        invitation=row,
        form=form,
        frequencies=choices(locale, FREQUENCIES),
        triggers=choices(locale, TRIGGERS),
        languages=LANGUAGES,
        longest=TEXT_CHARACTERS,
    )


def save(
    tx: Connection,
    vault: Vault,
    account_id: int,
    invitation_id: int | None,
    wanted: Mapping[str, Any],
    *,
    by: int,
    now: datetime,
) -> None:
    """Add or change a rule, and audit it."""
    account = widget_account(tx, vault, account_id)
    if invitation_id is None:
        invitations.add(tx, account_id, wanted, now=now)
    else:
        invitations.change(tx, account_id, invitation_id, wanted)
    _audit(tx, account_id, {"name": account.name, "invitation": wanted["name"]}, by=by, now=now)


def _audit(tx: Connection, account_id: int, details: Mapping[str, Any], *, by: int, now: datetime) -> None:
    target = f"channel_account:{account_id}"
    record(tx, "channel_account.invitations", target, now=now, user_id=by, details=dict(details))


async def move(request: Request) -> Response:
    """One place up or down."""
    account_id, invitation_id = request.path_params["account_id"], request.path_params["invitation_id"]
    up = (await read_form(request)).flag("up")
    await services(request).db.write(invitations.move, account_id, invitation_id, up=up)
    return go(f"/admin/channels/{account_id}/invitations")


async def remove(request: Request) -> Response:
    """Delete a rule with its numbers."""
    account_id, invitation_id = request.path_params["account_id"], request.path_params["invitation_id"]
    await services(request).db.write(take_away, account_id, invitation_id, by=request.state.person.id, now=utcnow())
    return go(f"/admin/channels/{account_id}/invitations", "removed")


def take_away(tx: Connection, account_id: int, invitation_id: int, *, by: int, now: datetime) -> None:
    """Delete a rule, and audit it."""
    name = invitations.find(tx, account_id, invitation_id).name
    invitations.remove(tx, account_id, invitation_id)
    _audit(tx, account_id, {"removed": name}, by=by, now=now)
