"""Numbers beside views: after any life of the tickets they equal counting, and views show them."""

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Forbidden, Invalid, NotFound
from contact_center.core.events import Event, EventRow
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_queue, make_ticket, make_user
from tickets import assignments, counters, intake, lifecycle, saved_views
from tickets.filters import Filters, Order, View, filters_of
from tickets.models import Ticket
from tickets.queries import list_tickets
from tickets.saved_views import filters_data, filters_from
from tickets.states import AssignmentReason, Priority, Status


def live(tx: Connection, seed: int) -> None:
    """Random assignments, moves and statuses over a dozen tickets."""
    chance = random.Random(seed)
    queues, agents = [make_queue(tx), make_queue(tx)], [make_user(tx), make_user(tx)]
    account = make_account(tx, queue_id=queues[0])
    ids = [make_ticket(tx, account_id=account, sender=f"+4915112{n:06}").ticket_id or 0 for n in range(12)]
    for step in range(60):
        ticket, now = chance.choice(ids), NOW + timedelta(minutes=step)
        match chance.randrange(4):
            case 0:
                assignments.assign(tx, ticket, chance.choice(agents), reason=AssignmentReason.TAKEN, now=now)
            case 1:
                assignments.move_to_queue(tx, ticket, chance.choice(queues), now=now)
            case 2:
                wanted = chance.choice([Status.OPEN, Status.PENDING, Status.RESOLVED, Status.CLOSED])
                try:
                    lifecycle.set_status(tx, ticket, wanted, user_id=None, now=now)
                except Conflict:
                    continue
            case _:
                intake.receive(tx, inbound(account, sender=f"+4915112{ids.index(ticket):06}"), now=now)


def handle(tx: Connection, seed: int) -> None:
    rows = list(tx.execute(select(EventRow.id, EventRow.payload).where(EventRow.name == "message.created")))
    random.Random(seed).shuffle(rows)
    for row in rows:
        counters.on_message(tx, Event(row.id, "message.created", row.payload, NOW), NOW)


def truth(tx: Connection) -> dict[tuple[int, int, str], int]:
    place = (Ticket.queue_id, func.coalesce(Ticket.assignee_id, 0), Ticket.status)
    return {(row[0], row[1], row[2]): row[3] for row in tx.execute(select(*place, func.count()).group_by(*place))}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_small_steps_in_any_order_equal_counting(db: Database, seed: int) -> None:
    await db.write(live, seed)
    await db.write(handle, seed)
    assert await db.read(counters.counters) == await db.read(truth)
    await db.write(counters.recount)
    assert await db.read(counters.counters) == await db.read(truth)


async def test_recounting_at_the_same_time_as_others_counts_nobody_twice(db: Database) -> None:
    await db.write(live, 4)
    await asyncio.gather(db.write(counters.recount), db.write(handle, 4), db.write(counters.recount))
    assert await db.read(counters.counters) == await db.read(truth)


async def test_a_views_number_is_the_length_of_its_list(sqlite_db: Database) -> None:
    await sqlite_db.write(live, 7)
    await sqlite_db.write(handle, 7)
    found = await sqlite_db.read(counters.view_counts, 1, now=NOW)
    for view in View:
        page = await sqlite_db.read(list_tickets, filters_of(view, 1), user_id=1, now=NOW, limit=100)
        assert found[view] == len(page.rows), view


async def test_a_saved_view_lists_and_counts_for_its_reader(db: Database) -> None:
    lan, minh = await db.write(make_user), await db.write(make_user)
    ticket = (await db.write(make_ticket)).ticket_id
    await db.write(assignments.assign, ticket, lan, reason=AssignmentReason.TAKEN, now=NOW)
    filters = {"statuses": ["open"], "assignee_id": "me"}
    await db.write(saved_views.save, "Mine, open", filters, user_id=lan, now=NOW, shared=True, order=Order.SLA)
    await db.write(saved_views.save, "Private", {}, user_id=lan, now=NOW)
    mine = await db.read(saved_views.views_for, lan, now=NOW)
    theirs = await db.read(saved_views.views_for, minh, now=NOW)
    assert [(view.name, view.tickets, view.order) for view in mine] == [
        ("Mine, open", 1, Order.SLA),
        ("Private", 1, Order.NEWEST),
    ]
    assert [(view.name, view.tickets) for view in theirs] == [("Mine, open", 0)]


async def test_shared_views_are_changed_by_those_who_may(sqlite_db: Database) -> None:
    lan, minh = await sqlite_db.write(make_user), await sqlite_db.write(make_user)
    shared = await sqlite_db.write(saved_views.save, "All", {}, user_id=lan, now=NOW, shared=True)
    private = await sqlite_db.write(saved_views.save, "Private", {}, user_id=lan, now=NOW)
    with pytest.raises(Forbidden):
        await sqlite_db.write(saved_views.remove, shared, user_id=minh, may_share=False)
    with pytest.raises(NotFound):
        await sqlite_db.write(saved_views.rename, private, "X", user_id=minh, may_share=True)
    await sqlite_db.write(saved_views.rename, shared, "Everything", user_id=minh, may_share=True)
    await sqlite_db.write(saved_views.remove, private, user_id=lan, may_share=False)
    assert [view.name for view in await sqlite_db.read(saved_views.views_for, lan, now=NOW)] == ["Everything"]


@pytest.mark.parametrize("data", [{"statuses": ["gone"]}, {"colour": "red"}, {"queue_ids": ["x"]}, {"statuses": 5}])
def test_filters_nobody_understands_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        filters_from(data, 1)


def test_the_stored_form_of_filters_reads_back() -> None:
    filters = Filters((Status.OPEN,), (1, 2), priorities=(Priority.URGENT,), tag="refund", unassigned=True)
    assert filters_from(filters_data(filters), 1) == filters
