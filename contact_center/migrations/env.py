"""Alembic's environment: always on a connection that we hand in."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger

from contact_center.core.schema import SafeText, UtcDateTime
from contact_center.migrate import include_object
from contact_center.tables import METADATA


def render_item(kind: str, item: Any, _autogen: object) -> str | Literal[False]:
    """Spell our own column types by their names."""
    if kind != "type":
        return False
    if isinstance(item, SafeText):
        return "schema.SafeText()"
    if isinstance(item, UtcDateTime):
        return "schema.UtcDateTime()"
    if isinstance(item, JSON):
        return "schema.Json"
    return "schema.BigId" if isinstance(item, BigInteger) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transaction_per_migration=False,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
    include_object=include_object,
)
with context.begin_transaction():
    context.run_migrations()
