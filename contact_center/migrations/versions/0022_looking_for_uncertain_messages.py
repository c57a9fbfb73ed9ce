"""Messages of which nobody knows whether they left are looked for at the carrier."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0022"
down_revision = "0021"

UNCERTAIN = sa.text("delivery = 'uncertain'")


def upgrade() -> None:
    """When a try was last looked for; those that are uncertain now are looked for at once."""
    op.add_column("delivery_attempts", sa.Column("looked_at", schema.UtcDateTime(), nullable=True))
    op.create_index(
        "ix_messages_uncertain", "messages", ["id"], unique=False, postgresql_where=UNCERTAIN, sqlite_where=UNCERTAIN
    )
