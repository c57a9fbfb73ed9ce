"""A live call in an agent's hands: hold, mute, more people, and transfers in which no customer is lost."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from channels.phone import handing_over, legs
from channels.phone.commands import Verb, command
from channels.phone.flow.models import CallFlow
from channels.phone.handing_over import Target
from channels.phone.legs import LegState, Role
from channels.phone.models import Call, CallCommand, CallLeg
from contact_center.accounts import users
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from contact_center.demo.voice.world import Leg
from routing import contacts, handling
from routing.models import WorkItem
from tests.channels.phone.conftest import Line
from tests.factories import make_queue, make_ticket, make_user
from tickets.models import Message, Ticket
from tickets.states import Channel

LINE, CUSTOMER, ELSEWHERE = "+842873001234", "+84903123456", "+84912345678"
PHONES = {"Lan Anh": "+842811110001", "Minh Tran": "+842811110002"}


@dataclass
class Scene:
    """Lan talks with a customer who rang us; Minh is at his phone."""

    line: Line
    ticket_id: int
    lan: int
    minh: int
    customer: Leg

    async def do(self, what: Any, *args: Any, by: int = 0, **values: Any) -> Any:
        given = {"user_id": by or self.lan, "now": utcnow(), **values}
        done = await self.line.desk.db.write(what, self.ticket_id, *args, **given)
        await self.line.go()
        return done

    async def bring(self, what: Any, target: Any, client_id: str = "x1") -> None:
        await self.do(what, target, client_id=client_id, region="VN")

    async def set(self, role: str, verb: Verb) -> None:
        leg = next(leg for leg in await self.line.desk.rows(CallLeg) if leg.role == role)
        await self.do(handing_over.set_leg, leg.id, verb)

    async def answer(self, number: str) -> Leg:
        [leg] = self.line.twilio.ringing(number)
        await self.line.twilio.answer(leg)
        await self.line.go()
        return leg

    async def refuse(self, number: str) -> None:
        [leg] = self.line.twilio.ringing(number)
        await self.line.twilio.refuse(leg)
        await self.line.go()

    def inside(self) -> dict[str, str]:
        """number -> how they are, for everybody in the conference."""
        states = {}
        for one in self.line.twilio.room().inside:
            number = CUSTOMER if one.leg is self.customer else one.leg.to
            states[number] = "held" if one.hold else "muted" if one.muted else "talking"
        return states

    async def assignee(self) -> int | None:
        return next(one for one in await self.line.desk.rows(Ticket) if one.id == self.ticket_id).assignee_id


async def open_scene(line: Line) -> Scene:
    account = await line.desk.account(Channel.PHONE, address=LINE)
    twilio = line.twilio
    customer = Leg(twilio.world.sid("CA"), LINE, CUSTOMER, "inbound", utcnow(), status="in-progress")
    customer.answered_at = utcnow()
    twilio.world.legs[customer.sid] = customer

    def begin(tx: Connection) -> tuple[int, int, int, int]:
        ids = []
        for name, phone in PHONES.items():
            ids.append(make_user(tx, name=name))
            users.set_preferences(tx, ids[-1], {"phone": phone}, now=utcnow())
        ticket_id = make_ticket(tx, account_id=account.id, channel=Channel.PHONE, sender=CUSTOMER).ticket_id
        values = {"external_id": customer.sid, "source": "twilio", "direction": "in", "state": "ringing", "live": True}
        values |= {"number": CUSTOMER, "ticket_id": ticket_id, "rang_at": utcnow(), "created_at": utcnow()}
        made = insert(Call).values(channel_account_id=account.id, **values).returning(Call.id)
        call_id = tx.execute(made).scalar_one()
        contacts.answered(tx, ticket_id, ids[0], now=utcnow())
        key = {"client_key": f"caller-{call_id}", "external_id": customer.sid, "state": LegState.RINGING}
        legs.add_leg(tx, call_id, Role.CALLER, **key, now=utcnow())
        given = {"client_key": "lan", "number": PHONES["Lan Anh"], "user_id": ids[0]}
        leg = legs.add_leg(tx, call_id, Role.AGENT, **given, now=utcnow())
        command(tx, call_id, Verb.DIAL, leg_id=leg.id, now=utcnow())
        return ticket_id, ids[0], ids[1], call_id

    ticket_id, lan, minh, _ = await line.desk.db.write(begin)
    await line.go()
    scene = Scene(line, ticket_id, lan, minh, customer)
    await scene.answer(PHONES["Lan Anh"])
    assert scene.inside() == {PHONES["Lan Anh"]: "talking", CUSTOMER: "talking"}
    return scene


async def test_the_customer_is_held_and_comes_back(phone_line: Line) -> None:
    scene = await open_scene(phone_line)
    await scene.set("caller", Verb.HOLD)
    assert scene.inside()[CUSTOMER] == "held"
    assert [leg.held for leg in await phone_line.desk.rows(CallLeg) if leg.role == "caller"] == [True]
    await scene.set("caller", Verb.UNHOLD)
    await scene.set("agent", Verb.MUTE)
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Lan Anh"]: "muted"}
    await scene.set("agent", Verb.UNMUTE)
    assert set(scene.inside().values()) == {"talking"}


async def test_a_warm_transfer_moves_customer_and_ticket_when_it_is_completed(phone_line: Line) -> None:
    scene = await open_scene(phone_line)
    await scene.bring(handing_over.consult, Target(user_id=scene.minh))
    assert scene.inside()[CUSTOMER] == "held"
    with pytest.raises(Conflict, match="picked up"):
        await scene.do(handing_over.complete)
    await scene.answer(PHONES["Minh Tran"])
    assert (scene.inside()[CUSTOMER], await scene.assignee()) == ("held", scene.lan)
    await scene.do(handing_over.complete)
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Minh Tran"]: "talking"}
    assert await scene.assignee() == scene.minh
    assert (await phone_line.desk.rows(Call))[0].user_id == scene.minh


async def test_a_consulted_colleague_can_be_sent_away_again(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await scene.bring(handing_over.consult, Target(user_id=scene.minh))
    minh = await scene.answer(PHONES["Minh Tran"])
    await scene.do(handing_over.take_back)
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Lan Anh"]: "talking"}
    assert (minh.status, await scene.assignee()) == ("completed", scene.lan)


async def test_the_customer_comes_back_by_itself_when_nobody_can_be_consulted(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await scene.bring(handing_over.consult, Target(user_id=scene.minh))
    await scene.refuse(PHONES["Minh Tran"])
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Lan Anh"]: "talking"}


async def test_a_cold_transfer_keeps_the_customer_on_the_line_until_somebody_accepts(phone_line: Line) -> None:
    scene = await open_scene(phone_line)
    queue_id = await phone_line.desk.db.write(make_queue, "Returns")
    await scene.do(handing_over.pass_on, queue_id=queue_id, summary="Wants a refund")
    assert scene.inside() == {CUSTOMER: "held"}
    assert (await scene.assignee(), scene.customer.status) == (None, "in-progress")
    assert "Wants a refund" in [one.text for one in await phone_line.desk.rows(Message)]
    await phone_line.desk.db.write(handling.assign, scene.ticket_id, scene.minh, by_user_id=None, now=utcnow())
    await phone_line.go()
    await scene.answer(PHONES["Minh Tran"])
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Minh Tran"]: "talking"}
    assert await scene.assignee() == scene.minh


async def test_who_accepts_a_passed_call_and_does_not_pick_up_gives_it_back_to_the_queue(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    queue_id = await sqlite_line.desk.db.write(make_queue, "Returns")
    await scene.do(handing_over.pass_on, queue_id=queue_id, summary="Wants a refund")
    await sqlite_line.desk.db.write(handling.assign, scene.ticket_id, scene.minh, by_user_id=None, now=utcnow())
    await sqlite_line.go()
    await scene.refuse(PHONES["Minh Tran"])
    assert scene.inside() == {CUSTOMER: "held"}
    assert [item.state for item in await sqlite_line.desk.rows(WorkItem)] == ["queued"]


async def test_a_number_that_answers_has_the_customer_and_the_agent_is_free(phone_line: Line) -> None:
    scene = await open_scene(phone_line)
    await scene.bring(handing_over.pass_to_phone, Target(number="0912 345 678"))
    assert scene.inside()[CUSTOMER] == "held"
    await scene.answer(ELSEWHERE)
    assert scene.inside() == {CUSTOMER: "talking", ELSEWHERE: "talking"}
    assert [item.state for item in await phone_line.desk.rows(WorkItem)] == ["wrapping"]


async def test_a_number_that_does_not_answer_leaves_the_customer_with_the_agent(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await scene.bring(handing_over.pass_to_phone, Target(number=ELSEWHERE))
    await scene.refuse(ELSEWHERE)
    assert scene.inside() == {CUSTOMER: "talking", PHONES["Lan Anh"]: "talking"}
    assert await scene.assignee() == scene.lan


async def test_three_talk_and_one_of_them_is_taken_out(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    for _ in range(2):
        await scene.bring(handing_over.add, Target(number=ELSEWHERE))
    await scene.answer(ELSEWHERE)
    assert scene.inside() == dict.fromkeys((PHONES["Lan Anh"], CUSTOMER, ELSEWHERE), "talking")
    await scene.set("outside", Verb.DROP)
    assert ELSEWHERE not in scene.inside()


async def test_hanging_up_ends_it_for_everybody(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await scene.do(handing_over.hang_up)
    assert scene.customer.status == "completed"
    assert {leg.state for leg in await sqlite_line.desk.rows(CallLeg)} == {"left"}
    with pytest.raises(NotFound):
        await scene.do(handing_over.hang_up)


async def test_a_recording_is_paused_for_a_card_number(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    for verb in (Verb.RECORD, Verb.PAUSE_RECORDING, Verb.RESUME_RECORDING):
        await scene.do(handing_over.record, verb)
    [recording] = sqlite_line.twilio.world.recordings.values()
    assert (recording.orders, recording.status) == (["paused", "in-progress"], "in-progress")
    told = [row.meta["name"] for row in await sqlite_line.desk.rows(Message) if row.kind == "event"]
    assert told[-4:] == ["recording_announced", "recording_began", "recording_paused", "recording_resumed"]


async def test_the_record_button_tells_the_customer_first_once_and_obeys_who_said_no(phone_line: Line) -> None:
    scene = await open_scene(phone_line)
    await scene.do(handing_over.record, Verb.RECORD)
    assert scene.customer.heard == ["This call is recorded, so that we can serve you better."]
    await scene.do(handing_over.record, Verb.RECORD)
    assert len(scene.customer.heard) == 1
    assert [one.verb for one in await phone_line.desk.rows(CallCommand)].count("announce") == 1
    [call] = await phone_line.desk.rows(Call)
    values = {"call_id": call.id, "step": "talking", "locale": "en", "queue_id": 1, "consent": "refused", "turn": 1}
    values |= {"tries": 0, "said": "", "began_at": utcnow(), "seen_at": utcnow()}
    await phone_line.desk.db.write(lambda tx: tx.execute(insert(CallFlow).values(**values)))
    with pytest.raises(Conflict, match="does not want"):
        await scene.do(handing_over.record, Verb.RECORD)


async def test_only_who_is_on_the_call_can_move_it(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    before = len(await sqlite_line.desk.rows(CallCommand))
    with pytest.raises(Forbidden):
        await scene.do(handing_over.hang_up, by=scene.minh)
    assert len(await sqlite_line.desk.rows(CallCommand)) == before


@pytest.mark.parametrize(
    ("target", "error"),
    [
        (Target(number="nobody"), Invalid),
        (Target(number=CUSTOMER.replace("+84", "0")), DomainError),
        (Target(number=PHONES["Lan Anh"]), Conflict),
    ],
)
async def test_who_cannot_be_rung_is_said_before_the_customer_is_held(
    sqlite_line: Line, target: Target, error: type[Exception]
) -> None:
    scene = await open_scene(sqlite_line)
    if target.number.startswith("0903"):
        await sqlite_line.desk.db.write(lambda tx: tx.execute(legs.CallLeg.__table__.update().values(number=CUSTOMER)))
    with pytest.raises(error):
        await scene.bring(handing_over.consult, target)
    assert scene.inside()[CUSTOMER] == "talking"


async def test_a_colleague_without_a_phone_is_named(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await sqlite_line.desk.db.write(users.set_preferences, scene.minh, {"phone": ""}, now=utcnow())
    with pytest.raises(Invalid, match="Minh Tran"):
        await scene.bring(handing_over.consult, Target(user_id=scene.minh))


async def test_a_second_transfer_waits_for_the_first(sqlite_line: Line) -> None:
    scene = await open_scene(sqlite_line)
    await scene.bring(handing_over.consult, Target(user_id=scene.minh))
    with pytest.raises(Conflict, match="under way"):
        await scene.bring(handing_over.consult, Target(number=ELSEWHERE), client_id="x2")
    assert await sqlite_line.desk.db.read(lambda tx: tx.execute(select(CallLeg.id)).all().__len__()) == 3
