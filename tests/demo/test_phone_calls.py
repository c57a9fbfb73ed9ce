"""Calls on the demo's phone: through the line's plan to a person, a voicemail or nobody, and from the shop."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, update

from channels.phone.commands import Verb
from channels.phone.handing_over import set_leg
from channels.phone.models import Call, CallLeg
from channels.phone.people import PHONE
from channels.phone.switchboard import Switchboard
from contact_center import wiring
from contact_center.accounts.users import set_preferences
from contact_center.core.clock import utcnow
from contact_center.core.relay import Relay
from contact_center.demo.cast import (
    NUMBER,
    PHONE_NUMBER,
    client_of,
)
from contact_center.demo.line_plan import GREETING
from routing import handling
from tests.demo.phone_stage import Stage
from tests.factories import make_user
from tickets.models import Attachment, Queue


async def test_a_caller_reads_the_plan_chooses_waits_talks_is_held_and_hangs_up(stage: Stage) -> None:
    call = (await stage.http.post("/demo/phone/call")).json()["call"]
    assert (call["state"], call["wants"], call["heard"][0]["text"]) == ("line", "key", GREETING["en"])
    await pass_time(stage, seconds=30)
    await stage.http.post("/demo/phone/key/9")
    await pass_time(stage, seconds=20)
    heard = (await stage.http.get("/demo/phone/state")).json()["call"]["heard"]
    assert [one["locale"] for one in heard if one["kind"] == "say"][-1] == "vi"
    assert [one["text"] for one in heard if one["kind"] == "play"] == ["/hooks/phone/music/15.wav"]
    user_id = await stage.services.db.write(accept)
    await run(stage, until="talking")
    call = (await stage.http.get("/demo/phone/state")).json()["call"]
    assert (call["people"], call["recording"]) == (["Emma Clarke"], "in-progress")
    [caller] = [row for row in await stage.rows(CallLeg) if row.role == "caller"]
    await stage.services.db.write(set_leg, 1, caller.id, Verb.HOLD, user_id=user_id, now=utcnow())
    await run(stage, until="held")
    await stage.http.post("/demo/phone/hang-up")
    await run(stage, until="ended")
    assert [row.state for row in await stage.rows(Call)] == ["completed"]
    assert [row.state for row in await stage.rows(CallLeg)] == ["left", "left"]
    assert [text["call"] for text in (await stage.http.get("/demo/phone/state")).json()["texts"]] == ["completed"]


async def test_whoever_calls_a_closed_queue_leaves_a_word(stage: Stage) -> None:
    await stage.services.db.write(lambda tx: tx.execute(update(Queue).values(routing={"closed": "today"})))
    await stage.http.post("/demo/phone/call")
    await stage.http.post("/demo/phone/key/1")
    await pass_time(stage, seconds=40)
    assert (await stage.http.get("/demo/phone/state")).json()["call"]["wants"] == "voice"
    said = (await stage.http.post("/demo/phone/key/hash")).json()["call"]
    assert said["state"] == "ended"
    await run(stage, until="ended")
    await stage.send()
    assert [row.outcome for row in await stage.rows(Call)] == ["voicemail"]
    assert "audio/mpeg" in [row.content_type for row in await stage.rows(Attachment)]


async def test_the_shop_calls_and_the_customer_picks_up_or_does_not(stage: Stage) -> None:
    for key, ending in (("answer", "completed"), ("hang-up", "busy")):
        rung = stage.exchange.ring(NUMBER, PHONE_NUMBER, "outbound-api")
        stage.exchange.progress(rung, "ringing")
        assert (await stage.http.get("/demo/phone/state")).json()["call"]["state"] == "incoming"
        await stage.http.post(f"/demo/phone/{key}")
        await stage.exchange.end(rung)
        assert rung.status == ending


async def test_a_caller_may_give_up_and_call_again_but_presses_no_key_that_there_is_not(stage: Stage) -> None:
    for path in ("call", "call", "hang-up", "call"):
        await stage.http.post(f"/demo/phone/{path}")
        await run(stage)
    assert (await stage.http.post("/demo/phone/key/x")).status_code == 404
    assert [row.state for row in await stage.rows(Call)] == ["missed", "ringing"]


async def test_calls_that_an_earlier_process_left_are_ended(stage: Stage) -> None:
    await stage.http.post("/demo/phone/call")
    await stage.http.post("/demo/phone/key/1")
    stage.exchange.world.legs.clear()
    await run(stage)
    assert [row.state for row in await stage.rows(Call)] == ["missed"]


async def pass_time(stage: Stage, *, seconds: float) -> None:
    """All that was said is over by so much."""
    for ear in stage.exchange.ears.values():
        shift = timedelta(seconds=seconds)
        ear.until -= shift
        ear.sounds = [replace(one, at=one.at - shift, until=one.until - shift) for one in ear.sounds]


def accept(tx: Connection) -> int:
    """Emma takes the caller; her phone rings."""
    user_id = make_user(tx, name="Emma Clarke")
    set_preferences(tx, user_id, {PHONE: client_of("Emma Clarke")}, now=utcnow())
    handling.assign(tx, 1, user_id, by_user_id=user_id, now=utcnow())
    return user_id


async def run(stage: Stage, *, until: str = "") -> None:
    """Handlers, switchboard and network, until the phone shows this state and nobody has anything to do."""
    relay, board = Relay(stage.services.db, wiring.HANDLERS), Switchboard(stage.services)
    for _ in range(40):
        for sid in stage.exchange._answers_at:
            stage.exchange._answers_at[sid] = utcnow()
        await stage.exchange.step()
        moved = await relay.run_once()
        worked = await board.run_once()
        state = (await stage.http.get("/demo/phone/state")).json()["call"]["state"]
        if not (moved or worked or stage.exchange.outbox) and until in ("", state):
            return
    raise AssertionError(f"{state} and not {until}")


async def test_a_call_that_is_over_stays_in_the_phones_list(stage: Stage) -> None:
    await stage.http.post("/demo/phone/call")
    state = (await stage.http.post("/demo/phone/hang-up")).json()
    assert [(text["call"], text["seconds"]) for text in state["texts"]] == [("completed", 0)]
    assert state["call"]["state"] == "ended"
