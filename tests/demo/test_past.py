"""The demo's past: written in a file of its own, merged a few tickets at a time, never twice and never half."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import pytest

from contact_center.core.bus import MemoryBus
from contact_center.core.db import one_shot, open_database
from contact_center.core.loops import Supervisor, sleep
from contact_center.core.settings import Settings
from contact_center.demo import mark, merge, past, seed
from contact_center.demo.historian import Historian
from contact_center.demo.month import Stretch
from tests.conftest import NOW
from tests.demo import books
from tests.demo.small import SMALL, copy
from tickets.search import search


def past_of(settings: Settings) -> tuple[Stretch, datetime]:
    """The only stretch before today, and when today begins."""
    with one_shot(settings.database) as tx:
        state = mark.read(tx)
    assert state is not None
    before, today = mark.month(state)
    return before, today.begin


@pytest.fixture(scope="session")
def written(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished file of the small demo's past."""
    settings = copy(seeded, tmp_path_factory.mktemp("past") / "demo")
    stretch, _ = past_of(settings)
    past.write(settings, stretch, until=NOW)
    return past.finished_file(settings.data_dir, stretch.number)


def merge_all(settings: Settings, file: Path) -> int:
    """Merge everything; how many tickets came."""
    _, present_from = past_of(settings)
    with closing(merge.Merge(seed.database_path(settings), file)) as merging:
        came = 0
        while count := merging.step(present_from=present_from):
            came += count
        return came


def test_what_the_child_writes_arrives_whole(small_demo: Settings, written: Path) -> None:
    present, base, before = (
        books.rows(seed.database_path(small_demo)),
        books.rows(seed.base_path(small_demo)),
        books.rows(written),
    )
    came = merge_all(small_demo, written)
    assert came == before["tickets"] >= (SMALL.tickets - SMALL.today) * 0.9
    books.check(small_demo, now=NOW)
    after = books.rows(seed.database_path(small_demo))
    for table in ("tickets", "journal", *(name for name, _, _ in merge.PARTS)):
        assert after[table] == present[table] + before[table], table
    assert before["presence_log"] > after["presence_log"] - present["presence_log"] > 0
    changed = {name for name in before if before[name] != base[name] and not name.startswith("article_")}
    assert changed <= {*merge.NUMBERED, *(name for name, _, _ in merge.PARTS), *merge.LEFT}
    assert all(before[name] == base[name] for name in before if name.startswith("article"))


def test_nobody_holds_work_of_the_past(written: Path) -> None:
    with closing(sqlite3.connect(written)) as connection:
        states = {row[0] for row in connection.execute("SELECT DISTINCT state FROM work_items")}
    assert "completed" in states
    assert not states & {"reserved", "assigned", "wrapping"}


def test_a_merged_ticket_is_found_by_its_subject_and_number(small_demo: Settings, written: Path) -> None:
    merge_all(small_demo, written)
    with closing(sqlite3.connect(written)) as connection:
        ticket_id, subject = connection.execute("SELECT id, subject FROM tickets ORDER BY id LIMIT 1").fetchone()
    with one_shot(small_demo.database) as tx:
        by_number = search(tx, f"#{search(tx, subject, limit=100).tickets[0].number}")
        assert by_number.tickets
        assert ticket_id in [hit.ticket_id for hit in search(tx, subject, limit=100).tickets]


def test_an_interrupted_merge_goes_on_where_it_was(
    small_demo: Settings, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "BATCH", 7)
    _, present_from = past_of(small_demo)
    with closing(merge.Merge(seed.database_path(small_demo), written)) as merging:
        first = merging.step(present_from=present_from)
    assert first >= 7
    books.check(small_demo, now=NOW)
    assert merge_all(small_demo, written) == books.rows(written)["tickets"] - first
    assert merge_all(small_demo, written) == 0
    books.check(small_demo, now=NOW)


def test_a_thread_that_is_open_in_the_present_stays_with_the_present(
    small_demo: Settings, written: Path, tmp_path: Path
) -> None:
    file = Path(shutil.copy(written, tmp_path))
    same = "UPDATE tickets SET thread_key = '+84900000000', channel_account_id = 2, status = 'pending' WHERE id ="
    for path, which in ((file, "min"), (seed.database_path(small_demo), "max")):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"{same} (SELECT {which}(id) FROM tickets)")
    merge_all(small_demo, file)
    with closing(sqlite3.connect(seed.database_path(small_demo))) as connection:
        found = connection.execute("SELECT thread_key FROM tickets ORDER BY id").fetchall()
    assert (found[0], found[-1]) == ((None,), ("+84900000000",))


def test_a_killed_child_leaves_nothing_behind_that_is_taken_for_whole(small_demo: Settings) -> None:
    stretch, _ = past_of(small_demo)
    present = books.rows(seed.database_path(small_demo))
    child = subprocess.Popen(
        [sys.executable, "-m", past.__name__, str(stretch.number), *past.arguments(small_demo)], cwd=Path.cwd()
    )
    try:
        while not any(merge.written(path) > 3 for path in past.unfinished_files(small_demo.data_dir)):
            assert child.poll() is None, "the child ended by itself"
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.002)
    finally:
        child.kill()
        child.wait()
    assert past.unfinished_files(small_demo.data_dir)
    assert not past.finished_file(small_demo.data_dir, stretch.number).exists()
    assert books.rows(seed.database_path(small_demo)) == present


async def test_the_demo_writes_and_merges_its_past_beside_the_floor(small_demo: Settings) -> None:
    for suffix in (".part", past.COPY):
        (small_demo.data_dir / f"history-0-99999{suffix}").write_bytes(b"of a demo that was killed")
    db = open_database(small_demo.database)
    supervisor = Supervisor([Historian(small_demo, db, MemoryBus()).loop()])
    supervisor.start()
    history: dict[str, object] = {}
    while not history.get("done"):
        await sleep(0.1)
        history = (await db.read(mark.read) or {})["history"]
    await supervisor.stop()
    await db.close()
    assert history["written"] == history["of"]
    assert history["merged"] == [0]
    assert past.files(small_demo.data_dir) == []
    assert not seed.base_path(small_demo).exists()
    books.check(small_demo, now=NOW)
    with one_shot(small_demo.database) as tx:
        assert (mark.read(tx) or {})["pace"] == "calm"


async def test_a_stopped_demo_ends_its_child(small_demo: Settings) -> None:
    db = open_database(small_demo.database)
    historian = Historian(small_demo, db, MemoryBus())
    await historian.step()
    (child,) = historian.children.values()
    assert child.returncode is None
    await historian.close()
    assert child.returncode is not None
    await db.close()
