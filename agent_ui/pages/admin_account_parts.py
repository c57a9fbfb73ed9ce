"""Two parts of a channel account with pages of their own: another address, and whose extension is whose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages import channel_forms
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from contact_center.core.services import services
from contact_center.core.text import fold
from tickets import channel_accounts
from tickets.channel_accounts import LONGEST_EXTENSION, Account
from tickets.states import Channel


def routes() -> list[Route]:
    """/admin/channels/…/address and …/extensions."""
    return [
        administer("/channels/{account_id:int}/address", address, "GET", "POST"),
        administer("/channels/{account_id:int}/extensions", extensions, "GET", "POST"),
    ]


async def address(request: Request) -> Response:
    """Another address for an account that customers write to or call."""
    held = services(request)
    account_id = request.path_params["account_id"]
    account = await held.db.read(channel_accounts.by_id, held.vault, account_id)
    if account.channel is Channel.CHAT:
        raise NotFound("A chat widget has no address.")
    if request.method == "POST":
        form = await read_form(request)
        region = account.settings.get("region") or held.settings.region
        wanted = channel_forms.read_address(form, account.channel, region)
        if form.ok:
            moving = held.db.write(
                set_address, held.vault, account_id, wanted, by=request.state.person.id, now=utcnow()
            )
            await form.attempt(moving, name="address")
        if form.ok:
            return go(f"/admin/channels/{account_id}", "saved")
    else:
        form = blank(await locale_of(request), {"address": account.address})
    return await _show(request, "channel_address.html", account, form)


def set_address(tx: Connection, vault: Vault, account_id: int, wanted: str, *, by: int, now: datetime) -> None:
    """Change the address of an account, and audit it."""
    before = channel_accounts.by_id(tx, vault, account_id).address
    channel_accounts.set_address(tx, vault, account_id, wanted, now=now)
    details = {"from": before, "to": wanted}
    record(tx, "channel_account.address", f"channel_account:{account_id}", now=now, user_id=by, details=details)


@dataclass(frozen=True, slots=True)
class Phones:
    """Everybody with the extensions that are theirs, and extensions of somebody who is no user here."""

    people: Sequence[tuple[int, str, str]]
    own: Mapping[int, Sequence[str]]
    strangers: Mapping[str, str]


def read_phones(tx: Connection, stored: Mapping[str, str]) -> Phones:
    """Resolve what is stored (extension -> e-mail address or full name) to active users."""
    rows = tx.execute(select(User.id, User.name, User.email).where(User.active).order_by(User.name, User.id)).all()
    by_email = {fold(row.email): row.id for row in rows}
    names = [fold(row.name) for row in rows]
    by_name = {fold(row.name): row.id for row in rows if names.count(fold(row.name)) == 1}
    own: dict[int, list[str]] = {}
    strangers: dict[str, str] = {}
    for extension, who in sorted(stored.items()):
        user_id = by_email.get(fold(who)) or by_name.get(fold(who))
        if user_id is None:
            strangers[extension] = who
        else:
            own.setdefault(user_id, []).append(extension)
    return Phones([(row.id, row.name, row.email) for row in rows], own, strangers)


async def extensions(request: Request) -> Response:
    """Whose extension is whose, so that a call belongs to the colleague who took it."""
    held = services(request)
    account_id = request.path_params["account_id"]
    account = await held.db.read(channel_accounts.by_id, held.vault, account_id)
    if account.channel is not Channel.PHONE:
        raise NotFound("Only phone lines have extensions.")
    phones = await held.db.read(read_phones, account.settings.get("extensions") or {})
    if request.method == "POST":
        form = await read_form(request)
        wanted = read_extensions(form, phones)
        if form.ok:
            saving = held.db.write(
                set_extensions, held.vault, account_id, wanted, by=request.state.person.id, now=utcnow()
            )
            await form.attempt(saving)
        if form.ok:
            return go(f"/admin/channels/{account_id}/extensions", "saved")
    else:
        values = {f"user_{user_id}": ", ".join(theirs) for user_id, theirs in phones.own.items()}
        values |= {f"keep_{extension}": "1" for extension in phones.strangers}
        form = blank(await locale_of(request), values)
    return await _show(request, "channel_extensions.html", account, form, phones=phones)


def read_extensions(form: Form, phones: Phones) -> dict[str, str]:
    """Extension -> e-mail address of a posted form; one extension rings one person."""
    wanted = {extension: who for extension, who in phones.strangers.items() if form.flag(f"keep_{extension}")}
    for user_id, _, email in phones.people:
        field = f"user_{user_id}"
        for extension in form.text(field).replace(",", " ").split():
            if len(extension) > LONGEST_EXTENSION:
                form.fail(field, mark("%(text)s is too long for an extension."), text=extension)
            elif extension in wanted:
                form.fail(field, mark("%(text)s belongs to somebody else already."), text=extension)
            else:
                wanted[extension] = email
    return wanted


def set_extensions(
    tx: Connection, vault: Vault, account_id: int, wanted: Mapping[str, str], *, by: int, now: datetime
) -> None:
    """Change the extensions of a line, and audit them."""
    channel_accounts.set_extensions(tx, vault, account_id, wanted, now=now)
    details = {"extensions": dict(wanted)}
    record(tx, "channel_account.extensions", f"channel_account:{account_id}", now=now, user_id=by, details=details)


async def _show(request: Request, template: str, account: Account, form: Form, **values: Any) -> Response:
    status = 200 if form.ok else 422
    return await admin_page(request, template, "channels", status=status, account=account, form=form, **values)
