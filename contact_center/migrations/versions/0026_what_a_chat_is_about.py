"""What a visitor said that the chat is about: the queue and the topic of their choice."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Two columns, empty for the visits there are."""
    op.add_column("chat_visits", sa.Column("queue_id", schema.BigId, nullable=True))
    op.add_column("chat_visits", sa.Column("topic_id", schema.BigId, nullable=True))
