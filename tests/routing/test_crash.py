"""I4: whatever is killed, wherever, nothing is lost and nothing is assigned twice."""

import asyncio
import contextlib
import random
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, func, select

from contact_center.core.db import Database, SqliteDatabase
from contact_center.core.errors import DomainError
from routing import contacts, handling, offers, timers
from routing.models import Offer, WorkItem
from tests.routing.desk import Desk

KILLS = 5
ROOT = Path(__file__).parent.parent.parent


class Killed(Exception):
    """The process died before this statement."""


@contextlib.contextmanager
def dies_at(db: SqliteDatabase, statement: int):
    """Raise at the n-th statement from here on; yields the counter of statements."""
    count = [0]

    def count_and_die(*_: object) -> None:
        count[0] += 1
        if count[0] == statement:
            raise Killed

    event.listen(db.engine, "before_cursor_execute", count_and_die)
    try:
        yield count
    finally:
        event.remove(db.engine, "before_cursor_execute", count_and_die)


async def _survives(desk: Desk, step, *args, **options) -> None:
    """Let `step` die at its first statement, its second, … until it gets through; check the floor after each."""
    for statement in range(1, 200):
        with dies_at(desk.db, statement) as count:
            try:
                await desk.db.write(step, *args, **options)
            except Killed:
                count[0] = -1_000_000
                assert await desk.broken(engine_runs=False) == {}
                continue
            return
    raise AssertionError("it never gets through")


@pytest.mark.long
async def test_every_step_can_die_at_every_statement(sqlite_db: SqliteDatabase):
    desk = await Desk.open(sqlite_db)
    agents = [await desk.agent(live=50) for _ in range(2)]
    chats = [await desk.writes() for _ in range(5)]
    await _survives(desk, desk.engine.decide_all, desk.now)
    given = {chat.ticket_id: await desk.offered_to(chat.ticket_id) for chat in chats}
    mine = [ticket_id for ticket_id, agent_id in given.items() if agent_id is not None]
    assert len(mine) == 4
    ids = {ticket_id: (await desk.offer(ticket_id)).id for ticket_id in mine}
    accepted, declined, left, late = mine
    await _survives(desk, offers.accept, ids[accepted], given[accepted], now=desk.now)
    await _survives(desk, offers.decline, ids[declined], given[declined], "busy", now=desk.now)
    await _survives(desk, contacts.customer_left, left, now=desk.now)
    await desk.relay()
    await _survives(desk, handling.transfer, accepted, by_user_id=given[accepted], queue_id=desk.queue_id, now=desk.now)
    await _survives(desk, handling.take, accepted, agents[0], now=desk.now)
    await _survives(desk, handling.end, accepted, now=desk.now)
    await _survives(desk, handling.finish, accepted, agents[0], now=desk.now)
    desk.now = (await desk.offer(late)).expires_at
    await _survives(desk, timers.run_all, desk.now)
    assert (await desk.offer(late)).state == "timeout"
    await _survives(desk, desk.engine.decide_all, desk.now)
    assert await desk.offered_to(late) not in {None, given[late]}
    assert await desk.broken() == {}


@pytest.mark.long
async def test_a_floor_that_is_killed_again_and_again_loses_nothing(db: Database, database_url: str):
    desk = await Desk.open(db)
    agents = [await desk.agent() for _ in range(4)]
    chats = [await desk.writes() for _ in range(12)]
    dice = random.Random(4)
    for round_ in range(KILLS + 3):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.routing.floor_process", database_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"started\n"
        done = asyncio.create_task(process.stdout.read())
        patience = dice.uniform(0.1, 0.6) if round_ < KILLS else 120
        await asyncio.wait({done}, timeout=patience)
        if process.returncode is None and not done.done():
            process.kill()
        await process.wait()
        if (await done) == b"done\n":
            break
    else:
        pytest.fail("the floor was never worked off")

    def count(tx: Connection) -> tuple[int, int]:
        completed = select(func.count()).select_from(WorkItem).where(WorkItem.state == "completed")
        accepted = select(func.count()).select_from(Offer).where(Offer.state == "accepted")
        return tx.execute(completed).scalar_one(), tx.execute(accepted).scalar_one()

    assert await db.read(count) == (len(chats), len(chats))
    assert [(await desk.state(one)).live_held for one in agents] == [0] * 4
    assert await desk.broken() == {}


async def test_a_decision_on_an_old_picture_changes_nothing(sqlite_db: SqliteDatabase):
    desk = await Desk.open(sqlite_db)
    agent = await desk.agent()
    chat = await desk.writes()
    await desk.decide()
    offer = await desk.offer(chat.ticket_id)
    await desk.do(contacts.customer_left, chat.ticket_id)
    with pytest.raises(DomainError):
        await desk.do(offers.accept, offer.id, agent)
    assert await desk.broken() == {}
