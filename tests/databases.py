"""Real databases for tests: a copy of a ready SQLite file, or of a ready PostgreSQL database, for each test."""

import asyncio
import os
import shutil
import uuid
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from contact_center.core.db import sqlite_engine
from contact_center.tables import METADATA

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/postgres")


def make_sqlite(folder: Path) -> Path:
    """A SQLite file with all tables."""
    path = folder / "template.db"
    engine = sqlite_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    engine.dispose()
    return path


def copy_sqlite(template: Path, folder: Path) -> str:
    """The URL of a copy."""
    path = folder / f"{uuid.uuid4().hex}.db"
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"


async def admin(*statements: str) -> None:
    """Run statements outside any transaction on the server's maintenance database."""
    connection = await asyncpg.connect(POSTGRES_URL)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def url_of(name: str) -> str:
    """The URL of a database on the test server."""
    return POSTGRES_URL.rsplit("/", 1)[0].replace("postgresql://", "postgresql+asyncpg://") + f"/{name}"


async def make_postgres() -> str:
    """The name of a PostgreSQL database with all tables; `clean_postgres` empties it between tests."""
    name = f"cc_test_{uuid.uuid4().hex[:12]}"
    # What a test commits need not outlive the server; everybody who reads it sees it at once as ever.
    await admin(f'CREATE DATABASE "{name}"', f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    engine = create_async_engine(url_of(name))
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()
    return name


# A new database costs half a second; deleting from tables that are nearly all empty costs ten milliseconds.
CLEAN = """
DO $$
DECLARE name text;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE 'DELETE FROM ' || name;
  END LOOP;
  FOR name IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    PERFORM setval(name::regclass, 1, false);
  END LOOP;
END $$
"""


async def clean_postgres(name: str) -> None:
    """Empty all tables and restart all ids; ends connections that an earlier test left behind."""
    connection = await asyncpg.connect(POSTGRES_URL.rsplit("/", 1)[0] + f"/{name}")
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await connection.execute(CLEAN)
    finally:
        await connection.close()


def require_postgres() -> None:
    """Skip (in CI: fail) where there is no PostgreSQL."""
    try:
        asyncio.run(admin("SELECT 1"))
    except (OSError, asyncpg.PostgresError) as error:
        missing("PostgreSQL", f"{error}; set TEST_POSTGRES_URL or start it (apt-get install postgresql)")


def missing(what: str, how: str) -> None:
    """A service that a test needs is not here: say how to get it; in CI that is a failure."""
    message = f"{what} is not available: {how}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
