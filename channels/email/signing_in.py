"""Signing in to a mailbox: with its password, or with a permission's access token."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from channels.email import oauth
from channels.email.grants import AccessTokens
from channels.email.mailbox import TokenRefused
from channels.email.oauth import NoToken
from tickets.channel_accounts import Account

Login = Mapping[str, Any]


async def sign_in(account: Account, tokens: AccessTokens, connect: Callable[[Login], Awaitable[None]]) -> None:
    """`connect` with what the account signs in by; raises NoToken, and whatever `connect` raises."""
    login = account.secrets.get("imap") or {}
    if not oauth.uses_oauth(account.settings):
        await connect(login)
        return
    user = login.get("user") or account.address
    token = await tokens.of(account)
    try:
        await connect({"user": user, "token": token})
    except TokenRefused:
        # Taken back before its time (a changed password, an administrator's hand): a new one shows which.
        token = await tokens.of(account, refused=token)
        try:
            await connect({"user": user, "token": token})
        except TokenRefused as error:
            raise NoToken(oauth.TOKEN_REFUSED, final=False) from error
