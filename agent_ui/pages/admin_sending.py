"""A mailbox's page about what it sends: how much of the conversation stands below an answer, and its DKIM key."""

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, choices, go
from channels.email import dkim_keys
from channels.email.dkim_keys import Signer
from channels.history import How, how
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

QUOTES = {
    How.NONE.value: mark("Nothing"),
    How.LAST.value: mark("The customer's last message"),
    How.WHOLE.value: mark("The whole conversation, newest first"),
}

SIGNING = {
    "": mark("Not signed here"),
    "prepared": mark("Not yet: show me the record to publish"),
    "signs": mark("Every mail is signed"),
}


def routes() -> list[Route]:
    """/admin/channels/…/sending."""
    return [administer("/channels/{account_id:int}/sending", sending, "GET", "POST")]


async def sending(request: Request) -> Response:
    """What a mailbox puts around the words of an answer, and how it signs."""
    held = services(request)
    account_id = request.path_params["account_id"]
    account = await held.db.read(channel_accounts.by_id, held.vault, account_id)
    if account.channel is not Channel.EMAIL:
        raise NotFound("Only mailboxes have this page.")
    if request.method == "GET":
        return await _show(request, account, blank(await locale_of(request), stored(account)))
    form = await read_form(request)
    quote = form.one_of("quote", list(QUOTES))
    keys = await form.attempt(to_thread(read_dkim, form, account, held.settings.dkim_key))
    if form.ok and keys is not None:
        saving = held.db.write(
            save,
            held.vault,
            account_id,
            {"quote": quote, **keys.settings},
            keys.key,
            by=request.state.person.id,
            now=utcnow(),
        )
        await saving
        return go(f"/admin/channels/{account_id}/sending", "saved")
    return await _show(request, account, form)


def stored(account: Account) -> dict[str, str]:
    """An account's settings as the values of the form; a new signature begins with the address's own domain."""
    chosen = account.settings.get("dkim") or {}
    return {
        "quote": how(account.settings).value,
        "dkim": "signs" if chosen.get("signs") else "prepared" if chosen else "",
        "dkim_domain": str(chosen.get("domain") or account.address.rpartition("@")[2]),
        "dkim_selector": str(chosen.get("selector") or "desk"),
    }


@dataclass(frozen=True, slots=True)
class Keys:
    """What the form says about signing: the setting (None: off) and a new key (None: as it is, "": no own one)."""

    settings: Mapping[str, Any]
    key: str | None


def read_dkim(form: Form, account: Account, shared: str) -> Keys:
    """The part about signing, checked; a key is made where none is stored, none entered and none is `shared`."""
    state = form.one_of("dkim", list(SIGNING))
    if not state:
        return Keys({"dkim": None}, None)
    domain, selector = dkim_keys.check_names(form.text("dkim_domain"), form.text("dkim_selector"))
    entered = form.values.get("dkim_key", "").strip()
    if entered:
        dkim_keys.opened(entered.encode())
    held = dkim_keys.own_key(account)
    chosen = {"domain": domain, "selector": selector, "signs": state == "signs"}
    if shared:
        dkim_keys.opened(shared.encode())
        return Keys({"dkim": chosen}, entered or ("" if held and form.flag("dkim_shared") else None))
    return Keys({"dkim": chosen}, entered or (None if held else dkim_keys.new_key()))


def save(
    tx: Connection,
    vault: Vault,
    account_id: int,
    wanted: Mapping[str, Any],
    key: str | None,
    *,
    by: int,
    now: datetime,
) -> None:
    """Change these settings of an account, and audit them; of a key only that it is another one."""
    account = channel_accounts.by_id(tx, vault, account_id, lock=True)
    settings = {name: value for name, value in {**account.settings, **wanted}.items() if value is not None}
    secrets = {**account.secrets, "dkim": {"key": key} if key else {}} if key is not None else None
    channel_accounts.change(tx, vault, account_id, now=now, values={"settings": settings}, secrets=secrets)
    details = {**wanted, "key_replaced": key is not None}
    record(tx, "channel_account.sending", f"channel_account:{account_id}", now=now, user_id=by, details=details)


def signer(account: Account, shared: str) -> Signer | None:
    """The key that the account signs with, or is about to; None without one that can be used."""
    try:
        return dkim_keys.prepared(account, shared)
    except Invalid:
        return None


async def _show(request: Request, account: Account, form: Form) -> Response:
    # A key is never shown, not even the one that was typed just now.
    form.values.pop("dkim_key", None)
    shared = services(request).settings.dkim_key
    return await admin_page(
        request,
        "channel_sending.html",
        "channels",
        status=200 if form.ok else 422,
        account=account,
        form=form,
        quotes=choices(form.locale, QUOTES),
        signing=choices(form.locale, SIGNING),
        signer=signer(account, shared),
        has_key=bool(dkim_keys.own_key(account)),
        shared_key=bool(shared),
    )
