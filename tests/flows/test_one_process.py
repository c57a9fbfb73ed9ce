"""One process on a SQLite file: a second one is refused in one sentence, whatever it is called."""

from pathlib import Path

import pytest

from tests.flows.processes import free_port, ready, run, start


@pytest.mark.long
async def test_a_second_process_on_the_same_sqlite_file_is_refused(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path), "database_url": f"sqlite:///{tmp_path}/one.db"}
    assert (await run(["migrate"], folder=tmp_path, **settings))[0] == 0
    port = str(free_port())
    first = await start(["serve"], folder=tmp_path, port=port, **settings)
    try:
        await ready(f"http://127.0.0.1:{port}", first)
        code, printed = await run(["serve"], folder=tmp_path, port=str(free_port()), **settings)
    finally:
        await first.stop()
    assert code == 1
    assert "Another process serves" in printed


async def test_a_worker_on_sqlite_is_told_what_to_do(tmp_path: Path) -> None:
    code, printed = await run(["worker"], folder=tmp_path, database_url=f"sqlite:///{tmp_path}/one.db")
    assert code == 2
    assert "needs PostgreSQL" in printed
