"""Sends that were cut at any point: looked up at the carrier, never sent again by a program."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from channels import delivery
from channels.delivery import DeliveryLoop
from channels.models import DeliveryAttempt
from channels.sms.finding import GIVE_UP, Finder
from channels.sms.send import TwilioSender
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms import test_whatsapp as whatsapp
from tests.channels.sms.carrier import API
from tests.channels.sms.test_delivery import answer, conversation, deliver, state

CUT_AFTER_TAKING = ["answer lost", "cut", "gateway", "garbled", "internal"]


async def look(desk: Desk, *, later: timedelta = timedelta(minutes=1)) -> None:
    """Time passes, then the loop looks."""
    back = {"started_at": DeliveryAttempt.started_at, "finished_at": DeliveryAttempt.finished_at}
    rows = await desk.rows(DeliveryAttempt)
    for row in rows:
        moved = {name: getattr(row, name) - later for name in back if getattr(row, name)}
        if row.looked_at:
            moved["looked_at"] = row.looked_at - later
        query = update(DeliveryAttempt).where(DeliveryAttempt.id == row.id).values(**moved)
        await desk.db.write(lambda tx, query=query: tx.execute(query))
    for sent in desk.carrier.messages:
        sent.taken_at -= later
    await Finder(desk.services, http=desk.carrier.http).run_once()


async def uncertain(desk: Desk, body: str = "Trên đường rồi ạ", fault: str = "answer lost", **more: Any) -> int:
    """A reply whose send was cut."""
    message_id = await answer(desk, body, **more)
    desk.carrier.fault = fault
    await deliver(desk)
    assert (await state(desk, message_id))[0] == "uncertain"
    return message_id


@pytest.mark.parametrize("fault", CUT_AFTER_TAKING)
async def test_what_the_carrier_took_before_the_line_was_cut_is_found(desk: Desk, fault: str) -> None:
    await conversation(desk)
    message_id = await uncertain(desk, fault=fault)
    await look(desk)
    assert await state(desk, message_id) == ("sent", None)
    [attempt] = await desk.rows(DeliveryAttempt)
    assert attempt.external_id == desk.carrier.messages[0].sid
    await deliver(desk)
    assert len(desk.carrier.messages) == 1
    await desk.carrier.receipt(desk.carrier.messages[0], "delivered")
    assert (await state(desk, message_id))[0] == "delivered"


async def test_what_was_refused_meanwhile_fails_with_its_reason(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await uncertain(sqlite_desk)
    sqlite_desk.carrier.messages[0].status = "undelivered"
    await look(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "failed"


async def test_a_connection_that_never_was_is_tried_again_and_not_looked_up(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    sqlite_desk.carrier.fault = "unreachable"
    await deliver(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "queued"


async def test_what_is_never_found_is_missing_until_a_person_sends_it_again(desk: Desk) -> None:
    await conversation(desk)
    message_id = await uncertain(desk)
    desk.carrier.messages.clear()
    await look(desk)
    assert (await state(desk, message_id))[0] == "uncertain"
    with pytest.raises(Conflict):
        await desk.db.write(delivery.again, message_id, now=utcnow())
    await look(desk, later=GIVE_UP)
    assert await state(desk, message_id) == ("missing", "Twilio has no such message: it was not sent.")
    await deliver(desk)
    assert desk.carrier.messages == []
    await desk.db.write(delivery.again, message_id, now=utcnow() - timedelta(seconds=1))
    await deliver(desk)
    assert ((await state(desk, message_id))[0], len(desk.carrier.messages)) == ("sent", 1)
    with pytest.raises(Conflict):
        await desk.db.write(delivery.again, message_id, now=utcnow())


async def test_a_late_receipt_proves_that_a_missing_message_was_sent(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await uncertain(sqlite_desk)
    [sent] = sqlite_desk.carrier.messages
    sqlite_desk.carrier.messages = []
    await look(sqlite_desk, later=GIVE_UP)
    assert (await state(sqlite_desk, message_id))[0] == "missing"
    await sqlite_desk.carrier.receipt(sent, "delivered")
    assert await state(sqlite_desk, message_id) == ("delivered", None)


@pytest.mark.parametrize("fault", ["unreachable", "gateway", "busy", "cut"])
async def test_a_look_that_fails_decides_nothing(sqlite_desk: Desk, fault: str) -> None:
    await conversation(sqlite_desk)
    message_id = await uncertain(sqlite_desk)
    sqlite_desk.carrier.fault = fault
    await look(sqlite_desk, later=GIVE_UP)
    assert (await state(sqlite_desk, message_id))[0] == "uncertain"
    await look(sqlite_desk, later=timedelta(0))
    assert (await state(sqlite_desk, message_id))[0] == "sent"


async def test_two_cut_messages_with_the_same_words_take_one_each(desk: Desk) -> None:
    await conversation(desk)
    first, second = await uncertain(desk, "OK"), await uncertain(desk, "OK")
    third = await uncertain(desk, "OK")
    desk.carrier.messages.pop()
    await look(desk)
    assert [(await state(desk, one))[0] for one in (first, second, third)] == ["sent", "sent", "uncertain"]
    sids = [attempt.external_id for attempt in await desk.rows(DeliveryAttempt)]
    assert sids == [*(sent.sid for sent in desk.carrier.messages), None]


async def test_other_words_and_older_messages_are_not_ours(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await uncertain(sqlite_desk, "hello")
    [sent] = sqlite_desk.carrier.messages
    sent.body = "oh hello"
    await look(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "uncertain"
    sent.body, sent.taken_at = "hello", sent.taken_at - timedelta(minutes=10)
    await look(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "uncertain"
    sent.body, sent.taken_at = "Sent from your Twilio trial account - hello", sent.taken_at + timedelta(minutes=10)
    await look(sqlite_desk, later=timedelta(minutes=5))
    assert (await state(sqlite_desk, message_id))[0] == "sent"


async def test_whatsapp_is_looked_up_by_its_own_address(sqlite_desk: Desk) -> None:
    account = await whatsapp.line(sqlite_desk)
    await whatsapp.say(sqlite_desk, account, "hello")
    message_id = await whatsapp.answer(sqlite_desk, "hi")
    sqlite_desk.carrier.fault = "cut"
    sender = TwilioSender(sqlite_desk.services.vault, public_url=PUBLIC, api_url=API, http=sqlite_desk.carrier.http)
    await DeliveryLoop(sqlite_desk.services, {"whatsapp": sender}).run_once()
    assert (await state(sqlite_desk, message_id))[0] == "uncertain"
    await look(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "sent"
