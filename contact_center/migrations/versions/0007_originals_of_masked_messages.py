"""The sealed originals of masked messages."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One table; it begins empty: messages of before stay as they are."""
    op.create_table(
        "sealed_originals",
        sa.Column("message_id", schema.BigId, autoincrement=False, nullable=False),
        sa.Column("found", schema.Json, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_sealed_originals_message_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_sealed_originals")),
    )
    with op.batch_alter_table("sealed_originals", schema=None) as batch_op:
        batch_op.create_index("ix_sealed_originals_created_at", ["created_at"], unique=False)
