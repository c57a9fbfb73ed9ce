"""Related conversations beside one: the same matter, links, moved messages, follow-ups, and missed targets."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from agent_ui.pages import matters
from contact_center.core.clock import utcnow
from tests.agent_ui.console import Console
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_ticket
from tickets import lifecycle, service_levels, sla_clocks
from tickets.models import Message, Ticket
from tickets.sla import Metric, default_policy, policy_data
from tickets.sla_explain import Explanation, Phase, Share, Stage
from tickets.states import Status


def pair(tx: Connection) -> tuple[int, int]:
    """Two open conversations of one customer about order 55123."""
    now = utcnow()
    first = make_ticket(tx, sender="+84903123456", text="Where is order 55123?", now=now).ticket_id or 0
    account = make_account(tx, address="+15005550009")
    other = make_ticket(tx, account_id=account, sender="+84903123457", text="Order 55123 again", now=now).ticket_id or 0
    owner = tx.execute(select(Ticket.customer_id).where(Ticket.id == first)).scalar_one()
    tx.execute(update(Ticket).where(Ticket.id == other).values(customer_id=owner))
    return first, other


def ticket(tx: Connection, ticket_id: int) -> Any:
    return tx.execute(select(Ticket.__table__).where(Ticket.id == ticket_id)).one()


async def test_the_same_matter_is_merged_by_one_click_and_undone_by_another(console: Console) -> None:
    seat = await console.sit()
    first, other = await console.write(pair)
    path = f"/tickets/{first + 99}"
    shown = (await seat.part(f"{path}/context/matters")).text
    assert "same words" in shown
    merged = await seat.post(f"{path}/matters/merge", **{"with": str(other + 99)})
    assert "1 entry, merged into this" in merged.text
    assert (await console.db.read(ticket, other)).merged_into_id == first
    assert f"Merged into #{first + 99}" in (await seat.part(f"/tickets/{other + 99}/context/matters")).text
    assert "same words" in (await seat.post(f"{path}/matters/unmerge", merge_id="1")).text
    assert (await console.db.read(ticket, other)).status == "new"


async def test_a_link_is_made_and_taken_away(console: Console) -> None:
    seat = await console.sit()
    first, other = await console.write(pair)
    path = f"/tickets/{first + 99}/matters"
    assert "linked" in (await seat.post(f"{path}/link", **{"with": f"#{other + 99}"})).text
    assert "Unlink" not in (await seat.post(f"{path}/unlink", **{"with": str(other + 99)})).text
    wrong = await seat.post(f"{path}/link", **{"with": "nonsense"})
    assert "This is not the number of a conversation." in wrong.text


async def test_messages_are_split_off_or_moved(console: Console) -> None:
    seat = await console.sit()
    first, other = await console.write(pair)
    message = await console.db.read(
        lambda tx: tx.execute(select(Message.id).where(Message.ticket_id == first)).scalar_one()
    )
    path = f"/tickets/{first + 99}/matters/move"
    assert "Say in a few words" in (await seat.post(path, messages=str(message))).text
    assert "Choose messages of this ticket." in (await seat.post(path, into=str(other + 99))).text
    split = await seat.post(path, messages=str(message), subject="Refund")
    assert split.headers["hx-redirect"] == f"/tickets/{other + 1 + 99}"
    moved = await seat.post(f"/tickets/{other + 1 + 99}/matters/move", messages=str(message), into=str(first + 99))
    assert moved.status_code == 200
    where = await console.db.read(
        lambda tx: tx.execute(select(Message.ticket_id).where(Message.id == message)).scalar_one()
    )
    assert where == first


async def test_a_closed_conversation_is_followed_up(console: Console) -> None:
    seat = await console.sit()
    first, _ = await console.write(pair)
    await console.write(lifecycle.set_status, first, Status.CLOSED, user_id=None, now=utcnow())
    path = f"/tickets/{first + 99}"
    assert "Write a follow-up" in (await seat.part(f"{path}/context/matters")).text
    sent = await seat.post(f"{path}/matters/follow-up", text="One more thing", client_id="c1")
    number = int(sent.headers["hx-redirect"].rpartition("/")[2])
    assert (await console.db.read(ticket, number - 99)).follows_up_id == first


async def test_a_missed_target_is_explained(console: Console) -> None:
    seat = await console.sit()

    def late(tx: Connection) -> int:
        policy = service_levels.create_policy(tx, "Default", policy_data(default_policy()))
        account = make_account(tx, queue_id=make_queue(tx, "Support", sla_policy_id=policy))
        found = make_ticket(tx, account_id=account, now=utcnow() - timedelta(hours=30)).ticket_id or 0
        sla_clocks.count(tx, found, now=utcnow())
        return found

    number = await console.write(late) + 99
    shown = (await seat.part(f"/tickets/{number}/context/matters")).text
    assert "Why the target was missed" in shown
    assert "waited in Support" in shown
    await console.write(lifecycle.resolve, number - 99, user_id=seat.user_id, now=utcnow())
    await console.write(sla_clocks.count, number - 99, now=utcnow())
    assert "All targets were missed" in (await seat.part(f"/tickets/{number}/context/matters")).text


def test_what_used_a_target_up_stands_heaviest_first_with_the_pauses_that_did_not_count() -> None:
    shares = (
        Share(Stage(NOW, Phase.WAITING, "Support"), NOW, NOW, 27 * 60.0),
        Share(Stage(NOW, Phase.OWNED, "Tier 2", "An"), NOW, NOW, 41 * 60.0),
    )
    lines = matters.told(Explanation(Metric.RESOLUTION, 3600, 68 * 60.0, 8 * 60.0, shares, 5400.0), "en")
    assert [(one.text, one.sub) for one in lines[1:]] == [
        ("An · Tier 2", "41 min"),
        ("waited in Support", "27 min"),
        ("paused, does not count", "1 h 30 min"),
    ]
    calm = Explanation(Metric.FIRST_RESPONSE, 3600, 68 * 60.0, 8 * 60.0, shares, 0.0)
    assert len(matters.told(calm, "en")) == 3
