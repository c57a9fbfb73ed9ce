"""Codes that prove who a customer is."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0030"
down_revision = "0029"

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """One table, empty; a check may be nobody's: a website vouches for its customers."""
    op.create_table(
        "identity_codes",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("ticket_id", schema.BigId, nullable=False),
        sa.Column("contact_point_id", schema.BigId, nullable=False),
        sa.Column("message_id", schema.BigId, nullable=True),
        sa.Column("user_id", schema.BigId, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.Column("expires_at", schema.UtcDateTime(), nullable=False),
        sa.Column("ended_at", schema.UtcDateTime(), nullable=True),
        sa.Column("outcome", schema.SafeText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_point_id"], ["contact_points.id"], name=op.f("fk_identity_codes_contact_point_id")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_identity_codes_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_identity_codes_ticket_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_identity_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_codes")),
    )
    with op.batch_alter_table("identity_codes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_identity_codes_expires_at", ["expires_at"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN
        )
        batch_op.create_index(batch_op.f("ix_identity_codes_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_identity_codes_ticket_id"), ["ticket_id"], unique=False)
        batch_op.create_index(
            "uq_identity_codes_open", ["ticket_id"], unique=True, postgresql_where=OPEN, sqlite_where=OPEN
        )

    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.alter_column("user_id", existing_type=schema.BigId, nullable=True)
