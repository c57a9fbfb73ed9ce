"""What people searched for in the help center: a table that the models had and no migration made."""

import sqlalchemy as sa
from alembic import op

from contact_center.core import schema

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Without it every search of the help center failed on a migrated database."""
    op.create_table(
        "article_searches",
        sa.Column("id", schema.BigId, autoincrement=True, nullable=False),
        sa.Column("query", schema.SafeText(), nullable=False),
        sa.Column("locale", schema.SafeText(), nullable=False),
        sa.Column("place", schema.SafeText(), nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("best_article_id", schema.BigId, nullable=True),
        sa.Column("created_at", schema.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["best_article_id"], ["articles.id"], name=op.f("fk_article_searches_best_article_id_articles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_searches")),
    )
    op.create_index(op.f("ix_article_searches_created_at"), "article_searches", ["created_at"])
