"""Filters and saved views: what is set is shown, saved, counted, shared by those who may, and gone when deleted."""

from typing import Any

import pytest
from sqlalchemy import Connection

from agent_ui import rows
from contact_center.accounts.permissions import Role
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat
from tests.agent_ui.test_live import connected
from tests.factories import make_account, make_ticket, unique
from tickets.states import Channel

POST = {**PAGE, **SAME_ORIGIN}


def make_two(tx: Connection) -> tuple[int, int]:
    """(a mail, an SMS)"""
    mail = make_account(tx, Channel.EMAIL, address=unique("box") + "@shop.test")
    sms = make_account(tx, Channel.SMS, address=unique("+1500555"))
    first = make_ticket(tx, account_id=mail, channel=Channel.EMAIL, sender="mai@example.com", subject="Kettle")
    second = make_ticket(tx, account_id=sms, channel=Channel.SMS, sender="+14155550123", text="Where is my lamp?")
    return first.ticket_id or 0, second.ticket_id or 0


async def saved(seat: Seat, **form: str) -> str:
    """Save a view; where one is led."""
    given = {"name": "Mails", "channel": "email", "sort": "newest", **form}
    answer = await seat.post("/views", POST, **given)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_filter_leads_to_its_list_and_the_dialog_remembers_it(console: Console) -> None:
    seat = await console.sit()
    await console.write(make_two)
    answer = await seat.page("/inbox/filtered?channel=sms&status=new&who=nobody&sort=newest")
    assert answer.status_code == 303
    page = await seat.page(answer.headers["location"])
    assert "Where is my lamp?" in page.text
    assert "Kettle" not in page.text
    assert "Filtered list" in page.text
    dialog = await seat.part(answer.headers["location"].replace("/inbox?", "/inbox/filters?"))
    for chosen in ('value="sms" checked', 'value="new" checked', 'value="nobody" selected'):
        assert chosen in dialog.text
    assert 'value="email" checked' not in dialog.text


async def test_no_filter_is_the_list_of_all(console: Console) -> None:
    answer = await (await console.sit()).page("/inbox/filtered?tag=&who=")
    assert answer.headers["location"] == "/inbox?view=all&sort=waiting"


@pytest.mark.parametrize("query", ["status=flying", "queue=x", "who=everyone", "channel=fax"])
async def test_a_filter_that_means_nothing_is_refused(console: Console, query: str) -> None:
    assert (await (await console.sit()).page(f"/inbox/filtered?{query}")).status_code == 422


@pytest.mark.parametrize("key", ["f.%%%", "f.WzFd", "f.eyJ4", "s", "sx", "secret"])
async def test_a_made_up_list_is_not_found(console: Console, key: str) -> None:
    assert (await (await console.sit()).page(f"/inbox?view={key}")).status_code == 404


async def test_an_unknown_filter_in_an_address_is_refused(console: Console) -> None:
    key = rows.key_of({"password": ["x"]})
    assert (await (await console.sit()).page(f"/inbox?view={key}")).status_code == 422


async def test_a_saved_view_stands_in_the_list_with_its_number(console_on_both: Console) -> None:
    seat = await console_on_both.sit()
    await console_on_both.write(make_two)
    place = await saved(seat, name="  My   mails ")
    page = await seat.page(place)
    assert '<h1 class="grow cut">My mails</h1>' in page.text
    assert 'data-count="s1">1<' in page.text
    assert "mai@example.com" in page.text or "Kettle" in page.text
    assert "Where is my lamp?" not in page.text
    assert 'data-views-topic="views:' in page.text


async def test_a_conversation_keeps_its_list_beside_it_and_is_shown_without_it(console: Console) -> None:
    seat = await console.sit()
    mail, _ = await console.write(make_two)
    place = (await saved(seat)).partition("?")[2]
    page = await seat.page(f"/tickets/{mail + 99}?{place}")
    assert 'data-view="s1"' in page.text
    await seat.post("/views/1/delete", POST)
    page = await seat.page(f"/tickets/{mail + 99}?{place}")
    assert (page.status_code, 'data-view="mine"' in page.text) == (200, True)


async def test_a_view_without_a_name_says_so(console: Console) -> None:
    answer = await (await console.sit()).post("/views", POST, name=" ", channel="email")
    assert answer.status_code == 422
    assert "Give the view a name." in answer.text


async def test_ones_own_view_is_nobody_elses(console: Console) -> None:
    seat, other = await console.sit(), await console.sit(Role.SUPERVISOR)
    place = await saved(seat)
    assert (await other.page(place)).status_code == 404
    assert "Mails" not in (await other.page("/views")).text
    for path, form in (("rename", {"name": "Mine"}), ("share", {"shared": "1"}), ("delete", {})):
        assert (await other.post(f"/views/1/{path}", POST, **form)).status_code == 404


async def test_supervisors_share_and_agents_do_not(console: Console) -> None:
    agent, boss = await console.sit(), await console.sit(Role.SUPERVISOR)
    place = await saved(boss, shared="1")
    assert (await agent.page(place)).status_code == 200
    assert (await agent.post("/views/1/rename", POST, name="Mine")).status_code == 403
    assert (await agent.post("/views/1/share", POST)).status_code == 403
    await saved(agent, name="Own", shared="1")
    assert "Own" not in (await boss.page("/views")).text
    await boss.post("/views/1/share", POST)
    assert (await agent.page(place)).status_code == 404


async def test_a_view_is_renamed_and_deleted(console: Console) -> None:
    seat = await console.sit(locale="vi")
    place = await saved(seat)
    assert (await seat.post("/views/1/rename", POST, name="Thư")).status_code == 303
    assert 'value="Thư"' in (await seat.page("/views")).text
    refused = await seat.post("/views/1/rename", POST, name=" ")
    assert (refused.status_code, 'aria-invalid="true"' in refused.text) == (422, True)
    assert (await seat.post("/views/1/delete", POST)).status_code == 303
    assert (await seat.page(place)).status_code == 404
    assert "Chưa có danh sách nào được lưu" in (await seat.page("/views")).text


async def test_a_saved_view_and_its_number_follow_what_happens(console: Console) -> None:
    seat = await console.sit()
    await saved(seat)
    async with connected(console, seat.token) as line:
        await line.next("hello")
        await console.write(make_two)
        topic = f"list:s1:newest:{seat.user_id}"
        await line.send(type="join", topics={topic: None, f"views:{seat.user_id}": None})
        part: Any = (await line.next("fragments"))["parts"][0]
        assert (part["to"], "Kettle" in part["html"] or "Where is it" in part["html"] or "mai@" in part["html"]) == (
            "rows-first",
            True,
        )
        assert (await line.next("counts"))["counts"] == {"s1": 1}


async def test_nobody_joins_the_lists_of_another(console: Console) -> None:
    seat, other = await console.sit(), await console.sit()
    await saved(other)
    async with connected(console, seat.token) as line:
        await line.next("hello")
        for topic in (f"list:s1:newest:{other.user_id}", f"views:{other.user_id}", "list:s1:newest"):
            await line.send(type="join", topics={topic: None})
            assert (await line.next("refused"))["topic"] == topic
