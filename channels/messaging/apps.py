"""The messaging apps that an account can be of; a new one is named here."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection

from channels.messaging.app import App
from channels.messaging.messenger import MessengerApp
from channels.messaging.webhook import WebhookApp
from channels.messaging.zalo import ZaloApp
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account

WEBHOOK, MESSENGER, ZALO = "webhook", "messenger", "zalo"
NAMES: dict[str, str] = {
    ZALO: "Zalo",
    MESSENGER: "Messenger",
    WEBHOOK: mark("Another app, by webhook"),
}
# What an account of each app keeps secret.
SECRETS: Mapping[str, tuple[str, ...]] = {
    ZALO: ("oa_secret", "app_secret", "access_token", "refresh_token"),
    MESSENGER: ("app_secret", "page_token", "verify_token"),
    WEBHOOK: ("secret",),
}
CARRY_FILES = frozenset({WEBHOOK, MESSENGER})


def app_of(account: Account, held: Services) -> App:
    """The app of an account."""
    match account.settings.get("app"):
        case "zalo":
            return ZaloApp(partial(_keep_tokens, held))
        case "messenger":
            return MessengerApp()
        case _:
            return WebhookApp()


async def _keep_tokens(held: Services, account: Account, tokens: Mapping[str, Any]) -> Mapping[str, Any]:
    return await held.db.write(keep_tokens, held.vault, account, tokens)


def keep_tokens(tx: Connection, vault: Vault, account: Account, tokens: Mapping[str, Any]) -> Mapping[str, Any]:
    """Store new tokens; the ones that are valid now. A refresh token works once: whoever was quicker has the others."""
    stored = channel_accounts.by_id(tx, vault, account.id, lock=True)
    if not tokens:
        return stored.secrets
    secrets = {**stored.secrets, **tokens}
    channel_accounts.change(tx, vault, account.id, now=utcnow(), values={}, secrets=secrets)
    return secrets
