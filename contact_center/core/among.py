"""`among(column, ids)`: one of many ids, which are one parameter, so that a statement is the same for any number.

SQLAlchemy's own IN becomes a statement of its own for each number of values, and each of those is planned anew.
"""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class Ids(TypeDecorator[Collection[int]]):
    """Ids as one parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> Any:
        """In one order, so that rows that are locked are locked in the same one everywhere."""
        ids = sorted(value or ())
        return ids if dialect.name == "postgresql" else orjson.dumps(ids).decode()


class among(FunctionElement[bool]):
    """`among(Ticket.id, "tickets")`: whether the column is one of the ids in the parameter of that name."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Any, parameter: str) -> None:
        super().__init__(column, bindparam(parameter, type_=Ids()))


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, ids = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, ids = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"
