"""An open conversation: what it shows, what it costs, and what is done to it."""

from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import SCRIPT, Console, Seat, cost
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, unique
from tickets import replies, topics
from tickets.drafts import Draft
from tickets.models import Message, Ticket, TicketRead
from tickets.numbers import number_of
from tickets.replies import Author
from tickets.states import Channel


def make_mail(tx: Connection, **values: Any) -> int:
    account_id = make_account(tx, Channel.EMAIL)
    given = {"sender": "mai@example.com", "subject": "Kettle", "text": "Where is it?", **values}
    return make_ticket(tx, account_id=account_id, channel=Channel.EMAIL, **given).ticket_id or 0


def path(ticket_id: int, rest: str = "") -> str:
    return f"/tickets/{number_of(ticket_id)}{rest}"


def row(tx: Connection, model: Any, *where: Any) -> Any:
    return tx.execute(select(model.__table__).where(*where)).first()


def messages(tx: Connection, ticket_id: int) -> list[Any]:
    return list(tx.execute(select(Message.__table__).where(Message.ticket_id == ticket_id).order_by(Message.seq)))


def add_notes(tx: Connection, ticket_id: int, user_id: int, count: int) -> None:
    for number in range(count):
        replies.note(tx, ticket_id, f"note {number}", author=Author(user_id), now=NOW)


@pytest.fixture
async def seat(console: Console) -> Seat:
    return await console.sit(name="Anna Bergstrom")


async def test_a_conversation_shows_its_customer_and_messages(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail, quoted="> older words")
    answer = await seat.page(path(ticket_id))
    assert answer.status_code == 200
    for expected in ("Where is it?", "mai@example.com", f"#{number_of(ticket_id)}", "older words", 'role="log"'):
        assert expected in answer.text


async def test_an_invitation_says_what_when_where_and_by_whom(console: Console, seat: Seat) -> None:
    told = {
        "method": "request", "title": "See the <lamp>", "start": "2026-02-03T03:15:00+00:00",
        "end": "2026-02-03T04:15:00+00:00", "all_day": False, "place": "12 Hang Bai", "organizer": "Anna",
        "repeats": True,
    }  # fmt: skip
    ticket_id = await console.write(make_mail, meta={"invitation": told})

    text = (await seat.page(path(ticket_id))).text

    for expected in ("Invitation", "See the &lt;lamp&gt;", "12 Hang Bai", "Invited by Anna", "Repeats"):
        assert expected in text
    assert 'datetime="2026-02-03T03:15:00+00:00" data-as="full"' in text


async def test_a_missing_conversation_is_not_found(seat: Seat) -> None:
    assert (await seat.page("/tickets/99999")).status_code == 404


async def test_a_conversation_costs_the_same_whatever_its_length(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    ticket_id = await console.write(make_mail)
    short = await cost(seat, path(ticket_id), part=True)
    await console.write(add_notes, ticket_id, seat.user_id, 120)
    long = await cost(seat, path(ticket_id), part=True)
    assert long == short
    own_state, session = 3, 1
    assert long <= 9 + own_state + session


async def test_older_messages_come_page_by_page(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await console.write(add_notes, ticket_id, seat.user_id, 60)
    first = await seat.page(path(ticket_id))
    assert "Where is it?" not in first.text.partition('id="timeline"')[2].partition('id="outbox"')[0]
    address = first.text.partition("/timeline?before=")[2].partition('"')[0]
    older = await seat.part(path(ticket_id, f"/timeline?before={address}"))
    assert "Where is it?" in older.text


async def test_words_of_a_customer_are_never_markup(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail, text="<img src=x onerror=alert(1)> https://shop.test/a?b=1&c=2")
    answer = await seat.page(path(ticket_id))
    assert "<img src=x" not in answer.text
    assert 'href="https://shop.test/a?b=1&amp;c=2"' in answer.text


async def test_a_reply_is_written_once_per_client_id(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    form = {"mode": "reply", "via": "email:1", "text": "It ships today.", "client_id": "abc"}
    first = await seat.post(path(ticket_id, "/messages"), SCRIPT, **form)
    again = await seat.post(path(ticket_id, "/messages"), SCRIPT, **form)
    assert first.status_code == again.status_code == 200
    assert first.json()["parts"][0]["to"] == "timeline"
    written = [m for m in await console.db.read(messages, ticket_id) if m.kind == "outbound"]
    assert [(m.text, m.delivery) for m in written] == [("It ships today.", "queued")]


async def test_send_and_resolve_does_both(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await seat.post(path(ticket_id, "/messages"), SCRIPT, mode="reply", via="email:1", text="Done.", then="resolved")
    assert (await console.db.read(row, Ticket, Ticket.id == ticket_id)).status == "resolved"


async def test_a_note_is_internal(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    answer = await seat.post(path(ticket_id, "/messages"), SCRIPT, mode="note", via="email:1", text="Handle with care.")
    assert "Internal" in answer.json()["parts"][0]["html"]
    note = (await console.db.read(messages, ticket_id))[-1]
    assert (note.kind, note.public_seq) == ("note", None)


async def test_an_empty_reply_is_refused_and_nothing_is_written(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    answer = await seat.post(path(ticket_id, "/messages"), SCRIPT, mode="reply", via="email:1", text="  ")
    assert answer.status_code == 422
    assert len(await console.db.read(messages, ticket_id)) == 1


async def test_a_draft_survives_and_sending_ends_it(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await seat.post(path(ticket_id, "/draft"), SCRIPT, key="email:1", text="Dear Mai,", seq="1")
    assert ">Dear Mai,</textarea>" in (await seat.page(path(ticket_id))).text
    await seat.post(path(ticket_id, "/messages"), SCRIPT, mode="reply", via="email:1", text="Dear Mai, done.")
    assert await console.db.read(row, Draft) is None


async def test_a_draft_is_nobody_elses(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await seat.post(path(ticket_id, "/draft"), SCRIPT, key="note", text="my own thoughts", seq="1")
    other = await console.sit()
    assert "my own thoughts" not in (await other.page(path(ticket_id))).text


async def test_a_read_mark_is_kept(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    assert (await seat.post(path(ticket_id, "/read"), seq="1")).status_code == 204
    assert (await console.db.read(row, TicketRead)).seq == 1


@pytest.mark.parametrize(
    ("command", "form", "shown"),
    [
        ("status", {"status": "pending"}, "Pending"),
        ("status", {"status": "on_hold", "reason": "carrier"}, "On hold"),
        ("priority", {"priority": "urgent"}, "Urgent"),
        ("tags", {"tags": "vip, Late "}, "late"),
        ("snooze", {"for": "1h"}, "Snoozed"),
    ],
)
async def test_a_command_answers_with_the_new_head(
    console: Console, seat: Seat, command: str, form: dict[str, str], shown: str
) -> None:
    ticket_id = await console.write(make_mail)
    answer = await seat.post(path(ticket_id, f"/{command}"), **form)
    assert answer.status_code == 200
    assert shown in answer.text
    assert 'id="subject"' in answer.text


async def test_a_topic_is_set(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    topic_id = await console.write(topics.create, unique("Topic "), now=NOW)
    menu = await seat.part(path(ticket_id, "/topics"))
    assert f'value="{topic_id}"' in menu.text
    await seat.post(path(ticket_id, "/topic"), topic=str(topic_id))
    assert (await console.db.read(row, Ticket, Ticket.id == ticket_id)).topic_id == topic_id


@pytest.mark.parametrize(
    ("command", "form"),
    [("status", {"status": "on_hold"}), ("status", {"status": "lost"}), ("priority", {}), ("snooze", {"for": "never"})],
)
async def test_a_bad_command_says_why(console: Console, seat: Seat, command: str, form: dict[str, str]) -> None:
    ticket_id = await console.write(make_mail)
    answer = await seat.post(path(ticket_id, f"/{command}"), **form)
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_who_only_looks_sees_no_composer_and_may_not_write(console: Console) -> None:
    ticket_id = await console.write(make_mail)
    reviewer = await console.sit(Role.QA)
    assert 'id="composer"' not in (await reviewer.page(path(ticket_id))).text
    answer = await reviewer.post(path(ticket_id, "/messages"), SCRIPT, mode="note", text="x")
    assert answer.status_code == 403


async def test_another_sites_page_cannot_write(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    hostile = {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "accept": "application/json"}
    answer = await seat.post(path(ticket_id, "/messages"), hostile, mode="note", text="x")
    assert answer.status_code == 403
    assert len(await console.db.read(messages, ticket_id)) == 1


async def test_a_new_conversation_is_opened_by_mail(console: Console, seat: Seat) -> None:
    await console.write(make_mail)
    form = {"channel": "email", "to": "New@Example.com", "name": "Nora", "queue": "1", "subject": "Hello", "text": "Hi"}
    answer = await seat.post("/tickets", {"accept": "text/html", "sec-fetch-site": "same-origin"}, **form)
    assert answer.status_code == 303
    opened = await seat.page(answer.headers["location"])
    assert "Nora" in opened.text
    assert "new@example.com" in opened.text


async def test_a_bad_address_keeps_what_was_written(console: Console, seat: Seat) -> None:
    await console.write(make_mail)
    form = {"channel": "email", "to": "nobody", "queue": "1", "subject": "Hello", "text": "A long message"}
    answer = await seat.post("/tickets", {"accept": "text/html", "sec-fetch-site": "same-origin"}, **form)
    assert answer.status_code == 422
    assert "A long message" in answer.text
    assert "not an address" in answer.text
