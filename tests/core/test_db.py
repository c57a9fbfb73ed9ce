"""Both databases behind one seam: transactions, pokes, retries, threads."""

import asyncio
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, func, insert, select, text

from contact_center.core.among import among
from contact_center.core.bus import Poke
from contact_center.core.db import Database, collect, in_one, open_database
from contact_center.core.direct import Direct
from contact_center.core.events import EventRow, emit
from contact_center.core.schema import SafeText, clean_json
from contact_center.core.upsert import insert_once, upsert
from tests.conftest import NOW
from tickets.models import Tag, Topic

EVENT = {"name": "thing.happened", "version": 1, "topics": [], "created_at": NOW, "dispatched_at": None}


def add_tag(tx: Connection, name: str) -> None:
    tx.execute(insert(Tag), {"name": name})
    collect(tx, Poke("tags", {"name": name}))


def tags(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(Tag)).scalar_one()


@pytest.mark.parametrize("wanted", [set(), {2}, {3, 1, 99}])
async def test_one_of_many_ids_is_one_parameter(db: Database, wanted: set[int]) -> None:
    statement = select(Tag.id).where(among(Tag.id, "tags")).order_by(Tag.id)

    def found(tx: Connection) -> list[int]:
        for name in "abc":
            add_tag(tx, name)
        return list(tx.execute(statement, {"tags": wanted}).scalars())

    assert await db.write(found) == sorted(wanted & {1, 2, 3})


async def test_pokes_are_published_after_commit(db: Database) -> None:
    published: list[Poke] = []
    db.after_commit = published.extend
    await db.write(add_tag, "a")
    assert published == [Poke("tags", {"name": "a"})]


async def test_a_failed_transaction_leaves_nothing_and_pokes_nobody(db: Database) -> None:
    published: list[Poke] = []
    db.after_commit = published.extend

    def fail(tx: Connection) -> None:
        add_tag(tx, "a")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await db.write(fail)
    await db.write(lambda tx: None)
    assert published == []
    assert await db.read(tags) == 0


async def test_concurrent_read_then_write_transactions_all_count(db: Database) -> None:
    def count_up(tx: Connection) -> None:
        upsert(tx, Tag, key=("id",), values={"id": 1, "name": "0"})

    def add_one(tx: Connection) -> None:
        row = tx.execute(select(Tag.name).where(Tag.id == 1).with_for_update()).scalar_one()
        upsert(tx, Tag, key=("id",), values={"id": 1, "name": str(int(row) + 1)})

    await db.write(count_up)
    await asyncio.gather(*(db.write(add_one) for _ in range(60)))
    assert await db.read(lambda tx: tx.execute(select(Tag.name)).scalar_one()) == "60"


async def test_a_cancelled_writer_still_publishes_what_it_committed(sqlite_db: Database) -> None:
    published: list[Poke] = []
    done = asyncio.Event()

    def publish(pokes: list[Poke]) -> None:
        published.extend(pokes)
        done.set()

    sqlite_db.after_commit = publish
    task = asyncio.create_task(sqlite_db.write(add_tag, "a"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait_for(done.wait(), 5)
    assert len(published) == await sqlite_db.read(tags) == 1


async def test_readers_cannot_write_on_postgresql(db: Database) -> None:
    if db.dialect == "sqlite":
        await db.read(tags)
        return
    with pytest.raises(Exception, match="read-only"):
        await db.read(add_tag, "a")


async def test_insert_once_gives_the_id_only_to_the_first(db: Database) -> None:
    first = await db.write(insert_once, Tag, key=["name"], values={"name": "a"})
    again = await db.write(insert_once, Tag, key=["name"], values={"name": "a"})
    assert first is not None
    assert again is None


async def test_a_naive_datetime_is_refused(sqlite_db: Database) -> None:
    from tickets.models import Queue  # noqa: PLC0415 - only this test needs a table with a time

    with pytest.raises(Exception, match="naive"):
        await sqlite_db.write(
            lambda tx: tx.execute(insert(Queue), {"name": "x", "routing": {}, "created_at": NOW.replace(tzinfo=None)})
        )


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "😀", "\u202eabc", "Đổi trả"])
async def test_any_text_can_be_stored(db: Database, text: str) -> None:
    await db.write(lambda tx: tx.execute(insert(Topic), {"name": text}))
    stored = await db.read(lambda tx: tx.execute(select(Topic.name)).scalar_one())
    assert stored == text.replace("\x00", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


async def test_a_moment_of_any_zone_comes_back_in_utc_and_sorts_by_time(db: Database) -> None:
    saigon = timezone(timedelta(hours=7))
    moments = [NOW, (NOW + timedelta(microseconds=1)).astimezone(saigon), NOW + timedelta(seconds=1)]

    def emit_at_each(tx: Connection) -> None:
        for number, moment in reversed(list(enumerate(moments))):
            emit(tx, "thing.happened", {"n": number}, now=moment)

    await db.write(emit_at_each)
    by_time = select(EventRow.payload, EventRow.created_at, EventRow.dispatched_at).order_by(EventRow.created_at)
    rows = await db.read(lambda tx: tx.execute(by_time).all())
    assert [(row.payload["n"], row.created_at) for row in rows] == list(enumerate(moments))
    assert {(row.created_at.tzinfo, row.dispatched_at) for row in rows} == {(UTC, None)}


@pytest.mark.parametrize("value", [{"a": "a\ud800b"}, {"n": 2**70}, {"list": [1, None, True, "Đổi trả"]}, {"1": 1.5}])
async def test_any_json_can_be_stored(db: Database, value: dict[str, Any]) -> None:
    await db.write(lambda tx: tx.execute(insert(EventRow), {**EVENT, "payload": value}))
    stored = await db.read(lambda tx: tx.execute(select(EventRow.payload)).scalar_one())
    assert stored == clean_json(value)


def tag_in_one(tx: Connection, name: str) -> str | None:
    """The shorter way for names of one letter; it says None for others, and breaks for "!"."""
    if len(name) > 1:
        return None
    add_tag(tx, name)
    if name == "!":
        raise ValueError(name)
    return "short"


@in_one(tag_in_one)
def tag(tx: Connection, name: str) -> str:
    add_tag(tx, name)
    return "long"


@pytest.mark.postgres
async def test_a_use_case_goes_the_shorter_way_where_there_is_one(postgres_url: str) -> None:
    db = open_database(postgres_url)
    published: list[Poke] = []
    db.after_commit = published.extend
    assert [await db.write(tag, name) for name in ("a", "long")] == ["short", "long"]
    assert [poke.data["name"] for poke in published] == ["a", "long"]
    assert await db.read(tags) == 2
    await db.close()


@pytest.mark.postgres
async def test_a_cancelled_read_or_write_gives_its_connection_back(postgres_url: str) -> None:
    db = open_database(postgres_url, pool=1)
    running = asyncio.Event()

    def wait(tx: Connection) -> None:
        running.set()
        tx.execute(text("SELECT pg_sleep(600)"))

    for run in (db.read, db.write):
        running.clear()
        task = asyncio.create_task(run(wait))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await run(tags) == 0
    await db.close()


async def test_a_shorter_way_that_breaks_pokes_nobody(postgres_url: str) -> None:
    db = open_database(postgres_url)
    published: list[Poke] = []
    db.after_commit = published.extend
    with pytest.raises(ValueError, match="!"):
        await db.write(tag, "!")
    await db.write(tag, "long")
    assert [poke.data["name"] for poke in published] == ["long"]
    await db.close()


@pytest.mark.postgres
async def test_a_direct_statement_takes_and_gives_what_core_does(postgres_url: str) -> None:
    db = open_database(postgres_url)
    add = text("INSERT INTO tags (name) SELECT :name WHERE :name <> '' RETURNING id, name").bindparams(
        bindparam("name", type_=SafeText())
    )
    direct = Direct(add)

    @in_one(lambda tx, name: direct.first(tx, {"name": name}))
    def make(tx: Connection, name: str) -> str:
        return "the long way"

    assert (await db.write(make, "a\x00b")).name == "a\ufffdb"
    assert await db.write(make, "") == "the long way"
    assert await db.read(tags) == 1
    await db.close()
