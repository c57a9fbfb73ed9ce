"""INSERT … ON CONFLICT for both databases: the insert decides, never check-then-insert."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from contact_center.core.schema import Base

Insert = postgresql.Insert | sqlite.Insert


def insert_for(tx: Connection, model: type[Base]) -> Insert:
    """The dialect's own `insert`, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    table = model.__table__
    assert isinstance(table, Table)
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(tx: Connection, model: type[Base], *, key: Sequence[str], values: Mapping[str, Any]) -> None:
    """Insert a row, or overwrite the one that has the same `key` columns."""
    statement = insert_for(tx, model).values(**values)
    changed = {name: value for name, value in values.items() if name not in key}
    tx.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def insert_once(
    tx: Connection,
    model: type[Base],
    *,
    values: Mapping[str, Any],
    key: Sequence[str],
    where: ColumnElement[bool] | None = None,
) -> int | None:
    """Insert a row unless one with the same `key` is there; the new id, or None. `where` names a partial index."""
    statement = (
        insert_for(tx, model)
        .values(**values)
        .on_conflict_do_nothing(index_elements=list(key), index_where=where)
        .returning(model.__table__.c.id)
    )
    return tx.execute(statement).scalar_one_or_none()
