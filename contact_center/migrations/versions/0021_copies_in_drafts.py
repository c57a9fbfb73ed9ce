"""Copies in drafts: Cc and Bcc as they were typed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Two columns; drafts from before propose their copies as new ones do."""
    op.add_column("drafts", sa.Column("cc", sa.Text(), nullable=True))
    op.add_column("drafts", sa.Column("bcc", sa.Text(), nullable=True))
