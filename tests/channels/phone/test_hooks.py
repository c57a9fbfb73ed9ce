"""Calls through the real edges: Twilio's signed callbacks and the CTI webhook, in any order, once."""

import asyncio
from itertools import permutations
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection, update

from channels.phone import reports
from channels.phone.models import Call
from contact_center.accounts.models import User
from contact_center.core.clock import utcnow
from tests.channels.desk import PUBLIC, Desk
from tests.channels.sms.carrier import AUTH_TOKEN
from tests.conftest import NOW
from tests.factories import make_user
from tickets import blocks, inbox
from tickets.blocks import Block, Scope
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, ContactPoint, Customer, JournalItem, Message, Ticket
from tickets.states import Channel

CUSTOMER = "+84903123456"
LINE = "+15005550007"


async def line(desk: Desk, **settings: Any) -> Account:
    return await desk.account(
        Channel.PHONE,
        address=LINE,
        settings={"region": "VN", **settings},
        secrets={"account_sid": "AC1", "auth_token": AUTH_TOKEN},
    )


async def agent(desk: Desk, name: str = "Lan Anh") -> int:
    return await desk.db.write(lambda tx: make_user(tx, name=name, email="lan@shop.test"))


async def voice(desk: Desk, account: Account, status: str, call: str = "CA1", **more: str) -> httpx2.Response:
    form = {"From": CUSTOMER, "To": LINE, **more}
    return await desk.carrier.call(f"{PUBLIC}/hooks/twilio/{account.key}/voice", call, status, **form)


async def cti(desk: Desk, account: Account, event: str, *, headers: Any = None, **more: Any) -> httpx2.Response:
    told = {"event": event, "from": "0903 123 456", "to": LINE, "direction": "in", "callId": "c-1", **more}
    return await desk.http.post(f"{PUBLIC}/hooks/cti/{account.key}", json=told, headers=headers)


async def only(desk: Desk) -> tuple[Any, Any, Any]:
    [call], [ticket], [message] = await desk.rows(Call), await desk.rows(Ticket), (await entries(desk))
    return call, ticket, message


async def entries(desk: Desk) -> list[Any]:
    return [message for message in await desk.rows(Message) if message.kind == "call"]


async def test_a_missed_call_becomes_a_ticket_that_says_so(desk: Desk) -> None:
    account = await line(desk)
    for status in ("ringing", "no-answer"):
        assert (await voice(desk, account, status)).status_code == 200
    call, ticket, message = await only(desk)
    assert (call.state, call.number, call.ticket_id, call.message_id) == ("missed", CUSTOMER, ticket.id, message.id)
    assert (ticket.subject, ticket.status, ticket.channel) == ("Missed call from 0903 123 456", "new", "phone")
    assert (message.kind, message.text, message.author_kind) == ("call", ticket.subject, "customer")
    assert message.meta["call"]["state"] == "missed"
    assert [item.state for item in await desk.rows(JournalItem)] == ["accepted", "accepted"]


async def test_a_call_answered_by_a_colleague_is_theirs(desk: Desk) -> None:
    account = await line(desk)
    user_id = await agent(desk)
    await cti(desk, account, "newCall")
    assert await desk.count(Ticket) == 0
    await cti(desk, account, "answer", user=["Lan Anh"])
    await cti(desk, account, "hangup", cause="normalClearing")
    call, ticket, message = await only(desk)
    assert (call.state, call.user_id, call.agent) == ("completed", user_id, "Lan Anh")
    assert (ticket.assignee_id, ticket.status) == (user_id, "open")
    assert message.meta["call"]["state"] == "completed"
    assert message.text.startswith("Call from 0903 123 456")


@pytest.mark.parametrize("name", ["42", "lan@shop.test", "LAN ANH"])
async def test_colleagues_are_known_by_extension_address_or_name(sqlite_desk: Desk, name: str) -> None:
    account = await line(sqlite_desk, extensions={"42": "lan@shop.test"})
    user_id = await agent(sqlite_desk)
    await cti(sqlite_desk, account, "answer", answeringNumber=name)
    [call] = await sqlite_desk.rows(Call)
    assert call.user_id == user_id


async def test_a_call_taken_by_somebody_unknown_needs_nobody_any_more(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    for event in ("newCall", "answer", "hangup"):
        await cti(sqlite_desk, account, event, user=["Somebody"])
    call, ticket, _ = await only(sqlite_desk)
    assert (call.state, call.user_id, ticket.status) == ("completed", None, "resolved")


async def test_a_ringing_call_is_in_its_queue_at_once_where_agents_are_offered_calls(desk: Desk) -> None:
    account = await line(desk, ring_agents=True)
    await voice(desk, account, "ringing")
    call, ticket, message = await only(desk)
    assert (call.state, call.live, message.meta["call"]["live"]) == ("ringing", True, True)
    assert ticket.subject == "Incoming call from 0903 123 456"
    await voice(desk, account, "canceled")
    _, ticket, message = await only(desk)
    assert ticket.subject == "Missed call from 0903 123 456"
    assert message.meta["call"]["state"] == "missed"


async def test_reports_in_any_order_tell_the_same_story(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    leg = {"ParentCallSid": "", "Direction": "inbound"}
    story = [("ringing", {}), ("in-progress", {"ParentCallSid": "CA", "To": "+8428"}), ("completed", {})]
    for number, order in enumerate(permutations(story)):
        sid = f"CA{number}"
        for status, more in order:
            more = {**more, "ParentCallSid": sid} if more else {}
            await voice(sqlite_desk, account, status, call=f"{sid}x" if more else sid, **more)
        assert leg
    assert {call.state for call in await sqlite_desk.rows(Call)} == {"completed"}
    assert {call.number for call in await sqlite_desk.rows(Call)} == {CUSTOMER}
    assert await sqlite_desk.count(Ticket) == 6


async def test_the_same_report_many_times_at_once_counts_once(desk: Desk) -> None:
    account = await line(desk)
    answers = await asyncio.gather(*(voice(desk, account, "no-answer") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await desk.count(Call), await desk.count(Ticket), await desk.count(Message)) == (1, 1, 1)
    assert await desk.count(JournalItem) == 1


async def test_different_reports_of_one_call_at_once_make_one_ticket(desk: Desk) -> None:
    account = await line(desk, ring_agents=True)
    await asyncio.gather(*(voice(desk, account, status) for status in ("ringing", "in-progress", "completed")))
    call, _, message = await only(desk)
    assert (call.state, message.meta["call"]["state"]) == ("completed", "completed")


async def test_two_hidden_callers_are_two_customers(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    for call, number in (("CA1", "anonymous"), ("CA2", "+266696687")):
        await voice(sqlite_desk, account, "no-answer", call=call, From=number)
    assert await sqlite_desk.count(Customer) == 2
    assert {point.kind for point in await sqlite_desk.rows(ContactPoint)} == {"visitor"}
    assert {ticket.subject for ticket in await sqlite_desk.rows(Ticket)} == {"Missed call from a hidden number"}


async def test_our_own_call_joins_the_customers_open_matter_or_stays_in_the_ledger(desk: Desk) -> None:
    account = await line(desk)
    await voice(desk, account, "no-answer")
    out = {"direction": "out", "from": LINE, "to": "0903 123 456", "callId": "c-9"}
    for event in ("newCall", "answer", "hangup"):
        await cti(desk, account, event, **out)
    _, joined = await desk.rows(Call)
    [ticket] = await desk.rows(Ticket)
    assert (joined.ticket_id, joined.state) == (ticket.id, "completed")
    assert [entry.author_kind for entry in await entries(desk)] == ["customer", "agent"]
    await cti(desk, account, "hangup", **{**out, "to": "0912 345 678", "callId": "c-10"})
    assert [call.ticket_id for call in await desk.rows(Call)] == [ticket.id, ticket.id, None]


async def test_a_wrong_signature_token_or_address_is_refused_and_nothing_stored(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)
    form = {"CallSid": "CA1", "AccountSid": "AC1", "CallStatus": "ringing", "Direction": "inbound"}
    url = f"{PUBLIC}/hooks/twilio/{account.key}/voice"
    assert (await sqlite_desk.http.post(url, data=form)).status_code == 403
    assert (await sqlite_desk.carrier.post(url, form, token="guess")).status_code == 403
    assert (await sqlite_desk.http.post(f"{PUBLIC}/hooks/cti/nokey", json={})).status_code == 404
    assert (await cti(sqlite_desk, account, "ping")).status_code == 422
    assert await sqlite_desk.count(JournalItem) == 0


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [({"authorization": "Bearer t0k"}, "", 200), ({}, "?token=t0k", 200), ({}, "", 403), ({}, "?token=é", 403)],
)
async def test_a_line_may_want_a_token(sqlite_desk: Desk, headers: dict[str, str], query: str, status: int) -> None:
    account = await sqlite_desk.account(Channel.PHONE, address=LINE, secrets={"cti_token": "t0k"})
    told = {"event": "newCall", "from": "1", "to": "2", "direction": "in", "callId": "c"}
    answer = await sqlite_desk.http.post(f"{PUBLIC}/hooks/cti/{account.key}{query}", json=told, headers=headers)
    assert answer.status_code == status


async def test_a_line_that_forwards_rings_the_desk_phone_and_hears_of_every_step(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk, forward_to="+842812345678")
    url = f"{PUBLIC}/hooks/twilio/{account.key}/voice"
    first = await voice(sqlite_desk, account, "ringing")
    assert f'<Dial action="{url}"' in first.text
    assert ">+842812345678</Number>" in first.text
    leg = {"ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "+842812345678"}
    assert "<Dial" not in (await voice(sqlite_desk, account, "ringing", call="CA2", **leg)).text
    result = await voice(sqlite_desk, account, "in-progress", DialCallStatus="no-answer")
    assert result.text.endswith("<Response><Hangup/></Response>")
    await voice(sqlite_desk, account, "completed", CallDuration="25")
    call, ticket, _ = await only(sqlite_desk)
    assert (call.state, ticket.subject) == ("missed", "Missed call from 0903 123 456")


async def test_a_report_nobody_understands_is_kept_and_can_be_tried_again(desk: Desk) -> None:
    account = await line(desk)
    assert (await voice(desk, account, "daydreaming")).status_code == 200
    [item] = await desk.rows(JournalItem)
    assert (item.state, "daydreaming" in item.reason) == ("quarantined", True)
    fixed = item.raw.replace(b"daydreaming", b"no-answer")
    await desk.db.write(lambda tx: tx.execute(update(JournalItem).values(raw=fixed)))
    await desk.db.write(inbox.retry, item.id, now=NOW)
    await reports.run_once(desk.services)
    [item] = await desk.rows(JournalItem)
    assert item.state == "accepted"
    assert (await only(desk))[0].state == "missed"


async def test_a_failing_intake_keeps_the_report(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk)

    def break_calls(tx: Connection) -> None:
        tx.exec_driver_sql("ALTER TABLE calls RENAME TO away")

    await sqlite_desk.db.write(break_calls)
    assert (await cti(sqlite_desk, account, "newCall")).status_code == 200
    [item] = await sqlite_desk.rows(JournalItem)
    assert (item.state, "no such table" in item.reason) == ("quarantined", True)


async def test_vietnamese_lines_speak_vietnamese(sqlite_desk: Desk) -> None:
    account = await line(sqlite_desk, locale="vi")
    await voice(sqlite_desk, account, "no-answer")
    assert (await only(sqlite_desk))[1].subject == "Cuộc gọi nhỡ từ 0903 123 456"
    assert await sqlite_desk.count(User) == 0
    assert await sqlite_desk.count(ChannelAccount) == 1


@pytest.mark.parametrize("settings", [{}, {"ring_agents": True}, {"forward_to": "+15005550009"}])
async def test_a_blocked_number_rings_nobody_and_is_a_line_of_the_ledger(desk: Desk, settings: dict[str, Any]) -> None:
    account = await line(desk, **settings)
    user_id = await agent(desk)
    await desk.db.write(blocks.add, Scope.PHONE, CUSTOMER, reason="threats", user_id=user_id, now=utcnow())
    answer = await voice(desk, account, "ringing")
    assert "<Reject/>" in answer.text
    await voice(desk, account, "busy")
    [call] = await desk.rows(Call)
    assert (call.state, call.ticket_id, await desk.rows(Ticket)) == ("blocked", None, [])
    [block] = await desk.rows(Block)
    assert block.hits == 1
    await desk.db.write(blocks.lift, block.id, user_id=user_id, now=utcnow())
    assert "<Reject/>" not in (await voice(desk, account, "ringing", call="CA2")).text
    assert [call.state for call in await desk.rows(Call)] == ["blocked", "ringing"]


async def test_a_blocked_number_is_stopped_behind_any_exchange(desk: Desk) -> None:
    account = await line(desk)
    user_id = await agent(desk)
    await desk.db.write(blocks.add, Scope.PHONE, CUSTOMER, reason="", user_id=user_id, now=utcnow())
    for event in ("newCall", "hangup"):
        assert (await cti(desk, account, event, cause="cancel")).status_code == 200
    [call] = await desk.rows(Call)
    assert (call.state, await desk.rows(Ticket)) == ("blocked", [])
