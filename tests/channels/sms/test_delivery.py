"""Our SMS on their way: once, with receipts in any order, never to somebody who opted out."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.delivery import DeliveryLoop
from channels.models import DeliveryAttempt
from channels.receipts import find_attempt
from channels.sms.media import MediaLoop
from channels.sms.models import SmsConsent, SmsMedia
from channels.sms.send import TwilioSender
from contact_center import wiring
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.relay import Relay
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms.carrier import API
from tests.channels.sms.test_hooks import CUSTOMER, text, url
from tests.factories import make_user
from tickets import replies
from tickets.channel_accounts import Account
from tickets.inbound import StoredFile
from tickets.models import Attachment, ContactPoint, JournalItem, Message
from tickets.replies import Author, Reply

PAST = timedelta(minutes=1)


async def answer(desk: Desk, body: str, **more: Any) -> int:
    """An agent's reply whose undo time is over; the message id."""

    def write(tx: Connection) -> int:
        ticket_id = tx.execute(select(Message.ticket_id).limit(1)).scalar_one()
        author = Author(make_user(tx))
        return replies.reply(tx, ticket_id, Reply(body, **more), author=author, now=utcnow() - PAST).message_id

    return await desk.db.write(write)


async def deliver(desk: Desk) -> None:
    sender = TwilioSender(desk.services.vault, public_url=PUBLIC, api_url=API, http=desk.carrier.http)
    await DeliveryLoop(desk.services, {"sms": sender}).run_once()


async def state(desk: Desk, message_id: int) -> tuple[str, str | None]:
    [found] = [row for row in await desk.rows(Message) if row.id == message_id]
    return found.delivery, found.delivery_error


async def conversation(desk: Desk, **values: Any) -> Account:
    account = await desk.account(**values)
    await text(desk, account, "Where is my order?")
    return account


async def test_a_reply_leaves_once_and_its_receipts_find_it(desk: Desk) -> None:
    await conversation(desk)
    message_id = await answer(desk, "Trên đường rồi ạ")
    await deliver(desk)
    await deliver(desk)
    [sent] = desk.carrier.messages
    assert (sent.to, sent.body, await state(desk, message_id)) == (CUSTOMER, "Trên đường rồi ạ", ("sent", None))
    for word, expected in [("delivered", "delivered"), ("sent", "delivered"), ("read", "read"), ("failed", "read")]:
        assert (await desk.carrier.receipt(sent, word)).status_code == 200
        assert (await state(desk, message_id))[0] == expected
    [attempt] = await desk.rows(DeliveryAttempt)
    assert (attempt.external_id, attempt.state) == (sent.sid, "sent")
    assert await desk.db.read(find_attempt, sent.sid) == attempt.id


@pytest.mark.parametrize(("service", "counted"), [("", " · 2 × SMS"), ("MG1", "")])
async def test_what_the_carrier_counted_stands_on_the_message(sqlite_desk: Desk, service: str, counted: str) -> None:
    await conversation(sqlite_desk, settings={"region": "VN", "messaging_service_sid": service})
    await answer(sqlite_desk, "Trên đường rồi ạ " * 5)
    await deliver(sqlite_desk)
    [attempt] = await sqlite_desk.rows(DeliveryAttempt)
    assert attempt.answer == f"queued {attempt.external_id}{counted}"


@pytest.mark.parametrize("fault", ["answer lost", "gateway", "internal"])
async def test_an_unknown_outcome_is_never_sent_again_and_settled_by_its_receipt(sqlite_desk: Desk, fault: str) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    sqlite_desk.carrier.fault = fault
    for _ in range(3):
        await deliver(sqlite_desk)
    assert (await state(sqlite_desk, message_id))[0] == "uncertain"
    [sent] = sqlite_desk.carrier.messages
    await sqlite_desk.carrier.receipt(sent, "delivered")
    assert (await state(sqlite_desk, message_id))[0] == "delivered"


async def test_what_never_left_is_queued_again(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    sqlite_desk.carrier.fault = "unreachable"
    await deliver(sqlite_desk)
    assert await state(sqlite_desk, message_id) == ("queued", "The carrier could not be reached.")
    assert sqlite_desk.carrier.messages == []


async def test_a_receipt_that_overtakes_our_own_note_is_kept(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    sender = TwilioSender(sqlite_desk.services.vault, public_url=PUBLIC, api_url=API, http=sqlite_desk.carrier.http)

    class Overtaken:
        idempotent = False

        async def send(self, outbound: Any) -> Any:
            sent = await sender.send(outbound)
            await sqlite_desk.carrier.receipt(sqlite_desk.carrier.messages[0], "delivered")
            return sent

    await DeliveryLoop(sqlite_desk.services, {"sms": Overtaken()}).run_once()
    assert (await state(sqlite_desk, message_id))[0] == "delivered"


async def test_a_failed_receipt_says_why_for_people(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    await deliver(sqlite_desk)
    await sqlite_desk.carrier.receipt(sqlite_desk.carrier.messages[0], "undelivered", error=30006)
    assert await state(sqlite_desk, message_id) == (
        "failed",
        "The number is a landline or its network takes no SMS.",
    )


async def test_forged_foreign_and_senseless_receipts_change_nothing(sqlite_desk: Desk) -> None:
    account = await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")
    await deliver(sqlite_desk)
    [sent] = sqlite_desk.carrier.messages
    form = {"MessageSid": sent.sid, "MessageStatus": "failed"}
    assert (await sqlite_desk.carrier.post(sent.status_callback, form, token="guess")).status_code == 403
    assert (await sqlite_desk.carrier.post(url(account, "receipt/forged"), form)).status_code == 200
    assert (await sqlite_desk.carrier.receipt(sent, "teleported")).status_code == 200
    assert await state(sqlite_desk, message_id) == ("sent", None)


async def test_after_stop_nothing_leaves_neither_what_waits_nor_what_is_written_later(desk: Desk) -> None:
    account = await conversation(desk)
    waiting = await answer(desk, "still queued", undo=3 * PAST)
    await text(desk, account, "STOP")
    assert (await state(desk, waiting))[0] == "failed"
    with pytest.raises(Invalid, match="opted out"):
        await answer(desk, "one more thing")
    await deliver(desk)
    assert desk.carrier.messages == []
    await text(desk, account, "START")
    await answer(desk, "welcome back")
    await deliver(desk)
    assert [message.body for message in desk.carrier.messages] == ["welcome back"]


async def test_a_stop_between_writing_and_sending_is_seen_by_the_sender(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    message_id = await answer(sqlite_desk, "hello")

    def suppress(tx: Connection) -> None:
        tx.execute(ContactPoint.__table__.update().values(suppressed_reason="opted out", suppressed_at=utcnow()))

    await sqlite_desk.db.write(suppress)
    await deliver(sqlite_desk)
    assert await state(sqlite_desk, message_id) == ("failed", "opted out")
    assert sqlite_desk.carrier.messages == []


async def test_our_own_words_are_confirmed_once_and_the_carriers_never(desk: Desk) -> None:
    account = await conversation(desk)
    await text(desk, account, "STOP")
    await deliver(desk)
    assert desk.carrier.messages == []
    await text(desk, account, "START")
    await text(desk, account, "HUY", MessageSid="SMhuy")
    await text(desk, account, "HUY", MessageSid="SMhuy")
    await deliver(desk)
    [confirmation] = desk.carrier.messages
    assert "START" in confirmation.body
    await text(desk, account, "đăng ký lại")
    await deliver(desk)
    assert len(desk.carrier.messages) == 2


async def test_a_refusal_because_of_an_earlier_stop_fills_our_ledger(desk: Desk) -> None:
    await conversation(desk)
    desk.carrier.refusals[CUSTOMER] = (400, 21610, "Attempt to send to unsubscribed recipient")
    await answer(desk, "hello")
    await deliver(desk)
    await Relay(desk.db, wiring.HANDLERS).run_once()
    [row] = await desk.rows(SmsConsent)
    assert (row.wish, row.source, row.word) == ("stop", "carrier", "21610")
    with pytest.raises(Invalid, match="opted out"):
        await answer(desk, "again")


async def test_pictures_are_fetched_with_our_credentials_and_attached_once(desk: Desk) -> None:
    account = await desk.account()
    desk.carrier.files["ME1"] = ("image/jpeg", b"\xff\xd8\xffpicture")
    media = f"{API}/2010-04-01/Accounts/{desk.carrier.account_sid}/Messages/MM1/Media"
    pictures = {"NumMedia": "2", "MediaUrl0": f"{media}/ME1", "MediaContentType0": "image/jpeg"}
    await text(desk, account, "", **pictures, MediaUrl1="https://evil.test/x", MediaContentType1="image/png")
    await make_due(desk)
    loop = MediaLoop(desk.services, desk.carrier.http)
    await loop.run_once()
    await loop.run_once()
    [file] = await desk.rows(Attachment)
    assert (file.filename, file.content_type, file.size) == ("mms-1.jpg", "image/jpeg", 10)
    assert desk.services.files.get(file.digest) == b"\xff\xd8\xffpicture"
    stored, refused = await desk.rows(SmsMedia)
    assert (stored.state, refused.state) == ("stored", "failed")
    assert "evil.test" in refused.error
    assert (await desk.rows(Message))[0].subject == "Picture message"


async def test_a_picture_that_is_not_ready_is_fetched_later(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    media = f"{API}/2010-04-01/Accounts/{sqlite_desk.carrier.account_sid}/Messages/MM1/Media/ME1"
    await text(sqlite_desk, account, "look", NumMedia="1", MediaUrl0=media, MediaContentType0="image/png")
    loop = MediaLoop(sqlite_desk.services, sqlite_desk.carrier.http)
    await make_due(sqlite_desk)
    await loop.run_once()
    [waiting] = await sqlite_desk.rows(SmsMedia)
    assert (waiting.state, waiting.attempts, waiting.error) == ("waiting", 1, "The carrier answered 404.")
    sqlite_desk.carrier.files["ME1"] = ("image/png", b"png")
    await make_due(sqlite_desk)
    await loop.run_once()
    assert await sqlite_desk.count(Attachment) == 1


async def make_due(desk: Desk) -> None:
    await desk.db.write(lambda tx: tx.execute(SmsMedia.__table__.update().values(due_at=utcnow() - PAST)))


async def test_files_leave_by_a_signed_address_that_ends(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    digest = sqlite_desk.services.files.put(b"a picture")
    await answer(sqlite_desk, "see", attachments=(StoredFile(digest, "a.png", "image/png", 9),))
    await deliver(sqlite_desk)
    [sent] = sqlite_desk.carrier.messages
    [address] = sent.media
    served = await sqlite_desk.http.get(address)
    assert (served.content, served.headers["content-type"]) == (b"a picture", "image/png")
    assert (await sqlite_desk.http.get(address[:-2] + "xx")).status_code == 404


async def test_the_journal_shows_a_receipt_that_could_not_be_taken(sqlite_desk: Desk) -> None:
    await conversation(sqlite_desk)
    await answer(sqlite_desk, "hello")
    await deliver(sqlite_desk)
    await sqlite_desk.db.write(lambda tx: tx.exec_driver_sql("ALTER TABLE delivery_attempts RENAME TO away"))
    assert (await sqlite_desk.carrier.receipt(sqlite_desk.carrier.messages[0], "delivered")).status_code == 200
    items = await sqlite_desk.rows(JournalItem)
    assert [item.state for item in items] == ["accepted", "quarantined"]
    assert items[1].external_id == "receipt:1:delivered"
