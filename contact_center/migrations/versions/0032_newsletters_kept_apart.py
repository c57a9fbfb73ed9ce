"""Newsletters are kept apart as spam is: a mark says as what."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Every mark so far was one of spam."""
    op.add_column("spam_marks", sa.Column("marked_as", schema.SafeText(), server_default="spam", nullable=False))
