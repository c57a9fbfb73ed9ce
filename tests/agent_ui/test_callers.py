"""The card of who may be calling: its words, its two answers, and who may give them."""

from sqlalchemy import Connection

from tests.agent_ui.console import Console, cost
from tests.agent_ui.test_call_outcomes import rang
from tests.tickets.customers.test_callers import owner, person


async def begin(console: Console, *, ended: bool = False) -> tuple[str, int, int]:
    """(path, ticket, Mai): a nameless number calls, whose end Mai's other number has."""

    def write(tx: Connection) -> tuple[int, int]:
        mai = person(tx, "Mai", phone="+1903123456")
        return rang(tx, ended)[1], mai

    ticket_id, mai = await console.write(write)
    return f"/tickets/{ticket_id + 99}", ticket_id, mai


async def test_a_call_under_way_names_who_it_may_be_and_a_click_decides(console_on_both: Console) -> None:
    console = console_on_both
    seat = await console.sit()
    path, ticket_id, mai = await begin(console)
    assert f'hx-get="{path}/callers"' in (await seat.page(path)).text
    shown = (await seat.part(f"{path}/callers")).text
    assert "Maybe it is …" in shown
    assert "same number in another form: +1 903123456 / +84903123456" in shown
    answer = await seat.post(f"{path}/callers/attach", customer_id=str(mai), on_offer="1")
    assert "It is Mai." in answer.text
    assert await console.db.read(owner, ticket_id) == (mai, mai)
    assert "is Mai: the number and this conversation are theirs now" in (await seat.page(path)).text
    # The page is old now.
    assert (await seat.post(f"{path}/callers/attach", customer_id=str(mai))).status_code == 409


async def test_nobody_of_these_empties_the_card(console: Console) -> None:
    seat = await console.sit()
    path, _, _ = await begin(console)
    assert (await seat.post(f"{path}/callers/dismiss")).text.strip() == ""
    assert (await seat.part(f"{path}/callers")).text.strip() == ""
    assert "The caller is nobody of those suggested" in (await seat.page(path)).text


async def test_a_call_that_is_over_asks_no_more(console: Console) -> None:
    seat = await console.sit()
    path, _, _ = await begin(console, ended=True)
    assert f'hx-get="{path}/callers"' not in (await seat.page(path)).text


async def test_more_candidates_cost_no_more_statements(console: Console) -> None:
    seat = await console.sit()
    path, _, _ = await begin(console)
    one = await cost(seat, f"{path}/callers", part=True)

    def more(tx: Connection) -> None:
        for number in range(9):
            person(tx, f"Lan{number}", phone=f"+4990{number}3123456")

    await console.write(more)
    assert await cost(seat, f"{path}/callers", part=True) == one
    assert (await seat.part(f"{path}/callers")).text.count('name="customer_id"') == 3
