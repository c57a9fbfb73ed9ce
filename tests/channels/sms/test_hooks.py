"""Inbound SMS through the real edge: signed, once, in its conversation; and what is refused."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from channels.sms import again
from channels.sms.models import SmsConsent
from contact_center.core.clock import utcnow
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms.carrier import AUTH_TOKEN
from tests.channels.sms.corpus import load
from tests.conftest import NOW
from tickets import blocks, inbox, lifecycle
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, ContactPoint, JournalItem, Message, Ticket
from tickets.states import Channel, Status

CUSTOMER = "+84903123456"


def url(account: Account, kind: str = "sms") -> str:
    return f"{PUBLIC}/hooks/twilio/{account.key}/{kind}"


async def text(desk: Desk, account: Account, body: str, **more: Any) -> Any:
    return await desk.carrier.text(url(account), **{"sender": CUSTOMER, "to": account.address, "body": body, **more})


async def test_a_text_becomes_a_ticket_and_the_next_one_is_appended(desk: Desk) -> None:
    account = await desk.account()
    first = await text(desk, account, "Đơn hàng của tôi đâu?")
    assert (first.status_code, first.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert first.text.endswith("<Response></Response>")
    await text(desk, account, "Alo?")
    [ticket] = await desk.rows(Ticket)
    messages = await desk.rows(Message)
    assert (ticket.subject, ticket.channel, ticket.thread_key) == ("Đơn hàng của tôi đâu?", "sms", CUSTOMER)
    assert [(message.seq, message.text) for message in messages] == [(1, "Đơn hàng của tôi đâu?"), (2, "Alo?")]
    assert [item.state for item in await desk.rows(JournalItem)] == ["accepted", "accepted"]


async def test_the_same_sid_many_times_at_once_is_one_message(desk: Desk) -> None:
    account = await desk.account()
    await text(desk, account, "first")
    answers = await asyncio.gather(*(text(desk, account, "hello", MessageSid="SMsame") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert [message.text for message in await desk.rows(Message)] == ["first", "hello"]
    assert [message.seq for message in await desk.rows(Message)] == [1, 2]


async def test_first_contacts_that_arrive_at_once_open_one_ticket(desk: Desk) -> None:
    account = await desk.account()
    await asyncio.gather(*(text(desk, account, f"part {n}") for n in range(8)))
    assert (await desk.count(Ticket), await desk.count(ContactPoint)) == (1, 1)
    assert sorted(message.seq for message in await desk.rows(Message)) == list(range(1, 9))


async def test_old_vietnamese_and_local_numbers_are_the_same_customer(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    for sender in ("+841683456789", "0383456789", "+84383456789"):
        await text(sqlite_desk, account, "hi", sender=sender)
    assert [point.value for point in await sqlite_desk.rows(ContactPoint)] == ["+84383456789"]


async def test_without_twilios_signature_nothing_is_stored(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    form = {"MessageSid": "SM1", "From": CUSTOMER, "To": account.address, "Body": "x", "AccountSid": "AC"}
    unsigned = await sqlite_desk.http.post(url(account), data=form)
    forged = await sqlite_desk.carrier.post(url(account), form, token="guess")
    elsewhere = await sqlite_desk.carrier.post(url(account).replace("https", "http"), form)
    assert [answer.status_code for answer in (unsigned, forged, elsewhere)] == [403, 403, 403]
    assert await sqlite_desk.count(JournalItem) == 0


async def test_the_signature_holds_behind_a_proxy_and_while_the_token_is_rotated(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account(secrets={"auth_token": "old", "auth_token_next": AUTH_TOKEN})
    sqlite_desk.http.headers["host"] = "10.0.0.7:8000"
    assert (await text(sqlite_desk, account, "hi")).status_code == 200


async def test_unknown_disabled_and_other_channels_addresses_are_not_found(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    phone = await sqlite_desk.account(Channel.PHONE)
    assert (await text(sqlite_desk, phone, "hi")).status_code == 404
    await sqlite_desk.db.write(lambda tx: tx.execute(update(ChannelAccount).values(enabled=False)))
    assert (await text(sqlite_desk, account, "hi")).status_code == 404
    assert (
        await sqlite_desk.carrier.text(f"{PUBLIC}/hooks/twilio/nokey/sms", sender="+1", to="+2", body="")
    ).status_code == 404


async def test_what_nobody_understands_is_kept_and_can_be_tried_again(desk: Desk) -> None:
    account = await desk.account(settings={"region": "VN"})
    strange = await text(desk, account, "hello", sender="whatsapp:+84903123456", MessageSid="SMx")
    form = {"MessageSid": "SM2", "AccountSid": "AC", "From": CUSTOMER, "Body": "no To"}
    broken = await desk.carrier.post(url(account), form)
    assert [strange.status_code, broken.status_code] == [200, 200]
    items = await desk.rows(JournalItem)
    assert [item.state for item in items] == ["quarantined", "quarantined"]
    assert "From is no sender" in items[0].reason
    assert items[1].reason == "To is missing"
    fixed = items[0].raw.replace(b"whatsapp%3A", b"")
    await desk.db.write(
        lambda tx: tx.execute(update(JournalItem).where(JournalItem.id == items[0].id).values(raw=fixed))
    )
    for item in items:
        await desk.db.write(inbox.retry, item.id, now=NOW)
    await again.run_once(desk.services)
    assert [item.state for item in await desk.rows(JournalItem)] == ["accepted", "quarantined"]
    assert [message.text for message in await desk.rows(Message)] == ["hello"]


async def test_when_even_the_quarantine_fails_the_carrier_hears_an_error(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    await sqlite_desk.db.write(lambda tx: tx.exec_driver_sql("DROP TABLE messages"))
    await sqlite_desk.db.write(lambda tx: tx.exec_driver_sql("ALTER TABLE journal RENAME TO lost"))
    with pytest.raises(Exception, match="no such table"):
        await text(sqlite_desk, account, "hi")


async def test_senders_that_take_no_replies_are_marked(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    await text(sqlite_desk, account, "Your code is 1234", sender="VIETCOMBANK")
    [point] = await sqlite_desk.rows(ContactPoint)
    assert (point.value, point.suppressed_reason) == ("VIETCOMBANK", "Senders of this kind take no replies.")


async def test_hostile_bodies_are_stored_unchanged(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    bodies = [body for body in load("naughty_strings.json") if body.strip() and "\x00" not in body][::6]
    for body in bodies:
        assert (await text(sqlite_desk, account, body)).status_code == 200
    assert [message.text for message in await sqlite_desk.rows(Message)] == bodies


def resolve_all(tx: Connection, now: datetime) -> None:
    for row in tx.execute(Ticket.__table__.select()).all():
        lifecycle.set_status(tx, row.id, Status.RESOLVED, user_id=None, now=now)


async def test_stop_is_noted_and_neither_opens_nor_wakes_a_ticket(desk: Desk) -> None:
    account = await desk.account()
    assert (await text(desk, account, "STOP")).status_code == 200
    assert await desk.count(Ticket) == 0
    [item] = await desk.rows(JournalItem)
    assert (item.state, item.reason) == ("suppressed", "sms_stop")
    await text(desk, account, "START")
    await text(desk, account, "I have a question")
    await desk.db.write(resolve_all, utcnow())
    await text(desk, account, " stop ")
    [ticket] = await desk.rows(Ticket)
    assert ticket.status == "resolved"
    assert [entry.meta.get("name") for entry in await desk.rows(Message)][-1] == "sms_stop"
    assert [(row.wish, row.source) for row in await desk.rows(SmsConsent)] == [
        ("stop", "keyword"),
        ("start", "keyword"),
        ("stop", "keyword"),
    ]
    [point] = await desk.rows(ContactPoint)
    assert "opted out" in point.suppressed_reason


async def test_a_stop_long_after_the_matter_was_resolved_opens_no_new_one(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    await text(sqlite_desk, account, "I have a question")
    await sqlite_desk.db.write(resolve_all, utcnow() - timedelta(days=8))
    await text(sqlite_desk, account, "STOP")
    assert (await sqlite_desk.count(Ticket), await sqlite_desk.count(SmsConsent)) == (1, 1)


async def test_a_repeated_stop_is_one_line_in_the_ledger(desk: Desk) -> None:
    account = await desk.account()
    await asyncio.gather(*(text(desk, account, "STOP", MessageSid="SMstop") for _ in range(5)))
    assert await desk.count(SmsConsent) == 1


@pytest.mark.parametrize("body", ["START", "yes", "tiếp tục", "Please stop it", "HELP", "trợ giúp"])
async def test_these_are_plain_messages_of_somebody_who_gets_ours(sqlite_desk: Desk, body: str) -> None:
    account = await sqlite_desk.account()
    await text(sqlite_desk, account, body)
    assert [message.text for message in await sqlite_desk.rows(Message)] == [body]
    assert await sqlite_desk.count(SmsConsent) == 0


async def test_the_carriers_own_keywords_count_even_if_we_do_not_know_them(sqlite_desk: Desk) -> None:
    account = await sqlite_desk.account()
    await text(sqlite_desk, account, "Pare", OptOutType="STOP")
    [row] = await sqlite_desk.rows(SmsConsent)
    assert (row.wish, row.word) == ("stop", "Pare")


async def test_a_blocked_numbers_text_is_released_by_a_person(desk: Desk) -> None:
    account = await desk.account()
    await desk.db.write(blocks.add, blocks.Scope.PHONE, CUSTOMER, reason="ads", user_id=None, now=NOW)
    assert (await text(desk, account, "buy now")).status_code == 200
    [item] = await desk.rows(JournalItem)
    assert (item.state, await desk.count(Ticket)) == ("suppressed", 0)
    await desk.db.write(inbox.release, item.id, now=NOW)
    await again.run_once(desk.services)
    assert [item.state for item in await desk.rows(JournalItem)] == ["accepted"]
    assert [message.text for message in await desk.rows(Message)] == ["buy now"]
