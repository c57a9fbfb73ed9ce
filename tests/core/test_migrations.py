"""The migrations lead to exactly the schema that the models describe, on both databases."""

import uuid
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from contact_center import migrate
from contact_center.core.settings import normalise_database_url
from contact_center.tables import METADATA
from tests import databases


def differences(tx: Connection) -> list[object]:
    migrate.upgrade(tx)
    context = MigrationContext.configure(tx, opts={"include_object": migrate.include_object, "compare_type": True})
    return list(compare_metadata(context, METADATA))


def test_sqlite_is_as_the_models_say(tmp_path: Path) -> None:
    assert migrate.run(f"sqlite:///{tmp_path / 'new.db'}", differences) == []


@pytest.mark.postgres
async def test_postgresql_is_as_the_models_say() -> None:
    name = f"cc_migrate_{uuid.uuid4().hex[:8]}"
    await databases.admin(f'CREATE DATABASE "{name}"')
    try:
        found = await migrate.run_postgres(databases.url_of(name), differences)
        assert found == []
    finally:
        await databases.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    url = normalise_database_url(f"sqlite:///{tmp_path / 'new.db'}")
    migrate.run(url, migrate.upgrade)
    migrate.run(url, migrate.upgrade)
    newest = max(path.name.partition("_")[0] for path in (migrate.FOLDER / "versions").glob("[0-9]*.py"))
    assert migrate.run(url, migrate.revision) == migrate.head() == newest


def test_a_database_url_that_cannot_be_used_says_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"write sqlite:///path/to/file\.db"):
        normalise_database_url("mysql://localhost/x")
