"""The demo's carrier and phone over real sockets: texts and photos both ways, receipts, STOP, and calls."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlalchemy import Connection, update
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels.delivery import DeliveryLoop
from channels.phone.commands import Verb
from channels.phone.handing_over import set_leg
from channels.phone.models import Call, CallLeg
from channels.phone.people import PHONE
from channels.phone.switchboard import Switchboard
from channels.sms import templates
from channels.sms.keywords import Wish
from channels.sms.media import MediaLoop
from channels.sms.models import WhatsAppTemplate
from channels.sms.template_loop import TemplateLoop
from contact_center import wiring
from contact_center.accounts.users import set_preferences
from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.relay import Relay
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo.carrier import MOUNT, OWN_ANSWERS, Carrier, webhook_key
from contact_center.demo.cast import (
    NUMBER,
    PHONE_NUMBER,
    SMS_NUMBER,
    TWILIO_ACCOUNT,
    TWILIO_TOKEN,
    WHATSAPP_NUMBER,
    client_of,
)
from contact_center.demo.exchange import Exchange
from contact_center.demo.line_plan import GREETING, stored
from contact_center.demo.phone import PhonePage
from contact_center.demo.photo import crushed_parcel
from contact_center.demo.scripts import BY_KEY
from contact_center.demo.shoppers import invent
from contact_center.demo.talk import Talk
from routing import handling
from tests.factories import make_queue, make_user
from tickets import channel_accounts, replies
from tickets.inbound import Address
from tickets.models import Attachment, Message, Queue, Ticket
from tickets.opening import Opening, open_
from tickets.replies import SYSTEM, Author, Reply
from tickets.states import Channel, ContactKind


@dataclass
class Stage:
    """A running server with the demo's carrier, and a browser's client."""

    services: Services
    carrier: Carrier
    exchange: Exchange
    http: httpx2.AsyncClient

    async def rows(self, model: Any) -> list[Any]:
        table = model.__table__
        return await self.services.db.read(lambda tx: list(tx.execute(table.select().order_by(table.c.id)).all()))

    async def send(self) -> None:
        """What our worker does: deliver what is queued, fetch pictures, run handlers."""
        await Relay(self.services.db, wiring.HANDLERS).run_once()
        await DeliveryLoop(self.services, wiring.senders(self.services)).run_once()
        await MediaLoop(self.services).run_once()


NUMBERS = ((Channel.SMS, SMS_NUMBER), (Channel.PHONE, PHONE_NUMBER), (Channel.WHATSAPP, WHATSAPP_NUMBER))


def accounts(tx: Connection, services: Services) -> None:
    queue_id = make_queue(tx)
    secrets = {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN}
    for channel, address in NUMBERS:
        channel_accounts.create(
            tx,
            services.vault,
            channel=channel,
            name=channel.value,
            address=address,
            queue_id=queue_id,
            now=utcnow(),
            settings={"region": "VN", "plan": stored(dict.fromkeys(("Orders", "Technical", "Business"), queue_id))},
            secrets=secrets,
        )


@pytest.fixture
async def stage(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    settings = Settings(database_url=sqlite_url, data_dir=tmp_path, port=port, twilio_api_url=base + MOUNT)
    carrier = Carrier()
    exchange = Exchange(carrier, random.Random(1))
    folders = [Path("contact_center/demo/templates").resolve()]
    routes = [*carrier.routes(), *exchange.routes(), *PhonePage(carrier, exchange).routes()]
    app = build(settings, loops=["none"], extension=Extension(routes=routes, template_folders=folders))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="websockets-sansio"))
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    services: Services = app.state.services
    carrier.connect(services)
    await services.db.write(accounts, services)
    async with httpx2.AsyncClient(base_url=base, headers={"origin": base}) as http:
        yield Stage(services, carrier, exchange, http)
    await asyncio.gather(*carrier._errands)
    server.should_exit = True
    await running


async def until(done: Callable[[], bool]) -> None:
    """Wait a moment for what runs beside the test."""
    for _ in range(400):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def shown(stage: Stage) -> list[tuple[bool, str]]:
    state = (await stage.http.get("/demo/phone/state")).json()
    return [(text["mine"], text["body"]) for text in state["texts"]]


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


async def test_a_caller_reads_the_plan_chooses_waits_talks_is_held_and_hangs_up(stage: Stage) -> None:
    call = (await stage.http.post("/demo/phone/call")).json()["call"]
    assert (call["state"], call["wants"], call["heard"][0]["text"]) == ("line", "key", GREETING["en"])
    await pass_time(stage, seconds=30)
    await stage.http.post("/demo/phone/key/9")
    await pass_time(stage, seconds=20)
    heard = (await stage.http.get("/demo/phone/state")).json()["call"]["heard"]
    assert [one["locale"] for one in heard if one["kind"] == "say"][-1] == "vi"
    assert [one["text"] for one in heard if one["kind"] == "play"] == ["/hooks/phone/music/15.wav"]
    user_id = await stage.services.db.write(accept)
    await run(stage, until="talking")
    call = (await stage.http.get("/demo/phone/state")).json()["call"]
    assert (call["people"], call["recording"]) == (["Emma Clarke"], "in-progress")
    [caller] = [row for row in await stage.rows(CallLeg) if row.role == "caller"]
    await stage.services.db.write(set_leg, 1, caller.id, Verb.HOLD, user_id=user_id, now=utcnow())
    await run(stage, until="held")
    await stage.http.post("/demo/phone/hang-up")
    await run(stage, until="ended")
    assert [row.state for row in await stage.rows(Call)] == ["completed"]
    assert [row.state for row in await stage.rows(CallLeg)] == ["left", "left"]
    assert [text["call"] for text in (await stage.http.get("/demo/phone/state")).json()["texts"]] == ["completed"]


async def test_whoever_calls_a_closed_queue_leaves_a_word(stage: Stage) -> None:
    await stage.services.db.write(lambda tx: tx.execute(update(Queue).values(routing={"closed": "today"})))
    await stage.http.post("/demo/phone/call")
    await stage.http.post("/demo/phone/key/1")
    await pass_time(stage, seconds=40)
    assert (await stage.http.get("/demo/phone/state")).json()["call"]["wants"] == "voice"
    said = (await stage.http.post("/demo/phone/key/hash")).json()["call"]
    assert said["state"] == "ended"
    await run(stage, until="ended")
    await stage.send()
    assert [row.outcome for row in await stage.rows(Call)] == ["voicemail"]
    assert "audio/mpeg" in [row.content_type for row in await stage.rows(Attachment)]


async def test_the_shop_calls_and_the_customer_picks_up_or_does_not(stage: Stage) -> None:
    for key, ending in (("answer", "completed"), ("hang-up", "busy")):
        rung = stage.exchange.ring(NUMBER, PHONE_NUMBER, "outbound-api")
        stage.exchange.progress(rung, "ringing")
        assert (await stage.http.get("/demo/phone/state")).json()["call"]["state"] == "incoming"
        await stage.http.post(f"/demo/phone/{key}")
        await stage.exchange.end(rung)
        assert rung.status == ending


async def test_a_caller_may_give_up_and_call_again_but_presses_no_key_that_there_is_not(stage: Stage) -> None:
    for path in ("call", "call", "hang-up", "call"):
        await stage.http.post(f"/demo/phone/{path}")
        await run(stage)
    assert (await stage.http.post("/demo/phone/key/x")).status_code == 404
    assert [row.state for row in await stage.rows(Call)] == ["missed", "ringing"]


async def test_calls_that_an_earlier_process_left_are_ended(stage: Stage) -> None:
    await stage.http.post("/demo/phone/call")
    await stage.http.post("/demo/phone/key/1")
    stage.exchange.world.legs.clear()
    await run(stage)
    assert [row.state for row in await stage.rows(Call)] == ["missed"]


async def pass_time(stage: Stage, *, seconds: float) -> None:
    """All that was said is over by so much."""
    for ear in stage.exchange.ears.values():
        shift = timedelta(seconds=seconds)
        ear.until -= shift
        ear.sounds = [replace(one, at=one.at - shift, until=one.until - shift) for one in ear.sounds]


def accept(tx: Connection) -> int:
    """Emma takes the caller; her phone rings."""
    user_id = make_user(tx, name="Emma Clarke")
    set_preferences(tx, user_id, {PHONE: client_of("Emma Clarke")}, now=utcnow())
    handling.assign(tx, 1, user_id, by_user_id=user_id, now=utcnow())
    return user_id


async def run(stage: Stage, *, until: str = "") -> None:
    """Handlers, switchboard and network, until the phone shows this state and nobody has anything to do."""
    relay, board = Relay(stage.services.db, wiring.HANDLERS), Switchboard(stage.services)
    for _ in range(40):
        for sid in stage.exchange._answers_at:
            stage.exchange._answers_at[sid] = utcnow()
        await stage.exchange.step()
        moved = await relay.run_once()
        worked = await board.run_once()
        state = (await stage.http.get("/demo/phone/state")).json()["call"]["state"]
        if not (moved or worked or stage.exchange.outbox) and until in ("", state):
            return
    raise AssertionError(f"{state} and not {until}")


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


async def test_a_call_that_is_over_stays_in_the_phones_list(stage: Stage) -> None:
    await stage.http.post("/demo/phone/call")
    state = (await stage.http.post("/demo/phone/hang-up")).json()
    assert [(text["call"], text["seconds"]) for text in state["texts"]] == [("completed", 0)]
    assert state["call"]["state"] == "ended"


async def test_whoever_has_no_photo_at_hand_sends_a_sample(stage: Stage) -> None:
    sent = await stage.http.post("/demo/phone/sample")
    [shown_at] = sent.json()["texts"][0]["photos"]
    assert (await stage.http.get(shown_at)).headers["content-type"] == "image/png"
    assert [row.text for row in await stage.rows(Message)] == [""]
