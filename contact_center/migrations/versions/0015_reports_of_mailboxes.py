"""Reports of mailboxes: what lies in each, what was taken, what is missing."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "mailbox_reports",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("takes", sa.Boolean(), nullable=False),
        sa.Column("asked_at", schema.UtcDateTime(), nullable=False),
        sa.Column("asked_by_id", schema.BigId, nullable=True),
        sa.Column("held_until", schema.UtcDateTime(), nullable=True),
        sa.Column("finished_at", schema.UtcDateTime(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("handed_in", sa.Integer(), nullable=False),
        sa.Column("missing", schema.Json, nullable=False),
        sa.Column("error", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_mailbox_reports_asked_by_id")),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_mailbox_reports_channel_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_reports")),
        sa.UniqueConstraint("channel_account_id", name=op.f("uq_mailbox_reports_channel_account_id")),
    )
