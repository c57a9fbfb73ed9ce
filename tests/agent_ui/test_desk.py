"""Signing in, presence, offers, settings, files: an agent's own things."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from channels.phone.people import phone_of
from contact_center.accounts.models import User
from contact_center.accounts.passwords import NOBODY, hash_password, matches
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing import offers, presence, profiles
from routing.engine import Engine
from routing.models import AgentState, Offer
from routing.states import Presence
from tests.agent_ui.console import SCRIPT, Console, Seat
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_ticket
from tickets.models import Attachment, Message, Ticket
from tickets.numbers import number_of
from tickets.states import Channel

PAGE = {"accept": "text/html", "sec-fetch-site": "same-origin"}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 200


def set_password(tx: Connection, user_id: int) -> str:
    tx.execute(update(User).where(User.id == user_id).values(password=hash_password("correct horse battery")))
    return str(tx.execute(select(User.email).where(User.id == user_id)).scalar_one())


@pytest.fixture
async def seat(console: Console) -> Seat:
    return await console.sit(name="Anna Bergstrom")


async def test_a_person_signs_in_and_goes_where_they_wanted(console: Console, seat: Seat) -> None:
    email = await console.write(set_password, seat.user_id)
    form = {"email": f" {email.upper()} ", "password": "correct horse battery", "next": "/settings"}
    answer = await console.browser().post("/login", data=form, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    assert "httponly" in answer.headers["set-cookie"].lower()


def test_who_has_no_account_is_refused_at_the_costs_of_who_has_one() -> None:
    password = "correct horse battery"
    assert not matches(password, None)
    assert NOBODY.rsplit("$", 2)[0] == hash_password(password).rsplit("$", 2)[0]


async def test_browsers_find_our_mark_without_a_login(console: Console) -> None:
    answer = await console.browser().get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


async def test_a_wrong_password_says_so_and_keeps_the_address(console: Console) -> None:
    form = {"email": "anna@shop.test", "password": "wrong"}
    answer = await console.browser().post("/login", data=form, headers=PAGE)
    assert answer.status_code == 401
    assert 'value="anna@shop.test"' in answer.text
    assert "Wrong e-mail address or password." in answer.text


async def test_an_ended_session_is_renewed_in_place(console: Console, seat: Seat) -> None:
    email = await console.write(set_password, seat.user_id)
    form = {"email": email, "password": "correct horse battery"}
    answer = await console.browser().post("/login", data=form, headers=SCRIPT)
    assert answer.json() == {"user_id": seat.user_id}


@pytest.mark.parametrize(
    ("role", "home"), [(Role.AGENT, "/inbox"), (Role.SUPERVISOR, "/board"), (Role.QA, "/qa"), (Role.ADMIN, "/admin")]
)
async def test_everybody_has_a_home(console: Console, role: Role, home: str) -> None:
    answer = await (await console.sit(role)).page("/")
    assert answer.headers["location"] == home


async def test_signing_out_leaves_the_floor(console: Console, seat: Seat) -> None:
    await console.write(presence.set_presence, seat.user_id, Presence.AVAILABLE, now=NOW)
    await seat.post("/logout", PAGE)
    assert (await seat.page("/inbox")).status_code == 303
    state = await console.db.read(lambda tx: tx.execute(select(AgentState.presence)).scalar_one())
    assert state == "offline"


async def test_presence_is_set_with_its_reason(console: Console, seat: Seat) -> None:
    answer = await seat.post("/me/presence", state="away:Lunch")
    assert answer.status_code == 200
    assert 'data-state="away"' in answer.text
    assert "Lunch" in answer.text


async def test_an_unknown_presence_is_refused(seat: Seat) -> None:
    assert (await seat.post("/me/presence", state="flying")).status_code == 422


async def offer_chat(console: Console, seat: Seat) -> tuple[int, int]:
    """(offer, ticket): a chat waits and is offered to the person at the seat."""

    def prepare(tx: Connection) -> int:
        queue_id = make_queue(tx, "Orders")
        profiles.set_row(tx, seat.user_id, queue_id, now=utcnow())
        presence.set_presence(tx, seat.user_id, Presence.AVAILABLE, now=utcnow())
        account_id = make_account(tx, Channel.CHAT, queue_id=queue_id)
        given = {"channel": Channel.CHAT, "sender": "visit-1", "thread_key": "visit-1", "text": "Where is my order?"}
        return make_ticket(tx, account_id=account_id, now=utcnow(), **given).ticket_id or 0

    ticket_id = await console.write(prepare)
    await Relay(console.db, HANDLERS).run_once()
    await console.write(Engine(console.db).decide_all, utcnow())
    offer_id = await console.db.read(lambda tx: tx.execute(select(Offer.id)).scalar_one())
    return offer_id, ticket_id


async def test_an_offer_tells_all_and_is_accepted(console: Console, seat: Seat) -> None:
    offer_id, ticket_id = await offer_chat(console, seat)
    inbox = (await seat.page("/inbox")).text
    for expected in ("Chat · Orders", "Where is my order?", "Why me?", "Alt+A", "I am finishing something"):
        assert expected in inbox
    answer = await seat.post(f"/offers/{offer_id}/accept", SCRIPT)
    assert answer.json() == {"url": f"/tickets/{number_of(ticket_id)}"}
    again = await seat.post(f"/offers/{offer_id}/accept", SCRIPT)
    assert again.json() == answer.json()


async def test_a_declined_offer_goes_away(console: Console, seat: Seat) -> None:
    offer_id, _ = await offer_chat(console, seat)
    answer = await seat.post(f"/offers/{offer_id}/decline", SCRIPT, reason="language")
    assert answer.json() == {"declined": True}
    assert f'data-offer="{offer_id}"' not in (await seat.page("/inbox")).text


async def test_a_lost_race_is_no_error_page(console: Console, seat: Seat) -> None:
    offer_id, _ = await offer_chat(console, seat)
    await console.write(offers.decline, offer_id, seat.user_id, now=utcnow())
    answer = await seat.post(f"/offers/{offer_id}/accept", SCRIPT)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "You have declined this offer."


async def test_nobody_accepts_somebody_elses_offer(console: Console, seat: Seat) -> None:
    offer_id, _ = await offer_chat(console, seat)
    thief = await console.sit()
    assert (await thief.post(f"/offers/{offer_id}/accept", SCRIPT)).status_code == 404


async def test_waiting_work_is_taken(console: Console, seat: Seat) -> None:
    ticket_id = (await console.write(make_ticket)).ticket_id
    answer = await seat.post(f"/tickets/{number_of(ticket_id)}/take")
    assert answer.status_code == 200
    assert "Anna Bergstrom" in answer.text


async def test_settings_are_kept_and_shape_every_page(console: Console, seat: Seat) -> None:
    form = {"theme": "dark", "density": "compact", "locale": "vi", "single_keys": "1"}
    answer = await seat.post("/settings", PAGE, **form)
    assert answer.headers["location"] == "/settings?saved"
    page = (await seat.page("/inbox")).text
    assert '<html lang="vi" data-theme="dark" data-density="compact">' in page
    assert 'data-sound="off"' in page


async def test_unknown_settings_fall_back(console: Console, seat: Seat) -> None:
    await seat.post("/settings", PAGE, theme='"><script>', density="huge")
    assert "data-theme" not in (await seat.page("/inbox")).text.partition(">")[2].partition(">")[0]


async def test_another_device_is_signed_out(console: Console, seat: Seat) -> None:
    assert "Firefox · Linux" in (await seat.page("/settings")).text
    found = await seat.post("/settings/sessions/999/end", PAGE)
    assert found.status_code == 404


def attach(tx: Connection, digest: str, name: str) -> int:
    ticket_id = make_ticket(tx).ticket_id
    message_id = tx.execute(select(Message.id).where(Message.ticket_id == ticket_id)).scalar_one()
    values: dict[str, Any] = {"message_id": message_id, "digest": digest, "filename": name, "size": 3}
    return tx.execute(
        insert(Attachment).returning(Attachment.id), {**values, "content_type": "image/png", "inline": False}
    ).scalar_one()


async def test_an_attachment_is_sandboxed_whatever_it_calls_itself(console: Console, seat: Seat) -> None:
    digest = console.services.files.put(b"<script>alert(1)</script>")
    file_id = await console.write(attach, digest, "photo.png")
    answer = await seat.page(f"/files/{file_id}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_real_image_is_shown(console: Console, seat: Seat) -> None:
    file_id = await console.write(attach, console.services.files.put(PNG), "photo.png")
    answer = await seat.page(f"/files/{file_id}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"].startswith("inline")


async def test_files_are_for_people_who_are_signed_in(console: Console) -> None:
    file_id = await console.write(attach, console.services.files.put(PNG), "photo.png")
    assert (await console.browser().get(f"/files/{file_id}")).status_code == 401


async def test_a_snoozed_conversation_comes_back_later(console: Console, seat: Seat) -> None:
    ticket_id = (await console.write(make_ticket)).ticket_id
    menu = await seat.part(f"/tickets/{number_of(ticket_id)}/snoozes")
    assert "Tomorrow morning" in menu.text
    await seat.post(f"/tickets/{number_of(ticket_id)}/snooze", **{"for": "4h"})
    until = await console.db.read(lambda tx: tx.execute(select(Ticket.snoozed_until)).scalar_one())
    assert timedelta(hours=3) < until - utcnow() <= timedelta(hours=4)


async def test_ones_own_phone_is_kept_in_one_spelling(console: Console, seat: Seat) -> None:
    answer = await seat.post("/settings", PAGE, phone="+84 28 7300 1234")
    assert answer.headers["location"] == "/settings?saved"
    assert 'value="+842873001234"' in (await seat.page("/settings")).text
    assert await console.db.read(phone_of, seat.user_id) == "+842873001234"
    await seat.post("/settings", PAGE, phone="client:mai.tran")
    assert await console.db.read(phone_of, seat.user_id) == "client:mai.tran"


async def test_a_phone_number_that_is_none_is_said_and_stored_nowhere(console: Console, seat: Seat) -> None:
    answer = await seat.post("/settings", PAGE, phone="call me")
    assert "This is not a phone number that can be reached." in answer.text
    assert 'value="call me"' in answer.text
    assert await console.db.read(phone_of, seat.user_id) == ""
