"""Column types and the declarative base that give one schema on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

# SQLite only numbers rows by itself in a column that is exactly INTEGER PRIMARY KEY.
BigId = BigInteger().with_variant(Integer, "sqlite")
Json = JSON().with_variant(JSONB, "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: refuses naive values, and gives the zone back that SQLite drops.

    The processors are given whole, since they run for every moment of every row: SQLite keeps text, all of it in
    one form because it compares text.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """UTC, on SQLite as text."""
        return _moment_to_text if dialect.name == "sqlite" else _moment_to_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """UTC, whatever zone the connection speaks."""
        return _moment_from_text if dialect.name == "sqlite" else _moment_from_utc


def _moment_to_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("naive datetime: pass an aware one")
    return value.astimezone(UTC)


def _moment_to_text(value: datetime | None) -> str | None:
    moment = _moment_to_utc(value)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment_from_utc(value: datetime | None) -> datetime | None:
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


def _moment_from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class SafeText(TypeDecorator[str]):
    """Text that both databases take: NUL and lone surrogates become the replacement character."""

    impl = String
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Given whole, since it runs for every text of every row."""
        return _clean_text_or_none


def _clean_text_or_none(value: str | None) -> str | None:
    return None if value is None else clean_text(value)


def clean_text(value: str) -> str:
    """Replace what PostgreSQL or UTF-8 refuse (NUL, lone surrogates) by U+FFFD."""
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return value


def clean_json(value: Any) -> Any:
    """The same for every string inside a JSON value."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return value


class Base(DeclarativeBase):
    """All tables of the product. They are used through Core; nobody opens an ORM Session."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: SafeText, datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json}


def id_column() -> MappedColumn[int]:
    """The primary key every table has: BIGINT identity, INTEGER on SQLite."""
    return mapped_column(BigId, primary_key=True, autoincrement=True)
