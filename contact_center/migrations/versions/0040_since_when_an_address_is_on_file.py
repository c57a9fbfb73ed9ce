"""Since when an address is on file; what was only typed into a chat or a form is not."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """What is there counts since it came, but for what a chat's visitor or a form may have typed."""
    op.add_column("contact_points", sa.Column("on_file_at", schema.UtcDateTime(), nullable=True))
    op.execute("UPDATE contact_points SET on_file_at = coalesce(verified_at, created_at)")
    # Addresses of those who have chatted, and the senders of forms. Who has ever written from one is found again by that.
    op.execute(
        "UPDATE contact_points SET on_file_at = NULL WHERE kind IN ('email', 'phone') AND verified_at IS NULL AND ("
        " customer_id IN (SELECT customer_id FROM chat_visits WHERE subject IS NULL)"
        " OR id IN (SELECT contact_point_id FROM messages WHERE kind = 'inbound' AND external_id LIKE 'widget:%'))"
    )
