"""Connecting a mailbox with its provider: an administrator agrees there and comes back with a code."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_ui.pages.admin import administer, go
from channels.email import grants, oauth
from channels.email.models import MailGrant
from channels.email.oauth import NoToken, Tokens
from contact_center.accounts.audit import record
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.secrets import BadToken, Vault
from contact_center.core.services import services
from contact_center.core.settings import Settings
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

PURPOSE = "mail-grant"
# Seconds for signing in at the provider, with a second factor and an administrator's consent.
PATIENCE = 1800


def routes() -> list[Route]:
    """/admin/channels/…/connect, and where the provider sends people back to."""
    return [
        administer("/channels/{account_id:int}/connect", connect),
        administer("/channels/connected", connected),
    ]


def redirect_uri(settings: Settings) -> str:
    """The address that is entered at the provider."""
    return f"{settings.base_url}/admin/channels/connected"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with its provider."""

    granted_at: datetime | None
    error: str


def standing(tx: Connection, account_id: int) -> Standing:
    """Since when a permission is there, and why it does not serve any more."""
    row = tx.execute(
        select(MailGrant.granted_at, MailGrant.error).where(MailGrant.channel_account_id == account_id)
    ).first()
    return Standing(row.granted_at, row.error or "") if row else Standing(None, "")


async def connect(request: Request) -> Response:
    """To the provider; nothing is stored until the person comes back.

    A link and no form: a form of ours may lead to no other site.
    """
    held = services(request)
    account = await held.db.read(channel_accounts.by_id, held.vault, request.path_params["account_id"])
    provider, client = _client(account)
    nonce = secrets.token_urlsafe(16)
    state = held.vault.sign(PURPOSE, {"account": account.id, "user": request.state.person.id, "nonce": nonce})
    url = oauth.consent_url(
        provider,
        client,
        redirect_uri=redirect_uri(held.settings),
        state=state,
        verifier=oauth.verifier_of(held.vault.key(PURPOSE), nonce),
        address=str((account.secrets.get("imap") or {}).get("user") or account.address),
    )
    return RedirectResponse(url, 303, headers={"cache-control": "no-store"})


def _client(account: Account) -> tuple[oauth.Provider, oauth.Client]:
    if account.channel is not Channel.EMAIL or not oauth.uses_oauth(account.settings):
        raise NotFound("This account signs in with a password.")
    provider, client = oauth.provider_of(account.settings), oauth.client_of(account.settings, account.secrets)
    if not client.id or not provider.authorize_url or not provider.token_url:
        raise Invalid("Enter the client ID of the provider first, and save.")
    return provider, client


async def connected(request: Request) -> Response:
    """Back from the provider: the code becomes a permission."""
    held, asked = services(request), request.query_params
    try:
        state = held.vault.verify(PURPOSE, asked.get("state", ""), max_age=PATIENCE)
    except BadToken:
        raise Invalid("This link is too old or was not made by us. Press “Connect” once more.") from None
    # Whoever began it ends it: nobody is made to bring in somebody else's mailbox.
    if state["user"] != request.state.person.id:
        raise Invalid("Somebody else began to connect this mailbox. Press “Connect” yourself.")
    account = await held.db.read(channel_accounts.by_id, held.vault, state["account"])
    provider, client = _client(account)
    if not asked.get("code"):
        reason = (asked.get("error_description") or asked.get("error") or "–")[:300]
        raise Conflict("The provider gave no permission: {answer}", answer=reason)
    try:
        async with oauth.open_http() as http:
            tokens = await oauth.redeem(
                http,
                provider,
                client,
                code=asked["code"],
                verifier=oauth.verifier_of(held.vault.key(PURPOSE), state["nonce"]),
                redirect_uri=redirect_uri(held.settings),
                now=utcnow(),
            )
    except NoToken as error:
        raise Conflict(error.text) from error
    await held.db.write(keep, held.vault, account.id, tokens, by=request.state.person.id, now=utcnow())
    return go(f"/admin/channels/{account.id}", "connected")


def keep(tx: Connection, vault: Vault, account_id: int, tokens: Tokens, *, by: int, now: datetime) -> None:
    """Keep a permission, and audit who gave it."""
    grants.give(tx, vault, account_id, tokens, by=by, now=now)
    record(tx, "channel_account.connected", f"channel_account:{account_id}", now=now, user_id=by)
