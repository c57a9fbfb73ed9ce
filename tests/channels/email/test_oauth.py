"""Mailboxes behind a permission: a stand-in provider, a Dovecot that asks it, an SMTP server with XOAUTH2."""

import asyncio
import base64
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from channels.base import SendFailed
from channels.email import grants, oauth
from channels.email.grants import AccessTokens
from channels.email.imap import Mailboxes
from channels.email.models import MailGrant
from channels.email.oauth import Client, NoToken
from channels.email.send import MailSender
from contact_center.core.clock import utcnow
from tests.channels.desk import Desk
from tests.channels.email.letters import letter, mailbox
from tests.channels.email.provider import CLIENT_ID, CLIENT_SECRET, Provider, open_provider
from tests.channels.email.servers import Dovecot, dovecot_server
from tests.channels.email.test_imap import journaled, until
from tests.channels.email.test_smtp import outbound
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with open_provider() as found:
        yield found


@pytest.fixture
async def dovecot(provider: Provider) -> AsyncIterator[Dovecot]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with dovecot_server(port, oauth_url=provider.url) as found:
        yield found


@pytest.fixture
async def mailboxes(sqlite_desk: Desk) -> AsyncIterator[Mailboxes]:
    found = Mailboxes(sqlite_desk.services, pauses=(0.05, 0.2))
    yield found
    await found.close()


async def connect(desk: Desk, provider: Provider, account: Account) -> None:
    """Agree at the provider and keep what it gives, as the page does."""
    key = desk.services.vault.key("test")
    client = Client(CLIENT_ID, CLIENT_SECRET)
    chosen = oauth.provider_of(account.settings)
    verifier = oauth.verifier_of(key, "nonce")
    url = oauth.consent_url(
        chosen, client, redirect_uri=provider.redirect_uri, state="s", verifier=verifier, address=account.address
    )
    code = provider.agree(url).split("code=")[1].split("&")[0]
    async with oauth.open_http() as http:
        tokens = await oauth.redeem(
            http,
            chosen,
            client,
            code=code,
            verifier=verifier,
            redirect_uri=provider.redirect_uri,
            now=utcnow(),
        )
    await desk.db.write(grants.give, desk.services.vault, account.id, tokens, by=None, now=utcnow())


async def connected(desk: Desk, provider: Provider, settings: dict[str, Any]) -> Account:
    account = await mailbox(desk, settings={**settings, **provider.settings(sends=True)}, secrets=provider.secrets)
    await connect(desk, provider, account)
    return account


async def error_of(desk: Desk) -> str | None:
    found: str | None = (await desk.rows(ChannelAccount))[0].last_error
    return found


async def fails_with(desk: Desk, text: str) -> None:
    async def said() -> bool:
        return await error_of(desk) == text

    await until(said)


@pytest.mark.dovecot
async def test_a_mailbox_is_read_by_permission_and_named_after_its_address(
    sqlite_desk: Desk, provider: Provider, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    provider.user = "support@shop.test"
    dovecot.deliver(letter("hello"))
    await connected(sqlite_desk, provider, dovecot.settings())

    await mailboxes.run_once()
    await journaled(sqlite_desk, 1)

    assert await error_of(sqlite_desk) is None
    stored = (await sqlite_desk.rows(MailGrant))[0].tokens
    assert not any(token.encode() in stored for token in provider.valid | provider.refresh_tokens)


@pytest.mark.dovecot
async def test_a_token_that_was_taken_back_is_renewed_after_the_refusal(
    sqlite_desk: Desk, provider: Provider, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    provider.user = "support@shop.test"
    dovecot.deliver(letter("hello"))
    await connected(sqlite_desk, provider, dovecot.settings())
    provider.take_back()

    await mailboxes.run_once()
    await journaled(sqlite_desk, 1)

    assert (provider.refreshed, await error_of(sqlite_desk)) == (1, None)


@pytest.mark.dovecot
async def test_an_ended_permission_is_one_sentence_until_somebody_connects_again(
    sqlite_desk: Desk, provider: Provider, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    provider.user = "support@shop.test"
    dovecot.deliver(letter("hello"))
    account = await connected(sqlite_desk, provider, dovecot.settings())
    provider.take_back()
    provider.ended = True

    await mailboxes.run_once()
    await fails_with(sqlite_desk, oauth.ENDED)
    asked = provider.refreshed
    watcher = mailboxes._watchers[account.id]
    failures = watcher._failures

    async def tried_again() -> bool:
        return watcher._failures >= failures + 2

    await until(tried_again)
    # The provider is left alone meanwhile.
    assert provider.refreshed == asked == 1

    provider.ended = False
    await connect(sqlite_desk, provider, account)
    await mailboxes.run_once()
    await journaled(sqlite_desk, 1)
    await fails_with(sqlite_desk, None)  # type: ignore[arg-type]


@pytest.mark.dovecot
async def test_a_mail_server_that_refuses_every_token_is_said_to_do_so(
    sqlite_desk: Desk, provider: Provider, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    provider.user = "somebody-else"
    await connected(sqlite_desk, provider, dovecot.settings())

    await mailboxes.run_once()

    await fails_with(sqlite_desk, oauth.TOKEN_REFUSED)


async def test_a_token_is_renewed_before_it_ends_and_by_one_process_only(desk: Desk, provider: Provider) -> None:
    provider.lifetime = 60
    account = await connected(desk, provider, {})
    provider.lifetime = 3600

    one, two = AccessTokens(desk.services), AccessTokens(desk.services)
    got = await asyncio.gather(*(tokens.of(account) for tokens in (one, two, one, two)))

    assert len(set(got)) == 1
    assert got[0] in provider.valid
    # The provider rotates: a second refresh with the same token would have been refused.
    assert provider.refreshed == 1


async def test_a_provider_that_is_down_ends_nothing(sqlite_desk: Desk, provider: Provider) -> None:
    provider.lifetime = 60
    account = await connected(sqlite_desk, provider, {})
    tokens = AccessTokens(sqlite_desk.services)

    provider.down = True
    with pytest.raises(NoToken) as failure:
        await tokens.of(account)
    provider.down = False

    assert (failure.value.text, failure.value.final) == (oauth.UNREACHABLE, False)
    assert await tokens.of(account) in provider.valid


async def test_a_wrong_client_secret_is_told_from_an_ended_permission(sqlite_desk: Desk, provider: Provider) -> None:
    provider.lifetime = 60
    settings = provider.settings()
    account = await mailbox(sqlite_desk, settings=settings, secrets={"oauth": {"client_secret": "of last year"}})
    await connect(sqlite_desk, provider, account)

    with pytest.raises(NoToken) as failure:
        await AccessTokens(sqlite_desk.services).of(account)

    assert failure.value.text == oauth.CLIENT_REFUSED == await error_of(sqlite_desk)


async def test_renewed_tokens_never_replace_a_newer_permission(sqlite_desk: Desk, provider: Provider) -> None:
    account = await connected(sqlite_desk, provider, {})
    services = sqlite_desk.services
    late = oauth.Tokens("late", "late", utcnow() + timedelta(hours=1))

    await sqlite_desk.db.write(grants.renewed, services.vault, account.id, late, "the one before")

    assert await AccessTokens(services).of(account) in provider.valid


@contextlib.asynccontextmanager
async def sending_server(provider: Provider) -> AsyncIterator[tuple[int, list[bytes]]]:
    """An SMTP server that takes mail only from who shows a valid token."""
    taken: list[bytes] = []

    class Handler:
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            assert isinstance(envelope.content, bytes)
            if not session.authenticated:
                return "530 5.7.0 Authentication required"
            taken.append(envelope.content)
            return "250 OK queued as 7"

    class Server(SMTP):
        async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
            said = base64.b64decode(args[1]).decode()
            token = said.split("auth=Bearer ")[1].rstrip("\1")
            if said.startswith("user=support@shop.test\1") and token in provider.valid:
                return AuthResult(success=True, auth_data=said)
            # As Google and Microsoft do it: the reason as a challenge, then the refusal.
            await server.challenge_auth('{"status":"401"}')
            return AuthResult(success=False, handled=False)

    def made() -> SMTP:
        return Server(Handler(), auth_require_tls=False, loop=asyncio.get_running_loop())

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], taken
    server.close()
    await server.wait_closed()


async def test_mail_is_sent_by_permission_and_a_refused_token_renewed(sqlite_desk: Desk, provider: Provider) -> None:
    async with sending_server(provider) as (port, taken):
        smtp = {"smtp": {"host": "127.0.0.1", "port": port, "security": "none"}}
        account = await connected(sqlite_desk, provider, smtp)
        services = sqlite_desk.services
        sender = MailSender(services.vault, services.files, AccessTokens(services))

        await sender.send(outbound(account))
        provider.take_back()
        await sender.send(outbound(account, message_id=8))

        provider.take_back()
        provider.ended = True
        with pytest.raises(SendFailed) as failure:
            await sender.send(outbound(account, message_id=9))

    assert len(taken) == 2
    assert (failure.value.text, failure.value.retryable) == (oauth.ENDED, False)


def test_the_large_providers_are_asked_for_lasting_access() -> None:
    google = oauth.provider_of({"oauth": {"provider": "google"}})
    microsoft = oauth.provider_of({"oauth": {"provider": "microsoft", "tenant": "shop.example"}})
    url = oauth.consent_url(
        google, Client("id", ""), redirect_uri="https://x.test/y", state="s", verifier="v", address="a@x.test"
    )

    assert "access_type=offline" in url
    assert "prompt=consent" in url
    assert "scope=https%3A%2F%2Fmail.google.com%2F" in url
    assert microsoft.token_url == "https://login.microsoftonline.com/shop.example/oauth2/v2.0/token"
    assert "offline_access" in microsoft.scope


@pytest.mark.parametrize(
    ("status", "said", "text", "final"),
    [
        (400, {"error": "invalid_grant"}, oauth.ENDED, True),
        (400, {"error": "interaction_required"}, oauth.ENDED, True),
        (401, {"error": "invalid_client"}, oauth.CLIENT_REFUSED, True),
        (503, {}, oauth.UNREACHABLE, False),
        (429, {}, oauth.UNREACHABLE, False),
        (400, {"error": "invalid_request"}, oauth.NO_ANSWER, False),
    ],
)
def test_what_the_refusals_of_a_token_endpoint_mean(status: int, said: dict[str, str], text: str, final: bool) -> None:
    error = oauth.refusal(status, said)
    assert (error.text, error.final) == (text, final)


def test_a_verifier_is_as_long_as_the_standard_wants() -> None:
    verifier = oauth.verifier_of(b"key", "nonce")
    assert 43 <= len(verifier) <= 128
    assert verifier != oauth.verifier_of(b"key", "another")
    assert verifier == oauth.verifier_of(b"key", "nonce")
