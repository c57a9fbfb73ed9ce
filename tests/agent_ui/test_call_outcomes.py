"""What came of a call: asked on its card, a callback planned, a wrong number followed up."""

import pytest
from sqlalchemy import Connection, select

from channels.phone import calls, lines
from channels.phone.models import Call
from channels.phone.parse import CallReport
from channels.phone.states import Direction, Ending, Facts
from contact_center.core.clock import utcnow
from tests.agent_ui.console import Console
from tests.factories import make_account
from tickets import timers
from tickets.models import Message
from tickets.states import Channel

NUMBER, LINE = "+84903123456", "+15005550007"


def rang(tx: Connection, ended: bool = True) -> tuple[int, int]:
    """A customer's call that agents were offered; (call, ticket)."""
    line = lines.line_by_id(tx, make_account(tx, Channel.PHONE, settings={"ring_agents": True}), source="twilio")
    steps = [Facts(rang_at=utcnow()), Facts(answered_at=utcnow())]
    if ended:
        steps.append(Facts(ended_at=utcnow(), ending=Ending.HUNG_UP))
    for facts in steps:
        report = CallReport("CA1", "AC1", Direction.IN, NUMBER, LINE, facts)
        calls.receive(tx, line, report, journal_id=None, now=utcnow())
    row = tx.execute(select(Call.id, Call.ticket_id)).one()
    return row.id, row.ticket_id


async def disposition(console: Console) -> str:
    metas = await console.db.read(
        lambda tx: tx.execute(select(Message.meta).where(Message.kind == "call")).scalars().all()
    )
    return metas[0]["call"].get("disposition", "")


async def test_the_card_asks_until_somebody_has_told(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    call_id, ticket_id = await console.write(rang)
    assert "What came of it?" in (await seat.page(f"/tickets/{ticket_id + 99}")).text
    assert (await seat.post(f"/calls/{call_id}/outcome", outcome="reached")).status_code == 204
    page = (await seat.page(f"/tickets/{ticket_id + 99}")).text
    assert ("What came of it?" in page, "Reached" in page) == (False, True)
    assert await disposition(console) == "reached"


async def test_a_callback_that_is_wanted_is_planned_once(console: Console) -> None:
    seat = await console.sit()
    call_id, ticket_id = await console.write(rang)
    for _ in range(2):
        await seat.post(f"/calls/{call_id}/outcome", outcome="callback:4h")
    [planned] = await console.db.read(timers.open_reminders, ticket_id=ticket_id)
    assert planned.kind == "callback"
    assert "Callback wanted" in (await seat.page(f"/tickets/{ticket_id + 99}")).text


async def test_a_wrong_number_leads_to_not_this_person(console: Console) -> None:
    seat = await console.sit()
    call_id, ticket_id = await console.write(rang)
    assert "Is the number somebody else" not in (await seat.page(f"/tickets/{ticket_id + 99}")).text
    await seat.post(f"/calls/{call_id}/outcome", outcome="wrong_number")
    assert "Is the number somebody else" in (await seat.page(f"/tickets/{ticket_id + 99}")).text


@pytest.mark.parametrize(("outcome", "status"), [("danced", 422), ("callback:yesterday", 422), ("", 422)])
async def test_anything_else_changes_nothing(console: Console, outcome: str, status: int) -> None:
    seat = await console.sit()
    call_id, _ = await console.write(rang)
    assert (await seat.post(f"/calls/{call_id}/outcome", outcome=outcome)).status_code == status
    assert await disposition(console) == ""


async def test_a_call_that_goes_on_has_no_outcome_yet(console: Console) -> None:
    seat = await console.sit()
    call_id, ticket_id = await console.write(rang, ended=False)
    assert "What came of it?" not in (await seat.page(f"/tickets/{ticket_id + 99}")).text
    assert (await seat.post(f"/calls/{call_id}/outcome", outcome="reached")).status_code == 409
    assert (await seat.post("/calls/999/outcome", outcome="reached")).status_code == 404
