"""The permissions that mailboxes were given: kept encrypted, renewed before they end, one process at a time.

Some providers take a refresh token back once it was used: two processes that renew together would lose the mailbox.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, or_, select, update

from channels.email import oauth
from channels.email.models import MailGrant
from channels.email.oauth import NoToken, OpenHttp, Tokens
from contact_center.core.clock import utcnow
from contact_center.core.events import emit
from contact_center.core.loops import sleep
from contact_center.core.secrets import Vault
from contact_center.core.services import Stores
from contact_center.core.upsert import upsert
from tickets import channel_accounts
from tickets.channel_accounts import Account

log = structlog.get_logger()

# A token that ends within this time is renewed first: an IDLE or a large mail must not outlive it.
EARLY = timedelta(minutes=5)
LEASE = timedelta(seconds=30)
LOOK_AGAIN = 0.3


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission as it is stored, opened; never log it."""

    tokens: Tokens
    granted_at: datetime
    error: str


def load(tx: Connection, vault: Vault, account_id: int) -> Grant | None:
    """The permission of an account, or None where nobody has given one."""
    row = tx.execute(select(MailGrant.__table__).where(MailGrant.channel_account_id == account_id)).first()
    if row is None:
        return None
    held = vault.decrypt(row.tokens)
    return Grant(Tokens(held["access"], held["refresh"], row.expires_at), row.granted_at, row.error or "")


def granted_at(tx: Connection) -> dict[int, datetime]:
    """Account -> when its permission was given: another time means that a watcher should begin anew."""
    rows = tx.execute(select(MailGrant.channel_account_id, MailGrant.granted_at))
    return {row.channel_account_id: row.granted_at for row in rows}


def give(tx: Connection, vault: Vault, account_id: int, tokens: Tokens, *, by: int | None, now: datetime) -> None:
    """Keep a new permission in place of an older one; the account is well until proven otherwise."""
    values = {
        "channel_account_id": account_id,
        "tokens": _sealed(vault, tokens),
        "expires_at": tokens.expires_at,
        "granted_at": now,
        "granted_by_id": by,
        "held_until": None,
        "error": None,
    }
    upsert(tx, MailGrant, key=["channel_account_id"], values=values)
    channel_accounts.recovered(tx, account_id)
    emit(tx, "channel_account.changed", {"account_id": account_id}, now=now, topics=["channel_accounts"])


def try_again(tx: Connection, account_id: int) -> None:
    """Forget why no token came: somebody has changed the account, so the provider is asked once more."""
    _set(tx, account_id, error=None)


def hold(tx: Connection, account_id: int, seen: Tokens, *, now: datetime) -> bool:
    """Whether this process may renew the tokens that it has `seen`; not if another has renewed them since."""
    done = tx.execute(
        update(MailGrant)
        .where(
            MailGrant.channel_account_id == account_id,
            MailGrant.expires_at == seen.expires_at,
            or_(MailGrant.held_until.is_(None), MailGrant.held_until <= now),
        )
        .values(held_until=now + LEASE)
    )
    return done.rowcount > 0


def renewed(tx: Connection, vault: Vault, account_id: int, tokens: Tokens, refreshed: str) -> None:
    """Keep renewed tokens, unless a person connected the mailbox anew meanwhile."""
    grant = load(tx, vault, account_id)
    if grant is not None and grant.tokens.refresh == refreshed:
        _set(tx, account_id, tokens=_sealed(vault, tokens), expires_at=tokens.expires_at, held_until=None, error=None)


def not_renewed(tx: Connection, account_id: int, error: NoToken, *, now: datetime) -> None:
    """Give the lease back; an ended permission is said on the account, also where only sending needs it."""
    _set(tx, account_id, held_until=None, **({"error": error.text} if error.final else {}))
    if error.final:
        channel_accounts.report(tx, account_id, now=now, error=error.text)


def _set(tx: Connection, account_id: int, **values: object) -> None:
    tx.execute(update(MailGrant).where(MailGrant.channel_account_id == account_id).values(**values))


def _sealed(vault: Vault, tokens: Tokens) -> bytes:
    return vault.encrypt({"access": tokens.access, "refresh": tokens.refresh})


class AccessTokens:
    """Access tokens for whoever signs in to a mail server; the only one that renews them."""

    def __init__(self, services: Stores, open_http: OpenHttp = oauth.open_http) -> None:
        self.services = services
        self.open_http = open_http

    async def of(self, account: Account, *, refused: str = "") -> str:
        """A token that is good for minutes at least, and not the one that a server has just refused. Raises NoToken."""
        db = self.services.db
        while True:
            grant = await db.read(load, self.services.vault, account.id)
            if grant is None:
                raise NoToken(oauth.NOT_CONNECTED, final=True)
            if grant.error:
                raise NoToken(grant.error, final=True)
            if grant.tokens.access != refused and grant.tokens.expires_at > utcnow() + EARLY:
                return grant.tokens.access
            if await db.write(hold, account.id, grant.tokens, now=utcnow()):
                return await self._renew(account, grant.tokens.refresh)
            await sleep(LOOK_AGAIN)

    async def _renew(self, account: Account, refresh_token: str) -> str:
        db, vault = self.services.db, self.services.vault
        provider, client = oauth.provider_of(account.settings), oauth.client_of(account.settings, account.secrets)
        try:
            async with self.open_http() as http:
                tokens = await oauth.refresh(http, provider, client, refresh_token, now=utcnow())
        except NoToken as error:
            log.warning("email.no_token", account=account.name, error=error.text, final=error.final)
            await db.write(not_renewed, account.id, error, now=utcnow())
            raise
        await db.write(renewed, vault, account.id, tokens, refresh_token)
        return tokens.access
