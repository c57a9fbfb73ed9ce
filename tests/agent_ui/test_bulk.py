"""Selecting in the list: the whole view with its honest number, the dialog, what is done and what is not and why."""

from typing import Any

from sqlalchemy import Connection

from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from routing import bulk
from tests.agent_ui.console import SCRIPT, Console, Seat
from tests.factories import make_account, make_ticket, unique
from tickets import lifecycle
from tickets.numbers import number_of
from tickets.states import Channel, Status


def make_three(tx: Connection) -> list[int]:
    account = make_account(tx, Channel.EMAIL, address=unique("box") + "@shop.test")
    made = [
        make_ticket(tx, account_id=account, channel=Channel.EMAIL, sender=f"{name}@example.com", subject=f"From {name}")
        for name in ("mai", "tom", "eve")
    ]
    return [number_of(one.ticket_id or 0) for one in made]


async def post(seat: Seat, path: str, numbers: list[int], **fields: str) -> Any:
    return await seat.http.post(path, data={"number": [str(one) for one in numbers], **fields}, headers=SCRIPT)


async def test_the_whole_view_is_selected_with_its_honest_number(console: Console) -> None:
    seat = await console.sit()
    numbers = await console.write(make_three)
    told = (await seat.page("/inbox/numbers?view=open&sort=newest")).json()
    assert (sorted(told["numbers"]), told["more"]) == (sorted(numbers), False)
    assert (await seat.page("/inbox/numbers?view=nonsense")).status_code == 404


async def test_the_dialog_says_what_is_selected(console_on_both: Console) -> None:
    seat = await console_on_both.sit(locale="vi")
    numbers = await console_on_both.write(make_three)
    text = (await post(seat, "/inbox/bulk/look", [*numbers, numbers[0]])).text
    assert "3 hội thoại" in text
    assert "From mai" in text
    assert (await post(seat, "/inbox/bulk/look", [])).status_code == 422


async def test_what_cannot_be_changed_is_named_with_its_reason_and_the_rest_is_done(console_on_both: Console) -> None:
    seat = await console_on_both.sit()
    numbers = await console_on_both.write(make_three)
    closed = numbers[1]
    await console_on_both.write(lifecycle.set_status, closed - 99, Status.CLOSED, user_id=None, now=utcnow())
    told = (await post(seat, "/inbox/bulk", numbers, status="resolved", tag="spring")).json()
    assert told == {
        "done": 2,
        "refused": [
            {"number": closed, "customer": "tom@example.com", "why": "A ticket that is closed cannot become resolved."}
        ],
    }
    assert (await console_on_both.db.read(lifecycle.access, numbers[0] - 99)).status == "resolved"


async def test_nobody_changes_more_than_a_few_at_once_nor_without_the_right(console: Console) -> None:
    seat, qa = await console.sit(), await console.sit(Role.QA)
    numbers = await console.write(make_three)
    many = list(range(100, 101 + bulk.AT_ONCE))
    assert (await post(seat, "/inbox/bulk", many, status="resolved")).status_code == 422
    assert (await post(seat, "/inbox/bulk", numbers)).status_code == 422
    for fields in ({"status": "flying"}, {"assignee": "x"}, {"queue": "queue:x"}, {"priority": "most"}):
        assert (await post(seat, "/inbox/bulk", numbers, **fields)).status_code == 422
    assert (await post(qa, "/inbox/bulk", numbers, status="resolved")).status_code == 403
    assert 'id="picked"' in (await seat.page("/inbox")).text
    assert 'id="picked"' not in (await qa.page("/inbox")).text
