"""What the other side said to each delivery attempt, and when the next one is due."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Two columns; older attempts keep the reason that they have."""
    with op.batch_alter_table("delivery_attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("next_at", schema.UtcDateTime(), nullable=True))
