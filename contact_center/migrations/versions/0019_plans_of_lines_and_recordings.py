"""Where callers stand in the plan of a line, what they chose, and what was recorded."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Two tables, which begin empty, and three columns of a call."""
    op.create_table(
        "call_flows",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("call_id", schema.BigId, nullable=False),
        sa.Column("step", schema.SafeText(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("queue_id", schema.BigId, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("consent", schema.SafeText(), nullable=False),
        sa.Column("said", schema.SafeText(), nullable=False),
        sa.Column("began_at", schema.UtcDateTime(), nullable=False),
        sa.Column("waits_since", schema.UtcDateTime(), nullable=True),
        sa.Column("seen_at", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_flows_call_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queues.id"], name=op.f("fk_call_flows_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_flows")),
        sa.UniqueConstraint("call_id", name=op.f("uq_call_flows_call_id")),
    )
    with op.batch_alter_table("call_flows", schema=None) as batch_op:
        batch_op.create_index(
            "ix_call_flows_open",
            ["seen_at"],
            unique=False,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "call_recordings",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("call_id", schema.BigId, nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=False),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("url", schema.SafeText(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("message_id", schema.BigId, nullable=True),
        sa.Column("transcription", schema.SafeText(), nullable=False),
        sa.Column("transcription_url", schema.SafeText(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("completed_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_recordings_call_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_call_recordings_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_recordings")),
        sa.UniqueConstraint("external_id", name=op.f("uq_call_recordings_external_id")),
    )
    with op.batch_alter_table("call_recordings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_recordings_call_id"), ["call_id"], unique=False)

    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("queue_id", schema.BigId, nullable=True))
        batch_op.add_column(sa.Column("locale", schema.SafeText(), nullable=True))
        batch_op.add_column(sa.Column("outcome", schema.SafeText(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_calls_queue_id"), "queues", ["queue_id"], ["id"])
