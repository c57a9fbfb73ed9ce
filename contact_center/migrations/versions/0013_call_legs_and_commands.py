"""The parties of calls that run as conferences, and what the carrier is to do with them."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Two tables, which begin empty, and the conference of a call."""
    op.create_table(
        "call_legs",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("call_id", schema.BigId, nullable=False),
        sa.Column("role", schema.SafeText(), nullable=False),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("number", schema.SafeText(), nullable=False),
        sa.Column("external_id", schema.SafeText(), nullable=True),
        sa.Column("client_key", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("heard", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("joined_at", schema.UtcDateTime(), nullable=True),
        sa.Column("left_at", schema.UtcDateTime(), nullable=True),
        sa.Column("reason", schema.SafeText(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_legs_call_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_call_legs_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_legs")),
        sa.UniqueConstraint("client_key", name=op.f("uq_call_legs_client_key")),
        sa.UniqueConstraint("external_id", name=op.f("uq_call_legs_external_id")),
    )
    with op.batch_alter_table("call_legs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_legs_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_legs_user_id"), ["user_id"], unique=False)

    op.create_table(
        "call_commands",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("call_id", schema.BigId, nullable=False),
        sa.Column("leg_id", schema.BigId, nullable=True),
        sa.Column("verb", schema.SafeText(), nullable=False),
        sa.Column("args", schema.Json, nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("error", schema.SafeText(), nullable=False),
        sa.Column("wanted_by", schema.BigId, nullable=True),
        sa.Column("begun_at", schema.UtcDateTime(), nullable=True),
        sa.Column("due_at", schema.UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("done_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_commands_call_id")),
        sa.ForeignKeyConstraint(["leg_id"], ["call_legs.id"], name=op.f("fk_call_commands_leg_id")),
        sa.ForeignKeyConstraint(["wanted_by"], ["users.id"], name=op.f("fk_call_commands_wanted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_commands")),
    )
    with op.batch_alter_table("call_commands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_commands_call_id"), ["call_id"], unique=False)
        batch_op.create_index(
            "ix_call_commands_open",
            ["call_id", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('wanted', 'uncertain')"),
            sqlite_where=sa.text("state IN ('wanted', 'uncertain')"),
        )

    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("conference_id", schema.SafeText(), nullable=True))
