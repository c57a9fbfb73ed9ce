"""Click-to-call: our phone first, then the customer's, into one conference; once, and only where nobody minds."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from channels.phone.flow.plan import Consent, Plan, write
from channels.phone.models import Call, CallCommand, CallLeg
from channels.phone.placing import Placed, place, place_to
from contact_center.accounts import users
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, DomainError, Invalid
from routing import beside, handling, placement, work
from routing.invariants import violations
from routing.models import WorkItem
from routing.pools import Medium
from routing.queries import own_state
from tests.channels.phone.conftest import Line
from tests.factories import make_account, make_ticket, make_user
from tickets import blocks, lifecycle, timers
from tickets.customers import contacts
from tickets.customers.wrong_person import NOT_THIS_PERSON
from tickets.models import ContactPoint, Message, Ticket
from tickets.replies import Author
from tickets.states import Channel

LINE, OWN, CUSTOMER = "+842873001234", "+842811112222", "+84903123456"


@dataclass
class Scene:
    """A line, an agent with a phone of their own, and a customer's ticket."""

    line: Line
    user_id: int
    ticket_id: int

    async def place(self, client_id: str = "c1", **values: Any) -> Placed:
        desk = self.line.desk
        author = Author(self.user_id, client_id)
        return await desk.db.write(place, desk.services.vault, self.ticket_id, author=author, now=utcnow(), **values)

    async def call(self) -> Any:
        [call] = await self.line.desk.rows(Call)
        return call

    async def legs(self) -> dict[str, str]:
        return {leg.role: leg.state for leg in await self.line.desk.rows(CallLeg)}

    async def entry(self) -> Any:
        [entry] = [one for one in await self.line.desk.rows(Message) if one.kind == "call"]
        return entry


def people(tx: Connection) -> tuple[int, int]:
    user_id = make_user(tx, name="Lan Anh")
    users.set_preferences(tx, user_id, {"phone": OWN}, now=utcnow())
    return user_id, make_ticket(tx, account_id=make_account(tx), sender=CUSTOMER).ticket_id


async def set_up(line: Line, **settings: Any) -> Scene:
    await line.desk.account(Channel.PHONE, address=LINE, settings={"region": "VN", **settings})
    return Scene(line, *await line.desk.db.write(people))


async def test_our_phone_rings_first_then_the_customers_and_both_talk(phone_line: Line) -> None:
    scene, twilio = await set_up(phone_line), phone_line.twilio
    await scene.place()
    await phone_line.go()
    [ours] = twilio.ringing()
    assert (ours.to, ours.sender) == (OWN, LINE)
    await twilio.answer(ours)
    await phone_line.go()
    [theirs] = twilio.ringing()
    assert (theirs.to, theirs.sender) == (CUSTOMER, LINE)
    await twilio.answer(theirs)
    await phone_line.go()
    call = await scene.call()
    assert (call.state, call.direction, call.ticket_id, call.user_id) == (
        "answered",
        "out",
        scene.ticket_id,
        scene.user_id,
    )
    assert set(twilio.inside().values()) == {"talking"}
    await twilio.hang_up(theirs)
    await phone_line.go()
    assert ((await scene.call()).state, ours.status) == ("completed", "completed")
    assert (await scene.entry()).text.startswith("Call to 0903 123 456")
    assert await scene.legs() == {"agent": "left", "caller": "left"}
    [ticket] = await phone_line.desk.rows(Ticket)
    assert ticket.waiting_since is None


@pytest.mark.parametrize(
    ("consent", "heard", "recordings"),
    [("announce", ["Wir zeichnen auf."], 1), ("none", [], 1), ("ask", [], 0)],
)
async def test_whom_we_call_is_told_before_a_line_that_records_does(
    sqlite_line: Line, consent: str, heard: list[str], recordings: int
) -> None:
    plan = Plan(record=True, consent=Consent(consent), texts={"consent": {"en": "Wir zeichnen auf."}})
    scene, twilio = await set_up(sqlite_line, plan=write(plan, enabled=True)), sqlite_line.twilio
    await scene.place()
    for _ in range(2):
        await sqlite_line.go()
        [rung] = twilio.ringing()
        await twilio.answer(rung)
    await sqlite_line.go()
    assert (rung.to, rung.heard, len(twilio.world.recordings)) == (CUSTOMER, heard, recordings)


async def test_a_talk_finishes_the_planned_call(sqlite_line: Line) -> None:
    scene, twilio = await set_up(sqlite_line), sqlite_line.twilio
    await sqlite_line.desk.db.write(timers.remind, scene.ticket_id, due_at=utcnow().replace(year=2099), now=utcnow())
    await scene.place()
    for _ in range(2):
        await sqlite_line.go()
        await twilio.answer(twilio.ringing()[0])
    await twilio.hang_up(twilio.room().people[0].leg)
    await sqlite_line.go()
    assert (await scene.call()).state == "completed"
    assert await sqlite_line.desk.db.read(timers.open_reminders, ticket_id=scene.ticket_id) == []


async def test_the_same_click_twice_is_one_call(phone_line: Line) -> None:
    scene = await set_up(phone_line)
    first = await scene.place()
    await phone_line.go()
    assert await scene.place() == first
    await phone_line.go(times=2)
    assert len(phone_line.twilio.ringing()) == 1
    assert len(await phone_line.desk.rows(CallCommand)) == 1


@pytest.mark.parametrize(
    ("how", "state", "said"),
    [
        ("busy", "busy", "0903 123 456 was busy"),
        ("no-answer", "no_answer", "0903 123 456 did not answer"),
        ("failed", "failed", "The call to 0903 123 456 failed"),
    ],
)
async def test_a_customer_who_cannot_be_reached_leaves_nobody_waiting(
    sqlite_line: Line, how: str, state: str, said: str
) -> None:
    scene, twilio = await set_up(sqlite_line), sqlite_line.twilio
    await scene.place()
    await sqlite_line.go()
    [ours] = twilio.ringing()
    await twilio.answer(ours)
    await sqlite_line.go()
    await twilio.refuse(twilio.ringing()[0], how)
    await sqlite_line.go(shuffled=3, times=2)
    assert ((await scene.call()).state, (await scene.entry()).text) == (state, said)
    assert ours.status == "completed"


async def test_the_customer_is_not_dialled_when_our_own_phone_does_not_answer(sqlite_line: Line) -> None:
    scene, twilio = await set_up(sqlite_line), sqlite_line.twilio
    await scene.place()
    await sqlite_line.go()
    await twilio.refuse(twilio.ringing()[0], "no-answer")
    await sqlite_line.go()
    call = await scene.call()
    assert (call.state, call.cause) == ("failed", "Your own phone did not answer.")
    assert [leg.to for leg in twilio.world.legs.values()] == [OWN]
    assert (await scene.entry()).meta["call"]["cause"] == call.cause


async def test_what_the_carrier_says_against_a_number_is_what_the_call_says(sqlite_line: Line) -> None:
    scene, twilio = await set_up(sqlite_line), sqlite_line.twilio
    twilio.rest.refusals[CUSTOMER] = (400, 13227, "Geo permission configuration is not permitting call")
    await scene.place()
    await sqlite_line.go()
    await twilio.answer(twilio.ringing()[0])
    await sqlite_line.go()
    call = await scene.call()
    assert call.state == "failed"
    assert "Geo permission" in call.cause
    assert twilio.world.running(f"call-{call.id}") is None


async def test_hanging_up_before_the_customer_answers_stops_their_phone(sqlite_line: Line) -> None:
    scene, twilio = await set_up(sqlite_line), sqlite_line.twilio
    await scene.place()
    await sqlite_line.go()
    [ours] = twilio.ringing()
    await twilio.answer(ours)
    await sqlite_line.go()
    [theirs] = twilio.ringing()
    await twilio.hang_up(ours)
    await sqlite_line.go()
    assert theirs.status == "canceled"
    assert (await scene.call()).state == "no_answer"


async def test_one_call_at_a_time(sqlite_line: Line) -> None:
    scene = await set_up(sqlite_line)
    await scene.place()
    with pytest.raises(Conflict, match="on the phone already"):
        await scene.place("c2")
    await sqlite_line.go()
    await sqlite_line.twilio.refuse(sqlite_line.twilio.ringing()[0])
    await sqlite_line.go()
    await scene.place("c3")
    assert len(await sqlite_line.desk.rows(Call)) == 2


async def refusal(scene: Scene) -> str:
    with pytest.raises(DomainError) as error:
        await scene.place()
    assert await scene.line.desk.rows(Call) == []
    return str(error.value)


async def test_a_blocked_number_is_refused_with_the_reason(sqlite_line: Line) -> None:
    scene = await set_up(sqlite_line)
    given = {"reason": "threats", "user_id": None, "now": utcnow()}
    await sqlite_line.desk.db.write(blocks.add, blocks.Scope.PHONE, CUSTOMER, **given)
    assert "threats" in await refusal(scene)


@pytest.mark.parametrize(("why", "said"), [("OPTED_OUT", "wants no calls"), ("WRONG", NOT_THIS_PERSON)])
async def test_who_opted_out_or_is_somebody_else_is_not_called(sqlite_line: Line, why: str, said: str) -> None:
    from_reason = {"OPTED_OUT": "The customer has opted out of SMS and must write START first."}
    scene = await set_up(sqlite_line)
    [point] = await sqlite_line.desk.rows(ContactPoint)
    reason = from_reason.get(why, NOT_THIS_PERSON)
    await sqlite_line.desk.db.write(contacts.suppress, point.id, reason, now=utcnow())
    assert said in await refusal(scene)


async def test_a_number_that_only_takes_no_sms_is_called(sqlite_line: Line) -> None:
    scene = await set_up(sqlite_line)
    [point] = await sqlite_line.desk.rows(ContactPoint)
    reason = "The customer's number is not a valid phone number."
    await sqlite_line.desk.db.write(contacts.suppress, point.id, reason, now=utcnow())
    await scene.place()
    assert len(await sqlite_line.desk.rows(Call)) == 1


async def test_who_has_no_phone_of_their_own_is_told_where_to_enter_it(sqlite_line: Line) -> None:
    scene = await set_up(sqlite_line)
    await sqlite_line.desk.db.write(users.set_preferences, scene.user_id, {"phone": ""}, now=utcnow())
    assert "settings" in await refusal(scene)


async def test_without_a_line_that_can_call_nobody_is_called(sqlite_line: Line) -> None:
    await sqlite_line.desk.account(Channel.PHONE, address=LINE, secrets={"cti_token": "t"})
    scene = Scene(sqlite_line, *await sqlite_line.desk.db.write(people))
    assert "No phone line" in await refusal(scene)


async def test_a_number_of_another_customer_is_not_called_from_this_ticket(sqlite_line: Line) -> None:
    scene = await set_up(sqlite_line)

    def other(tx: Connection) -> int:
        account_id = make_account(tx, address="+15005550009")
        ticket_id = make_ticket(tx, account_id=account_id, sender="+84912345678").ticket_id
        return tx.execute(select(Ticket.contact_point_id).where(Ticket.id == ticket_id)).scalar_one()

    stranger = await sqlite_line.desk.db.write(other)
    with pytest.raises(Invalid, match="no such phone number"):
        await scene.place(contact_point_id=stranger)


async def test_a_customer_is_called_in_their_open_matter_or_in_a_new_one(phone_line: Line) -> None:
    scene = await set_up(phone_line)
    desk = phone_line.desk
    [point] = await desk.rows(ContactPoint)

    def fresh(tx: Connection) -> int:
        values = {"customer_id": point.customer_id, "kind": "phone", "value": "+84912345678", "name": ""}
        return tx.execute(
            insert(ContactPoint).values(**values, created_at=utcnow()).returning(ContactPoint.id)
        ).scalar()

    second = await desk.db.write(fresh)
    author = Author(scene.user_id, "c1")
    placed = await desk.db.write(place_to, desk.services.vault, second, author=author, now=utcnow())
    assert placed.ticket_id == scene.ticket_id
    assert await desk.db.write(place_to, desk.services.vault, second, author=author, now=utcnow()) == placed
    await phone_line.go()
    await phone_line.twilio.refuse(phone_line.twilio.ringing()[0])
    await phone_line.go()
    await desk.db.write(lambda tx: tx.exec_driver_sql("UPDATE tickets SET status = 'closed'"))
    author = Author(scene.user_id, "c2")
    placed = await desk.db.write(place_to, desk.services.vault, second, author=author, now=utcnow())
    assert placed.ticket_id != scene.ticket_id
    assert (await desk.rows(Ticket))[-1].subject == "Call to 0912 345 678"


async def at_work(scene: Scene, user_id: int = 0) -> tuple[str, int]:
    """What the caller's (or another's) screen says that they do, and the weight in their live pool; no invariant is
    broken."""
    desk = scene.line.desk
    state = await desk.db.read(own_state, user_id or scene.user_id, utcnow())
    assert state is not None
    found = await desk.db.read(violations, utcnow())
    assert (found["pool_exceeded"], found["lost_or_doubled"], found["nothing_lost"]) == (0, 0, 0)
    return state.activity.value, state.live.held


async def test_who_calls_is_on_a_contact_from_their_own_ringing_phone_to_the_wrap_up(phone_line: Line) -> None:
    scene, twilio = await set_up(phone_line), phone_line.twilio
    owner = (await phone_line.desk.rows(Ticket))[0].assignee_id
    await scene.place()
    await phone_line.go()
    assert await at_work(scene) == ("on_contact", 100)
    for _ in range(2):
        await twilio.answer(twilio.ringing()[0])
        await phone_line.go()
    assert await at_work(scene) == ("on_contact", 100)
    await twilio.hang_up(twilio.room().people[0].leg)
    await phone_line.go()
    assert await at_work(scene) == ("acw", 100)
    assert (await phone_line.desk.rows(Ticket))[0].assignee_id == owner
    await phone_line.desk.db.write(handling.extend, scene.ticket_id, scene.user_id, now=utcnow())
    await phone_line.desk.db.write(handling.finish, scene.ticket_id, scene.user_id, now=utcnow())
    assert await at_work(scene) == ("idle", 0)
    [item] = [one for one in await phone_line.desk.rows(WorkItem) if one.beside]
    assert (item.state, item.agent_id, item.medium) == ("completed", scene.user_id, "call")
    assert item.assigned_at <= item.ended_at <= item.finished_at


@pytest.mark.parametrize("fails", ["ours", "theirs"])
async def test_a_failed_dial_gives_the_room_back(phone_line: Line, fails: str) -> None:
    scene, twilio = await set_up(phone_line), phone_line.twilio
    await scene.place()
    await phone_line.go()
    if fails == "theirs":
        await twilio.answer(twilio.ringing()[0])
        await phone_line.go()
    assert await at_work(scene) == ("on_contact", 100)
    await twilio.refuse(twilio.ringing()[0], "no-answer")
    await phone_line.go(shuffled=2, times=2)
    assert await at_work(scene) == ("idle", 0)
    [item] = [one for one in await phone_line.desk.rows(WorkItem) if one.beside]
    assert item.state == "canceled"


async def test_work_that_waits_on_the_ticket_still_waits_beside_the_call(phone_line: Line) -> None:
    scene, desk = await set_up(phone_line), phone_line.desk

    def wait(tx: Connection) -> int:
        placed = placement.place(tx, lifecycle.access(tx, scene.ticket_id), Medium.TASK, now=utcnow())
        opened = placed if placed is not None else work.open_of(tx, scene.ticket_id)
        assert opened is not None
        return int(opened.id)

    waiting = await desk.db.write(wait)
    await scene.place()
    await phone_line.go()
    assert await at_work(scene) == ("on_contact", 100)
    own = await desk.db.read(work.open_of, scene.ticket_id, lock=False)
    assert own is not None
    assert (own.id, own.state) == (waiting, "queued")


async def test_a_call_that_is_reported_again_after_its_end_takes_no_room(phone_line: Line) -> None:
    scene = await set_up(phone_line)
    await phone_line.go()
    for _ in range(2):
        await phone_line.desk.db.write(beside.begin, scene.ticket_id, scene.user_id, "call-77", now=utcnow())
    assert await at_work(scene) == ("on_contact", 100)
    for _ in range(2):
        await phone_line.desk.db.write(beside.end, "call-77", talked=False, now=utcnow())
    await phone_line.desk.db.write(beside.begin, scene.ticket_id, scene.user_id, "call-77", now=utcnow())
    assert await at_work(scene) == ("idle", 0)
    await phone_line.desk.db.write(beside.end, "call-78", talked=True, now=utcnow())
