"""How sure a customer's words made us of their language; NULL where the channel or a person says it."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """What is there was said by its channel."""
    op.add_column("tickets", sa.Column("locale_share", sa.Double(), nullable=True))
