"""Troubles of channel accounts, and notifications that are about an account."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """One table, one column; every notification so far is about a ticket."""
    op.create_table(
        "channel_troubles",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("kind", schema.SafeText(), nullable=False),
        sa.Column("since", schema.UtcDateTime(), nullable=False),
        sa.Column("told_at", schema.UtcDateTime(), nullable=True),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_channel_troubles_channel_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_troubles")),
    )
    with op.batch_alter_table("channel_troubles", schema=None) as batch_op:
        batch_op.create_index(
            "uq_channel_troubles_open",
            ["channel_account_id", "kind"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("notifications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel_account_id", schema.BigId, nullable=True))
        batch_op.alter_column("ticket_id", existing_type=schema.BigId, nullable=True)
        batch_op.create_foreign_key(
            batch_op.f("fk_notifications_channel_account_id"), "channel_accounts", ["channel_account_id"], ["id"]
        )
