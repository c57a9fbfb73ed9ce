"""Test mails that go round."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """One table; it begins empty."""
    op.create_table(
        "mail_tests",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("sent_at", schema.UtcDateTime(), nullable=False),
        sa.Column("sent_by_id", schema.BigId, nullable=True),
        sa.Column("back_at", schema.UtcDateTime(), nullable=True),
        sa.Column("journal_id", schema.BigId, nullable=True),
        sa.Column("error", schema.SafeText(), nullable=True),
        sa.Column("said", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_mail_tests_channel_account_id")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["journal.id"], name=op.f("fk_mail_tests_journal_id")),
        sa.ForeignKeyConstraint(["sent_by_id"], ["users.id"], name=op.f("fk_mail_tests_sent_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_tests")),
    )
    with op.batch_alter_table("mail_tests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_tests_channel_account_id"), ["channel_account_id"], unique=False)
