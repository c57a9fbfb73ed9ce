"""The inbox: views, pages, what they cost, and who may see them."""

from datetime import timedelta

from sqlalchemy import Connection

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import Console, statements
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, unique
from tickets import assignments, counters
from tickets.states import AssignmentReason

SESSION = 1


def make_many(tx: Connection, count: int) -> list[int]:
    account_id = make_account(tx, address=unique("+1500555"))
    return [
        make_ticket(tx, account_id=account_id, sender=unique("+1415555"), now=NOW + timedelta(minutes=n)).ticket_id or 0
        for n in range(count)
    ]


async def test_the_inbox_asks_who_is_there_first(console: Console) -> None:
    answer = await console.browser().get("/inbox", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Finbox"


async def test_an_empty_inbox_says_what_happens_next(console: Console) -> None:
    answer = await (await console.sit()).page("/inbox")
    assert answer.status_code == 200
    assert "Nothing waits for you" in answer.text


async def test_the_inbox_speaks_vietnamese(console: Console) -> None:
    answer = await (await console.sit(locale="vi")).page("/inbox")
    assert '<html lang="vi"' in answer.text
    assert "Không có gì đang chờ bạn" in answer.text


async def test_a_list_costs_the_same_whatever_its_length(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    for more in (3, 40, 40):
        await console.write(make_many, more)
        for sort in ("waiting", "sla", "newest"):
            with statements() as seen:
                await seat.part(f"/inbox/rows?view=open&sort={sort}")
            # The list itself at most three, the numbers beside the views in one.
            assert len(seen) <= SESSION + 3 + 1


async def test_pages_follow_each_other_without_gaps_or_repeats(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    await console.write(make_many, 60)
    first = await seat.page("/inbox?view=open&sort=newest")
    following = first.text.partition('hx-get="/inbox/rows')[2].partition('"')[0].replace("&amp;", "&")
    second = await seat.part(f"/inbox/rows{following}")
    shown = [part.partition('"')[0] for page in (first, second) for part in page.text.split('id="row-')[1:]]
    assert len(shown) == len(set(shown)) == 60
    assert "hx-get=" not in second.text


async def test_numbers_stand_beside_the_views(console: Console) -> None:
    seat = await console.sit()
    ids = await console.write(make_many, 5)
    await console.write(assignments.assign, ids[0], seat.user_id, reason=AssignmentReason.TAKEN, now=NOW)
    await console.write(counters.recount)
    answer = await seat.page("/inbox")
    assert 'data-count="mine">1<' in answer.text
    assert 'data-count="unassigned">4<' in answer.text


async def test_an_unknown_view_is_not_found(console: Console) -> None:
    answer = await (await console.sit()).page("/inbox?view=secret")
    assert answer.status_code == 404
    assert "Back to the start" in answer.text


async def test_a_broken_cursor_is_refused(console: Console) -> None:
    answer = await (await console.sit()).part("/inbox/rows?view=open&after=zzz")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


async def test_somebody_who_only_looks_has_no_presence(console: Console) -> None:
    answer = await (await console.sit(Role.QA)).page("/inbox")
    assert 'id="presence"' not in answer.text


async def test_pages_hold_no_inline_handler_or_style(console: Console) -> None:
    seat = await console.sit()
    ids = await console.write(make_many, 1)
    for path in ("/inbox", "/settings", "/tickets/new", f"/tickets/{ids[0] + 99}", "/login"):
        answer = await seat.page(path)
        assert answer.status_code == 200, path
        for forbidden in (" style=", " onclick=", " onsubmit=", "hx-on", "javascript:", "{{"):
            assert forbidden not in answer.text, (path, forbidden)
        assert "'unsafe" not in answer.headers["content-security-policy"]
