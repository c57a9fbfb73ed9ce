"""Unsubscribes: who wants no mail of a kind that we start ourselves."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """One table, which begins empty."""
    op.create_table(
        "unsubscribes",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=False),
        sa.Column("what", schema.SafeText(), nullable=False),
        sa.Column("source", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("lifted_at", schema.UtcDateTime(), nullable=True),
        sa.Column("lifted_by_id", schema.BigId, nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_unsubscribes_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["users.id"], name=op.f("fk_unsubscribes_lifted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsubscribes")),
    )
    with op.batch_alter_table("unsubscribes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unsubscribes_contact_point_id"), ["contact_point_id"], unique=False)
        batch_op.create_index(
            "uq_unsubscribes_open",
            ["contact_point_id", "what"],
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        )
