"""Statements that go to PostgreSQL's driver as they are: for the few that run for every message.

Through Core a call costs three times the driver's own work: cursor, result and row objects, and their bookkeeping.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, TextClause
from sqlalchemy.sql import visitors


class Direct:
    """A statement that is compiled once. It runs outside SQLAlchemy's transactions: only for `in_one` ways."""

    def __init__(self, statement: TextClause) -> None:
        self.statement = statement
        self._sql = ""
        self._binds: list[tuple[str, Callable[[Any], Any]]] = []
        self._row: Callable[[Any], Any] | None = None

    def first(self, tx: Connection, values: Mapping[str, Any]) -> Any | None:
        """Run it; the first row, with its columns as attributes, or None."""
        if not self._sql:
            self._compile(tx.dialect)
        arguments = [process(values[name]) for name, process in self._binds]
        driver: Any = tx.connection.dbapi_connection
        record = driver.run_async(lambda connection: connection.fetchrow(self._sql, *arguments))
        if record is None:
            return None
        if self._row is None:
            row: Any = namedtuple("Row", list(record.keys()))  # type: ignore[misc]
            self._row = row._make
        return self._row(record.values())

    def _compile(self, dialect: Dialect) -> None:
        types = {bind.key: bind.type for bind in visitors.iterate(self.statement) if isinstance(bind, BindParameter)}
        compiled: Any = self.statement.compile(dialect=dialect)
        for name in dict.fromkeys(compiled.positiontup):
            process = types[name].dialect_impl(dialect).bind_processor(dialect)
            self._binds.append((name, process or _as_it_is))
        self._sql = str(compiled)


def _as_it_is(value: Any) -> Any:
    return value
