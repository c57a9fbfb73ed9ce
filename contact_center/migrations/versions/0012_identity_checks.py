"""Checks of who a customer is."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "identity_checks",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("method", schema.SafeText(), nullable=False),
        sa.Column("note", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("checked_at", schema.UtcDateTime(), nullable=False),
        sa.Column("valid_until", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_identity_checks_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identity_checks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_checks")),
    )
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_checks_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_identity_checks_open",
            ["ticket_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )
