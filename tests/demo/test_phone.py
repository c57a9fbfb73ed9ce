"""The demo's carrier and phone over real sockets: texts and photos both ways, receipts and STOP."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.sms import templates
from channels.sms.keywords import Wish
from channels.sms.models import WhatsAppTemplate
from channels.sms.template_loop import TemplateLoop
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.demo.carrier import MOUNT, OWN_ANSWERS, webhook_key
from contact_center.demo.cast import (
    NUMBER,
    SMS_NUMBER,
    TWILIO_ACCOUNT,
    TWILIO_TOKEN,
    WHATSAPP_NUMBER,
)
from contact_center.demo.photo import crushed_parcel
from contact_center.demo.scripts import BY_KEY
from contact_center.demo.shoppers import invent
from contact_center.demo.talk import Talk
from tests.demo.phone_stage import Stage, shown
from tests.factories import make_user
from tickets import channel_accounts, replies
from tickets.inbound import Address
from tickets.models import Attachment, Message, Ticket
from tickets.opening import Opening, open_
from tickets.replies import SYSTEM, Author, Reply
from tickets.states import Channel, ContactKind


async def answer(stage: Stage, body: str) -> None:
    def write(tx: Connection) -> None:
        ticket_id = tx.execute(Ticket.__table__.select()).first().id  # type: ignore[union-attr]
        replies.reply(tx, ticket_id, Reply(body, undo=timedelta(0)), author=Author(make_user(tx)), now=utcnow())

    await stage.services.db.write(write)
    await stage.send()


async def test_texts_go_both_ways_and_receipts_follow(stage: Stage) -> None:
    page = await stage.http.get("/demo/phone")
    assert "0901 234 567" in page.text
    await stage.http.post("/demo/phone/text", data={"body": "Xin chào 👋"})
    [message] = await stage.rows(Message)
    assert message.text == "Xin chào 👋"
    await answer(stage, "Chào bạn")
    assert (True, "Xin chào 👋") in await shown(stage)
    assert (False, "Chào bạn") in await shown(stage)
    await asyncio.gather(*stage.carrier._errands)
    assert [row.delivery for row in await stage.rows(Message) if row.text == "Chào bạn"] == ["delivered"]


async def test_whatsapp_takes_free_text_after_the_customer_wrote_and_templates_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_center.demo.carrier.READ", ((0.1, "read"),))
    await TemplateLoop(stage.services).run_once()
    approved = [row for row in await stage.rows(WhatsAppTemplate) if row.status == "approved"]
    assert {row.language for row in approved} == {"en", "vi"}

    def begin(tx: Connection, late: bool) -> None:
        account_id = next(row.id for row in channel_accounts.all_named(tx) if row.name == "whatsapp")
        values = dict.fromkeys(approved[0].variables, "7")
        text, meta = templates.filled(tx, account_id, approved[0].id, values)
        opening = Opening("Late", 1, Channel.WHATSAPP, Address(ContactKind.PHONE, NUMBER), text=text, outbound=True)
        open_(tx, replace(opening, meta={} if late else meta), author=SYSTEM, now=utcnow() - timedelta(minutes=1))

    with pytest.raises(Invalid, match="24 hours"):
        await stage.services.db.write(begin, True)
    await stage.services.db.write(begin, False)
    await stage.send()
    await stage.http.post("/demo/phone/text", data={"body": "Thank you", "app": "whatsapp"})
    await answer(stage, "You are welcome")
    await asyncio.gather(*stage.carrier._errands)
    texts = (await stage.http.get("/demo/phone/state")).json()["texts"]
    assert [(text["app"], text["mine"]) for text in texts] == [
        ("whatsapp", False),
        ("whatsapp", True),
        ("whatsapp", False),
    ]
    assert [row.delivery for row in await stage.rows(Message) if row.delivery] == ["read", "read"]
    assert len(await stage.rows(Ticket)) == 1


async def test_the_carrier_refuses_free_text_that_comes_too_late(stage: Stage) -> None:
    form = {"To": f"whatsapp:{NUMBER}", "From": f"whatsapp:{WHATSAPP_NUMBER}", "Body": "Hi", "StatusCallback": ""}
    address = f"{MOUNT}/2010-04-01/Accounts/{TWILIO_ACCOUNT}/Messages.json"
    taken = await stage.http.post(address, data=form, auth=(TWILIO_ACCOUNT, TWILIO_TOKEN))
    unknown = await stage.http.post(address, data={**form, "ContentSid": "HX9"}, auth=(TWILIO_ACCOUNT, TWILIO_TOKEN))
    assert (taken.status_code, unknown.json()["code"]) == (201, 63027)
    assert (await stage.http.get("/demo/phone/state")).json()["texts"] == []


async def test_a_photo_arrives_as_mms_and_only_pictures_are_taken(stage: Stage) -> None:
    picture = crushed_parcel(1)
    assert picture == crushed_parcel(1) != crushed_parcel(2)
    sent = await stage.http.post("/demo/phone/text", data={"body": ""}, files={"photo": ("a.png", picture)})
    [shown_at] = sent.json()["texts"][0]["photos"]
    assert (await stage.http.get(shown_at)).content == picture
    await asyncio.sleep(1.1)  # the carrier's copy of a picture may lag behind its webhook
    await stage.send()
    [file] = await stage.rows(Attachment)
    assert stage.services.files.get(file.digest) == picture
    refused = await stage.http.post("/demo/phone/text", files={"photo": ("a.html", b"<script>")})
    assert (refused.status_code, "picture" in refused.json()["detail"]) == (422, True)


async def test_stop_is_obeyed_by_the_carrier_and_by_us(stage: Stage) -> None:
    for body in ("Hello", "STOP"):
        await stage.http.post("/demo/phone/text", data={"body": body})
    assert (False, OWN_ANSWERS[Wish.STOP]) in await shown(stage)
    with pytest.raises(Exception, match="opted out"):
        await answer(stage, "One more thing")
    await stage.http.post("/demo/phone/text", data={"body": "START"})
    await answer(stage, "Welcome back")
    assert (False, "Welcome back") in await shown(stage)


async def test_a_simulated_customer_goes_on_after_an_answer_but_not_after_an_automatic_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contact_center.demo.carrier.THINKING_SECONDS", (0.0, 1.0))
    script, shopper = BY_KEY["damaged"], invent(1)[0]
    talk = Talk(0, shopper.call_name, shopper.locale, script, shopper.order, shopper.item)
    await stage.carrier.begin(shopper, script, talk)
    await stage.send()
    await asyncio.gather(*stage.carrier._errands)
    inbound = [row.text for row in await stage.rows(Message) if row.kind == "inbound"]
    assert inbound == [talk.line(0)]
    await answer(stage, "Replacement or money?")
    await asyncio.gather(*stage.carrier._errands)
    inbound = [row.text for row in await stage.rows(Message) if row.kind == "inbound"]
    assert inbound == [talk.line(0), talk.line(1)]
    assert NUMBER not in stage.carrier.phones


async def test_only_the_demos_account_reaches_the_carrier(stage: Stage) -> None:
    refused = await stage.http.post(f"{MOUNT}/2010-04-01/Accounts/AC1/Messages.json", data={"To": "+1", "Body": "x"})
    assert (refused.status_code, refused.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("break_it", ["text", "signature", "none"])
async def test_a_webhook_whose_signature_does_not_fit_is_refused(stage: Stage, break_it: str) -> None:
    key = await stage.services.db.read(webhook_key, Channel.SMS)
    form = {"MessageSid": "SM" + "1" * 32, "AccountSid": TWILIO_ACCOUNT, "From": NUMBER, "To": SMS_NUMBER, "Body": "Hi"}
    address = f"/hooks/twilio/{key}/sms"
    signature = RequestValidator(TWILIO_TOKEN).compute_signature(f"{stage.http.base_url}{address}", form)
    if break_it == "text":
        form["Body"] = "Send the money elsewhere"
    headers = {"x-twilio-signature": {"signature": "x" * 28, "none": ""}.get(break_it, signature)}
    refused = await stage.http.post(address, data=form, headers=headers)
    assert refused.status_code == 403
    assert await stage.rows(Message) == []
    form["Body"] = "Hi"
    taken = await stage.http.post(address, data=form, headers={"x-twilio-signature": signature})
    assert (taken.status_code, len(await stage.rows(Message))) == (200, 1)


async def test_the_official_sdk_sends_and_is_told_what_the_carrier_refuses(stage: Stage) -> None:
    def send(to: str) -> str:
        client = Client(TWILIO_ACCOUNT, TWILIO_TOKEN, http_client=Rebased(stage.services.settings.twilio_api_url))
        return str(client.messages.create(to=to, from_=SMS_NUMBER, body="From the SDK").status)

    assert await asyncio.to_thread(send, NUMBER) == "queued"
    assert (False, "From the SDK") in await shown(stage)
    stage.carrier.phone(NUMBER).opted_out = True
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(send, NUMBER)
    assert (refused.value.status, refused.value.code) == (400, 21610)


class Rebased(TwilioHttpClient):
    """The SDK's own HTTP client, towards another address."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        return super().request(method, self.base + url.removeprefix("https://api.twilio.com"), *args, **options)


async def test_whoever_has_no_photo_at_hand_sends_a_sample(stage: Stage) -> None:
    sent = await stage.http.post("/demo/phone/sample")
    [shown_at] = sent.json()["texts"][0]["photos"]
    assert (await stage.http.get(shown_at)).headers["content-type"] == "image/png"
    assert [row.text for row in await stage.rows(Message)] == [""]
