"""What colleagues know of phone numbers."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Four columns; no number is flagged."""
    with op.batch_alter_table("contact_points", schema=None) as batch_op:
        batch_op.add_column(sa.Column("flag", schema.SafeText(), nullable=True))
        batch_op.add_column(sa.Column("flag_note", schema.SafeText(), nullable=True))
        batch_op.add_column(sa.Column("flagged_by_id", schema.BigId, nullable=True))
        batch_op.add_column(sa.Column("flagged_at", schema.UtcDateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_contact_points_flagged_by_id"), "users", ["flagged_by_id"], ["id"])
