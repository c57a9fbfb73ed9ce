"""One change for many conversations: each as if changed alone, whole or not at all, with the rights of who changes."""

import pytest
from sqlalchemy import select

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, DomainError, Invalid
from routing import bulk
from routing.bulk import Wish
from tests.factories import make_queue
from tests.routing.desk import Desk
from tickets import lifecycle
from tickets.models import Tag, Ticket, TicketTag
from tickets.states import Channel, Priority, Status


async def change(desk: Desk, ticket_id: int, wish: Wish, user_id: int, *, force: bool = False) -> None:
    await desk.do(bulk.change, ticket_id, wish, user_id=user_id, force=force)


async def ticket(desk: Desk, ticket_id: int) -> Ticket:
    return await desk.db.read(lifecycle.access, ticket_id)


async def tags(desk: Desk, ticket_id: int) -> list[str]:
    query = select(Tag.name).join(TicketTag, TicketTag.tag_id == Tag.id).where(TicketTag.ticket_id == ticket_id)
    return await desk.db.read(lambda tx: sorted(tx.execute(query).scalars()))


async def test_all_parts_of_a_wish_are_done_and_again_nothing_more(db: Database) -> None:
    desk = await Desk.open(db, pull=True)
    agent, other = await desk.agent(), await db.write(make_queue)
    ticket_id = (await desk.writes(Channel.EMAIL)).ticket_id
    await desk.do(lifecycle.tag, ticket_id, ["vip"], user_id=agent)
    wish = Wish(assignee_id=agent, status=Status.RESOLVED, priority=Priority.HIGH, tag=" Spring  Sale")
    await change(desk, ticket_id, wish, agent)
    found = await ticket(desk, ticket_id)
    assert (found.assignee_id, found.status, found.priority) == (agent, "resolved", "high")
    assert await tags(desk, ticket_id) == ["spring sale", "vip"]
    await change(desk, ticket_id, wish, agent)
    assert (await ticket(desk, ticket_id)).seq == found.seq
    await change(desk, ticket_id, Wish(queue_id=other), agent)
    assert (await ticket(desk, ticket_id)).queue_id == other
    assert await desk.broken() == {}


async def test_a_refused_part_leaves_the_conversation_as_it_was(db: Database) -> None:
    desk = await Desk.open(db)
    agent = await desk.agent()
    ticket_id = (await desk.writes(Channel.EMAIL)).ticket_id
    await desk.do(lifecycle.set_status, ticket_id, Status.CLOSED, user_id=agent)
    with pytest.raises(Conflict):
        await change(desk, ticket_id, Wish(priority=Priority.URGENT, status=Status.OPEN), agent)
    assert (await ticket(desk, ticket_id)).priority == "medium"


async def test_a_colleagues_work_is_taken_only_by_who_may(db: Database) -> None:
    desk = await Desk.open(db, pull=True)
    mine, theirs = await desk.agent(), await desk.agent()
    ticket_id = (await desk.writes(Channel.EMAIL)).ticket_id
    await change(desk, ticket_id, Wish(assignee_id=theirs), mine, force=True)
    with pytest.raises(Conflict, match="Taken by a colleague"):
        await change(desk, ticket_id, Wish(assignee_id=mine), mine)
    assert (await ticket(desk, ticket_id)).assignee_id == theirs
    assert await desk.broken() == {}


async def test_spam_is_marked_and_taken_back(db: Database) -> None:
    desk = await Desk.open(db)
    agent = await desk.agent()
    ticket_id = (await desk.writes(Channel.EMAIL)).ticket_id
    await change(desk, ticket_id, Wish(spam=True), agent)
    await change(desk, ticket_id, Wish(spam=True), agent)
    assert (await ticket(desk, ticket_id)).status == "spam"
    with pytest.raises(DomainError):
        await change(desk, ticket_id, Wish(status=Status.RESOLVED), agent)
    await change(desk, ticket_id, Wish(spam=False), agent)
    assert (await ticket(desk, ticket_id)).status == "new"
    assert await desk.broken() == {}


async def test_a_preview_counts_what_one_should_know(db: Database) -> None:
    desk = await Desk.open(db, pull=True)
    mine, theirs = await desk.agent(), await desk.agent()
    chat = (await desk.writes(Channel.CHAT)).ticket_id
    mails = [(await desk.writes(Channel.EMAIL, subject=f"Mail {n}")).ticket_id for n in range(6)]
    await change(desk, mails[0], Wish(assignee_id=theirs), mine, force=True)
    await change(desk, mails[1], Wish(spam=True), mine)
    found = await desk.db.read(bulk.look, [*mails, chat, 999_999], mine)
    assert (found.total, found.others, found.live, found.apart) == (7, 1, 1, 1)
    assert [one.subject for one in found.named] == [f"Mail {n}" for n in range(5)]


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (Wish(), "Choose what to change"),
        (Wish(spam=True, tag="x"), "marked by itself"),
        (Wish(queue_id=99), "no such queue"),
        (Wish(assignee_id=99), "no such agent"),
        (Wish(status=Status.SPAM), "not one of the choices"),
    ],
)
async def test_a_wish_that_means_nothing_is_refused(db: Database, wish: Wish, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await db.read(bulk.check, wish)
