"""What the demo refuses, each in one sentence that says what to do."""

import socket
from pathlib import Path

import pytest
import typer
from sqlalchemy import func, select

from contact_center import migrate
from contact_center.accounts import users
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Role
from contact_center.core.db import one_shot
from contact_center.core.settings import Settings
from contact_center.demo import mark, past, seed, start
from contact_center.demo.month import Scale, stretches
from tests.conftest import NOW

TINY = Scale(customers=12, days=1, tickets=3, today=3)


def settings_for(folder: Path, **more: object) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = {"data_dir": folder, "database_url": f"sqlite:///{folder}/shop.db", "port": port, **more}
    return Settings.model_validate(values)


def refusal(settings: Settings, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(typer.Exit) as refused:
        start.run(settings, reset=False)
    assert refused.value.exit_code == 1
    return " ".join(capsys.readouterr().err.split())


def test_it_listens_on_loopback_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "only listens on loopback" in refusal(settings_for(tmp_path, host="0.0.0.0"), capsys)
    assert not (tmp_path / "shop.db").exists()


def test_it_never_touches_a_database_with_real_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)
    migrate.run(settings.database, migrate.upgrade)
    with one_shot(settings.database) as tx:
        users.add(tx, email="real@shop.example", name="Real", role=Role.ADMIN, password_hash="x", now=NOW)
    assert "holds real data" in refusal(settings, capsys)
    with one_shot(settings.database) as tx:
        assert mark.read(tx) is None


def test_it_lives_in_sqlite_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert "unset the database URL" in refusal(settings, capsys)


def test_a_taken_port_is_named_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings_for(tmp_path, port=taken.getsockname()[1])
        assert f"Port {settings.port} is taken" in refusal(settings, capsys)
    assert not (tmp_path / "shop.db").exists()


def test_a_demo_of_an_older_version_is_not_guessed_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)
    migrate.run(settings.database, migrate.upgrade)
    with one_shot(settings.database) as tx:
        mark.write(tx, seeded_at=NOW.isoformat())
    assert "--reset" in refusal(settings, capsys)


def test_reset_takes_everything_of_the_demo_away_and_nothing_else(small_demo: Settings) -> None:
    past.finished_file(small_demo.data_dir, 0).touch()
    own = small_demo.data_dir / "my-notes.db"
    own.touch()
    start.reset_files(small_demo)
    left = {path.name for path in small_demo.data_dir.iterdir()}
    assert "my-notes.db" in left
    assert not left & {"contact_center.db", "history-0.db", seed.base_path(small_demo).name}


def test_reset_refuses_a_database_with_real_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_for(tmp_path)
    migrate.run(settings.database, migrate.upgrade)
    with one_shot(settings.database) as tx:
        users.add(tx, email="real@shop.example", name="Real", role=Role.ADMIN, password_hash="x", now=NOW)
    with pytest.raises(typer.Exit):
        start.run(settings, reset=True)
    assert "holds real data" in " ".join(capsys.readouterr().err.split())
    with one_shot(settings.database) as tx:
        assert tx.execute(select(func.count()).select_from(User)).scalar_one() == 1


def test_a_demo_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    start.prepare(settings, TINY)
    first = begun_at(settings)
    start.prepare(settings, TINY)
    assert begun_at(settings) == first
    start.prepare(settings, TINY, reset=True)
    assert begun_at(settings) != first


def test_a_demo_that_was_interrupted_before_its_first_page_is_begun_anew(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    migrate.run(settings.database, migrate.upgrade)
    with one_shot(settings.database) as tx:
        mark.write(tx, **mark.begun(NOW, TINY, stretches(NOW, TINY)))
        users.add(tx, email="half@shop.example", name="Half", role=Role.ADMIN, password_hash="x", now=NOW)
    start.prepare(settings, TINY)
    with one_shot(settings.database) as tx:
        assert "seeded_at" in (mark.read(tx) or {})
        assert "half@shop.example" not in set(tx.execute(select(User.email)).scalars())


def begun_at(settings: Settings) -> str:
    with one_shot(settings.database) as tx:
        return str((mark.read(tx) or {})["begun_at"])
