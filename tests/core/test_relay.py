"""The relay: every handler's effect once, failures set aside and tried again, crashes undone."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, insert, select, update

from contact_center.core import relay
from contact_center.core.clock import utcnow
from contact_center.core.db import Database
from contact_center.core.events import (
    OUTBOX_TOPIC,
    Announcement,
    Event,
    EventRow,
    HandlerFailure,
    emit,
    emit_all,
    together,
)
from tests.conftest import NOW
from tickets.models import Tag


class Crash(BaseException):
    """Stands for the process dying: nobody catches it."""


def write_tag(tx: Connection, event: Event, now: object) -> None:
    tx.execute(insert(Tag), {"name": f"done {event.payload['n']}"})


def fail_on_two(tx: Connection, event: Event, now: object) -> None:
    tx.execute(insert(Tag), {"name": f"half {event.payload['n']}"})
    if event.payload["n"] == 2:
        raise RuntimeError("cannot do two")


def names(tx: Connection) -> list[str]:
    return list(tx.execute(select(Tag.name).order_by(Tag.id)).scalars())


async def emit_some(db: Database, count: int) -> None:
    def work(tx: Connection) -> None:
        for n in range(count):
            emit(tx, "thing.happened", {"n": n}, now=NOW)

    await db.write(work)


async def test_each_event_is_handled_once(db: Database) -> None:
    await emit_some(db, 3)
    loop = relay.Relay(db, {"thing.happened": [write_tag]})
    await loop.run_once()
    await loop.run_once()
    assert await db.read(names) == ["done 0", "done 1", "done 2"]


async def test_only_a_full_batch_is_followed_by_another_at_once(db: Database) -> None:
    await emit_some(db, relay.BATCH + 1)
    loop = relay.Relay(db, {"thing.happened": [write_tag]})
    assert await loop.run_once()
    assert len(await db.read(names)) == relay.BATCH
    assert not await loop.run_once()
    assert len(await db.read(names)) == relay.BATCH + 1


async def test_what_a_handler_emits_wakes_the_relay_again(db: Database) -> None:
    def go_on(tx: Connection, event: Event, now: datetime) -> None:
        emit(tx, "thing.went_on", {"n": event.payload["n"]}, now=now)

    await emit_some(db, 1)
    poked: list[str] = []
    db.after_commit = lambda pokes: poked.extend(p.topic for p in pokes)
    loop = relay.Relay(db, {"thing.happened": [go_on], "thing.went_on": [write_tag]})
    await loop.run_once()
    assert OUTBOX_TOPIC in poked
    await loop.run_once()
    assert await db.read(names) == ["done 0"]


async def test_events_are_handled_in_the_order_of_their_ids(db: Database) -> None:
    await emit_some(db, 50)
    await relay.Relay(db, {"thing.happened": [write_tag]}).run_once()
    assert await db.read(names) == [f"done {n}" for n in range(50)]


async def test_a_handler_of_many_takes_what_follows_each_other_at_once(db: Database) -> None:
    asked: list[list[int]] = []

    @together
    def many(tx: Connection, events: Sequence[Event], now: datetime) -> None:
        asked.append([event.payload["n"] for event in events])

    await emit_some(db, 2)
    await db.write(lambda tx: emit(tx, "thing.went_on", {"n": 2}, now=NOW))
    await db.write(lambda tx: emit(tx, "thing.happened", {"n": 3}, now=NOW))
    await relay.Relay(db, {"thing.happened": [many, write_tag], "thing.went_on": [write_tag]}).run_once()
    assert asked == [[0, 1], [3]]
    assert await db.read(names) == ["done 0", "done 1", "done 2", "done 3"]


async def test_what_fails_among_many_fails_alone(db: Database) -> None:
    @together
    def many(tx: Connection, events: Sequence[Event], now: datetime) -> None:
        for event in events:
            fail_on_two(tx, event, now)

    await emit_some(db, 4)
    await relay.Relay(db, {"thing.happened": [many]}).run_once()
    assert await db.read(names) == ["half 0", "half 1", "half 3"]
    failure = await db.read(lambda tx: tx.execute(select(HandlerFailure.__table__)).one())
    assert (failure.handler, failure.attempts) == (relay.handler_name(many), 1)


async def test_several_events_are_recorded_together_and_each_pokes_its_topics(db: Database) -> None:
    def work(tx: Connection) -> None:
        emit_all(tx, [Announcement("one.done", {"n": 1}, ["a"]), Announcement("two.done", {"n": 2}, ["b"])], now=NOW)
        emit_all(tx, [], now=NOW)

    poked: list[tuple[str, object]] = []
    db.after_commit = lambda pokes: poked.extend((p.topic, p.data.get("event")) for p in pokes)
    await db.write(work)
    rows = await db.read(lambda tx: tx.execute(select(EventRow.name, EventRow.payload).order_by(EventRow.id)).all())
    assert [tuple(row) for row in rows] == [("one.done", {"n": 1}), ("two.done", {"n": 2})]
    assert poked == [("a", "one.done"), ("b", "two.done"), (OUTBOX_TOPIC, None)]


async def test_a_failing_handler_is_stored_and_blocks_nothing(db: Database) -> None:
    await emit_some(db, 4)
    await relay.Relay(db, {"thing.happened": [fail_on_two, write_tag]}).run_once()
    found = await db.read(names)
    failure = await db.read(lambda tx: tx.execute(select(HandlerFailure.__table__)).one())
    assert [name for name in found if name.startswith("done")] == ["done 0", "done 1", "done 2", "done 3"]
    assert "half 2" not in found
    assert (failure.attempts, failure.dead_at, failure.error) == (1, None, "RuntimeError: cannot do two")


async def test_a_handler_that_works_again_clears_its_failure(db: Database) -> None:
    await emit_some(db, 3)
    await relay.Relay(db, {"thing.happened": [fail_on_two]}).run_once()

    def mended(tx: Connection, event: Event, now: object) -> None:
        write_tag(tx, event, now)

    mended.__module__, mended.__name__ = fail_on_two.__module__, fail_on_two.__name__
    later = utcnow() + timedelta(minutes=1)
    assert await db.write(relay.retry_due, {"thing.happened": [mended]}, later) == 1
    assert "done 2" in await db.read(names)
    assert await db.read(lambda tx: tx.execute(select(HandlerFailure.id)).all()) == []


async def test_after_the_last_attempt_it_is_dead_and_kept(db: Database) -> None:
    await emit_some(db, 3)
    handlers = {"thing.happened": [fail_on_two]}
    await relay.Relay(db, handlers).run_once()
    at = utcnow()
    for _ in range(relay.MAX_ATTEMPTS):
        at += timedelta(hours=2)
        await db.write(relay.retry_due, handlers, at)
    failure = await db.read(lambda tx: tx.execute(select(HandlerFailure.__table__)).one())
    assert failure.attempts == relay.MAX_ATTEMPTS
    assert failure.dead_at is not None


async def test_a_crash_in_the_middle_undoes_the_claim(db: Database) -> None:
    await emit_some(db, 2)

    def crash(tx: Connection) -> None:
        relay.relay_batch(tx, {"thing.happened": [write_tag]}, NOW)
        raise Crash

    with pytest.raises(Crash):
        await db.write(crash)
    assert await db.read(names) == []
    await relay.Relay(db, {"thing.happened": [write_tag]}).run_once()
    assert await db.read(names) == ["done 0", "done 1"]


async def test_an_event_nobody_poked_is_poked_by_the_relay(db: Database) -> None:
    def work(tx: Connection) -> None:
        emit(tx, "thing.happened", {"n": 1}, now=utcnow() - timedelta(seconds=5), topics=["ticket:1"])

    await db.write(work)
    poked: list[str] = []
    db.after_commit = lambda pokes: poked.extend(p.topic for p in pokes)
    await relay.Relay(db, {}).run_once()
    assert poked == ["ticket:1"]


async def test_old_events_are_purged_but_not_those_that_failed(db: Database) -> None:
    await emit_some(db, 3)
    await relay.Relay(db, {"thing.happened": [fail_on_two]}).run_once()
    assert await db.write(relay.purge, utcnow() + timedelta(days=8)) == 2
    assert len(await db.read(lambda tx: tx.execute(select(EventRow.id)).all())) == 1


async def test_old_events_are_purged_a_piece_at_a_time_and_young_ones_stay(db: Database) -> None:
    count = relay.PURGED_AT_ONCE + 1
    await emit_some(db, count)
    later = utcnow() + timedelta(days=8)

    def handled(tx: Connection) -> None:
        tx.execute(update(EventRow).values(dispatched_at=utcnow()))
        tx.execute(update(EventRow).where(EventRow.id == count).values(dispatched_at=later))

    await db.write(handled)
    assert await db.write(relay.purge, utcnow()) == 0
    assert await db.write(relay.purge, later) == relay.PURGED_AT_ONCE
    assert await db.write(relay.purge, later) == 0
    assert await db.read(lambda tx: tx.execute(select(EventRow.id)).scalars().all()) == [count]
