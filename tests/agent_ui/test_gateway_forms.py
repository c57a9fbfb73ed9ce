"""An SMS account with an HTTP gateway: its form, its presets, and a test message over the wire."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat, open_console
from tests.channels.sms.gateway import API_KEY, PRIVATE_KEY, SECRET_KEY, Gateway, open_gateway
from tests.factories import make_queue
from tickets import channel_accounts
from tickets.channel_accounts import Account

FORM = {**PAGE, **SAME_ORIGIN}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with open_gateway() as found:
        yield found


async def form_of(console: Console, gateway: Gateway, **more: str) -> dict[str, str]:
    """The eSMS preset as its form posts it, with an address of ours."""
    stored = gateway.settings()["gateway"]
    return {
        "name": "eSMS",
        "address": "SHOPVN",
        "queue_id": str(await console.write(make_queue)),
        "provider": "gateway",
        "region": "VN",
        "zone": "Asia/Ho_Chi_Minh",
        "gateway_user": API_KEY,
        "gateway_password": SECRET_KEY,
        "callback_secret": PRIVATE_KEY,
        **{f"gateway_{name}": value for name, value in stored.items()},
        **more,
    }


async def made(console: Console, seat: Seat, form: dict[str, str]) -> Account:
    answer = await seat.post("/admin/channels/new/sms", FORM, **form)
    assert answer.status_code == 303, answer.text
    account_id = int(answer.headers["location"].split("/")[3].split("?")[0])
    return await console.db.read(channel_accounts.by_id, console.services.vault, account_id)


async def test_a_gateway_is_set_up_from_a_preset_and_shows_its_addresses(console: Console, gateway: Gateway) -> None:
    seat = await console.sit(Role.ADMIN)
    page = await seat.page("/admin/channels/new/sms?provider=gateway&preset=esms")
    assert "SendMultipleMessage_V4_post_json" in page.text
    account = await made(console, seat, await form_of(console, gateway))
    assert (account.address, account.settings["provider"], account.settings["zone"]) == (
        "SHOPVN",
        "gateway",
        "Asia/Ho_Chi_Minh",
    )
    assert account.secrets["callback_secret"] == PRIVATE_KEY
    page = await seat.page(f"/admin/channels/{account.id}")
    assert f"/hooks/sms/{account.key}/in" in page.text
    assert not any(secret in page.text for secret in (API_KEY, SECRET_KEY, PRIVATE_KEY))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"gateway_url": "sms.test/send"}, "begins with https://"),
        ({"gateway_url": "https://{{to}}.test/"}, "begins with https://"),
        ({"gateway_body": "{"}, "no valid template"),
        ({"gateway_body": '{"a": "{{nobody}}"}'}, "no valid template: nobody"),
        ({"gateway_headers": "no header"}, "one header a line"),
        ({"gateway_states": "5: delivered"}, "is not a line such as"),
        ({"gateway_in_text": ""}, "need both"),
        ({"gateway_time_at": "X-Time"}, "must contain the time"),
        ({"gateway_proof": "trust"}, "Choose one of the values"),
        ({"zone": "Hanoi"}, "no such time zone"),
        ({"address": "a name that is too long"}, "brand name of at most 11"),
    ],
)
async def test_what_cannot_work_is_refused_beside_its_field(
    console: Console, gateway: Gateway, wrong: dict[str, str], says: str
) -> None:
    seat = await console.sit(Role.ADMIN)
    answer = await seat.post("/admin/channels/new/sms", FORM, **await form_of(console, gateway, **wrong))
    assert answer.status_code == 422
    assert says in answer.text


async def test_a_test_message_is_shown_without_credentials_and_then_sent(
    sqlite_url: str, tmp_path: Any, gateway: Gateway
) -> None:
    async with open_console(sqlite_url, tmp_path, private_hosts=gateway.host) as console:
        seat = await console.sit(Role.ADMIN)
        account = await made(console, seat, await form_of(console, gateway))
        path = f"/admin/channels/{account.id}/test"
        assert (await seat.page(path)).status_code == 200
        seen = await seat.post(path, FORM, to="0903123456", text="Thử", then="show")
        assert ("&#34;0903123456&#34;" in seen.text, SECRET_KEY in seen.text, gateway.requests) == (True, False, [])
        sent = await seat.post(path, FORM, to="0903123456", text="Thử", then="send")
        assert "The gateway took the message." in sent.text
        [request] = gateway.requests
        assert (request["Content"], request["SecretKey"]) == ("Thử", SECRET_KEY)
        gateway.fault = "garbled"
        unclear = await seat.post(path, FORM, to="0903123456", text="Lần nữa", then="send")
        assert "Nobody can tell" in unclear.text
        audit = await console.db.read(lambda tx: tx.execute(select(AuditEntry.action)).scalars().all())
        assert audit.count("channel_account.tested") == 2


async def test_a_host_in_our_own_network_is_not_asked_unless_the_operator_says_so(
    console: Console, gateway: Gateway
) -> None:
    seat = await console.sit(Role.ADMIN)
    account = await made(console, seat, await form_of(console, gateway))
    answer = await seat.post(f"/admin/channels/{account.id}/test", FORM, to="0903123456", text="x", then="send")
    assert "is not a public host" in answer.text
    assert gateway.requests == []
