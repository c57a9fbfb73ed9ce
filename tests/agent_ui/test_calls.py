"""Calls beside a conversation: written down, planned, done; and the cost of an SMS while it is typed."""

from datetime import timedelta
from typing import Any

import pytest

from channels.phone.callbacks import on_reminder_due
from contact_center.core.clock import utcnow
from contact_center.core.events import Event, EventRow
from tests.agent_ui.console import Console, Seat
from tests.factories import make_ticket
from tickets import lifecycle, timers
from tickets.models import Message, Ticket
from tickets.states import Status


async def open_ticket(console: Console) -> tuple[int, str]:
    receipt = await console.write(make_ticket, sender="+84903123456")
    return receipt.ticket_id, f"/tickets/{receipt.ticket_id + 99}"


async def rows(console: Console, model: Any) -> list[Any]:
    table = model.__table__
    return await console.db.read(lambda tx: list(tx.execute(table.select().order_by(table.c.id)).all()))


async def test_a_call_is_logged_once_and_shown_in_the_conversation(console: Console) -> None:
    seat = await console.sit()
    _, path = await open_ticket(console)
    form = {"outcome": "out:completed", "minutes": "3", "text": "Delivery on Friday", "client_id": "c1"}
    for _ in range(2):
        assert (await seat.post(f"{path}/calls", **form)).status_code == 200
    calls = [message for message in await rows(console, Message) if message.kind == "call"]
    assert [(call.text, call.meta["call"]["talk_seconds"]) for call in calls] == [("Delivery on Friday", 180)]
    assert "Delivery on Friday" in (await seat.page(path)).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"text": ""}, "This field cannot be empty."),
        ({"minutes": "many"}, "Write a whole number from 0 to 600."),
        ({"outcome": "in:ringing"}, ""),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_nothing_is_lost(
    console: Console, change: dict[str, str], said: str
) -> None:
    seat = await console.sit()
    _, path = await open_ticket(console)
    form = {"outcome": "out:busy", "minutes": "3", "text": "Typed with care", **change}
    answer = await seat.post(f"{path}/calls", **form)
    assert said in answer.text
    assert form["text"] in answer.text
    assert [message.kind for message in await rows(console, Message)] == ["inbound"]


async def plan(seat: Seat, path: str, **form: str) -> str:
    return (await seat.post(f"{path}/callbacks", **{"when": "1h", "note": "Ask about the lamp", **form})).text


async def test_a_planned_call_is_listed_until_it_is_done(console: Console) -> None:
    seat = await console.sit()
    ticket_id, path = await open_ticket(console)
    assert "No call is planned." in (await seat.part(f"{path}/context/calls")).text
    assert "Ask about the lamp" in await plan(seat, path)
    [reminder] = await console.db.read(timers.open_reminders, ticket_id=ticket_id)
    done = await seat.post(f"{path}/callbacks/{reminder.id}/done")
    assert "No call is planned." in done.text


@pytest.mark.parametrize(("when", "at"), [("exact", "2020-01-01T10:00"), ("exact", "soon"), ("yesterday", "")])
async def test_only_a_moment_to_come_can_be_planned(console: Console, when: str, at: str) -> None:
    seat = await console.sit()
    ticket_id, path = await open_ticket(console)
    assert 'class="error"' in await plan(seat, path, when=when, at=at)
    assert await console.db.read(timers.open_reminders, ticket_id=ticket_id) == []


async def test_a_due_callback_opens_the_conversation_again(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    ticket_id, path = await open_ticket(console)
    await plan(seat, path)
    await console.write(lifecycle.set_status, ticket_id, Status.PENDING, user_id=None, now=utcnow())
    later = utcnow() + timedelta(hours=2)
    await console.write(timers.ring, later)
    row = (await rows(console, EventRow))[-1]
    event = Event(row.id, row.name, row.payload, row.created_at)
    assert event.name == "reminder.due"
    await console.write(on_reminder_due, event, later)
    [ticket] = await rows(console, Ticket)
    assert ticket.status == "open"
    assert "It is time for the planned call" in (await seat.page(path)).text


async def test_the_cost_of_an_sms_is_told_while_it_is_typed(console: Console) -> None:
    seat = await console.sit()
    plain = (await seat.post("/sms/measure", text="Xin chao")).json()
    marked = (await seat.post("/sms/measure", text="Đơn hàng " * 10)).json()
    assert (plain["segments"], plain["said"]) == (1, "1 SMS")
    assert (marked["segments"], "Đ" in marked["said"]) == (2, True)
