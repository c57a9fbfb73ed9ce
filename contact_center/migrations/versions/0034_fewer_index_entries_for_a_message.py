"""What every message had to renew and nobody looked for: indexes on columns that few tickets have, and on events."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

# Columns that join a ticket to another one.
JOINED = ("follows_up_id", "parent_id", "merged_into_id")


def upgrade() -> None:
    """Indexes only."""
    op.drop_index("ix_events_dispatched_at", table_name="events")
    for column in JOINED:
        where = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_tickets_{column}", table_name="tickets")
        op.create_index(f"ix_tickets_{column}", "tickets", [column], postgresql_where=where, sqlite_where=where)
