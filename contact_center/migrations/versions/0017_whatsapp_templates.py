"""Templates of WhatsApp."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """One table; it fills from Twilio."""
    op.create_table(
        "whatsapp_templates",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("channel_account_id", schema.BigId, nullable=False),
        sa.Column("sid", schema.SafeText(), nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("language", schema.SafeText(), nullable=False),
        sa.Column("category", schema.SafeText(), nullable=False),
        sa.Column("status", schema.SafeText(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("variables", schema.Json, nullable=False),
        sa.Column("synced_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_account_id"], ["channel_accounts.id"], name=op.f("fk_whatsapp_templates_channel_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_whatsapp_templates")),
        sa.UniqueConstraint("channel_account_id", "sid", name=op.f("uq_whatsapp_templates_channel_account_id_sid")),
    )
