"""Until when a website vouches for its visitor."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """One column, empty: chats that go on get it with their next login."""
    with op.batch_alter_table("chat_visits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signed_until", schema.UtcDateTime(), nullable=True))
