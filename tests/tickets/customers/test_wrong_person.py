"""A number that is somebody else's leaves its customer with the conversation, and is written to no more."""

import pytest
from sqlalchemy import Connection, func, select, update

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import intake, lifecycle, replies
from tickets.customers.wrong_person import NOT_THIS_PERSON, not_this_person
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.replies import Author, Reply


def mai(tx: Connection, name: str = "Mai") -> tuple[int, int, int, int]:
    """(account, an older ticket, the ticket at hand, agent) of a customer with one number."""
    account_id = make_account(tx)
    old = make_ticket(tx, account_id=account_id).ticket_id
    agent = make_user(tx)
    lifecycle.resolve(tx, old, user_id=agent, now=NOW)
    tx.execute(update(Ticket).where(Ticket.id == old).values(status="closed", thread_key=None))
    now = make_ticket(tx, account_id=account_id, external_id="SM-2", text="Wrong number!").ticket_id
    tx.execute(update(Customer).values(name=name))
    return account_id, old, now, agent


async def test_the_number_and_this_conversation_go_and_the_past_stays(db: Database) -> None:
    account_id, old, ticket_id, agent = await db.write(mai)
    assert old != ticket_id
    stranger = await db.write(not_this_person, ticket_id, user_id=agent, now=NOW)
    owners = await db.read(lambda tx: {row.id: row.customer_id for row in tx.execute(select(Ticket)).all()})
    assert owners[ticket_id] == stranger
    assert owners[old] != stranger
    point = await db.read(lambda tx: tx.execute(select(ContactPoint.__table__)).one())
    assert (point.customer_id, point.suppressed_reason) == (stranger, NOT_THIS_PERSON)
    meta = await db.read(
        lambda tx: (
            tx.execute(select(Message.meta).where(Message.ticket_id == ticket_id, Message.kind == "event"))
            .scalars()
            .all()
        )
    )
    assert [(one["name"], one["customer"]) for one in meta if one["name"] == "not_this_person"] == [
        ("not_this_person", "Mai")
    ]
    with pytest.raises(Invalid, match="Nothing can be sent"):
        await db.write(replies.reply, ticket_id, Reply("Sorry"), author=Author(agent), now=NOW)
    # Whoever writes from it next is the stranger, and is heard.
    receipt = await db.write(intake.receive, inbound(account_id, external_id="SM-3", text="Still me"), now=NOW)
    assert receipt.ticket_id == ticket_id
    assert await db.read(lambda tx: tx.execute(select(func.count()).select_from(Customer)).scalar_one()) == 2


async def test_it_is_done_once_and_only_where_somebody_else_is_possible(db: Database) -> None:
    _, _, ticket_id, agent = await db.write(mai)
    await db.write(not_this_person, ticket_id, user_id=agent, now=NOW)
    with pytest.raises(Invalid, match="Nothing but this number"):
        await db.write(not_this_person, ticket_id, user_id=agent, now=NOW)


async def test_a_number_that_went_elsewhere_meanwhile_is_a_conflict(db: Database) -> None:
    _, old, ticket_id, agent = await db.write(mai)
    await db.write(not_this_person, ticket_id, user_id=agent, now=NOW)
    with pytest.raises(Conflict, match="any more"):
        await db.write(not_this_person, old, user_id=agent, now=NOW)
