"""When customers wrote by WhatsApp: it takes free text for 24 hours after that."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INBOUND = sa.text("channel = 'whatsapp' AND kind = 'inbound'")


def upgrade() -> None:
    """A partial index; it begins empty."""
    op.create_index(
        "ix_messages_whatsapp_inbound",
        "messages",
        ["channel_account_id", "contact_point_id", "created_at"],
        unique=False,
        postgresql_where=INBOUND,
        sqlite_where=INBOUND,
    )
