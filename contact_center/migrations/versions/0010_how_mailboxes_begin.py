"""How mailboxes begin: the first look at a folder, and journal items that are history."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Five columns; what is there already is no history."""
    op.add_column("journal", sa.Column("history", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("mailbox_cursors", sa.Column("begun_at", schema.UtcDateTime(), nullable=True))
    op.add_column("mailbox_cursors", sa.Column("begun_uidvalidity", schema.BigId, server_default="0", nullable=False))
    op.add_column("mailbox_cursors", sa.Column("begun_uid", schema.BigId, server_default="0", nullable=False))
    op.add_column(
        "mailbox_cursors", sa.Column("begun_by_time", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
