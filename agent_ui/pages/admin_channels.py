"""Administration of channel accounts: mailboxes, numbers, chat widgets, phone lines, and whether they work."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages import admin_mail_grant, admin_mail_test, channel_forms, gateway_forms
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.views import Choice
from channels.email import grants, oauth
from channels.messaging.apps import NAMES
from channels.models import DeliveryAttempt
from channels.sms.gateway.config import is_gateway
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.secrets import BadToken, Vault
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, JournalItem, Message, Queue
from tickets.silence import Silence, silent
from tickets.states import Channel, Delivery

KINDS = {
    Channel.EMAIL.value: mark("E-mail"),
    Channel.CHAT.value: mark("Chat"),
    Channel.SMS.value: mark("SMS"),
    Channel.WHATSAPP.value: mark("WhatsApp"),
    Channel.PHONE.value: mark("Phone"),
    Channel.MESSAGING.value: mark("Messaging app"),
}

# How far back the list looks for the last thing that came in.
HEARD_WITHIN = timedelta(days=7)


def routes() -> list[Route]:
    """/admin/channels and one account."""
    return [
        administer("/channels", index),
        administer("/channels/new/{channel}", new, "GET", "POST"),
        administer("/channels/{account_id:int}", edit, "GET", "POST"),
        administer("/channels/{account_id:int}/enabled", set_enabled, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """One account in the list; `gaps` are what is missing before it can work."""

    id: int
    channel: str
    name: str
    address: str
    queue: str
    enabled: bool
    error: str
    heard_at: datetime | None
    # When something last left by it, where nothing ever came: accounts that only send.
    sent_at: datetime | None
    silence: Silence | None
    gaps: tuple[str, ...]
    # Whether anything ever came by it.
    proven: bool


def list_accounts(tx: Connection, vault: Vault, now: datetime) -> list[Line]:
    """Every account with its queue and health; of its secrets only whether they are those that it needs."""
    heard = select(JournalItem.channel_account_id, func.max(JournalItem.received_at).label("at"))
    recent = heard.where(JournalItem.received_at >= now - HEARD_WITHIN).group_by(JournalItem.channel_account_id)
    last = {row.channel_account_id: row.at for row in tx.execute(recent)}
    quiet = {one.account_id: one for one in silent(tx, now)}
    rows = tx.execute(
        select(ChannelAccount.__table__, Queue.name.label("queue"))
        .join(Queue, Queue.id == ChannelAccount.queue_id)
        .order_by(ChannelAccount.channel, ChannelAccount.name)
    ).all()
    left = _last_sent(tx, [row.id for row in rows if row.id not in last and row.last_inbound_at is None])
    return [
        Line(
            id=row.id,
            channel=row.channel,
            name=row.name,
            address=row.address,
            queue=row.queue,
            enabled=row.enabled,
            error=row.last_error or "",
            heard_at=last.get(row.id, row.last_inbound_at),
            sent_at=left.get(row.id),
            proven=row.id in last or row.last_inbound_at is not None,
            silence=quiet.get(row.id),
            gaps=tuple(
                channel_forms.gaps(
                    Channel(row.channel), row.address, row.settings, has_secrets=_has_secrets(row, vault)
                )
            ),
        )
        for row in rows
    ]


def _last_sent(tx: Connection, account_ids: list[int]) -> dict[int, datetime]:
    """When a message of each account last left; without those by which none ever did."""
    if not account_ids:
        return {}
    rows = tx.execute(
        select(Message.channel_account_id, func.max(DeliveryAttempt.finished_at).label("at"))
        .join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
        .where(Message.channel_account_id.in_(account_ids), DeliveryAttempt.state == Delivery.SENT.value)
        .group_by(Message.channel_account_id)
    )
    return {row.channel_account_id: row.at for row in rows if row.at is not None}


def _has_secrets(row: Row[Any], vault: Vault) -> bool:
    """Whether an account holds what it needs; what another secret key has locked is as good as missing."""
    try:
        return channel_forms.has_secrets(channel_accounts.opened(row, vault))
    except BadToken:
        return False


async def index(request: Request) -> Response:
    """All accounts and how they are."""
    held, locale = services(request), await locale_of(request)
    found = [
        replace(line, error=gettext(locale, line.error))
        for line in await held.db.read(list_accounts, held.vault, utcnow())
    ]
    kinds = choices(locale, KINDS)
    return await admin_page(request, "channels.html", "channels", accounts=found, kinds=kinds)


def all_queues(tx: Connection) -> list[Choice]:
    """Every active queue as an option."""
    rows = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    return [Choice(str(row.id), row.name) for row in rows]


def open_account(tx: Connection, vault: Vault, account_id: int) -> tuple[Account, Row[*tuple[Any, ...]], list[Choice]]:
    """An account, its health, and the queues it may bring work into."""
    health = tx.execute(
        select(ChannelAccount.last_inbound_at, ChannelAccount.last_error, ChannelAccount.created_at).where(
            ChannelAccount.id == account_id
        )
    ).first()
    if health is None:
        raise NotFound("There is no such channel account.")
    return channel_accounts.by_id(tx, vault, account_id), health, all_queues(tx)


async def new(request: Request) -> Response:
    """A new account of a kind."""
    held = services(request)
    try:
        channel = Channel(request.path_params["channel"])
        if channel is Channel.DESK:
            raise ValueError
    except ValueError:
        raise NotFound("There is no such channel.") from None
    region = held.settings.region
    if request.method == "GET":
        values = channel_forms.defaults(channel, region)
        if channel is Channel.SMS:
            values |= gateway_forms.chosen(request.query_params)
        return await _show(request, channel, None, blank(await locale_of(request), values))
    form = await read_form(request)
    wanted = _read(form, channel, region, {}, {})
    if form.ok:
        adding = held.db.write(add, held.vault, channel, wanted, by=request.state.person.id, now=utcnow())
        account_id = await form.attempt(adding, name="address")
        if account_id is not None:
            return go(f"/admin/channels/{account_id}", "created")
    return await _show(request, channel, None, form)


def _read(
    form: Form, channel: Channel, region: str, settings: Mapping[str, Any], secrets: Mapping[str, Any]
) -> dict[str, Any]:
    """What a posted form asks for."""
    name = form.text("name", required=True, longest=80)
    return {
        "name": name,
        "address": channel_forms.read_address(form, channel, region) or name,
        "queue_id": form.reference("queue_id", required=True),
        "settings": channel_forms.read_settings(form, channel, settings),
        "secrets": channel_forms.read_secrets(form, channel, secrets),
    }


def add(tx: Connection, vault: Vault, channel: Channel, wanted: Mapping[str, Any], *, by: int, now: datetime) -> int:
    """Create an account, and audit it without its secrets."""
    _refuse_twin(tx, wanted["name"], None)
    account_id = channel_accounts.create(tx, vault, channel=channel, now=now, **wanted)
    details = {"channel": channel.value, "name": wanted["name"], "address": wanted["address"]}
    record(tx, "channel_account.created", f"channel_account:{account_id}", now=now, user_id=by, details=details)
    return account_id


def _refuse_twin(tx: Connection, name: str, account_id: int | None) -> None:
    twin = tx.execute(select(ChannelAccount.id).where(ChannelAccount.name == name)).scalar_one_or_none()
    if twin is not None and twin != account_id:
        raise Conflict("There is already an account called {name}.", name=name)


async def edit(request: Request) -> Response:
    """One account: settings, secrets to replace, addresses to copy, health."""
    held = services(request)
    account_id = request.path_params["account_id"]
    account, _, _ = await held.db.read(open_account, held.vault, account_id)
    if request.method == "GET":
        values = channel_forms.stored(account.channel, account.settings, account.secrets)
        if account.channel is Channel.SMS and "provider" in request.query_params:
            values |= {**gateway_forms.chosen(request.query_params), "region": values["region"]}
        values |= {"name": account.name, "address": account.address, "queue_id": str(account.queue_id)}
        return await _show(request, account.channel, account, blank(await locale_of(request), values))
    form = await read_form(request)
    form.values["address"] = account.address
    wanted = _read(form, account.channel, held.settings.region, account.settings, account.secrets)
    if form.ok:
        saving = held.db.write(
            save, held.vault, account_id, wanted, account.secrets, by=request.state.person.id, now=utcnow()
        )
        await form.attempt(saving, name="name")
    if form.ok:
        return go(f"/admin/channels/{account_id}", "saved")
    return await _show(request, account.channel, account, form)


def save(
    tx: Connection,
    vault: Vault,
    account_id: int,
    wanted: Mapping[str, Any],
    secrets: Mapping[str, Any],
    *,
    by: int,
    now: datetime,
) -> None:
    """Change an account, and audit what and whether secrets were replaced, never which."""
    _refuse_twin(tx, wanted["name"], account_id)
    replaced = dict(wanted["secrets"]) != dict(secrets)
    channel_accounts.change(
        tx,
        vault,
        account_id,
        now=now,
        values={"name": wanted["name"], "queue_id": wanted["queue_id"], "settings": wanted["settings"]},
        secrets=wanted["secrets"] if replaced else None,
    )
    grants.try_again(tx, account_id)
    details = {"name": wanted["name"], "settings": wanted["settings"], "secrets_replaced": replaced}
    record(tx, "channel_account.changed", f"channel_account:{account_id}", now=now, user_id=by, details=details)


async def set_enabled(request: Request) -> Response:
    """Switch an account on or off."""
    held = services(request)
    account_id = request.path_params["account_id"]
    enabled = (await read_form(request)).flag("enabled")
    await held.db.write(switch, held.vault, account_id, enabled, by=request.state.person.id, now=utcnow())
    return go(f"/admin/channels/{account_id}", "enabled" if enabled else "disabled")


def switch(tx: Connection, vault: Vault, account_id: int, enabled: bool, *, by: int, now: datetime) -> None:
    """Switch an account on or off, and audit it."""
    channel_accounts.change(tx, vault, account_id, now=now, values={"enabled": enabled})
    action = "channel_account.enabled" if enabled else "channel_account.disabled"
    record(tx, action, f"channel_account:{account_id}", now=now, user_id=by)


def hooks_of(account: Account, base_url: str) -> list[tuple[str, str]]:
    """(what it is for, address) of everything that is entered elsewhere for an account."""
    match account.channel:
        case Channel.SMS if is_gateway(account.settings):
            return gateway_forms.hooks(account, base_url)
        case Channel.SMS:
            return [(mark("Twilio: a message comes in (HTTP POST)"), f"{base_url}/hooks/twilio/{account.key}/sms")]
        case Channel.WHATSAPP:
            return [(mark("Twilio: a message comes in (HTTP POST)"), f"{base_url}/hooks/twilio/{account.key}/whatsapp")]
        case Channel.PHONE:
            return [
                (
                    mark("Twilio: a call comes in, and status changes (HTTP POST)"),
                    f"{base_url}/hooks/twilio/{account.key}/voice",
                ),
                (
                    mark("Telephone exchange: newCall, answer, hangup (HTTP POST)"),
                    f"{base_url}/hooks/cti/{account.key}",
                ),
            ]
        case Channel.CHAT:
            tag = f'<script async src="{base_url}/widget/loader.js" data-widget="{account.key}"></script>'
            return [(mark("Put this into every page that shows the chat, at the end of its body"), tag)]
        case Channel.MESSAGING:
            return [(mark("The app: everything that happens (webhook)"), f"{base_url}/hooks/messaging/{account.key}")]
        case _:
            return []


def _gaps(account: Account) -> list[str]:
    has_secrets = channel_forms.has_secrets(account)
    return channel_forms.gaps(account.channel, account.address, account.settings, has_secrets=has_secrets)


async def _last_test(request: Request, account: Account | None, locale: str) -> admin_mail_test.Test | None:
    if account is None or account.channel is not Channel.EMAIL:
        return None
    return await services(request).db.read(admin_mail_test.last_test, account, locale, now=utcnow())


def _uses_oauth(account: Account | None) -> TypeGuard[Account]:
    return account is not None and account.channel is Channel.EMAIL and oauth.uses_oauth(account.settings)


async def _show(request: Request, channel: Channel, account: Account | None, form: Form) -> Response:
    held = services(request)
    locale = await locale_of(request)
    silence: list[Silence] = []
    if account is not None:
        silence = await held.db.read(silent, utcnow(), account.id)
        account, health, queues = await held.db.read(open_account, held.vault, account.id)
    else:
        health, queues = None, await held.db.read(all_queues)
    return await admin_page(
        request,
        "channel.html",
        "channels",
        status=200 if form.ok else 422,
        channel=channel.value,
        kind=KINDS[channel.value],
        account=account,
        health=health,
        silence=silence[0] if silence else None,
        proven=health is not None and health.last_inbound_at is not None,
        test=await _last_test(request, account, locale),
        failure=gettext(locale, health.last_error or "") if health else "",
        form=form,
        queues=queues,
        hooks=hooks_of(account, held.settings.base_url) if account else [],
        gaps=_gaps(account) if account else [],
        known=channel_forms.known_secrets(channel, account.secrets if account else {}),
        security=choices(locale, channel_forms.SECURITY),
        pictures=choices(locale, channel_forms.PICTURES),
        apps=choices(locale, NAMES),
        starts=choices(locale, channel_forms.STARTS),
        sign_ins=choices(locale, channel_forms.SIGN_INS),
        standing=await held.db.read(admin_mail_grant.standing, account.id) if _uses_oauth(account) else None,
        redirect_uri=admin_mail_grant.redirect_uri(held.settings),
        receiver_port=held.settings.smtp_in_port,
        gateway=gateway_forms.offered(locale, form) if channel is Channel.SMS else None,
    )
