"""Where visitors came from, as a keyed hash, so that an internet address can be blocked."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """One row a visitor; what is older than thirty days is deleted."""
    op.create_table(
        "visitor_origins",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("who", schema.SafeText(), nullable=False),
        sa.Column("value", schema.SafeText(), nullable=False),
        sa.Column("seen_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_origins")),
        sa.UniqueConstraint("who", name=op.f("uq_visitor_origins_who")),
    )
    op.create_index(op.f("ix_visitor_origins_seen_at"), "visitor_origins", ["seen_at"])
