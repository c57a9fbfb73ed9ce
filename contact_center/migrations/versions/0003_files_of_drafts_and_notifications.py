"""Files of drafts, and notifications."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two tables; both begin empty."""
    op.create_table(
        "draft_files",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("mode", schema.SafeText(), nullable=False),
        sa.Column("digest", schema.SafeText(), nullable=False),
        sa.Column("filename", schema.SafeText(), nullable=False),
        sa.Column("content_type", schema.SafeText(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_draft_files_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_draft_files_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_files")),
    )
    with op.batch_alter_table("draft_files", schema=None) as batch_op:
        batch_op.create_index("ix_draft_files_draft", ["ticket_id", "user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_files_user_id"), ["user_id"], unique=False)

    op.create_table(
        "notifications",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("event_id", schema.BigId, nullable=False),
        sa.Column("what", schema.SafeText(), nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("by_user_id", schema.BigId, nullable=True),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("read_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["by_user_id"], ["users.id"], name=op.f("fk_notifications_by_user_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_notifications_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("user_id", "event_id", name=op.f("uq_notifications_user_id_event_id")),
    )
    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notifications_unread",
            ["user_id", "ticket_id"],
            unique=False,
            postgresql_where=sa.text("read_at IS NULL"),
            sqlite_where=sa.text("read_at IS NULL"),
        )
        batch_op.create_index("ix_notifications_user", ["user_id", "created_at"], unique=False)
