"""When and by which channel a customer was last in contact: the order of the customers' list."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0042"
down_revision = "0041"

_MOMENT = """CASE WHEN t.last_inbound_at IS NULL OR t.last_outbound_at > t.last_inbound_at
  THEN t.last_outbound_at ELSE t.last_inbound_at END"""
_LAST = f"""FROM tickets t WHERE t.customer_id = customers.id AND t.status NOT IN ('spam', 'newsletter')
  AND {_MOMENT} IS NOT NULL ORDER BY {_MOMENT} DESC, t.id DESC LIMIT 1"""


def upgrade() -> None:
    """Those whom we never had contact with stand where they became known."""
    # The default is never seen: SQLite takes no column without one that may not be NULL.
    op.add_column(
        "customers",
        sa.Column("listed_at", schema.UtcDateTime(), nullable=False, server_default="1970-01-01 00:00:00.000000"),
    )
    op.add_column("customers", sa.Column("last_channel", schema.SafeText(), nullable=True))
    op.execute(
        f"UPDATE customers SET listed_at = coalesce((SELECT {_MOMENT} {_LAST}), created_at),"
        f" last_channel = (SELECT t.channel {_LAST})"
    )
    # Few customers were merged; an index over all of them would be taken for the list instead of its own.
    op.drop_index("ix_customers_merged_into_id", "customers")
    for name, columns, where in (
        ("ix_customers_listed", ["listed_at", "id"], "merged_into_id IS NULL"),
        ("ix_customers_merged_into_id", ["merged_into_id"], "merged_into_id IS NOT NULL"),
    ):
        op.create_index(name, "customers", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
