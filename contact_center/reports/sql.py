"""The few SQL expressions that reports need and that the two databases spell differently."""

from typing import Any

from sqlalchemy import Float, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class elapsed(FunctionElement[float]):
    """`elapsed(later, earlier)`: seconds between two moments, as a float."""

    type = Float()
    inherit_cache = True


@compiles(elapsed, "postgresql")
def _elapsed_postgresql(element: elapsed, compiler: SQLCompiler, **kwargs: Any) -> str:
    later, earlier = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"CAST(EXTRACT(EPOCH FROM ({later} - {earlier})) AS DOUBLE PRECISION)"


@compiles(elapsed, "sqlite")
def _elapsed_sqlite(element: elapsed, compiler: SQLCompiler, **kwargs: Any) -> str:
    later, earlier = (compiler.process(clause, **kwargs) for clause in element.clauses)
    # Exact to some 40 microseconds; rounded to the millisecond, so that "within 20 s" means what it says.
    return f"ROUND((julianday({later}) - julianday({earlier})) * 86400.0, 3)"


class bucket(FunctionElement[int]):
    """`bucket(seconds, width)`: the number of whole widths in a span that is not negative."""

    type = Integer()
    inherit_cache = True


@compiles(bucket, "postgresql")
def _bucket_postgresql(element: bucket, compiler: SQLCompiler, **kwargs: Any) -> str:
    seconds, width = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"CAST(FLOOR({seconds} / {width}) AS INTEGER)"


@compiles(bucket, "sqlite")
def _bucket_sqlite(element: bucket, compiler: SQLCompiler, **kwargs: Any) -> str:
    seconds, width = (compiler.process(clause, **kwargs) for clause in element.clauses)
    return f"CAST({seconds} / {width} AS INTEGER)"
