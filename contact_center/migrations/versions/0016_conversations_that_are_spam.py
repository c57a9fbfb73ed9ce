"""Conversations that are spam."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "spam_marks",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=True),
        sa.Column("marked_at", schema.UtcDateTime(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("hold_reason", schema.SafeText(), nullable=True),
        sa.Column("waiting_since", schema.UtcDateTime(), nullable=True),
        sa.Column("snoozed_until", schema.UtcDateTime(), nullable=True),
        sa.Column("resolved_at", schema.UtcDateTime(), nullable=True),
        sa.Column("resolved_by_id", schema.BigId, nullable=True),
        sa.Column("closed_at", schema.UtcDateTime(), nullable=True),
        sa.Column("assignee_id", schema.BigId, nullable=True),
        sa.Column("undone_at", schema.UtcDateTime(), nullable=True),
        sa.Column("undone_by_id", schema.BigId, nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], name=op.f("fk_spam_marks_assignee_id")),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_spam_marks_by_user_id")),
        sa.ForeignKeyConstraint(["resolved_by_id"], ["users.id"], name=op.f("fk_spam_marks_resolved_by_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_spam_marks_ticket_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["users.id"], name=op.f("fk_spam_marks_undone_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spam_marks")),
    )
    with op.batch_alter_table("spam_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spam_marks_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_spam_marks_open",
            ["ticket_id"],
            unique=True,
            postgresql_where=sa.text("undone_at IS NULL"),
            sqlite_where=sa.text("undone_at IS NULL"),
        )
