"""Links between tickets, the question whether two are one matter, and going on after a ticket was closed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user
from tickets import lifecycle, links
from tickets.links import Relation, Sign
from tickets.models import Message, Ticket
from tickets.replies import Author
from tickets.states import Channel, Status


def of_one_customer(tx: Connection, *texts: str) -> list[int]:
    """Tickets of one customer on different accounts, an hour apart."""
    ids: list[int] = []
    for number, text in enumerate(texts):
        account = make_account(tx, Channel.CHAT)
        at = NOW + timedelta(hours=number)
        ticket = make_ticket(
            tx, account_id=account, channel=Channel.CHAT, sender=f"visitor-{number:04}", text=text, now=at
        )
        ids.append(ticket.ticket_id or 0)
    owner = tx.execute(select(Ticket.customer_id).where(Ticket.id == ids[0])).scalar_one()
    tx.execute(update(Ticket).where(Ticket.id.in_(ids)).values(customer_id=owner))
    return ids


def event_names(tx: Connection, ticket_id: int) -> list[Any]:
    metas = tx.execute(select(Message.meta).where(Message.ticket_id == ticket_id, Message.kind == "event")).scalars()
    return [(meta["name"], meta.get("to_ticket_id")) for meta in metas]


async def test_a_link_is_made_once_and_seen_from_both_sides(db: Database) -> None:
    one, two = await db.write(of_one_customer, "a", "b")
    agent = await db.write(make_user)
    for first, second in ((one, two), (two, one)):
        await db.write(links.link, first, second, user_id=agent, now=NOW)
    assert [(row.ticket_id, row.relation) for row in await db.read(links.related, one)] == [(two, Relation.LINKED)]
    assert [(row.ticket_id, row.relation) for row in await db.read(links.related, two)] == [(one, Relation.LINKED)]
    assert await db.read(event_names, one) == [("linked", two)]
    await db.write(links.unlink, two, one, user_id=agent, now=NOW)
    assert await db.read(links.related, one) == []
    with pytest.raises(Invalid):
        await db.write(links.link, one, one, user_id=agent, now=NOW)


async def test_the_likeliest_same_matter_comes_first(db: Database) -> None:
    ids = await db.write(of_one_customer, "Order 55123 is late", "Hello", "When does order 55123 arrive?")
    found = await db.read(links.same_matter, ids[0])
    assert [candidate.ticket_id for candidate in found] == [ids[2], ids[1]]
    assert set(found[0].signs) == {Sign.SAME_WORDS, Sign.SAME_DAY}


async def test_closed_and_strangers_tickets_are_not_suggested(db: Database) -> None:
    ids = await db.write(of_one_customer, "Order", "Order")
    await db.write(lambda tx: make_ticket(tx, text="Order"))
    await db.write(lifecycle.set_status, ids[1], Status.CLOSED, user_id=None, now=NOW)
    assert await db.read(links.same_matter, ids[0]) == []


async def test_a_closed_matter_goes_on_in_a_linked_ticket(db: Database) -> None:
    ticket = (await db.write(make_ticket)).ticket_id
    agent = await db.write(make_user)
    with pytest.raises(Conflict):
        await db.write(links.follow_up, ticket, "One more thing", author=Author(agent), now=NOW)
    await db.write(lifecycle.set_status, ticket, Status.CLOSED, user_id=None, now=NOW)
    new = await db.write(links.follow_up, ticket, "One more thing", author=Author(agent, "c1"), now=NOW)
    assert await db.write(links.follow_up, ticket, "One more thing", author=Author(agent, "c1"), now=NOW) == new
    assert [(row.ticket_id, row.relation) for row in await db.read(links.related, new)] == [
        (ticket, Relation.FOLLOWS_UP)
    ]
    assert [row.relation for row in await db.read(links.related, ticket)] == [Relation.FOLLOWED_UP_BY]
    sent = await db.read(
        lambda tx: tx.execute(select(Message.delivery, Message.channel).where(Message.ticket_id == new)).one()
    )
    assert (sent.delivery, sent.channel) == ("queued", "sms")
