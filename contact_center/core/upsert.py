"""INSERT … ON CONFLICT for both databases: the insert decides, never check-then-insert."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite

from contact_center.core.schema import Base

Insert = postgresql.Insert | sqlite.Insert


def insert_for(tx: Connection, model: type[Base]) -> Insert:
    """The dialect's own `insert`, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return insert_of(tx.dialect.name, model)


def insert_of(dialect: str, model: type[Base]) -> Insert:
    """The same for statements that are built once, per dialect."""
    table = model.__table__
    assert isinstance(table, Table)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def upsert(tx: Connection, model: type[Base], *, key: Sequence[str], values: Mapping[str, Any]) -> None:
    """Insert a row, or overwrite the one that has the same `key` columns."""
    changed = tuple(name for name in values if name not in key)
    tx.execute(_upsert(tx.dialect.name, model, tuple(key), changed), values)


def insert_once(
    tx: Connection,
    model: type[Base],
    *,
    values: Mapping[str, Any],
    key: Sequence[str],
    where: str | None = None,
) -> int | None:
    """Insert a row unless one with the same `key` is there; the new id, or None. `where` names a partial index."""
    new_id: int | None = tx.execute(
        _insert_once(tx.dialect.name, model, tuple(key), where), values
    ).scalar_one_or_none()
    return new_id


# Built once per use: the same statement objects are found again in the compiled cache without being read anew.
@cache
def _upsert(dialect: str, model: type[Base], key: tuple[str, ...], changed: tuple[str, ...]) -> Executable:
    statement = insert_of(dialect, model)
    overwritten = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=list(key), set_=overwritten)


@cache
def _insert_once(dialect: str, model: type[Base], key: tuple[str, ...], where: str | None) -> Executable:
    statement = insert_of(dialect, model).on_conflict_do_nothing(
        index_elements=list(key), index_where=None if where is None else text(where)
    )
    return statement.returning(model.__table__.c.id)
