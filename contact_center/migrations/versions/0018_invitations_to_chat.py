"""Invitations to chat, and which one a visit has answered."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """One table, which begins empty, and one column."""
    op.create_table(
        "chat_invitations",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", schema.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("page", schema.SafeText(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("on_exit", sa.Boolean(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("frequency", schema.SafeText(), nullable=False),
        sa.Column("snooze_days", sa.Integer(), nullable=False),
        sa.Column("always", sa.Boolean(), nullable=False),
        sa.Column("sender", schema.SafeText(), nullable=False),
        sa.Column("texts", schema.Json, nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["channel_accounts.id"], name=op.f("fk_chat_invitations_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_invitations")),
    )
    with op.batch_alter_table("chat_invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_invitations_account_id"), ["account_id"], unique=False)
    op.add_column("chat_visits", sa.Column("invitation_id", schema.BigId, nullable=True))
