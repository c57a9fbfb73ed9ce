"""A mailbox's page about sending: its key is made or checked, shown as a record, and never shown itself."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from channels.email import dkim_keys
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import Console, Seat, open_console
from tests.agent_ui.test_admin import FORM
from tests.agent_ui.test_ticket import make_mail
from tests.conftest import NOW
from tests.factories import make_account
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

PAGE = "/admin/channels/1/sending"
NAMES = {"dkim_domain": "shop.test", "dkim_selector": "desk"}


async def opened(console: Console) -> Account:
    vault = console.services.vault
    found: Account = await console.db.read(channel_accounts.by_id, vault, 1)
    return found


async def save(seat: Seat, **values: str) -> Any:
    return await seat.post(PAGE, FORM, quote="last", **{"dkim": "", **NAMES, **values})


def with_secret(tx: Connection, vault: Any) -> None:
    make_account(tx, Channel.EMAIL)
    channel_accounts.change(tx, vault, 1, now=NOW, values={}, secrets={"smtp": {"user": "u", "password": "p"}})


async def test_a_key_is_made_prepared_and_then_signs(console: Console) -> None:
    await console.write(make_mail)
    admin = await console.sit(Role.ADMIN)
    assert (await save(admin, dkim="prepared")).status_code == 303
    account = await opened(console)
    key = account.secrets["dkim"]["key"]
    assert dkim_keys.signer_of(account) is None
    page = (await admin.page(PAGE)).text
    assert "desk._domainkey.shop.test" in page
    assert "v=DKIM1; k=rsa; p=MIIB" in page
    assert "PRIVATE KEY" not in page
    await save(admin, dkim="signs", dkim_selector="desk2")
    account = await opened(console)
    assert account.secrets["dkim"]["key"] == key
    assert (dkim_keys.signer_of(account) or account).name == "desk2._domainkey.shop.test"
    await save(admin)
    assert "dkim" not in (await opened(console)).settings


async def test_a_bad_key_is_refused_beside_its_field_and_another_one_is_taken(console: Console) -> None:
    await console.write(make_mail)
    admin = await console.sit(Role.ADMIN)
    refused = await save(admin, dkim="signs", dkim_key="nonsense")
    assert (refused.status_code, "This is not a private key" in refused.text) == (422, True)
    assert "Write a domain such as" in (await save(admin, dkim="signs", dkim_domain="x")).text
    assert "dkim" not in (await opened(console)).settings
    mine = dkim_keys.new_key()
    await save(admin, dkim="signs", dkim_key=mine)
    assert (await opened(console)).secrets["dkim"]["key"] == mine.strip()


async def test_the_installations_key_takes_the_place_of_a_stored_one(sqlite_url: str, tmp_path: Path) -> None:
    shared = dkim_keys.new_key()
    async with open_console(sqlite_url, tmp_path, dkim_key=shared) as console:
        await console.write(make_mail)
        admin = await console.sit(Role.ADMIN)
        await save(admin, dkim="signs")
        account = await opened(console)
        assert dkim_keys.own_key(account) == ""
        page = (await admin.page(PAGE)).text
        assert (dkim_keys.signer_of(account, shared) or account).name == "desk._domainkey.shop.test"
        assert "v=DKIM1; k=rsa; p=MIIB" in page
        assert "dkim_shared" not in page

        await save(admin, dkim="signs", dkim_key=dkim_keys.new_key())
        await save(admin, dkim="signs")
        assert dkim_keys.own_key(await opened(console))
        assert "dkim_shared" in (await admin.page(PAGE)).text
        await save(admin, dkim="signs", dkim_shared="on")
        assert dkim_keys.own_key(await opened(console)) == ""


async def test_other_secrets_stay(console: Console) -> None:
    await console.write(with_secret, console.services.vault)
    await save(await console.sit(Role.ADMIN), dkim="prepared")
    account = await opened(console)
    assert set(account.secrets) == {"smtp", "dkim"}


async def test_only_mailboxes_have_the_page(console: Console) -> None:
    await console.write(make_account)
    assert (await (await console.sit(Role.ADMIN)).page(PAGE)).status_code == 404
