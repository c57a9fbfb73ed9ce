"""WhatsApp through the Twilio adapter: in by the same edge, out within the customer's 24 hours."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from channels import carrying
from channels.delivery import DeliveryLoop
from channels.sms.media import MediaLoop
from channels.sms.models import SmsConsent
from channels.sms.parse import parse_inbound
from channels.sms.send import TwilioSender
from channels.sms.whatsapp import Location, read_told, without_prefix
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms.carrier import API
from tests.factories import make_user
from tickets import replies, windows
from tickets.channel_accounts import Account
from tickets.inbound import StoredFile
from tickets.models import Attachment, ContactPoint, Customer, JournalItem, Message, Ticket
from tickets.replies import Author, Reply
from tickets.states import Channel

MAI = "+84903123456"
OURS = "+14155550199"
PAST = timedelta(minutes=1)


async def line(desk: Desk) -> Account:
    return await desk.account(Channel.WHATSAPP, address=OURS)


async def say(desk: Desk, account: Account, body: str, sender: str = MAI, **more: str) -> Any:
    """A message as WhatsApp's users send it."""
    form = {"ProfileName": "Mai Phạm", "WaId": sender.removeprefix("+"), "SmsStatus": "received", **more}
    url = f"{PUBLIC}/hooks/twilio/{account.key}/whatsapp"
    return await desk.carrier.text(url, sender=f"whatsapp:{sender}", to=f"whatsapp:{OURS}", body=body, **form)


async def answer(desk: Desk, body: str, **more: Any) -> int:
    def write(tx: Connection) -> int:
        author = Author(make_user(tx))
        return replies.reply(tx, 1, Reply(body, **more), author=author, now=utcnow() - PAST).message_id

    return await desk.db.write(write)


async def deliver(desk: Desk) -> None:
    sender = TwilioSender(desk.services.vault, public_url=PUBLIC, api_url=API, http=desk.carrier.http)
    await DeliveryLoop(desk.services, {"whatsapp": sender}).run_once()


async def a_day_passes(desk: Desk) -> None:
    """The customer's messages become a day old."""
    earlier = utcnow() - windows.LENGTH - 2 * PAST
    await desk.db.write(lambda tx: tx.execute(update(Message).values(created_at=earlier)))


async def test_a_message_becomes_a_ticket_of_its_own_channel_with_the_profiles_name(desk: Desk) -> None:
    account = await line(desk)
    assert (await say(desk, account, "Đơn hàng của tôi đâu?")).status_code == 200
    await say(desk, account, "Alo?")
    [ticket] = await desk.rows(Ticket)
    [point] = await desk.rows(ContactPoint)
    assert (ticket.channel, ticket.subject, ticket.thread_key) == ("whatsapp", "Đơn hàng của tôi đâu?", MAI)
    assert (point.kind, point.value) == ("phone", MAI)
    assert [customer.name for customer in await desk.rows(Customer)] == ["Mai Phạm"]
    assert [(item.channel, item.state) for item in await desk.rows(JournalItem)] == [("whatsapp", "accepted")] * 2


async def test_whoever_writes_by_sms_and_whatsapp_is_one_customer_with_two_conversations(desk: Desk) -> None:
    account = await line(desk)
    by_sms = await desk.account()
    await say(desk, account, "by WhatsApp")
    await desk.carrier.text(f"{PUBLIC}/hooks/twilio/{by_sms.key}/sms", sender=MAI, to=by_sms.address, body="by SMS")
    assert await desk.count(Customer) == 1
    assert [ticket.channel for ticket in await desk.rows(Ticket)] == ["whatsapp", "sms"]


async def test_an_address_of_the_other_channel_is_kept_for_a_person_to_look_at(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    url = f"{PUBLIC}/hooks/twilio/{account.key}/whatsapp"
    await sqlite_desk.carrier.text(url, sender=MAI, to=OURS, body="an SMS")
    [item] = await sqlite_desk.rows(JournalItem)
    assert (item.state, "From is no sender" in item.reason) == ("quarantined", True)


def form(**more: str) -> dict[str, str]:
    return {"MessageSid": "SM1", "AccountSid": "AC", "From": f"whatsapp:{MAI}", "To": f"whatsapp:{OURS}", **more}


def test_buttons_lists_and_forwards_are_read() -> None:
    told = read_told(form(ButtonText="Yes, cancel", ButtonPayload="cancel-42", Forwarded="true"))
    assert (told.button, told.payload, told.forwarded) == ("Yes, cancel", "cancel-42", "once")
    told = read_told(form(ListTitle="Returns", ListId="r", FrequentlyForwarded="true", Forwarded="true"))
    assert (told.button, told.payload, told.forwarded) == ("Returns", "r", "often")
    plain = parse_inbound(list({**form(), "From": MAI, "To": OURS, "ProfileName": "x"}.items()))
    assert plain.told.name == ""


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("10.7769", "106.7009", Location("10.7769", "106.7009", "Chợ Bến Thành, Quận 1")),
        ("91", "106.7", None),
        ("nan", "106.7", None),
        ("somewhere", "", None),
    ],
)
def test_a_place_is_read_only_if_it_is_on_this_earth(latitude: str, longitude: str, expected: Location | None) -> None:
    place = {"Latitude": latitude, "Longitude": longitude, "Label": "Chợ Bến Thành", "Address": "Quận 1"}
    assert read_told(form(**place)).location == expected


def test_only_whatsapps_addresses_have_its_prefix() -> None:
    assert without_prefix(f"WhatsApp:{MAI}") == MAI
    assert without_prefix(MAI) is None
    assert without_prefix("") is None


async def test_a_place_a_button_and_a_forward_are_readable_in_the_conversation(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    await say(sqlite_desk, account, "Chợ Bến Thành", Latitude="10.7769", Longitude="106.7009", Label="Chợ Bến Thành")
    await say(sqlite_desk, account, "", ButtonText="Talk to us", ButtonPayload="agent", Forwarded="true")
    place, button = await sqlite_desk.rows(Message)
    assert place.text.splitlines() == [
        "Location: Chợ Bến Thành",
        "https://www.openstreetmap.org/?mlat=10.7769&mlon=106.7009#map=17/10.7769/106.7009",
    ]
    assert (button.text, button.meta["button"], button.meta["forwarded"]) == ("Talk to us", "agent", "once")


async def test_an_answer_shows_what_it_answers_to_of_ours_and_of_theirs(desk: Desk) -> None:
    account = await line(desk)
    await say(desk, account, "Red or blue?", MessageSid="SMfirst")
    await answer(desk, "We have both colours")
    await deliver(desk)
    [sent] = desk.carrier.messages
    for sid in (sent.sid, "SMfirst", "SMunknown"):
        await say(desk, account, "this one", OriginalRepliedMessageSid=sid)
    quoted = [message.meta.get("answers_to") for message in (await desk.rows(Message))[2:]]
    assert quoted == ["We have both colours", "Red or blue?", None]


async def test_a_picture_comes_with_the_accounts_credentials(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    sqlite_desk.carrier.files["ME1"] = ("image/jpeg", b"\xff\xd8picture")
    url = f"{API}/2010-04-01/Accounts/{sqlite_desk.carrier.account_sid}/Messages/MM1/Media/ME1"
    await say(sqlite_desk, account, "", NumMedia="1", MediaUrl0=url, MediaContentType0="image/jpeg")
    await sqlite_desk.db.write(lambda tx: tx.exec_driver_sql("UPDATE sms_media SET due_at = '2020-01-01 00:00:00'"))
    await MediaLoop(sqlite_desk.services, http=sqlite_desk.carrier.http).run_once()
    [file] = await sqlite_desk.rows(Attachment)
    assert (file.content_type, file.size) == ("image/jpeg", 9)


async def test_a_reply_within_24_hours_leaves_by_whatsapp_and_is_read(desk: Desk) -> None:
    account = await line(desk)
    await say(desk, account, "hello")
    message_id = await answer(desk, "Chào chị ạ")
    await deliver(desk)
    [sent] = desk.carrier.messages
    assert (sent.sender, sent.to, sent.body) == (f"whatsapp:{OURS}", f"whatsapp:{MAI}", "Chào chị ạ")
    for status in ("delivered", "read", "sent"):
        assert (await desk.carrier.receipt(sent, status)).status_code == 200
    [found] = [row for row in await desk.rows(Message) if row.id == message_id]
    assert found.delivery == "read"


async def test_after_24_hours_free_text_is_refused_before_it_leaves_until_they_write_again(desk: Desk) -> None:
    account = await line(desk)
    await say(desk, account, "hello")
    await a_day_passes(desk)
    with pytest.raises(Invalid, match="only for 24 hours"):
        await answer(desk, "too late")
    await say(desk, account, "still there?")
    await answer(desk, "in time")
    assert [row.text for row in await desk.rows(Message) if row.kind == "outbound"] == ["in time"]


async def test_the_window_belongs_to_one_number_and_one_account(desk: Desk) -> None:
    account = await line(desk)
    other = await desk.account(Channel.WHATSAPP, address="+14155550188")
    await say(desk, account, "hello")
    [point] = await desk.rows(ContactPoint)
    until = await desk.db.read(windows.open_until, account.id, [point.id, 999], now=utcnow())
    assert list(until) == [point.id]
    assert await desk.db.read(windows.open_until, other.id, [point.id], now=utcnow()) == {}
    assert await desk.db.read(windows.open_until, account.id, [point.id], now=until[point.id]) == {}


async def test_a_window_that_closed_on_the_way_is_told_in_words(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    await say(sqlite_desk, account, "hello")
    message_id = await answer(sqlite_desk, "late")
    await deliver(sqlite_desk)
    await sqlite_desk.carrier.receipt(sqlite_desk.carrier.messages[0], "undelivered", error=63016)
    [found] = [row for row in await sqlite_desk.rows(Message) if row.id == message_id]
    assert found.delivery == "failed"
    assert "only an approved template" in found.delivery_error


async def test_stop_is_confirmed_by_us_and_closes_the_number(desk: Desk) -> None:
    account = await line(desk)
    await say(desk, account, "hello")
    await say(desk, account, "STOP")
    await deliver(desk)
    assert [sent.body for sent in desk.carrier.messages] == [
        "You will get no more messages from us. Send START to get them again."
    ]
    assert [entry.wish for entry in await desk.rows(SmsConsent)] == ["stop"]
    with pytest.raises(Invalid, match="opted out"):
        await answer(desk, "one more thing")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ([("a.pdf", "application/pdf", 9), ("b.pdf", "application/pdf", 9)], "one file a message"),
        ([("a.exe", "application/octet-stream", 9)], "a.exe"),
        ([("a.mp4", "video/mp4", 17 * 1024 * 1024)], "at most 16 MB"),
    ],
)
def test_files_that_whatsapp_does_not_carry_are_refused(files: list[tuple[str, str, int]], why: str) -> None:
    stored = [StoredFile("0" * 64, *values) for values in files]
    with pytest.raises(Invalid) as refused:
        carrying.check(Channel.WHATSAPP, OURS, {}, stored)
    assert why in refused.value.detail
    carrying.check(Channel.WHATSAPP, OURS, {}, [StoredFile("0" * 64, "invoice.pdf", "application/pdf", 9)])
