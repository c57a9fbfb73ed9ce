"""Lists: what each view holds, orders without gaps over pages, and a bounded number of statements."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, update

from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_ticket, make_user
from tickets import assignments, intake, lifecycle, replies
from tickets.filters import Filters, Order, View, filters_of
from tickets.models import Ticket
from tickets.queries import Page, list_tickets, unread_messages
from tickets.replies import Author, Reply
from tickets.sla_models import SlaClock
from tickets.states import AssignmentReason, Channel, Priority, Status

MINUTE = timedelta(minutes=1)


def make_many(tx: Connection, count: int) -> list[int]:
    """Tickets a minute apart; every third is answered, every fourth pending, every fifth has a target."""
    account, agent = make_account(tx), make_user(tx)
    ids = []
    for number in range(count):
        at = NOW + number * MINUTE
        ticket = make_ticket(tx, account_id=account, sender=f"+4915112{number:06}", now=at).ticket_id
        assert ticket
        ids.append(ticket)
        if number % 3 == 0:
            replies.reply(tx, ticket, Reply("Yes."), author=Author(agent), now=at)
        if number % 4 == 0:
            lifecycle.set_status(tx, ticket, Status.PENDING, user_id=agent, now=at)
        if number % 5 == 0:
            tx.execute(update(Ticket).where(Ticket.id == ticket).values(sla_due_at=NOW - number * MINUTE))
    return ids


def walk(tx: Connection, filters: Filters, order: Order, limit: int) -> list[int]:
    ids: list[int] = []
    page = Page([], None)
    while True:
        page = list_tickets(tx, filters, user_id=1, now=NOW, order=order, cursor=page.cursor, limit=limit)
        ids.extend(row.ticket_id for row in page.rows)
        if page.cursor is None:
            return ids


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("filters", [Filters(), Filters((Status.NEW, Status.OPEN)), Filters((Status.PENDING,))])
async def test_pages_hold_every_ticket_once_in_one_order(db: Database, order: Order, filters: Filters) -> None:
    await db.write(make_many, 23)
    whole = await db.read(walk, filters, order, 100)
    paged = await db.read(walk, filters, order, 4)
    assert paged == whole
    assert len(set(whole)) == len(whole)
    statuses = [status.value for status in filters.statuses] or [status.value for status in Status]
    wanted = await db.read(lambda tx: set(tx.execute(select(Ticket.id).where(Ticket.status.in_(statuses))).scalars()))
    assert set(whole) == wanted


async def test_the_longest_waiting_customer_comes_first(db: Database) -> None:
    await db.write(make_many, 12)
    page = await db.read(list_tickets, Filters(), user_id=1, now=NOW, order=Order.WAITING)
    waits = [row.waiting_since for row in page.rows if row.waiting_since]
    assert waits == sorted(waits)
    assert [row.waiting_since is None for row in page.rows] == sorted(row.waiting_since is None for row in page.rows)


async def test_views_hold_what_their_names_say(db: Database) -> None:
    agent = await db.write(make_user)
    tickets = await db.write(make_many, 6)
    await db.write(assignments.assign, tickets[1], agent, reason=AssignmentReason.TAKEN, now=NOW)
    await db.write(lifecycle.resolve, tickets[2], user_id=agent, now=NOW)
    await db.write(lifecycle.set_fields, tickets[5], user_id=agent, now=NOW, priority=Priority.URGENT)

    def of(tx: Connection, view: View) -> set[int]:
        return {row.ticket_id for row in list_tickets(tx, filters_of(view, agent), user_id=agent, now=NOW).rows}

    assert await db.read(of, View.MINE) == {tickets[1]}
    assert await db.read(of, View.UNASSIGNED) == {tickets[3], tickets[5]}
    assert await db.read(of, View.WAITING) == {tickets[0], tickets[4]}
    assert await db.read(of, View.RESOLVED) == {tickets[2]}
    assert await db.read(of, View.LATE) == {tickets[5]}
    assert await db.read(of, View.ALL) == set(tickets)


async def test_filters_narrow_together(db: Database) -> None:
    queue = await db.write(make_queue)
    account = await db.write(make_account, queue_id=queue)
    tagged = (await db.write(make_ticket, account_id=account)).ticket_id
    await db.write(lambda tx: make_ticket(tx, sender="+4915112345999", account_id=account))
    await db.write(lifecycle.tag, tagged, ["Refund"], user_id=None, now=NOW)
    page = await db.read(list_tickets, Filters(queue_ids=(queue,), tag="refund"), user_id=1, now=NOW)
    assert [row.ticket_id for row in page.rows] == [tagged]


async def test_a_row_shows_customer_owner_unread_and_soonest_target(db: Database) -> None:
    agent = await db.write(make_user, name="Lan")
    ticket = (await db.write(make_ticket, text="Hello")).ticket_id

    def prepare(tx: Connection) -> None:
        assignments.assign(tx, ticket, agent, reason=AssignmentReason.TAKEN, now=NOW)
        tx.execute(update(Ticket).values(sla_due_at=NOW + MINUTE))
        common = {"ticket_id": ticket, "started_at": NOW, "target": 60, "counted_from": NOW, "carried": 0, "pauses": []}
        for metric, due in (("resolution", NOW + 9 * MINUTE), ("first_response", NOW + MINUTE)):
            tx.execute(SlaClock.__table__.insert(), {**common, "metric": metric, "due_at": due, "warn_at": NOW})

    await db.write(prepare)
    [row] = (await db.read(list_tickets, Filters(), user_id=agent, now=NOW)).rows
    assert (row.number, row.customer, row.assignee, row.unread) == (row.ticket_id + 99, "+49 1511 2345678", "Lan", 1)
    assert row.sla is not None
    assert (row.sla.metric, row.sla.due_at, row.sla.breached) == ("first_response", NOW + MINUTE, False)


async def test_unread_counts_what_customers_wrote_and_nothing_else(db: Database) -> None:
    agent, other = await db.write(make_user), await db.write(make_user)

    def prepare(tx: Connection) -> tuple[int, int]:
        account = make_account(tx)
        ticket = make_ticket(tx, account_id=account, sender="+4915112345678", thread_key="t").ticket_id
        assignments.assign(tx, ticket, agent, reason=AssignmentReason.TAKEN, now=NOW)
        replies.note(tx, ticket, "Odd", author=Author(other), now=NOW)
        intake.receive(tx, inbound(account, sender="+4915112345678", thread_key="t"), now=NOW)
        return account, ticket

    account, ticket = await db.write(prepare)

    async def unread(user_id: int) -> tuple[int, int]:
        page = await db.read(list_tickets, Filters(), user_id=user_id, now=NOW)
        return page.rows[0].unread, await db.read(unread_messages, user_id)

    assert await unread(agent) == (2, 2)
    await db.write(replies.reply, ticket, Reply("Hello"), author=Author(agent), now=NOW)
    assert await unread(agent) == (0, 0)
    await db.write(lambda tx: intake.receive(tx, inbound(account, sender="+4915112345678", thread_key="t"), now=NOW))
    assert await unread(agent) == (1, 1)
    # On a ticket of somebody else it is unread too, but nothing that waits for this person.
    assert await unread(other) == (3, 0)
    assert (await db.read(list_tickets, Filters(), user_id=0, now=NOW)).rows[0].unread == 0


@pytest.mark.parametrize("order", list(Order))
async def test_a_page_costs_at_most_three_statements(sqlite_db: Database, order: Order) -> None:
    await sqlite_db.write(make_many, 15)

    def counted(tx: Connection) -> int:
        seen: list[Any] = []
        listener = lambda *args: seen.append(args)  # noqa: E731
        event.listen(tx, "before_cursor_execute", listener)
        list_tickets(tx, Filters((Status.NEW, Status.OPEN)), user_id=1, now=NOW, order=order, limit=10)
        event.remove(tx, "before_cursor_execute", listener)
        return len(seen)

    assert await sqlite_db.read(counted) <= 3


@pytest.mark.parametrize("cursor", ["nonsense", "WyJ3YWl0aW5nIiwgNywgIngiLCAxXQ=="])
async def test_a_broken_cursor_is_refused(sqlite_db: Database, cursor: str) -> None:
    with pytest.raises(Invalid):
        await sqlite_db.read(list_tickets, Filters(), user_id=1, now=NOW, cursor=cursor, order=Order.WAITING)


async def test_names_come_from_the_address_when_nobody_gave_one(sqlite_db: Database) -> None:
    sender = "3c9d77e0a1b2"
    await sqlite_db.write(lambda tx: make_ticket(tx, channel=Channel.CHAT, sender=sender))
    [row] = (await sqlite_db.read(list_tickets, Filters(), user_id=1, now=NOW)).rows
    assert row.customer == "Visitor a1b2"
