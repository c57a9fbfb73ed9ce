"""Calls from the console: the customer's numbers, who is on the line, and commands that only they may give."""

from sqlalchemy import Connection, select

from channels.phone.models import Call, CallCommand
from contact_center.accounts import users
from contact_center.core.clock import utcnow
from tests.agent_ui.console import Console, Seat
from tests.factories import make_account, make_ticket
from tickets import channel_accounts
from tickets.models import ContactPoint
from tickets.states import Channel

SECRETS = {"account_sid": "AC1", "auth_token": "t"}


async def set_up(console: Console, seat: Seat, *, phone: str = "+842811112222") -> tuple[str, str]:
    """The address of a customer's ticket, and the contact point of their number."""

    def begin(tx: Connection) -> tuple[int, int]:
        users.set_preferences(tx, seat.user_id, {"phone": phone}, now=utcnow())
        line = make_account(tx, Channel.PHONE, settings={"region": "VN"})
        channel_accounts.change(tx, console.services.vault, line, now=utcnow(), values={}, secrets=SECRETS)
        ticket_id = make_ticket(tx, sender="+84903123456").ticket_id
        return ticket_id, tx.execute(select(ContactPoint.id)).scalar_one()

    ticket_id, point_id = await console.write(begin)
    return f"/tickets/{ticket_id + 99}", str(point_id)


async def calls(console: Console) -> int:
    return len(await console.db.read(lambda tx: tx.execute(select(Call.id)).all()))


async def test_a_click_on_the_number_calls_it_once_and_shows_the_bar(console: Console) -> None:
    seat = await console.sit(name="Lan Anh")
    path, point = await set_up(console, seat)
    assert "Call 0903 123 456" in (await seat.part(f"{path}/context/calls")).text
    for _ in range(2):
        answer = await seat.post(f"{path}/call", contact_point=point, client_id="c1")
        assert answer.status_code == 200
    assert "Lan Anh" in answer.text
    assert f'data-people="{seat.user_id}"' in answer.text
    assert "Dialling" in answer.text
    assert await calls(console) == 1
    assert 'class="callbar"' in (await seat.page(path)).text


async def test_a_customer_is_called_once_from_their_page_or_it_says_why_not(console: Console) -> None:
    seat = await console.sit(name="Lan Anh")
    path, point = await set_up(console, seat)
    asked = f"/customers/1/addresses/{point}/call"
    assert asked in (await seat.page("/customers/1")).text
    for _ in range(2):
        answer = await seat.post(asked, client_id="c1")
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert await calls(console) == 1
    busy = await seat.post(asked, client_id="c2")
    assert (busy.status_code, "You are on the phone already." in busy.text) == (422, True)


async def test_why_somebody_cannot_be_called_is_said(console: Console) -> None:
    seat = await console.sit()
    path, point = await set_up(console, seat, phone="")
    answer = await seat.post(f"{path}/call", contact_point=point, client_id="c1")
    assert (answer.status_code, "Enter your phone" in answer.text) == (422, True)
    assert await calls(console) == 0
    assert (await seat.part(f"{path}/call")).text.strip() == ""


async def test_a_call_is_moved_by_who_is_on_it_only(console: Console) -> None:
    seat = await console.sit()
    path, point = await set_up(console, seat)
    await seat.post(f"{path}/call", contact_point=point, client_id="c1")
    stranger = await console.sit()
    assert (await stranger.post(f"{path}/call/hang-up")).status_code == 403
    assert (await seat.post(f"{path}/call/dance")).status_code == 404
    assert (await seat.post(f"{path}/call/record")).status_code == 409
    assert (await seat.post(f"{path}/call/hang-up")).status_code == 200
    found = await console.db.read(lambda tx: tx.execute(select(CallCommand.verb).order_by(CallCommand.id)).scalars())
    assert list(found) == ["dial", "drop"]


async def test_the_dialogs_offer_colleagues_and_queues_but_not_oneself(console: Console) -> None:
    seat, other = await console.sit(name="Lan Anh"), await console.sit(name="Minh Tran")
    path, _ = await set_up(console, seat)
    choices = (await seat.part(f"{path}/call/targets?queues")).text
    assert "Minh Tran" in choices
    assert "Lan Anh" not in choices
    assert "queue:" in choices
    assert "queue:" not in (await other.part(f"{path}/call/targets")).text
    for how in ("call/add", "call/transfer"):
        assert (await seat.post(f"{path}/{how}", target="number", number="")).status_code == 422


async def test_without_a_line_no_number_offers_to_be_called(console: Console) -> None:
    seat = await console.sit()
    ticket_id = (await console.write(make_ticket, sender="+84903123456")).ticket_id
    shown = (await seat.part(f"/tickets/{ticket_id + 99}/context/calls")).text
    assert "No call is planned." in shown
    assert "contact_point" not in shown
