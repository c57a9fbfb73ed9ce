"""Rules, and what they ran on."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """A rule runs at most once on an event: its firing is the key."""
    op.create_table(
        "rules",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("name", schema.SafeText(), nullable=False),
        sa.Column("trigger", schema.SafeText(), nullable=False),
        sa.Column("conditions", schema.Json, nullable=False),
        sa.Column("actions", schema.Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("error", schema.Json, nullable=True),
        sa.Column("failed_at", schema.UtcDateTime(), nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
        sa.UniqueConstraint("name", name=op.f("uq_rules_name")),
    )
    op.create_table(
        "rule_firings",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("rule_id", schema.BigId, nullable=False),
        sa.Column("event_id", schema.BigId, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("fired_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name=op.f("fk_rule_firings_rule_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_rule_firings_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_firings")),
        sa.UniqueConstraint("rule_id", "event_id", name=op.f("uq_rule_firings_rule_id_event_id")),
    )
    with op.batch_alter_table("rule_firings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_firings_fired_at"), ["fired_at"], unique=False)
