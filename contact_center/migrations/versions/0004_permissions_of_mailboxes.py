"""Permissions of mailboxes."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "mail_grants",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.Column("granted_at", schema.UtcDateTime(), nullable=False),
        sa.Column("granted_by_id", schema.BigId, nullable=True),
        sa.Column("held_until", schema.UtcDateTime(), nullable=True),
        sa.Column("error", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_mail_grants_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["granted_by_id"], ["users.id"], name=op.f("fk_mail_grants_granted_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_grants")),
        sa.UniqueConstraint("channel_account_id", name=op.f("uq_mail_grants_channel_account_id")),
    )
