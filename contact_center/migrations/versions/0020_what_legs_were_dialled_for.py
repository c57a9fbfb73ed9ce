"""What a party of a call was dialled for: a warm transfer, a cold one, or only to talk."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """One column; the legs there are were dialled to talk."""
    with op.batch_alter_table("call_legs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose", schema.SafeText(), server_default="", nullable=False))
