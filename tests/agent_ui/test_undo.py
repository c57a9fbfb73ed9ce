"""Undo in the console: the wish in the settings, the button on the message, what comes back."""

from typing import Any

import pytest

from tests.agent_ui.console import SCRIPT, Console, Seat
from tests.agent_ui.test_ticket import make_mail, messages, path

PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}


async def send(console: Console, seat: Seat, ticket_id: int) -> tuple[Any, str]:
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    form = {"mode": "reply", "via": f"email:{point}", "text": "It ships.", "client_id": "c1"}
    html = (await seat.post(path(ticket_id, "/messages"), SCRIPT, **form)).json()["parts"][0]["html"]
    return (await console.db.read(messages, ticket_id))[-1], html


async def test_a_reply_comes_back_from_its_message(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    message, html = await send(console, seat, ticket_id)
    assert f'data-undo="{message.id}"' in html
    assert f'data-by="{seat.user_id}"' in html
    answer = await seat.post(f"/messages/{message.id}/undo", SCRIPT)
    told = {"ticket": ticket_id, "via": f"email:{message.contact_point_id}", "text": "It ships.", "files": []}
    told |= {"cc": [], "bcc": []}
    assert (answer.status_code, answer.json()) == (200, told)
    page = (await seat.page(path(ticket_id))).text
    assert ">It ships.</textarea>" in page
    assert "Not sent: undone" in page
    again = await seat.post(f"/messages/{message.id}/undo", SCRIPT)
    assert (again.status_code, again.json()["detail"]) == (409, "This message has already been sent.")


async def test_a_colleague_cannot_take_it_back(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    message, _ = await send(console, seat, ticket_id)
    other = await console.sit()
    assert (await other.post(f"/messages/{message.id}/undo", SCRIPT)).status_code == 404


@pytest.mark.parametrize(("wish", "seconds"), [("0", 0), ("5", 5), ("20", 20), ("7", 10)])
async def test_the_wait_is_a_personal_setting(console: Console, wish: str, seconds: int) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    assert (await seat.post("/settings", PAGE, undo=wish)).status_code == 303
    page = (await seat.page("/settings")).text
    assert f'name="undo" value="{seconds}" checked' in page
    message, _ = await send(console, seat, ticket_id)
    assert (message.send_after - message.created_at).total_seconds() == seconds
