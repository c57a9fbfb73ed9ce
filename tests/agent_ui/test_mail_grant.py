"""Connecting a mailbox from its page: to the provider and back, and who may do what with the link."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from channels.email import grants
from channels.email.models import MailGrant
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import BASE, PAGE, SAME_ORIGIN, Console, Seat
from tests.channels.email.provider import CLIENT_ID, CLIENT_SECRET, Provider, open_provider
from tests.factories import make_queue
from tickets import channel_accounts
from tickets.models import ChannelAccount
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with open_provider() as found:
        found.redirect_uri = f"{BASE}/admin/channels/connected"
        yield found


async def add_mailbox(console: Console, seat: Seat, provider: Provider, **values: str) -> int:
    """A mailbox as the form makes it."""
    queue_id = await console.write(make_queue)
    form = {
        "name": "Support",
        "address": "support@shop.test",
        "queue_id": str(queue_id),
        "imap_security": "tls",
        "smtp_security": "starttls",
        "start": "new",
        "oauth_provider": "other",
        "oauth_client_id": CLIENT_ID,
        "oauth_client_secret": CLIENT_SECRET,
        "oauth_authorize_url": f"{provider.url}/authorize",
        "oauth_token_url": f"{provider.url}/token",
        "oauth_sends": "1",
        **values,
    }
    answer = await seat.post("/admin/channels/new/email", FORM, **form)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].split("/")[3].split("?")[0])


async def stored(console: Console, account_id: int) -> Any:
    return await console.db.read(channel_accounts.by_id, console.services.vault, account_id)


async def test_a_mailbox_is_connected_at_the_provider_and_back(console: Console, provider: Provider) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await add_mailbox(console, seat, provider)
    page = await seat.page(f"/admin/channels/{account_id}")
    assert "Not connected" in page.text
    assert f"{BASE}/admin/channels/connected" in page.text
    assert CLIENT_SECRET not in page.text

    there = (await seat.page(f"/admin/channels/{account_id}/connect")).headers["location"]
    assert there.startswith(f"{provider.url}/authorize?")
    back = await seat.page(provider.agree(there))

    assert back.headers["location"] == f"/admin/channels/{account_id}?done=connected"
    page = await seat.page(back.headers["location"])
    assert "The mailbox is connected." in page.text
    assert "Connect again" in page.text
    grant = await console.db.read(grants.load, console.services.vault, account_id)
    assert grant is not None
    assert grant.tokens.access in provider.valid
    actions = await console.db.read(lambda tx: tx.execute(select(AuditEntry.action)).scalars().all())
    assert "channel_account.connected" in actions


async def test_the_way_back_belongs_to_whoever_began_it(console: Console, provider: Provider) -> None:
    seat, other = await console.sit(Role.ADMIN), await console.sit(Role.ADMIN)
    account_id = await add_mailbox(console, seat, provider)
    there = (await seat.page(f"/admin/channels/{account_id}/connect")).headers["location"]
    back = provider.agree(there)

    assert (await other.page(back)).status_code == 422
    assert (await seat.page(back.replace("state=", "state=x"))).status_code == 422
    assert (await (await console.sit(Role.AGENT)).page(back)).status_code == 403
    assert await console.db.read(grants.load, console.services.vault, account_id) is None

    await seat.page(back)
    # A code serves once.
    again = await seat.page(back)
    assert again.status_code == 409
    assert "Connect again" in again.text


async def test_a_refusal_at_the_provider_is_told_with_its_words(console: Console, provider: Provider) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await add_mailbox(console, seat, provider)
    there = (await seat.page(f"/admin/channels/{account_id}/connect")).headers["location"]
    state = there.split("state=")[1].split("&")[0]

    answer = await seat.page(
        f"/admin/channels/connected?error=access_denied&error_description=Not%20today&state={state}"
    )

    assert answer.status_code == 409
    assert "The provider gave no permission: Not today" in answer.text


async def test_an_ended_permission_stands_on_the_page_in_both_languages(console: Console, provider: Provider) -> None:
    seat, vietnamese = await console.sit(Role.ADMIN), await console.sit(Role.ADMIN, locale="vi")
    account_id = await add_mailbox(console, seat, provider)
    there = (await seat.page(f"/admin/channels/{account_id}/connect")).headers["location"]
    await seat.page(provider.agree(there))
    error = grants.oauth.NoToken(grants.oauth.ENDED, final=True)
    await console.write(grants.not_renewed, account_id, error, now=(await row(console, MailGrant)).granted_at)

    for path in (f"/admin/channels/{account_id}", "/admin/channels"):
        assert "The permission to use this mailbox has ended." in (await seat.page(path)).text
        assert "Quyền truy cập hộp thư này đã hết hiệu lực." in (await vietnamese.page(path)).text


async def row(console: Console, model: Any) -> Any:
    return await console.db.read(lambda tx: tx.execute(select(model.__table__)).one())


async def test_the_servers_of_google_are_filled_in_and_a_client_id_is_wanted(
    console: Console, provider: Provider
) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await add_mailbox(console, seat, provider, oauth_provider="google")
    account = await stored(console, account_id)
    assert account.settings["imap"]["host"] == "imap.gmail.com"
    assert (account.settings["smtp"]["host"], account.settings["smtp"]["port"]) == ("smtp.gmail.com", 587)
    assert account.settings["oauth"] == {"provider": "google", "client_id": CLIENT_ID, "sends": True}

    missing = await seat.post("/admin/channels/new/email", FORM, name="x", oauth_provider="google")
    assert missing.status_code == 422
    unsafe = await seat.post(
        "/admin/channels/new/email", FORM, oauth_provider="other", oauth_token_url="http://provider.example/token"
    )
    assert "begins with https://" in unsafe.text


async def test_back_to_a_password_forgets_the_provider(console: Console, provider: Provider) -> None:
    seat = await console.sit(Role.ADMIN)
    account_id = await add_mailbox(console, seat, provider)
    queue_id = (await row(console, ChannelAccount)).queue_id
    form = {"name": "Support", "queue_id": str(queue_id), "start": "new", "oauth_provider": ""}

    await seat.post(f"/admin/channels/{account_id}", FORM, **form, imap_security="tls", smtp_security="starttls")

    assert "oauth" not in (await stored(console, account_id)).settings
    assert (await seat.page(f"/admin/channels/{account_id}/connect")).status_code == 404
    assert (await stored(console, account_id)).channel is Channel.EMAIL
