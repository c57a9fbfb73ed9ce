"""Keeps row ids free for the past, which is written later: SQLite counts on from the highest id in a table.

While a stretch of history is written, a placeholder holds the highest id to be kept free in every table.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Column, DateTime, Table
from sqlalchemy.types import JSON, TypeDecorator

from contact_center.demo.merge import NUMBERED
from contact_center.tables import METADATA

# Ids of these are seen by people or follow the tickets'; every other table has more rows than there are tickets.
ONE_PER_TICKET = frozenset({"tickets", "complaints", "surveys", "evaluations", "calls"})
ROWS_PER_TICKET = 100
# A placeholder is over and done with, so that nobody works on it.
OVER = {("tickets", "status"): "'closed'", ("complaints", "stage"): "'closed'", ("work_items", "state"): "'canceled'"}


def first_row(table: str, first_ticket: int) -> int:
    """The first id that a stretch may use in a table, if `first_ticket` is its first ticket."""
    return first_ticket if table in ONE_PER_TICKET else first_ticket * ROWS_PER_TICKET


@contextmanager
def reserved(path: Path, first_ticket: int) -> Iterator[None]:
    """Inside, the next ticket of this SQLite file gets the id `first_ticket`, rows of other tables ids to match."""
    tables = [METADATA.tables[name] for name in NUMBERED]
    _in_one(path, [_placeholder(table, first_row(table.name, first_ticket) - 1) for table in tables])
    yield
    last = {table.name: first_row(table.name, first_ticket) - 1 for table in tables}
    _in_one(path, [f"DELETE FROM {name} WHERE id = {row_id}" for name, row_id in last.items()])


def _in_one(path: Path, statements: list[str]) -> None:
    # A plain connection checks no foreign keys: placeholders belong to nothing.
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")


def _placeholder(table: Table, row_id: int) -> str:
    needed = [column for column in table.columns if not column.nullable and column.name != "id"]
    values = {column.name: OVER.get((table.name, column.name)) or _nothing(column) for column in needed}
    return f"INSERT INTO {table.name} (id, {', '.join(values)}) VALUES ({row_id}, {', '.join(values.values())})"


def _nothing(column: Column[object]) -> str:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, JSON):
        return "'[]'"
    if isinstance(kind, DateTime):
        return "'1970-01-01 00:00:00.000000'"
    return "0" if kind.python_type in (int, bool, float) else "''"
