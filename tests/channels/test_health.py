"""Troubles of channel accounts: told once, over once, and seen by those who serve them."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from channels import health
from contact_center.accounts.permissions import Role
from contact_center.core.db import Database
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing.models import ProfileRow
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_user, unique
from tests.tickets.test_silence import busy
from tickets import channel_accounts, inbox, notifications
from tickets.inbox import RawItem
from tickets.models import ChannelAccount
from tickets.notifications import Notification
from tickets.states import Channel

NOON = NOW.replace(hour=11, minute=0)
MINUTE = timedelta(minutes=1)


async def watch(db: Database, now: datetime) -> int:
    changed = await db.write(health.watch, now)
    while await Relay(db, HANDLERS).run_once():
        pass
    return changed


async def told(db: Database) -> dict[str, list[str]]:
    """person -> what they were told, oldest first."""
    rows = await db.read(
        lambda tx: tx.execute(select(Notification.user_id, Notification.what).order_by(Notification.id)).all()
    )
    found: dict[Any, list[str]] = {}
    for user_id, what in rows:
        found.setdefault(user_id, []).append(what)
    return found


async def test_a_silence_is_told_once_and_once_when_it_is_over(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int, int]:
        account_id = busy(tx, "Support", until=NOW)
        make_user(tx, role=Role.AGENT)
        return account_id, make_user(tx, role=Role.ADMIN), make_user(tx, role=Role.SUPERVISOR)

    account_id, admin, supervisor = await db.write(story)
    assert [await watch(db, NOON), await watch(db, NOON + MINUTE)] == [1, 0]
    assert await told(db) == {admin: ["silent"], supervisor: ["silent"]}
    # At night nothing is normal, and nothing has come all the same.
    assert await watch(db, NOON.replace(hour=23)) == 0

    heard = NOON.replace(hour=23, minute=30)
    await db.write(inbox.store, RawItem(Channel.EMAIL, account_id, unique("x")), now=heard)
    assert [await watch(db, heard + MINUTE), await watch(db, heard + 2 * MINUTE)] == [1, 0]

    assert await told(db) == {admin: ["silent", "well"], supervisor: ["silent", "well"]}
    rows = await db.read(notifications.recent, admin)
    assert [(row.account, row.ticket_id) for row in rows] == [("Support", None)] * 2


async def test_a_server_that_restarts_is_no_trouble_and_one_that_stays_away_is(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int]:
        return make_account(tx, Channel.EMAIL, name="Support"), make_user(tx, role=Role.ADMIN)

    account_id, admin = await db.write(story)
    await fail(db, account_id, "no route to host")
    assert await watch(db, NOW) == 0
    await db.write(channel_accounts.recovered, account_id)
    await watch(db, NOW + MINUTE)
    assert await told(db) == {}

    await fail(db, account_id, "no route to host")
    for minute in range(10):
        await watch(db, NOW + (2 + minute) * MINUTE)
    assert await told(db) == {admin: ["failing"]}
    await db.write(channel_accounts.recovered, account_id)
    await watch(db, NOW + 20 * MINUTE)
    assert await told(db) == {admin: ["failing", "well"]}


async def test_who_serves_the_account_sees_its_trouble_while_it_lasts(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int, int, int]:
        queue_id = make_queue(tx)
        account_id = make_account(tx, Channel.EMAIL, name="Support", queue_id=queue_id)
        agent, other, boss = make_user(tx), make_user(tx), make_user(tx, role=Role.SUPERVISOR)
        tx.execute(insert(ProfileRow).values(user_id=agent, queue_id=queue_id, priority=1, delay=0))
        return account_id, agent, other, boss

    account_id, agent, other, boss = await db.write(story)
    await fail(db, account_id, "no route to host")
    await watch(db, NOW)
    assert await seen(db, agent) == []
    await watch(db, NOW + health.PATIENCE)

    assert await seen(db, agent) == await seen(db, boss) == [("Support", "failing", NOW)]
    assert await seen(db, other) == []
    # Switched off on purpose: no trouble, and no good news either.
    await db.write(lambda tx: tx.execute(update(ChannelAccount).values(enabled=False)))
    await watch(db, NOW + 2 * health.PATIENCE)
    assert await seen(db, agent) == []
    assert await told(db) == {boss: ["failing"]}


async def fail(db: Database, account_id: int, error: str) -> None:
    await db.write(channel_accounts.report, account_id, now=NOW, error=error)


async def seen(db: Database, user_id: int) -> list[tuple[str, str, datetime]]:
    return [(row.name, row.kind, row.since) for row in await db.read(health.troubles, user_id)]
