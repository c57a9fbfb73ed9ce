"""Replies that leave later."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "scheduled_replies",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("channel", schema.SafeText(), nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("files", schema.Json, nullable=False),
        sa.Column("meta", schema.Json, nullable=False),
        sa.Column("send_at", schema.UtcDateTime(), nullable=False),
        sa.Column("zone", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("held_because", sa.Text(), nullable=True),
        sa.Column("seen_seq", sa.Integer(), nullable=False),
        sa.Column("client_id", schema.SafeText(), nullable=True),
        sa.Column("message_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_scheduled_replies_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_scheduled_replies_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_scheduled_replies_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_scheduled_replies_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_replies")),
        sa.UniqueConstraint("client_id", name=op.f("uq_scheduled_replies_client_id")),
    )
    with op.batch_alter_table("scheduled_replies", schema=None) as batch_op:
        batch_op.create_index(
            "ix_scheduled_replies_due",
            ["send_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
        batch_op.create_index(batch_op.f("ix_scheduled_replies_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            "ix_scheduled_replies_open",
            ["ticket_id"],
            unique=False,
            postgresql_where=sa.text("state IN ('waiting', 'held')"),
            sqlite_where=sa.text("state IN ('waiting', 'held')"),
        )
