"""Migrations: brings a database to the present schema, and says when it is behind."""

import asyncio
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from contact_center.core.db import sqlite_engine

FOLDER = Path(__file__).parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def upgrade(tx: Connection) -> None:
    """Run what is missing, inside the transaction."""
    command.upgrade(configuration(tx), "head")


def revision(tx: Connection) -> str | None:
    """The revision that the database is at."""
    return MigrationContext.configure(tx).get_current_revision()


def head() -> str | None:
    """The revision that the code wants."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def run(url: str, function: Any) -> Any:
    """Call `function(tx)` in a transaction of its own on the database behind `url`."""
    if url.startswith("sqlite"):
        engine = sqlite_engine(url)
        try:
            with engine.begin() as tx:
                return function(tx)
        finally:
            engine.dispose()
    return asyncio.run(run_postgres(url, function))


async def run_postgres(url: str, function: Any) -> Any:
    """The same for PostgreSQL, where a loop runs already."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(function)
    finally:
        await engine.dispose()


# Virtual tables of FTS5, each with the tables it keeps its data in, and the trigram indexes of PostgreSQL.
_SEARCH_TABLES = ("article_search", "article_grams", "article_terms")
_BESIDE = ("", "_data", "_idx", "_docsize", "_config", "_content")
_OWN_DDL = {
    *(table + beside for table in _SEARCH_TABLES for beside in _BESIDE),
    *("ix_article_texts_search", "ix_article_texts_grams", "ix_ticket_texts_grams", "ix_customers_search_grams"),
    *("ix_customers_note_digits", "ix_customer_events_digits"),
}


def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Full-text tables and their indexes are made by DDL of their own (knowledge_base.models), not by metadata.

    By whole names: what only begins like one of them (`article_searches`) is a table of ours and is compared.
    """
    return kind not in ("table", "index") or name not in _OWN_DDL


def draft(message: str) -> None:
    """Write the migration from the present head to the models into versions/ (for developers)."""

    def work(tx: Connection) -> None:
        command.upgrade(configuration(tx), "head")
        number = len(list((FOLDER / "versions").glob("[0-9]*.py"))) + 1
        command.revision(configuration(tx), message, autogenerate=True, rev_id=f"{number:04}")

    run("sqlite://", work)
