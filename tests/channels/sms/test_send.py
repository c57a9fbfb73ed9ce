"""Sending through the official SDK against a carrier that fails in every way."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.base import Outbound, SendFailed, SendUncertain
from channels.delivery import attempt
from channels.receipts import attempt_of
from channels.sms.client import CarrierHttp, open_client
from channels.sms.send import TwilioSender
from contact_center.core.secrets import Vault
from tests.channels.sms.carrier import ACCOUNT_SID, API, AUTH_TOKEN, Carrier
from tickets.channel_accounts import Account
from tickets.states import Channel, Delivery

TO = "+84903123456"


def outbound(text: str = "Xin chào", **account: Any) -> Outbound:
    secrets = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN}
    values = {"settings": {}, "secrets": secrets, "address": "+15005550006", **account}
    return Outbound(
        message_id=1,
        attempt_id=7,
        attempt=1,
        ticket_id=1,
        ticket_number=100,
        account=Account(id=1, channel=Channel.SMS, name="SMS", key="k 1", queue_id=1, enabled=True, **values),
        to=TO,
        to_name="",
        subject="",
        text=text,
        html=None,
        author="Lan",
        automatic=False,
        locale="vi",
        queue_name="Sales",
        signature="",
        created_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def sender(carrier: Carrier, vault: Vault) -> TwilioSender:
    return TwilioSender(vault, public_url="https://desk.test", api_url=API, http=carrier.http)


async def test_the_carrier_gets_the_text_once_with_a_signed_callback(
    sender: TwilioSender, carrier: Carrier, vault: Vault
) -> None:
    sent = await sender.send(outbound("Chào bạn 👋 & cảm ơn"))
    [message] = carrier.messages
    assert (message.sid, message.to, message.body) == (sent.external_id, TO, "Chào bạn 👋 & cảm ơn")
    assert message.sender == "+15005550006"
    assert message.status_callback.startswith("https://desk.test/hooks/twilio/k%201/receipt/")
    assert attempt_of(vault, message.status_callback.rsplit("/", 1)[1]) == 7


async def test_a_messaging_service_takes_the_place_of_the_number(sender: TwilioSender, carrier: Carrier) -> None:
    await sender.send(outbound(settings={"messaging_service_sid": "MG1"}))
    assert "From" not in carrier.requests[0]
    assert carrier.requests[0]["MessagingServiceSid"] == "MG1"


@pytest.mark.parametrize(
    ("fault", "delivery", "retryable", "left"),
    [
        ("unreachable", Delivery.FAILED, True, 0),
        ("busy", Delivery.FAILED, True, 0),
        ("answer lost", Delivery.UNCERTAIN, False, 1),
        ("cut", Delivery.UNCERTAIN, False, 1),
        ("gateway", Delivery.UNCERTAIN, False, 1),
        ("garbled", Delivery.UNCERTAIN, False, 1),
        ("internal", Delivery.UNCERTAIN, False, 1),
        ("", Delivery.SENT, False, 1),
    ],
)
async def test_only_what_never_left_may_be_sent_again(
    sender: TwilioSender, carrier: Carrier, fault: str, delivery: Delivery, retryable: bool, left: int
) -> None:
    carrier.fault = fault
    outcome = await attempt(sender, outbound())
    assert (outcome.delivery, outcome.retryable, len(carrier.messages)) == (delivery, retryable, left)
    assert len(carrier.requests) == left


@pytest.mark.parametrize(
    ("status", "code", "suppress", "text"),
    [
        (400, 21610, True, "opted out"),
        (400, 21211, True, "not a valid phone number"),
        (400, 21614, False, "not a mobile phone"),
        (400, 29999, False, "Something new"),
        (403, 20003, False, "credentials were refused"),
    ],
)
async def test_a_refusal_says_why_for_people(
    sender: TwilioSender, carrier: Carrier, status: int, code: int, suppress: bool, text: str
) -> None:
    carrier.refusals[TO] = (status, code, "Something new")
    with pytest.raises(SendFailed, match=text) as caught:
        await sender.send(outbound())
    assert (caught.value.code, caught.value.suppress, caught.value.retryable) == (str(code), suppress, False)


async def test_without_credentials_nothing_leaves(sender: TwilioSender, carrier: Carrier) -> None:
    with pytest.raises(SendFailed, match="no credentials"):
        await sender.send(outbound(secrets={}))
    with pytest.raises(SendFailed, match="credentials were refused"):
        await sender.send(outbound(secrets={"account_sid": ACCOUNT_SID, "auth_token": "wrong"}))
    assert carrier.messages == []


async def test_credentials_and_edge_never_come_from_the_environment(
    carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "EDGE", "REGION"):
        monkeypatch.setenv(f"TWILIO_{name}", "evil")
    async with carrier.http() as http:
        client = open_client(http, account_sid="AC1", auth_token="t")
        assert (client.username, client.password, client.edge, client.region) == ("AC1", "t", None, None)


async def test_no_text_number_or_credential_is_ever_logged(
    sender: TwilioSender, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await sender.send(outbound("a secret text"))
    assert not [record for record in caplog.records if "secret" in record.getMessage() or TO in record.getMessage()]


async def test_the_real_host_is_used_unless_another_is_set(carrier: Carrier) -> None:
    async with carrier.http() as http:
        asked: list[str] = []
        http.event_hooks = {"request": [lambda request: _note(asked, str(request.url))]}
        for base in ("", "http://127.0.0.1:9/stand-in/"):
            await CarrierHttp(http, base).request("GET", "https://api.twilio.com/2010-04-01/x.json", params={"a": "b"})
    assert asked == [
        "https://api.twilio.com/2010-04-01/x.json?a=b",
        "http://127.0.0.1:9/stand-in/2010-04-01/x.json?a=b",
    ]


async def _note(asked: list[str], url: str) -> None:
    asked.append(url)


async def test_uncertain_says_that_a_receipt_will_tell(sender: TwilioSender, carrier: Carrier) -> None:
    carrier.fault = "answer lost"
    with pytest.raises(SendUncertain, match="receipt"):
        await sender.send(outbound())
