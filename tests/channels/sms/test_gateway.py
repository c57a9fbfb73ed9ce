"""The HTTP gateway end to end: a real server that speaks a published protocol, our edge, our delivery."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from channels.delivery import DeliveryLoop
from channels.models import DeliveryAttempt
from channels.sms import again
from channels.sms.gateway.send import GatewaySender
from channels.sms.models import SmsConsent
from contact_center import wiring
from contact_center.core.clock import utcnow
from contact_center.core.relay import Relay
from tests.channels.desk import PUBLIC, Desk, open_desk
from tests.channels.sms.gateway import API_KEY, PRIVATE_KEY, SECRET_KEY, Gateway, open_gateway
from tests.channels.sms.test_delivery import answer, state
from tickets import channel_accounts, inbox
from tickets.channel_accounts import Account
from tickets.models import ContactPoint, Customer, JournalItem, Message, Ticket

SECRETS = {"gateway_user": API_KEY, "gateway_password": SECRET_KEY, "callback_secret": PRIVATE_KEY}


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with open_gateway() as found:
        yield found


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(database_url, tmp_path) as found:
        yield found


async def connect(desk: Desk, gateway: Gateway, **more: Any) -> Account:
    return await desk.account(address="SHOPVN", secrets=SECRETS, settings=gateway.settings(**more))


async def deliver(desk: Desk, gateway: Gateway, *, private: bool = True) -> None:
    sender = GatewaySender(desk.services.vault, public_url=PUBLIC, private=[gateway.host] if private else [])
    await DeliveryLoop(desk.services, {"sms": sender}).run_once()


async def test_a_text_comes_in_its_answer_leaves_and_the_report_finds_it(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway)
    taken = await gateway.text(desk, account.key, "Đơn hàng & ảnh của tôi đâu?", smsid="mo-1")
    assert (taken.status_code, taken.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "<Smsid>mo-1</Smsid>" in taken.text
    [ticket], [point] = await desk.rows(Ticket), await desk.rows(ContactPoint)
    assert (ticket.subject, point.value) == ("Đơn hàng & ảnh của tôi đâu?", "+84903123456")
    message_id = await answer(desk, 'Chào bạn, "hôm nay" {{password}} nhé')
    await deliver(desk, gateway)
    [request] = gateway.requests
    assert (request["Phone"], request["Brandname"], request["IsUnicode"]) == ("0903123456", "SHOPVN", "1")
    assert request["Content"] == 'Chào bạn, "hôm nay" {{password}} nhé'
    assert await state(desk, message_id) == ("sent", None)
    assert (await gateway.report(desk, request, delivered=True)).status_code == 200
    assert await state(desk, message_id) == ("delivered", None)
    [attempt] = await desk.rows(DeliveryAttempt)
    assert attempt.external_id == gateway.taken[request["RequestId"]]


async def test_the_same_id_many_times_at_once_is_one_message(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway)
    await gateway.text(desk, account.key, "first")
    answers = await asyncio.gather(*(gateway.text(desk, account.key, "hello", smsid="same") for _ in range(8)))
    assert {one.status_code for one in answers} == {200}
    assert [message.text for message in await desk.rows(Message)] == ["first", "hello"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("busy", "queued"), ("answer lost", "uncertain"), ("gateway", "uncertain"), ("garbled", "uncertain")],
)
async def test_what_may_have_been_taken_is_never_sent_again(
    desk: Desk, gateway: Gateway, fault: str, expected: str
) -> None:
    account = await connect(desk, gateway)
    await gateway.text(desk, account.key, "hello")
    message_id = await answer(desk, "Answer")
    gateway.fault = fault
    await deliver(desk, gateway)
    await deliver(desk, gateway)
    assert (await state(desk, message_id))[0] == expected
    assert len(gateway.requests) == 1


async def test_a_report_settles_an_uncertain_message_by_our_own_name_for_it(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway, proof="token", proof_at="token", receipt_id="")
    await desk.http.get(
        f"/hooks/sms/{account.key}/in",
        params={"token": PRIVATE_KEY, "smsid": "1", "sender": "0903123456", "content": "hi"},
    )
    message_id = await answer(desk, "Answer")
    gateway.fault = "answer lost"
    await deliver(desk, gateway)
    assert (await state(desk, message_id))[0] == "uncertain"
    fields = {"token": PRIVATE_KEY, "SendStatus": "5", "SendSuccess": "1"}
    for reference in ("999-20200101000000", f"{message_id}-20200101000000"):
        await desk.http.get(f"/hooks/sms/{account.key}/receipt", params={**fields, "RequestId": reference})
    assert (await state(desk, message_id))[0] == "uncertain"
    told = {**fields, "RequestId": gateway.requests[0]["RequestId"]}
    await desk.http.get(f"/hooks/sms/{account.key}/receipt", params=told)
    assert (await state(desk, message_id))[0] == "delivered"


async def test_a_refusal_says_why_in_the_gateways_words(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway)
    await gateway.text(desk, account.key, "hello")

    def spoil(tx: Any) -> None:
        secrets = {**SECRETS, "gateway_password": "old"}
        channel_accounts.change(tx, desk.services.vault, account.id, now=utcnow(), values={}, secrets=secrets)

    message_id = await answer(desk, "Answer")
    await desk.db.write(spoil)
    await deliver(desk, gateway)
    assert await state(desk, message_id) == ("failed", "Authorize Failed")


async def test_a_gateway_in_our_own_network_is_asked_only_where_the_operator_lets_us(
    desk: Desk, gateway: Gateway
) -> None:
    account = await connect(desk, gateway)
    await gateway.text(desk, account.key, "hello")
    message_id = await answer(desk, "Answer")
    await deliver(desk, gateway, private=False)
    assert (await state(desk, message_id))[0] == "queued"
    assert gateway.requests == []


async def test_what_is_not_signed_by_the_gateway_is_refused(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway)
    forged = await gateway.text(desk, account.key, "hello", sign="AAAA")
    # The signature covers the text: it does not fit another one.
    good = await gateway.text(desk, account.key, "hello", smsid="1")
    other = str(good.request.url).replace("content=hello", "content=bye")
    receipt = await desk.http.get(f"/hooks/sms/{account.key}/receipt/forged?SendStatus=5&SendSuccess=1")
    assert (forged.status_code, (await desk.http.get(other)).status_code, receipt.status_code) == (403, 403, 404)
    assert [message.text for message in await desk.rows(Message)] == ["hello"]


async def test_twilio_accounts_have_no_gateway_address(desk: Desk) -> None:
    account = await desk.account()
    assert (await desk.http.get(f"/hooks/sms/{account.key}/in?sender=1")).status_code == 404


async def test_we_confirm_stop_ourselves_because_no_gateway_does(desk: Desk, gateway: Gateway) -> None:
    account = await connect(desk, gateway)
    await gateway.text(desk, account.key, "Alo shop")
    await gateway.text(desk, account.key, "STOP")
    await deliver(desk, gateway)
    [wish] = await desk.rows(SmsConsent)
    [request] = gateway.requests
    assert (wish.wish, wish.word, wish.channel_account_id) == ("stop", "stop", account.id)
    assert request["Content"].startswith("You will get no more messages")


async def test_stop_without_a_conversation_is_confirmed_once_in_the_customers_language(
    desk: Desk, gateway: Gateway
) -> None:
    account = await connect(desk, gateway)
    for number in ("1", "2"):
        await gateway.text(desk, account.key, "STOP", smsid=number)
        await Relay(desk.db, wiring.HANDLERS).run_once()
    await deliver(desk, gateway)
    [request] = gateway.requests
    assert request["Content"].startswith("You will get no more messages")
    assert [(ticket.status, ticket.waiting_since) for ticket in await desk.rows(Ticket)] == [("closed", None)]
    assert [wish.wish for wish in await desk.rows(SmsConsent)] == ["stop", "stop"]
    await desk.db.write(lambda tx: tx.execute(update(Customer).values(locale="vi")))
    await gateway.text(desk, account.key, "START", smsid="3")
    await deliver(desk, gateway)
    assert gateway.requests[1]["Content"].startswith("Bạn sẽ nhận lại tin nhắn")
    assert len(await desk.rows(JournalItem)) == 3
    assert {ticket.status for ticket in await desk.rows(Ticket)} == {"closed"}


async def test_a_message_that_nobody_understood_is_taken_when_the_form_is_corrected(
    desk: Desk, gateway: Gateway
) -> None:
    account = await connect(desk, gateway, in_text="body")
    await gateway.text(desk, account.key, "hello", sender="")
    [item] = await desk.rows(JournalItem)
    assert (item.state, item.reason) == ("quarantined", "sender is missing")
    right = gateway.settings(in_from="serviceNumber")
    await desk.db.write(
        lambda tx: channel_accounts.change(
            tx, desk.services.vault, account.id, now=utcnow(), values={"settings": right}
        )
    )
    await desk.db.write(lambda tx: inbox.retry(tx, item.id, now=utcnow()))
    await again.run_once(desk.services)
    assert [(one.state) for one in await desk.rows(JournalItem)] == ["accepted"]
    assert [message.text for message in await desk.rows(Message)] == ["hello"]
