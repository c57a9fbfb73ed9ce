"""Fixtures that every test may use. Time is a value, the databases are real."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from contact_center.core.db import Database, open_database
from contact_center.core.secrets import Vault
from tests import databases

# Two shared cores: how long an example takes says nothing.
hypothesis_settings.register_profile("shared", deadline=None)
hypothesis_settings.load_profile("shared")

# What is loaded and collected stays to the end: nobody looks for garbage among it, which would take a fifth of the run.
gc.disable()

# Folders whose tests drive browsers and processes beside a real clock.
SECOND_TRY = ("browser", "demo", "flows")
# A Monday morning.
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In CI such a test gets a second try, and the report shows it (docs/decisions/0039)."""
    if "CI" not in os.environ:
        return
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in SECOND_TRY:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault("tests-only-secret-tests-only-secret-0000")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return databases.make_sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    databases.require_postgres()
    name = asyncio.run(databases.make_postgres())
    yield name
    asyncio.run(databases.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return databases.copy_sqlite(sqlite_template, tmp_path)


@pytest.fixture
async def postgres_url(postgres_database: str) -> str:
    await databases.clean_postgres(postgres_database)
    return databases.url_of(postgres_database)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database with all tables; the test runs on both kinds."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open database, SQLite and PostgreSQL in turn."""
    database = open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_db(sqlite_url: str) -> AsyncIterator[Database]:
    """An open SQLite database, for tests that do not depend on the kind."""
    database = open_database(sqlite_url)
    yield database
    await database.close()
