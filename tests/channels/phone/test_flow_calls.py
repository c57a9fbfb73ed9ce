"""Callers led by a plan, from the first word to a named end, with Twilio's own protocol at the other end."""

from dataclasses import replace

import pytest

from channels.phone.flow import callers
from channels.phone.flow.plan import Consent, Option, Way
from channels.phone.legs import LegState
from channels.phone.models import CallCommand, CallLeg
from contact_center.core.clock import utcnow
from tests.channels.phone.conftest import Line
from tests.channels.phone.reception import (
    CLOSED,
    CUSTOMER,
    DESK_PHONE,
    MENU,
    QUEUE,
    RECORDED,
    Reception,
    another_queue,
    close_queue,
    open_reception,
    replan,
)
from tickets.models import Attachment, Message, Ticket
from tickets.timers import Reminder


async def entry(reception: Reception) -> str:
    messages = [row for row in await reception.rows(Message) if row.kind == "call"]
    return str(messages[-1].text)


async def test_a_caller_chooses_queue_and_language_and_waits_there(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    billing = await another_queue(reception, "Billing")
    await replan(reception, replace(MENU, options=(Option("1"), Option("2", billing, "vi"))))
    caller = await reception.calls()
    assert caller.heard[0] == "Hello, and thank you for calling."
    assert "Để gặp Billing, hãy bấm phím 2." in caller.heard
    assert await reception.rows(Ticket) == []
    await reception.presses(caller, "2")
    ticket = await reception.ticket()
    assert (ticket.queue_id, ticket.locale) == (billing, "vi")
    assert await reception.work() == [("live", "call", "queued")]
    assert (await reception.flow()).step == "waiting"
    await reception.waits(caller)
    assert "Quý khách là người kế tiếp." in caller.heard


async def test_an_agent_accepts_and_caller_and_agent_talk_and_it_is_in_the_ledger(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    agent = await reception.agent()
    caller = await reception.calls()
    await reception.accepts()
    [phone] = phone_line.twilio.ringing()
    assert (phone.to, (await reception.flow()).step) == (DESK_PHONE, "ringing")
    await reception.waits(caller)
    assert caller.heard[-2] == "We are connecting you now."
    await phone_line.twilio.answer(phone)
    await reception.settle()
    assert set(phone_line.twilio.inside().values()) == {"talking"}
    assert len(phone_line.twilio.inside()) == 2
    assert (await reception.call()).state == "answered"
    await phone_line.twilio.hang_up(caller)
    await reception.settle()
    call = await reception.call()
    assert (call.state, call.user_id, call.outcome) == ("completed", agent, "answered")
    assert {leg.state for leg in await reception.rows(CallLeg)} == {"left"}
    assert phone.live is False


@pytest.mark.parametrize("how", ["busy", "no-answer"])
async def test_an_agent_who_does_not_pick_up_is_not_asked_again_and_the_caller_waits_on(
    phone_line: Line, how: str
) -> None:
    reception = await open_reception(phone_line)
    first = await reception.agent()
    caller = await reception.calls()
    await reception.accepts()
    [phone] = phone_line.twilio.ringing()
    await phone_line.twilio.refuse(phone, how)
    await reception.settle()
    assert ((await reception.flow()).step, (await reception.ticket()).assignee_id) == ("waiting", None)
    assert (await reception.work())[-1] == ("live", "call", "queued")
    second = await reception.agent("+842822223333")
    await reception.accepts()
    assert [one.to for one in phone_line.twilio.ringing()] == ["+842822223333"]
    assert (await reception.ticket()).assignee_id == second != first
    assert caller.live


async def test_an_agent_without_a_phone_is_told_and_the_caller_waits_on(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line)
    await reception.agent(phone="")
    await reception.calls()
    await reception.accepts()
    assert ((await reception.flow()).step, (await reception.ticket()).assignee_id) == ("waiting", None)
    assert "no_phone" in [row.meta.get("name") for row in await reception.rows(Message)]
    assert await reception.rows(CallCommand) == []


async def test_who_hangs_up_while_a_phone_rings_for_them_stops_it(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    await reception.agent()
    caller = await reception.calls()
    await reception.accepts()
    [phone] = phone_line.twilio.ringing()
    await phone_line.twilio.hang_up(caller)
    await reception.settle()
    assert (phone.live, (await reception.call()).outcome) == (False, "left_ringing")


@pytest.mark.parametrize(
    ("keys", "outcome", "queues"),
    [((), "left_menu", []), (("1",), "left_waiting", ["live", "deferred"])],
)
async def test_whoever_hangs_up_leaves_a_missed_call_and_a_name_for_where(
    phone_line: Line, keys: tuple[str, ...], outcome: str, queues: list[str]
) -> None:
    reception = await open_reception(phone_line, MENU)
    caller = await reception.calls()
    for key in keys:
        await reception.presses(caller, key)
    await phone_line.twilio.hang_up(caller)
    await reception.settle()
    call, ticket = await reception.call(), await reception.ticket()
    assert (call.state, call.outcome, ticket.subject) == ("missed", outcome, "Missed call from 0903 123 456")
    assert [pool for pool, _, _ in await reception.work()] == queues or queues == []
    assert (await reception.flow()).ended_at is not None


async def test_a_caller_asks_to_be_called_back_and_keeps_their_place(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    caller = await reception.calls()
    first = await reception.work()
    await reception.waits(caller)
    assert "To be called back without losing your place, press 1." in caller.heard
    await reception.presses(caller, "1")
    assert (caller.live, caller.heard[-1].endswith("0 9 0 3, 1 2 3, 4 5 6.")) == (False, True)
    assert first == [("live", "call", "queued")]
    assert await reception.work() == [("live", "call", "canceled"), ("deferred", "task", "queued")]
    call, [reminder] = await reception.call(), await reception.rows(Reminder)
    assert (call.outcome, reminder.kind) == ("callback", "callback")
    assert await entry(reception) == "0903 123 456 asked to be called back"
    assert (await reception.ticket()).subject == "0903 123 456 asked to be called back"


async def test_a_hidden_number_is_offered_no_call_back(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line)
    caller = await reception.calls("anonymous")
    await reception.waits(caller)
    await reception.presses(caller, "1")
    assert not any("called back" in text for text in caller.heard)
    assert (await reception.flow()).step == "waiting"


async def test_nobody_in_time_means_voicemail_which_is_played_on_the_ticket(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    caller = await reception.calls()
    await reception.has_waited(minutes=11)
    await reception.waits(caller)
    assert (await reception.flow()).step == "voicemail"
    assert await reception.work() == [("live", "call", "canceled"), ("deferred", "task", "queued")]
    await phone_line.twilio.speak(caller, 25)
    await reception.settle()
    await reception.fetch()
    voicemail = [row for row in await reception.rows(Message) if "voicemail" in row.meta]
    assert [row.text for row in voicemail] == ["Voicemail, 0:25"]
    [file] = await reception.rows(Attachment)
    assert (file.message_id, file.content_type) == (voicemail[0].id, "audio/mpeg")
    call = await reception.call()
    assert (call.state, call.outcome) == ("missed", "voicemail")
    assert (await reception.ticket()).subject == "Voicemail from 0903 123 456"


async def test_a_closed_queue_takes_messages(phone_line: Line) -> None:
    reception = await open_reception(phone_line, CLOSED)
    await close_queue(reception)
    caller = await reception.calls()
    assert caller.heard[0] == "Unfortunately nobody is here at the moment."
    assert (await reception.flow()).step == "voicemail"
    await phone_line.twilio.hang_up(caller)
    await reception.settle()
    assert (caller.live, (await reception.call()).outcome) == (False, "left_voicemail")


async def test_a_closed_queue_without_voicemail_says_so_and_hangs_up(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, replace(CLOSED, closed=Way.HANG_UP))
    await close_queue(reception)
    caller = await reception.calls()
    assert (caller.live, caller.heard) == (False, ["Unfortunately nobody is here at the moment."])
    call = await reception.call()
    assert (call.outcome, call.state, (await reception.ticket()).status) == ("closed", "missed", "new")


async def test_the_menu_ends_whatever_is_pressed(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, replace(MENU, wrong=Way.HANG_UP, tries=2))
    caller = await reception.calls()
    await reception.presses(caller, "9")
    assert "That key leads nowhere." in caller.heard
    await reception.presses(caller, "*")
    assert (caller.live, (await reception.call()).outcome) == (False, "no_choice")


@pytest.mark.parametrize(
    ("key", "consent", "verbs"), [("1", "given", ["dial", "connect", "record"]), ("2", "refused", ["dial", "connect"])]
)
async def test_only_a_caller_who_agrees_is_recorded(
    sqlite_line: Line, key: str, consent: str, verbs: list[str]
) -> None:
    reception = await open_reception(sqlite_line, RECORDED)
    await reception.agent()
    caller = await reception.calls()
    assert caller.heard[-1].startswith("May we record this call?")
    await reception.presses(caller, key)
    await reception.accepts()
    [phone] = sqlite_line.twilio.ringing()
    await sqlite_line.twilio.answer(phone)
    await reception.settle()
    assert (await reception.flow()).consent == consent
    assert [row.verb for row in await reception.rows(CallCommand)] == verbs


async def test_without_agreement_there_may_be_no_call(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, replace(RECORDED, refused=Way.HANG_UP))
    caller = await reception.calls()
    await reception.waits(caller)
    assert (caller.live, (await reception.call()).outcome) == (False, "no_consent")


async def test_the_announcement_of_a_recording_is_said_before_the_queue(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, replace(QUEUE, record=True, consent=Consent.ANNOUNCE))
    caller = await reception.calls()
    assert caller.heard[1] == "This call is recorded, so that we can serve you better."
    assert (await reception.flow()).consent == "announced"


async def test_an_answer_asked_for_again_is_the_same_and_moves_nobody(phone_line: Line) -> None:
    reception = await open_reception(phone_line, MENU)
    caller = await reception.calls()
    call = await reception.call()
    url = f"https://desk.test/hooks/twilio/{reception.account.key}/flow/{call.id}/0"
    form = {**caller.form(), "Digits": "1"}
    first = await phone_line.twilio.post(url, form)
    again = await phone_line.twilio.post(url, {**form, "Digits": "2"})
    assert (first.text, (await reception.flow()).turn) == (again.text, 1)
    await reception.settle()
    assert len(await reception.rows(Ticket)) == 1


async def test_every_callback_many_times_and_in_any_order_tells_the_same(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    await reception.agent()
    caller = await reception.calls()
    await reception.accepts()
    [phone] = phone_line.twilio.ringing()
    await phone_line.twilio.answer(phone)
    await reception.settle()
    await phone_line.twilio.hang_up(caller)
    await phone_line.twilio.settle(shuffled=7, times=3)
    await reception.settle()
    call = await reception.call()
    assert (call.state, call.outcome, len(await reception.rows(Ticket))) == ("completed", "answered", 1)


async def test_strangers_are_refused_and_nothing_moves(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line, MENU)
    caller = await reception.calls()
    call = await reception.call()
    url = f"https://desk.test/hooks/twilio/{reception.account.key}/flow/{call.id}/0"
    answer = await sqlite_line.desk.carrier.post(url, {**caller.form(), "Digits": "1"}, token="guess")
    assert (answer.status_code, (await reception.flow()).turn) == (403, 0)
    unknown = await sqlite_line.twilio.post(url.replace(f"/{call.id}/0", "/999/0"), caller.form())
    assert unknown.status_code == 404


async def test_a_caller_of_whom_nobody_hears_any_more_is_not_kept_for_ever(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    await reception.calls()
    await reception.do(callers.sweep, utcnow())
    assert (await reception.flow()).ended_at is None
    await reception.do(callers.sweep, utcnow() + callers.SILENT * 2)
    call = await reception.call()
    assert (call.state, call.outcome) == ("missed", "left_waiting")
    [leg] = await reception.rows(CallLeg)
    assert (leg.state, leg.number, CUSTOMER) == (LegState.LEFT.value, "", call.number)


async def test_music_is_one_round_long_and_nothing_else(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line)
    caller = await reception.calls()
    address = caller.heard[-1].removeprefix("https://desk.test")
    sound = await sqlite_line.desk.http.get(address)
    assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/x-wav")
    assert len(sound.content) == 44 + 30 * 8_000 * 2
    assert (await sqlite_line.desk.http.get("/hooks/phone/music/9999.wav")).status_code == 404


async def test_a_mailbox_that_picks_up_an_agents_own_phone_is_no_answer(phone_line: Line) -> None:
    reception = await open_reception(phone_line)
    await reception.agent()
    caller, twilio = await reception.calls(), phone_line.twilio
    await reception.accepts()
    [desk] = twilio.ringing()
    await twilio.answer(desk, accepts=False)
    await reception.settle()
    assert desk.heard == ["A call from the contact center: 0903 123 456. Press any key to take it."]
    assert (caller.conference, (await reception.flow()).step) == (None, "ringing")
    for _ in range(2):
        await twilio.silence(desk)
    await reception.settle()
    assert (desk.live, caller.live, (await reception.flow()).step) == (False, True, "waiting")
    assert (await reception.call()).answered_at is None


async def test_a_key_at_an_agents_own_phone_brings_both_together(sqlite_line: Line) -> None:
    reception = await open_reception(sqlite_line)
    await reception.agent()
    caller, twilio = await reception.calls(), sqlite_line.twilio
    await reception.accepts()
    await twilio.answer(twilio.ringing()[0])
    await reception.settle()
    assert (set(twilio.inside().values()), len(twilio.inside())) == ({"talking"}, 2)
    assert (caller.live, (await reception.call()).state) == (True, "answered")
