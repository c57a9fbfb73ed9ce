"""Who lifted an opt-out."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One column; it is empty for everything that customers and carriers said."""
    with op.batch_alter_table("sms_consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("user_id", schema.BigId, nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_sms_consents_user_id"), "users", ["user_id"], ["id"])
