"""What the virus scanner said of files."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """One table; no file has been asked about."""
    op.create_table(
        "file_scans",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("digest", schema.SafeText(), nullable=False),
        sa.Column("state", schema.SafeText(), nullable=False),
        sa.Column("virus", schema.SafeText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", schema.UtcDateTime(), nullable=True),
        sa.Column("scanned_at", schema.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_scans")),
        sa.UniqueConstraint("digest", name=op.f("uq_file_scans_digest")),
    )
    with op.batch_alter_table("file_scans", schema=None) as batch_op:
        batch_op.create_index(
            "ix_file_scans_waiting",
            ["next_at"],
            unique=False,
            postgresql_where=sa.text("state = 'waiting'"),
            sqlite_where=sa.text("state = 'waiting'"),
        )
