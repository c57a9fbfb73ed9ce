"""When recordings were deleted, and whether the carrier was told."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Lines keep everything until somebody enters days, so nothing is due by this."""
    op.add_column("call_recordings", sa.Column("deleted_at", schema.UtcDateTime(), nullable=True))
    op.add_column("call_recordings", sa.Column("carrier_due_at", schema.UtcDateTime(), nullable=True))
    op.add_column("call_recordings", sa.Column("carrier_attempts", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_call_recordings_kept",
        "call_recordings",
        ["created_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
        sqlite_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_call_recordings_at_carrier",
        "call_recordings",
        ["carrier_due_at"],
        postgresql_where=sa.text("carrier_due_at IS NOT NULL"),
        sqlite_where=sa.text("carrier_due_at IS NOT NULL"),
    )
