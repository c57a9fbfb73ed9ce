"""Commands of a call on their way to the carrier: in order, each at most once in doubt."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import Connection, update

from channels.phone import switchboard
from channels.phone.commands import Verb
from channels.phone.legs import LegState, Role
from channels.phone.models import CallCommand, CallLeg
from contact_center.core.clock import utcnow
from tests.channels.desk import Desk
from tests.channels.phone.calls import AGENT, LINE, answer, begin

LOST = httpx2.ReadTimeout("no answer")
NEVER_LEFT = httpx2.ConnectError("refused")


@pytest.fixture(autouse=True)
def long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put off stays put off until `due_now`, however slow the machine is."""
    monkeypatch.setattr(switchboard, "PAUSES", (timedelta(hours=1),) * len(switchboard.PAUSES))


async def states(desk: Desk) -> list[str]:
    return [row.state for row in await desk.rows(CallCommand)]


def due_now(tx: Connection) -> None:
    tx.execute(update(CallCommand).values(due_at=utcnow()))


async def test_an_agent_is_dialled_into_the_conference_and_told_where_to_report(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    talk.operator.answers = [answer(201, call_sid="CA-agent", conference_sid="CF1")]
    await talk.run()
    [(method, path, form)] = talk.operator.asked
    assert (method, path) == ("POST", f"Conferences/call-{talk.call_id}/Participants.json")
    assert (form["From"], form["To"], form["Label"]) == (LINE, AGENT, "k1")
    assert form["StatusCallback"] == f"https://desk.test/hooks/twilio/{talk.account.key}/leg/{leg.id}"
    _, dialled = await desk.rows(CallLeg)
    assert (dialled.state, dialled.external_id) == ("dialing", "CA-agent")
    assert await states(desk) == ["done"]


async def test_commands_of_a_call_follow_each_other_and_wait_for_a_doubtful_one(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg(external_id="CA-agent", state=LegState.JOINED)
    for verb in (Verb.HOLD, Verb.UNHOLD):
        await talk.wants(verb, leg_id=leg.id)
    listed = {"conferences": [{"sid": "CF1"}]}
    talk.operator.answers = [answer(**listed), LOST]
    await talk.run()
    assert await states(desk) == ["uncertain", "wanted"]
    await talk.do(due_now)
    talk.operator.answers = [answer(**listed), answer(hold=True)]
    await talk.run()
    assert await states(desk) == ["done", "done"]
    holds = [form.get("Hold") for _, path, form in talk.operator.asked if "Participants" in path]
    assert holds == ["true", None, "false"]
    assert (await desk.rows(CallLeg))[-1].held is False


async def test_a_number_is_never_dialled_again_when_nobody_knows(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    talk.operator.answers = [LOST]
    await talk.run()
    await talk.do(due_now)
    talk.operator.answers = [answer(calls=[])]
    await talk.run()
    assert [path.split()[0] for path in talk.operator.paths] == ["POST", "GET"]
    assert await states(desk) == ["failed"]
    assert [(row.state, row.reason) for row in await desk.rows(CallLeg)][-1] == ("failed", switchboard.NOT_DONE)


async def test_a_lost_answer_is_found_among_the_carriers_calls(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    talk.operator.answers = [LOST]
    await talk.run()
    await talk.do(due_now)
    old = {"sid": "CA-old", "date_created": "Mon, 02 Nov 2020 09:00:00 +0000"}
    new = {"sid": "CA-new", "date_created": "Fri, 02 Nov 2040 09:00:00 +0000"}
    talk.operator.answers = [answer(calls=[new, old])]
    await talk.run()
    assert (await desk.rows(CallLeg))[-1].external_id == "CA-new"
    assert await states(desk) == ["done"]


async def test_what_never_left_is_tried_again_and_then_given_up(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    for _ in range(len(switchboard.PAUSES)):
        talk.operator.answers = [NEVER_LEFT]
        await talk.run()
        assert await states(desk) == ["wanted"]
        await talk.do(due_now)
    talk.operator.answers = [NEVER_LEFT]
    await talk.run()
    assert await states(desk) == ["failed"]


@pytest.mark.parametrize("status", [404, 400])
async def test_hanging_up_on_somebody_who_has_gone_is_done(sqlite_desk: Desk, status: int) -> None:
    talk = await begin(sqlite_desk)
    await talk.wants(Verb.HANGUP)
    talk.operator.answers = [answer(status, code=switchboard.NOT_IN_PROGRESS, message="Call is not in-progress")]
    await talk.run()
    assert await states(sqlite_desk) == ["done"]


async def test_a_refusal_says_why(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    talk.operator.answers = [answer(400, code=21211, message="Invalid 'To' Phone Number")]
    await talk.run()
    [row] = await sqlite_desk.rows(CallCommand)
    assert (row.state, row.error) == ("failed", "21211 Invalid 'To' Phone Number")
    assert (await sqlite_desk.rows(CallLeg))[-1].state == "failed"


async def test_two_workers_do_a_command_once(desk: Desk) -> None:
    talk = await begin(desk)
    leg = await talk.leg()
    await talk.wants(Verb.DIAL, leg_id=leg.id)
    talk.operator.answers = [answer(201, call_sid="CA-agent")]
    await asyncio.gather(*(talk.switchboard.run_once() for _ in range(4)))
    assert len(talk.operator.asked) == 1


async def test_a_line_without_credentials_says_so(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk, secrets={})
    await talk.wants(Verb.HANGUP)
    await talk.run()
    assert [row.error for row in await sqlite_desk.rows(CallCommand)] == [switchboard.NOT_SET_UP]
    assert talk.operator.asked == []


async def test_the_customer_is_recorded_paused_and_resumed(sqlite_desk: Desk) -> None:
    talk = await begin(sqlite_desk)
    for verb in (Verb.RECORD, Verb.PAUSE_RECORDING, Verb.RESUME_RECORDING):
        await talk.wants(verb)
    await talk.run()
    assert [path for _, path, _ in talk.operator.asked] == [
        "Calls/CA-caller/Recordings.json",
        "Calls/CA-caller/Recordings/Twilio.CURRENT.json",
        "Calls/CA-caller/Recordings/Twilio.CURRENT.json",
    ]
    assert [form.get("Status") for _, _, form in talk.operator.asked] == [None, "paused", "in-progress"]


async def test_the_same_wish_for_a_leg_is_one_leg(desk: Desk) -> None:
    talk = await begin(desk)
    assert (await talk.leg()).id == (await talk.leg(Role.OUTSIDE)).id
    assert [row.role for row in await desk.rows(CallLeg)] == ["caller", "agent"]
