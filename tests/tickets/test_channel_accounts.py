"""Channel accounts: another address without losing answers, and whose phone is whose."""

import pytest

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.conftest import NOW
from tests.factories import VAULT, make_account
from tickets import channel_accounts
from tickets.states import Channel


async def test_the_old_address_of_a_mailbox_still_takes_answers(db: Database):
    account_id = await db.write(
        make_account, Channel.EMAIL, address="help@shop.test", settings={"aliases": ["a@b.test"]}
    )
    await db.write(channel_accounts.set_address, VAULT, account_id, "care@shop.test", now=NOW)
    account = await db.read(channel_accounts.by_id, VAULT, account_id)
    assert account.address == "care@shop.test"
    assert account.settings["aliases"] == ["a@b.test", "help@shop.test"]
    await db.write(channel_accounts.set_address, VAULT, account_id, "help@shop.test", now=NOW)
    account = await db.read(channel_accounts.by_id, VAULT, account_id)
    assert account.settings["aliases"] == ["a@b.test", "care@shop.test"]


async def test_an_address_belongs_to_one_account(db: Database):
    first = await db.write(make_account, Channel.SMS, address="+15005550001")
    await db.write(make_account, Channel.SMS, address="+15005550002")
    with pytest.raises(Conflict, match="set up already"):
        await db.write(channel_accounts.set_address, VAULT, first, "+15005550002", now=NOW)
    assert (await db.read(channel_accounts.by_id, VAULT, first)).address == "+15005550001"


async def test_extensions_belong_to_phone_lines(sqlite_db: Database):
    line = await sqlite_db.write(make_account, Channel.PHONE, settings={"region": "VN"})
    await sqlite_db.write(channel_accounts.set_extensions, VAULT, line, {"42": "lan@shop.test"}, now=NOW)
    settings = (await sqlite_db.read(channel_accounts.by_id, VAULT, line)).settings
    assert settings == {"region": "VN", "extensions": {"42": "lan@shop.test"}}
    with pytest.raises(Invalid) as caught:
        await sqlite_db.write(channel_accounts.set_extensions, VAULT, line, {"4 2": "lan@shop.test"}, now=NOW)
    assert caught.value.field == "4 2"
    number = await sqlite_db.write(make_account, Channel.SMS)
    with pytest.raises(Invalid):
        await sqlite_db.write(channel_accounts.set_extensions, VAULT, number, {}, now=NOW)
