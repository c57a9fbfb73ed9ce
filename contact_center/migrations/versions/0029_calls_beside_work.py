"""Calls that an agent makes are work beside the ticket's own."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0029"
down_revision = "0028"

OPEN = "state NOT IN ('completed', 'canceled')"


def upgrade() -> None:
    """One column, empty for all work there is; a ticket's one open item is counted without what is done beside it."""
    op.add_column("work_items", sa.Column("beside", schema.SafeText(), nullable=True))
    op.drop_index("uq_work_items_open", table_name="work_items")
    _unique("uq_work_items_open", "ticket_id", f"beside IS NULL AND {OPEN}")
    _unique("uq_work_items_beside", "beside", "beside IS NOT NULL")


def _unique(name: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "work_items", [column], unique=True, postgresql_where=condition, sqlite_where=condition)
