"""Both databases behind one seam: transactions, pokes, retries, threads."""

import asyncio

import pytest
from sqlalchemy import Connection, func, insert, select

from contact_center.core.bus import Poke
from contact_center.core.db import Database, collect
from contact_center.core.upsert import insert_once, upsert
from tests.conftest import NOW
from tickets.models import Tag, Topic


def add_tag(tx: Connection, name: str) -> None:
    tx.execute(insert(Tag), {"name": name})
    collect(tx, Poke("tags", {"name": name}))


def tags(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(Tag)).scalar_one()


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
