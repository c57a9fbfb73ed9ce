"""Macros, and the clicks that ran them."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """A click is known by its key, so that a repeated one does nothing."""
    op.create_table(
        "macros",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("scope", schema.SafeText(), nullable=False),
        sa.Column("team_id", schema.BigId, nullable=True),
        sa.Column("user_id", schema.BigId, nullable=True),
        sa.Column("actions", schema.Json, nullable=False),
        sa.Column("requires_identity", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("last_used_at", schema.UtcDateTime(), nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_macros_team_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_macros_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macros")),
        sa.UniqueConstraint("scope", "name", name=op.f("uq_macros_scope_name")),
    )
    with op.batch_alter_table("macros", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_macros_team_id"), ["team_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_macros_user_id"), ["user_id"], unique=False)

    op.create_table(
        "macro_runs",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("macro_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("key", schema.SafeText(), nullable=False),
        sa.Column("ran_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["macro_id"], ["macros.id"], name=op.f("fk_macro_runs_macro_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_macro_runs_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_macro_runs")),
        sa.UniqueConstraint("key", name=op.f("uq_macro_runs_key")),
    )
    with op.batch_alter_table("macro_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_macro_runs_macro_id"), ["macro_id"], unique=False)
