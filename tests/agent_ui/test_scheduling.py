"""Send later in the console: the moments that are offered, the card below the timeline, what is done to it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, update

from agent_ui.pages.scheduling import There, moments
from contact_center.core.clock import utcnow
from tests.agent_ui.console import SCRIPT, Console, Seat
from tests.agent_ui.test_ticket import make_mail, messages, path, row
from tickets import lifecycle
from tickets.hours import always_open, office_hours
from tickets.models import ContactPoint, Customer, Ticket
from tickets.scheduled import ScheduledReply

HANOI = "Asia/Ho_Chi_Minh"


def live_in(tx: Connection, zone: str) -> None:
    tx.execute(update(Customer).values(timezone=zone))


def add_number(tx: Connection, ticket_id: int, number: str) -> None:
    customer_id = lifecycle.access(tx, ticket_id).customer_id
    values = {"customer_id": customer_id, "kind": "phone", "value": number, "created_at": utcnow()}
    tx.execute(insert(ContactPoint).values(values))


async def later(
    console: Console, seat: Seat, ticket_id: int, when: str, client_id: str = "c1", **more: str
) -> dict[str, object]:
    point = (await console.db.read(messages, ticket_id))[0].contact_point_id
    form = {"mode": "reply", "via": f"email:{point}", "text": "It ships.", "client_id": client_id, "when": when, **more}
    answer = await seat.post(path(ticket_id, "/messages"), SCRIPT, **form)
    return {"status": answer.status_code, **answer.json()}


def tomorrow() -> str:
    return (utcnow() + timedelta(days=1)).replace(tzinfo=None).isoformat(timespec="minutes")


def test_mornings_are_the_customers() -> None:
    friday = datetime(2026, 11, 6, 20, 30, 17, tzinfo=UTC)
    found = dict(moments(friday, There(HANOI, always_open())))
    there = {key: at.astimezone(ZoneInfo(HANOI)).strftime("%a %d %H:%M") for key, at in found.items()}
    assert there == {
        "soon": "Sat 07 05:30",
        "tomorrow": "Sun 08 09:00",
        "afternoon": "Sun 08 14:00",
        "monday": "Mon 09 09:00",
    }


def test_the_next_opening_is_offered_while_closed_and_no_moment_twice() -> None:
    sunday = datetime(2026, 11, 8, 12, 0, tzinfo=UTC)
    found = moments(sunday, There("UTC", office_hours("UTC")))
    assert [key for key, _ in found] == ["soon", "open", "afternoon"]
    assert found[1][1] == datetime(2026, 11, 9, 9, 0, tzinfo=UTC)
    assert "open" not in dict(moments(datetime(2026, 11, 9, 10, 0, tzinfo=UTC), There("UTC", office_hours("UTC"))))


async def test_the_menu_speaks_of_the_customers_clock(console: Console) -> None:
    seat, ticket_id = await console.sit(locale="vi"), await console.write(make_mail)
    await console.write(live_in, HANOI)
    menu = (await seat.part(path(ticket_id, "/laters"))).text
    assert "Giờ của khách hàng: Ho Chi Minh" in menu
    assert "+07:00" in menu


async def test_where_nobody_knows_the_customers_clock_the_menu_says_that_it_is_ours(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(live_in, "")
    assert "Our own time" in (await seat.part(path(ticket_id, "/laters"))).text


async def test_the_country_of_a_number_tells_the_clock_where_it_has_only_one(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(live_in, "")
    await console.write(add_number, ticket_id, "+84951750115")
    assert "Time of the customer: Ho Chi Minh" in (await seat.part(path(ticket_id, "/laters"))).text


async def test_a_country_with_several_clocks_tells_none(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(live_in, "")
    await console.write(add_number, ticket_id, "+14155550014")
    assert "Our own time" in (await seat.part(path(ticket_id, "/laters"))).text


async def test_a_scheduled_reply_waits_below_the_timeline(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    await console.write(live_in, HANOI)
    answer = await later(console, seat, ticket_id, tomorrow())
    assert (answer["status"], answer["parts"][0]["to"]) == (200, "scheduled")  # type: ignore[index]
    kept = await console.db.read(row, ScheduledReply)
    # What was typed is a time of the customer's clock.
    assert kept.send_at.astimezone(ZoneInfo(HANOI)).replace(tzinfo=None).isoformat(timespec="minutes") == tomorrow()
    page = (await seat.page(path(ticket_id))).text
    assert "(Ho Chi Minh)" in page.partition('id="scheduled"')[2].partition('id="timeline"')[0]
    assert len(await console.db.read(messages, ticket_id)) == 1
    assert (await later(console, seat, ticket_id, tomorrow()))["status"] == 200
    assert await console.db.read(lambda tx: tx.execute(ScheduledReply.__table__.select()).all().__len__()) == 1


async def test_the_past_is_refused(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    for when in ("2020-01-01T09:00", "soon"):
        answer = await later(console, seat, ticket_id, when)
        assert (answer["status"], answer["detail"]) == (422, "Choose a moment in the future.")


async def test_it_is_moved_sent_and_taken_back_from_its_card(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    for client_id in ("c1", "c2"):
        await later(console, seat, ticket_id, tomorrow(), client_id)
    moved = await seat.post("/scheduled/1/move", SCRIPT, when=(utcnow() + timedelta(days=3)).isoformat())
    assert (moved.status_code, moved.json()["parts"][0]["to"]) == (200, "scheduled")
    back = await seat.post("/scheduled/1/back", SCRIPT)
    assert (back.json()["text"], back.json()["ticket"]) == ("It ships.", ticket_id)
    sent = await seat.post("/scheduled/2/send", SCRIPT)
    assert (sent.status_code, "later-card" in sent.json()["parts"][0]["html"]) == (200, False)
    assert (await console.db.read(messages, ticket_id))[-1].text == "It ships."
    assert (await seat.post("/scheduled/2/send", SCRIPT)).status_code == 409
    assert (await seat.post("/scheduled/9/move", SCRIPT, when=tomorrow())).status_code == 404


async def test_the_status_is_set_when_it_leaves_and_not_before(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    menu = (await seat.part(path(ticket_id, "/laters"))).text
    assert 'id="later-then"' in menu
    assert 'id="later-then"' not in (await seat.part(path(ticket_id, "/laters?of=1"))).text
    answer = await later(console, seat, ticket_id, tomorrow(), then="resolved")
    assert "and then resolved" in answer["parts"][0]["html"]  # type: ignore[index]
    assert (await console.db.read(row, Ticket)).status == "new"
    await seat.post("/scheduled/1/send", SCRIPT)
    assert (await console.db.read(row, Ticket)).status == "resolved"
