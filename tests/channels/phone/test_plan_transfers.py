"""Calls that a plan led to an agent, passed on: warm, cold and to three, without the caller losing line or place."""

from dataclasses import dataclass, replace
from typing import Any

from channels.phone import handing_over
from channels.phone.handing_over import Target
from channels.phone.models import CallLeg
from contact_center.core.clock import utcnow
from contact_center.demo.voice.world import Leg
from routing import profiles
from routing.models import WorkItem
from tests.channels.phone.conftest import Line
from tests.channels.phone.reception import CUSTOMER, DESK_PHONE, QUEUE, Reception, another_queue, open_reception

COLLEAGUES_PHONE, ELSEWHERE = "+842811113333", "+84912345678"
NEXT = "You are next in line."
CONNECTING = "We are connecting you now."
BELLS = "https://desk.test/hooks/phone/music/30.wav"


@dataclass
class Talk:
    """A caller whom the plan brought to an agent, a colleague at their phone, and a second queue."""

    reception: Reception
    caller: Leg
    agent: int
    colleague: int
    returns: int

    async def do(self, what: Any, *args: Any, by: int = 0, **values: Any) -> None:
        ticket = await self.reception.ticket()
        given = {"user_id": by or self.agent, "now": utcnow(), **values}
        await self.reception.do(what, ticket.id, *args, **given)
        await self.reception.settle()

    async def bring(self, what: Any, target: Target) -> None:
        await self.do(what, target, client_id="x1", region="VN")

    async def answer(self, number: str) -> None:
        [leg] = self.reception.line.twilio.ringing(number)
        await self.reception.line.twilio.answer(leg)
        await self.reception.settle()

    async def next_round(self) -> list[str]:
        """What the caller, who is on hold, hears when the music is over."""
        twilio = self.reception.line.twilio
        [place] = [one for one in twilio.room().inside if one.leg is self.caller]
        before = len(self.caller.heard)
        await twilio.hold_round(place)
        return self.caller.heard[before:]

    def inside(self) -> dict[str, str]:
        """number -> how they are, for everybody in the conference."""
        room = self.reception.line.twilio.room()
        return {
            CUSTOMER if one.leg is self.caller else one.leg.to: "held" if one.hold else "talking" for one in room.inside
        }


async def open_talk(line: Line, **plan: Any) -> Talk:
    reception = await open_reception(line, replace(QUEUE, **plan))
    agent = await reception.agent()
    caller = await reception.calls()
    await reception.accepts()
    returns = await another_queue(reception, "Returns")
    colleague = await reception.agent(COLLEAGUES_PHONE)
    await reception.do(profiles.set_row, colleague, returns, now=utcnow())
    talk = Talk(reception, caller, agent, colleague, returns)
    await talk.answer(DESK_PHONE)
    assert talk.inside() == {CUSTOMER: "talking", DESK_PHONE: "talking"}
    return talk


async def test_a_warm_transfer_of_a_led_call(phone_line: Line) -> None:
    talk = await open_talk(phone_line)
    await talk.bring(handing_over.consult, Target(user_id=talk.colleague))
    assert talk.inside() == {CUSTOMER: "held", DESK_PHONE: "talking"}
    # They wait for a colleague, in no queue: music, and no place.
    assert await talk.next_round() == [BELLS]
    await talk.answer(COLLEAGUES_PHONE)
    await talk.do(handing_over.complete)
    assert talk.inside() == {CUSTOMER: "talking", COLLEAGUES_PHONE: "talking"}
    assert (await talk.reception.ticket()).assignee_id == talk.colleague
    assert ((await talk.reception.call()).state, (await talk.reception.flow()).step) == ("answered", "talking")
    await phone_line.twilio.hang_up(talk.caller)
    await talk.reception.settle()
    assert [(row.agent_id, row.state) for row in await talk.reception.rows(WorkItem)] == [(talk.colleague, "wrapping")]
    assert (await talk.reception.call()).outcome == "answered"


async def test_who_is_passed_cold_to_a_queue_hears_their_place_and_the_lines_music(phone_line: Line) -> None:
    talk = await open_talk(phone_line)
    before = len(talk.caller.heard)
    await talk.do(handing_over.pass_on, queue_id=talk.returns, summary="Wants a refund")
    assert talk.inside() == {CUSTOMER: "held"}
    assert talk.caller.heard[before:] == [NEXT, BELLS]
    await talk.reception.accepts()
    assert (await talk.reception.ticket()).assignee_id == talk.colleague
    assert await talk.next_round() == [CONNECTING, BELLS]
    await talk.answer(COLLEAGUES_PHONE)
    assert talk.inside() == {CUSTOMER: "talking", COLLEAGUES_PHONE: "talking"}
    await phone_line.twilio.hang_up(talk.caller)
    await talk.reception.settle()
    assert [(row.agent_id, row.state) for row in await talk.reception.rows(WorkItem)] == [(talk.colleague, "wrapping")]


async def test_a_passed_caller_who_was_held_already_hears_their_place_in_their_language_next(sqlite_line: Line) -> None:
    talk = await open_talk(sqlite_line, locale="vi", say_wait=False, music="https://shop.test/waltz.mp3")
    [leg] = [row for row in await talk.reception.rows(CallLeg) if row.role == "caller"]
    await talk.do(handing_over.set_leg, leg.id, handing_over.Verb.HOLD)
    assert talk.caller.heard[-1] == "https://shop.test/waltz.mp3"
    await talk.do(handing_over.pass_on, queue_id=talk.returns)
    assert await talk.next_round() == ["Quý khách là người kế tiếp.", "https://shop.test/waltz.mp3"]


async def test_the_music_of_a_hold_goes_on_and_is_for_this_line_only(sqlite_line: Line) -> None:
    talk = await open_talk(sqlite_line)
    call = await talk.reception.call()
    url = f"https://desk.test/hooks/twilio/{talk.reception.account.key}/hold/{call.id}"
    heard = await sqlite_line.twilio.post(url, talk.caller.form())
    assert heard.text.endswith(f"<Play>{BELLS}</Play><Redirect>{url}</Redirect></Response>")
    assert (await sqlite_line.twilio.post(url.replace(f"/{call.id}", "/999"), talk.caller.form())).status_code == 404
    assert (await sqlite_line.desk.http.post(url, data=talk.caller.form())).status_code == 403


async def test_a_passed_caller_who_gives_up_ends_the_wait(phone_line: Line) -> None:
    talk = await open_talk(phone_line)
    await talk.do(handing_over.pass_on, queue_id=talk.returns)
    await phone_line.twilio.hang_up(talk.caller)
    await talk.reception.settle()
    assert (await talk.reception.call()).state == "completed"
    # The live wait is over, and the question stays with its age.
    assert await talk.reception.work() == [("live", "call", "canceled"), ("deferred", "task", "queued")]
    assert {leg.state for leg in await talk.reception.rows(CallLeg)} == {"left"}


async def test_three_talk_on_a_led_call_until_one_leaves(phone_line: Line) -> None:
    talk = await open_talk(phone_line)
    await talk.bring(handing_over.add, Target(number=ELSEWHERE))
    await talk.answer(ELSEWHERE)
    assert talk.inside() == dict.fromkeys((CUSTOMER, DESK_PHONE, ELSEWHERE), "talking")
    [outside] = [leg for leg in phone_line.twilio.world.legs.values() if leg.to == ELSEWHERE]
    await phone_line.twilio.hang_up(outside)
    await talk.reception.settle()
    assert talk.inside() == {CUSTOMER: "talking", DESK_PHONE: "talking"}
    assert talk.caller.live
