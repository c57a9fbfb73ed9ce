"""Numbers in notes and orders are found by an index on PostgreSQL."""

from alembic import op

from tickets.customers.caller_index import INDEXES, create_index

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Trigrams of the digits; on a million orders it takes some minutes."""
    for table in INDEXES:
        create_index(op.get_bind(), table)
