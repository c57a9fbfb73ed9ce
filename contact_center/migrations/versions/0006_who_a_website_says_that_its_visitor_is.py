"""Who a website says that its visitor is."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Visits until now are of nobody in particular; used tokens get a table."""
    with op.batch_alter_table("chat_visits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject", schema.SafeText(), nullable=True))

    op.create_table(
        "chat_identity_tokens",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", schema.BigId, nullable=False),
        sa.Column("jti", schema.SafeText(), nullable=False),
        sa.Column("client_id", schema.SafeText(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["channel_accounts.id"], name=op.f("fk_chat_identity_tokens_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_identity_tokens")),
        sa.UniqueConstraint("account_id", "jti", name=op.f("uq_chat_identity_tokens_account_id_jti")),
    )
    with op.batch_alter_table("chat_identity_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_identity_tokens_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_chat_identity_tokens_expires_at"), ["expires_at"], unique=False)
