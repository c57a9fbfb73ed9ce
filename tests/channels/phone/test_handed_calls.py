"""Calls that we made, handed to somebody else: whoever has the call has no room for another one, and is wrapped up."""

from typing import Any

import pytest

from channels.phone import handing_over
from channels.phone.handing_over import Target
from contact_center.accounts import users
from contact_center.core.clock import utcnow
from routing import handling, placement, work
from routing.models import WorkItem
from routing.pools import Medium
from routing.states import WorkItemState
from tests.channels.phone.conftest import Line
from tests.channels.phone.test_placing import Scene, at_work, set_up
from tests.factories import make_user
from tickets import lifecycle
from tickets.models import Ticket

MINHS_PHONE, ELSEWHERE = "+842811113333", "+84912345678"


async def talking(line: Line) -> tuple[Scene, int]:
    """Lan has called the customer, and both talk; Minh is at his phone."""
    scene = await set_up(line)

    def hire(tx: Any) -> int:
        user_id = make_user(tx, name="Minh Tran")
        users.set_preferences(tx, user_id, {"phone": MINHS_PHONE}, now=utcnow())
        return user_id

    minh = int(await line.desk.db.write(hire))
    await scene.place()
    await line.go()
    for _ in range(2):
        await picks_up(line)
    return scene, minh


async def picks_up(line: Line) -> None:
    await line.twilio.answer(line.twilio.ringing()[0])
    await line.go()


async def do(scene: Scene, what: Any, *args: Any, **values: Any) -> None:
    given = {"user_id": scene.user_id, "now": utcnow(), **values}
    await scene.line.desk.db.write(what, scene.ticket_id, *args, **given)
    await scene.line.go()


async def bring(scene: Scene, what: Any, target: Target) -> None:
    await do(scene, what, target, client_id="x1", region="VN")


async def done(scene: Scene, user_id: int) -> None:
    await scene.line.desk.db.write(handling.finish, scene.ticket_id, user_id, now=utcnow())


async def ends(scene: Scene) -> None:
    """The customer hangs up."""
    [customer] = [leg for leg in scene.line.twilio.world.legs.values() if leg.to == "+84903123456"]
    await scene.line.twilio.hang_up(customer)
    await scene.line.go()


@pytest.mark.parametrize("way", ["warm", "cold"])
async def test_who_takes_an_outgoing_call_over_is_on_a_contact_and_wrapped_up(phone_line: Line, way: str) -> None:
    scene, minh = await talking(phone_line)
    if way == "warm":
        await bring(scene, handing_over.consult, Target(user_id=minh))
        await picks_up(phone_line)
        assert await at_work(scene) == ("on_contact", 100)
        await do(scene, handing_over.complete)
    else:
        await bring(scene, handing_over.pass_to_phone, Target(user_id=minh))
        await picks_up(phone_line)
    assert await at_work(scene) == ("acw", 100)
    assert await at_work(scene, minh) == ("on_contact", 100)
    await done(scene, scene.user_id)
    assert await at_work(scene) == ("idle", 0)
    assert (await phone_line.desk.rows(Ticket))[0].assignee_id == minh
    await ends(scene)
    assert await at_work(scene, minh) == ("acw", 100)
    await done(scene, minh)
    assert await at_work(scene, minh) == ("idle", 0)
    beside = [row for row in await phone_line.desk.rows(WorkItem) if row.beside]
    assert [(row.agent_id, row.state) for row in beside] == [(scene.user_id, "completed"), (minh, "completed")]


async def test_a_colleague_who_was_only_asked_has_their_room(phone_line: Line) -> None:
    scene, minh = await talking(phone_line)
    await bring(scene, handing_over.consult, Target(user_id=minh))
    await picks_up(phone_line)
    await do(scene, handing_over.take_back)
    assert await at_work(scene) == ("on_contact", 100)
    await ends(scene)
    assert [row.agent_id for row in await phone_line.desk.rows(WorkItem) if row.beside] == [scene.user_id]


async def test_an_outgoing_call_passed_to_a_number_leaves_the_tickets_own_work(sqlite_line: Line) -> None:
    scene, _ = await talking(sqlite_line)

    def wait(tx: Any) -> None:
        placement.place(tx, lifecycle.access(tx, scene.ticket_id), Medium.TASK, now=utcnow())

    await sqlite_line.desk.db.write(wait)
    await bring(scene, handing_over.pass_to_phone, Target(number=ELSEWHERE))
    await picks_up(sqlite_line)
    assert await at_work(scene) == ("acw", 100)
    own = await sqlite_line.desk.db.read(work.open_of, scene.ticket_id, lock=False)
    assert own is not None
    assert own.state == WorkItemState.QUEUED.value
