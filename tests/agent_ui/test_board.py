"""The board's pages: who may see them, what they cost, what a push holds, and what supervisors do from them."""

from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select

from agent_ui.pages.board_live import BoardRenderer, scope_of, topic_of
from agent_ui.pages.board_view import sparkline
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.relay import relay_batch
from contact_center.reports.definitions import Metric
from contact_center.reports.floor import Scope
from contact_center.wiring import HANDLERS
from routing import presence, profiles
from routing.models import AgentState, WorkItem
from routing.states import Presence
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, Seat, cost
from tests.factories import make_account, make_queue, make_ticket, make_user
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


def floor(tx: Connection, *, chats: int = 1, name: str = "Anna Bergstrom") -> tuple[int, int]:
    """A queue with an agent who is here, and chats that wait: (agent, ticket)."""
    now = utcnow()
    queue_id = make_queue(tx)
    agent = make_user(tx, name=name)
    profiles.set_row(tx, agent, queue_id, now=now)
    presence.set_presence(tx, agent, Presence.AVAILABLE, now=now)
    account_id = make_account(tx, Channel.CHAT, queue_id=queue_id)
    ticket_id = 0
    for number in range(chats):
        receipt = make_ticket(tx, account_id=account_id, channel=Channel.CHAT, sender=f"visitor-{number:04}", now=now)
        ticket_id = receipt.ticket_id or 0
    while relay_batch(tx, HANDLERS, now):
        pass
    return agent, ticket_id


async def item_of(console: Console, ticket_id: int) -> Any:
    query = select(WorkItem.__table__).where(WorkItem.ticket_id == ticket_id)
    return await console.db.read(lambda tx: tx.execute(query).one())


async def supervisor(console: Console) -> Seat:
    return await console.sit(Role.SUPERVISOR)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.SUPERVISOR, 200), (Role.QA, 200), (Role.ADMIN, 200), (Role.AGENT, 403)]
)
async def test_the_board_is_for_those_who_watch_the_floor(console: Console, role: Role, status: int) -> None:
    await console.write(floor)
    seat = await console.sit(role)
    for path in ("/board", "/board/rows/in_queue"):
        assert (await seat.page(path)).status_code == status


@pytest.mark.parametrize("locale", ["en", "vi"])
async def test_the_page_shows_the_floor(console_on_both: Console, locale: str) -> None:
    await console_on_both.write(floor)
    seat = await console_on_both.sit(Role.SUPERVISOR, locale=locale)
    page = await seat.page("/board")
    assert page.status_code == 200
    assert page.text.count('class="tile"') == 8
    assert "Anna Bergstrom" in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize("metric", [metric for metric in Metric if metric is not Metric.AGENTS])
async def test_every_number_opens_its_rows(console_on_both: Console, metric: Metric) -> None:
    await console_on_both.write(floor)
    seat = await console_on_both.sit(Role.SUPERVISOR)
    page = await seat.page(f"/board/rows/{metric.value}")
    assert page.status_code == 200
    assert ("/tickets/100" in page.text) == (metric in (Metric.IN_QUEUE, Metric.LONGEST_WAIT))


async def test_a_number_that_does_not_exist_is_not_found(console: Console) -> None:
    seat = await supervisor(console)
    assert (await seat.page("/board/rows/nonsense")).status_code == 404


async def test_the_page_costs_the_same_for_many(console: Console) -> None:
    await console.write(floor)
    seat = await supervisor(console)
    few = await cost(seat, "/board")
    await console.write(floor, chats=15, name="Minh Tran")
    assert few == await cost(seat, "/board")


async def test_a_push_holds_only_what_changed_and_a_newcomer_gets_all(console: Console) -> None:
    await console.write(floor)
    render = BoardRenderer(console.services)

    async def parts(event: str) -> set[str]:
        frames = await render("board", [Poke("board", {"event": event})], {"en:supervisor"})
        [frame] = frames["en:supervisor"]
        return {part["to"] for part in orjson.loads(frame)["parts"]}

    everything = await parts("join")
    assert everything == {
        f"board-{part}" for part in ("stamp", "alerts", "deferred", "tiles", "queues", "agents", "waiting", "ages")
    }
    assert await parts("pulse") == everything
    assert "board-waiting" not in await parts("pulse")
    await console.write(floor, name="Minh Tran")
    assert {"board-waiting", "board-agents", "board-queues"} <= await parts("pulse")


async def test_each_language_is_rendered_once(console: Console) -> None:
    await console.write(floor)
    frames = await BoardRenderer(console.services)("board", [], {"en:supervisor", "vi:admin", "en:qa"})
    assert frames["en:supervisor"] is frames["en:qa"]
    assert frames["vi:admin"] != frames["en:qa"]


@pytest.mark.parametrize("scope", [Scope(), Scope(queue_id=7), Scope(team_id=3), Scope(7, 3)])
def test_a_topic_names_its_scope(scope: Scope) -> None:
    assert scope_of(topic_of(scope)) == scope


@pytest.mark.parametrize("topic", ["board:x-y", "board:", "board:-", "board:99999999999999999999-0"])
def test_a_topic_nobody_made_shows_the_whole_floor(topic: str) -> None:
    assert scope_of(topic) == Scope()


async def test_it_says_why_something_still_waits(console: Console) -> None:
    agent, ticket_id = await console.write(floor)
    await console.write(presence.set_presence, agent, Presence.AWAY, reason="Lunch", now=utcnow())
    item = await item_of(console, ticket_id)
    seat = await supervisor(console)
    part = await seat.part(f"/board/waiting/{item.id}")
    assert "Nobody can have it now" in part.text
    assert "Anna Bergstrom" in part.text
    assert "not available" in part.text
    assert "<html" in (await seat.page(f"/board/waiting/{item.id}")).text


async def test_a_supervisor_gives_work_to_an_agent_and_takes_it_back(console: Console) -> None:
    agent, ticket_id = await console.write(floor)
    seat = await supervisor(console)
    answer = await seat.post(f"/board/tickets/{ticket_id}/assign", user_id=str(agent))
    assert answer.status_code == 200
    assert "toast" in answer.headers["hx-trigger"]
    assert (await item_of(console, ticket_id)).agent_id == agent
    assert "Back to the queue" in (await seat.part(f"/board/agents/{agent}")).text
    answer = await seat.post(f"/board/tickets/{ticket_id}/requeue", FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/board?done=requeue")
    item = await item_of(console, ticket_id)
    assert (item.state, item.agent_id) == ("queued", None)


async def test_setting_anothers_status_is_noted(console: Console) -> None:
    agent, _ = await console.write(floor)
    seat = await supervisor(console)
    assert (await seat.post(f"/board/agents/{agent}/presence", state="away:Lunch")).status_code == 200
    state = await console.db.read(
        lambda tx: tx.execute(select(AgentState.presence, AgentState.reason).where(AgentState.user_id == agent)).one()
    )
    assert tuple(state) == ("away", "Lunch")
    noted = await console.db.read(lambda tx: tx.execute(select(AuditEntry.action, AuditEntry.user_id)).all())
    assert ("presence.set", seat.user_id) in [tuple(row) for row in noted]


@pytest.mark.parametrize("state", ["", "flying", "away:Nowhere"])
async def test_a_status_that_does_not_exist_is_refused(console: Console, state: str) -> None:
    agent, _ = await console.write(floor)
    seat = await supervisor(console)
    assert (await seat.post(f"/board/agents/{agent}/presence", state=state)).status_code == 422


async def test_those_who_only_watch_change_nothing(console: Console) -> None:
    agent, ticket_id = await console.write(floor)
    seat = await console.sit(Role.QA)
    assert (await seat.post(f"/board/agents/{agent}/presence", state="offline")).status_code == 403
    assert (await seat.post(f"/board/tickets/{ticket_id}/assign", user_id=str(agent))).status_code == 403
    assert "Set status" not in (await seat.part(f"/board/agents/{agent}")).text


def test_a_sparkline_breaks_where_nothing_was_measured() -> None:
    assert sparkline([1, 2, None, 3, 1]) == ["0.0,22.0 30.0,12.0", "90.0,2.0 120.0,22.0"]
    assert sparkline([None, 5, None]) == []
    assert sparkline([4, 4]) == ["0.0,22.0 120.0,22.0"]
