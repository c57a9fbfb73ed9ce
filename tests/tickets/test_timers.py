"""Timers on both databases: each thing happens once, at its time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.events import EventRow
from tests.conftest import NOW
from tests.factories import make_ticket, make_user
from tickets import lifecycle, timers
from tickets.models import Ticket

DAY = timedelta(days=1)


def status(tx: Connection) -> str:
    return tx.execute(select(Ticket.status)).scalar_one()


def rung(tx: Connection) -> list[dict[str, Any]]:
    return list(tx.execute(select(EventRow.payload).where(EventRow.name == "reminder.due")).scalars())


async def test_a_snooze_ends_at_its_moment(db: Database) -> None:
    ticket = (await db.write(make_ticket)).ticket_id
    agent = await db.write(make_user)
    await db.write(lifecycle.snooze, ticket, until=NOW + DAY, user_id=agent, now=NOW)
    assert await db.write(timers.run_due, NOW + DAY - timedelta(seconds=1)) == 0
    assert await db.write(timers.run_due, NOW + DAY) == 1
    assert await db.read(status) == "open"
    assert await db.write(timers.run_due, NOW + DAY) == 0


async def test_resolved_tickets_close_after_a_week(db: Database) -> None:
    ticket = (await db.write(make_ticket)).ticket_id
    await db.write(lifecycle.resolve, ticket, user_id=None, now=NOW)
    assert await db.write(timers.run_due, NOW + 6 * DAY) == 0
    assert await db.write(timers.run_due, NOW + 7 * DAY) == 1
    assert await db.read(status) == "closed"


async def test_a_reminder_rings_once_for_the_one_who_should_call(db: Database) -> None:
    ticket = (await db.write(make_ticket)).ticket_id
    agent = await db.write(make_user)
    plan = {"due_at": NOW + DAY, "user_id": agent, "by_user_id": agent, "client_id": "c1", "text": "Call", "now": NOW}
    reminder = await db.write(timers.remind, ticket, **plan)
    assert await db.write(timers.remind, ticket, **plan) is None
    assert await db.write(timers.ring, NOW) == 0
    assert await db.write(timers.ring, NOW + DAY) == 1
    assert await db.write(timers.ring, NOW + DAY) == 0
    assert [payload["user_id"] for payload in await db.read(rung)] == [agent]
    await db.write(timers.postpone, reminder, due_at=NOW + 2 * DAY, now=NOW + DAY)
    assert await db.write(timers.ring, NOW + 2 * DAY) == 1
    assert [row.id for row in await db.read(timers.open_reminders, user_id=agent)] == [reminder]
    await db.write(timers.finish, reminder, user_id=agent, now=NOW + 2 * DAY)
    assert await db.read(timers.open_reminders, ticket_id=ticket) == []
    with pytest.raises(NotFound):
        await db.write(timers.postpone, reminder, due_at=NOW + 3 * DAY, now=NOW)


async def test_a_reminder_in_the_past_is_refused(sqlite_db: Database) -> None:
    ticket = (await sqlite_db.write(make_ticket)).ticket_id
    with pytest.raises(Invalid):
        await sqlite_db.write(timers.remind, ticket, due_at=NOW, now=NOW)
