"""Blocked senders."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "blocks",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("scope", schema.SafeText(), nullable=False),
        sa.Column("value", schema.SafeText(), nullable=False),
        sa.Column("reason", schema.SafeText(), nullable=False),
        sa.Column("created_by_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=True),
        sa.Column("lifted_at", schema.UtcDateTime(), nullable=True),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("last_hit_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_blocks_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("scope", "value", name=op.f("uq_blocks_scope_value")),
    )
    with op.batch_alter_table("blocks", schema=None) as batch_op:
        batch_op.create_index("ix_blocks_created_at", ["created_at"], unique=False)
