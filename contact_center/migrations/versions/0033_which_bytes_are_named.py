"""Which bytes are named: the clean-up of stored files asks by digest."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Two indexes."""
    with op.batch_alter_table("attachments", schema=None) as batch_op:
        batch_op.create_index("ix_attachments_digest", ["digest"])
    large = sa.text("raw_digest IS NOT NULL")
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index("ix_journal_raw_digest", ["raw_digest"], postgresql_where=large, sqlite_where=large)
