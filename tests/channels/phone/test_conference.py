"""What the carrier tells of legs and conferences, in any order, and what follows from it."""

from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import update

from channels.phone import reports
from channels.phone.legs import LegState, Role
from channels.phone.models import Call, CallCommand, CallLeg
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from tests.channels.desk import Desk
from tests.channels.phone.calls import Talk, begin
from tests.conftest import NOW
from tickets import inbox
from tickets.models import JournalItem
from tickets.states import Channel


async def relayed(desk: Desk) -> None:
    while await Relay(desk.db, HANDLERS).run_once():
        pass


async def verbs(desk: Desk) -> list[str]:
    await relayed(desk)
    return [row.verb for row in await desk.rows(CallCommand)]


async def joined(talk: Talk, leg_id: int, event: str = "participant-join", **more: str) -> None:
    known = {"ConferenceSid": "CF1", "CallSid": "CA-agent", **more}
    assert (await talk.says("conference", talk.call_id, StatusCallbackEvent=event, **known)).status_code == 200


async def test_when_an_agent_is_there_the_customer_is_brought_in_once(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg(external_id="CA-agent")
    for status in ("ringing", "in-progress"):
        assert (await talk.says("leg", leg.id, CallSid="CA-agent", CallStatus=status)).status_code == 200
    await joined(talk, leg.id)
    assert await verbs(desk) == ["connect"]
    await talk.run()
    [(_, path, form)] = talk.operator.asked
    assert path == "Calls/CA-caller.json"
    assert f">call-{talk.call_id}</Conference>" in form["Twiml"]
    await joined(talk, leg.id, CallSid="CA-caller")
    assert {row.state for row in await desk.rows(CallLeg)} == {"joined"}
    assert (await desk.rows(Call))[0].conference_id == "CF1"


async def test_callbacks_in_any_order_end_the_same(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    story = ("initiated", "ringing", "in-progress", "completed")
    for number, order in enumerate(permutations(story)):
        sid = f"CA-{number}"
        leg = await talk.leg(key=sid)
        for status in (*order, *order):
            await talk.says("leg", leg.id, CallSid=sid, CallStatus=status)
    ours = [row for row in await sqlite_desk.rows(CallLeg) if row.role == "agent"]
    assert {row.state for row in ours} == {"left"}
    assert all(row.external_id == row.client_key for row in ours)


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_a_leg_that_nobody_picked_up_says_why(sqlite_desk: Desk, status: str) -> None:
    talk = await begin(sqlite_desk)
    leg = await talk.leg()
    await talk.says("leg", leg.id, CallSid="CA-agent", CallStatus=status)
    assert [(row.state, row.reason) for row in await sqlite_desk.rows(CallLeg)][-1] == ("failed", status)
    assert await verbs(sqlite_desk) == []


async def test_when_the_last_of_us_leaves_the_call_ends_but_not_before(desk: Desk) -> None:
    talk = await begin(desk)
    first = await talk.leg(external_id="CA-agent", state=LegState.RINGING)
    second = await talk.leg(Role.COLLEAGUE, key="k2", external_id="CA-2", state=LegState.RINGING)
    for sid in ("CA-caller", "CA-agent", "CA-2"):
        await joined(talk, 0, CallSid=sid)
    await talk.says("leg", first.id, CallSid="CA-agent", CallStatus="completed")
    assert await verbs(desk) == []
    await talk.says("leg", second.id, CallSid="CA-2", CallStatus="completed")
    assert await verbs(desk) == ["hangup"]


async def test_when_the_customer_leaves_nobodys_phone_rings_on(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg(external_id="CA-agent", state=LegState.RINGING)
    await joined(talk, 0, "participant-leave", CallSid="CA-caller")
    assert await verbs(desk) == ["drop"]
    await talk.run()
    assert talk.operator.asked[0][1:] == ("Calls/CA-agent.json", {"Status": "completed"})
    assert leg.state == "ringing"


async def test_hold_and_mute_follow_the_carriers_own_numbering(desk: Desk) -> None:
    talk = await begin(desk)
    await talk.leg(external_id="CA-agent", state=LegState.JOINED)
    await joined(talk, 0, "participant-hold", SequenceNumber="4")
    await joined(talk, 0, "participant-unhold", SequenceNumber="3")
    await joined(talk, 0, "participant-mute", SequenceNumber="5")
    leg = (await desk.rows(CallLeg))[-1]
    assert (leg.held, leg.muted) == (True, True)


async def test_the_end_of_the_conference_ends_every_leg_in_it(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    await talk.leg(external_id="CA-agent", state=LegState.JOINED)
    await joined(talk, 0, "conference-end", CallSid="")
    assert [row.state for row in await sqlite_desk.rows(CallLeg)] == ["ringing", "left"]


async def test_strangers_and_other_lines_are_refused(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    leg = await talk.leg()
    url = f"https://desk.test/hooks/twilio/{talk.account.key}/leg/{leg.id}"
    form = {"CallSid": "CA-agent", "CallStatus": "completed"}
    assert (await sqlite_desk.carrier.post(url, form, token="guess")).status_code == 403
    other = replace(talk, account=await sqlite_desk.account(Channel.PHONE, address="+842873009999"))
    assert (await other.says("leg", leg.id, **form)).status_code == 404
    assert (await other.says("conference", talk.call_id, StatusCallbackEvent="conference-end")).status_code == 404
    assert (await sqlite_desk.rows(CallLeg))[-1].state == "wanted"


async def test_a_callback_nobody_understands_is_kept_and_can_be_tried_again(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    leg = await talk.leg()
    await talk.says("leg", leg.id, CallSid="CA-agent", CallStatus="daydreaming")
    [item] = await sqlite_desk.rows(JournalItem)
    assert (item.state, "daydreaming" in item.reason) == ("quarantined", True)
    await talk.do(lambda tx: tx.execute(update(JournalItem).values(raw=b"CallStatus=busy")))
    await talk.do(inbox.retry, item.id, now=NOW)
    await reports.run_once(sqlite_desk.services)
    assert (await sqlite_desk.rows(CallLeg))[-1].state == "failed"
