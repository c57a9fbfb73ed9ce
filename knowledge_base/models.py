"""The tables of the knowledge base, and the full-text indexes that each database keeps over them by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Table, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column

# What PostgreSQL searches: the title weighs most. The text must be the same in the index and in every query.
VECTOR = "(setweight(to_tsvector('simple', search_title), 'A') || setweight(to_tsvector('simple', search_body), 'D'))"


class Article(Base):
    """One thing that customers ask, with its text in one or more languages."""

    __tablename__ = "articles"

    id: Mapped[int] = id_column()
    external_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[str]
    # When a scheduled article becomes public.
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    source: Mapped[str]
    # The case that a draft was learned from: one draft per case, however often the handler runs.
    source_ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("tickets.id"), unique=True)
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    views: Mapped[int] = mapped_column(default=0)
    helpful: Mapped[int] = mapped_column(default=0)
    unhelpful: Mapped[int] = mapped_column(default=0)
    uses: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_articles_state", "state", "updated_at", "id"),)


class ArticleText(Base):
    """An article in one language: the revision that readers see, and its folded terms for search."""

    __tablename__ = "article_texts"

    id: Mapped[int] = id_column()
    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"), index=True)
    locale: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    # The terms of knowledge_base.text, separated by spaces; both databases index exactly these words.
    search_title: Mapped[str] = mapped_column(Text)
    search_body: Mapped[str] = mapped_column(Text)
    title_length: Mapped[int]
    body_length: Mapped[int]
    revision: Mapped[int]
    updated_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("article_id", "locale", name="uq_article_texts_article_id_locale"),
        Index("ix_article_texts_locale", "locale", "article_id"),
    )


class ArticleRevision(Base):
    """Every text an article ever had; one newer than the shown text waits to be published."""

    __tablename__ = "article_revisions"

    id: Mapped[int] = id_column()
    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"))
    locale: Mapped[str]
    number: Mapped[int]
    title: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(default="")
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("article_id", "locale", "number", name="uq_article_revisions_number"),)


class ArticleTag(Base):
    """A label of an article."""

    __tablename__ = "article_tags"

    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class ArticleEvidence(Base):
    """A redacted sentence of a draft, and the message it came from."""

    __tablename__ = "article_evidence"

    id: Mapped[int] = id_column()
    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"), index=True)
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"))
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    position: Mapped[int]
    role: Mapped[str]
    sentence: Mapped[int]
    text: Mapped[str] = mapped_column(Text)


class ArticleCase(Base):
    """A case that an article answers: learned from it, asked again, or answered with its text or link."""

    __tablename__ = "article_cases"

    id: Mapped[int] = id_column()
    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"))
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), index=True)
    relation: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("article_id", "ticket_id", "relation", name="uq_article_cases_relation"),)


class ArticleFeedback(Base):
    """What a reader said: did it help? One voice per reader and article; the last word counts."""

    __tablename__ = "article_feedback"

    id: Mapped[int] = id_column()
    article_id: Mapped[int] = mapped_column(BigId, ForeignKey("articles.id"))
    locale: Mapped[str]
    # A digest of who read, never an address.
    reader: Mapped[str]
    helpful: Mapped[bool]
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("article_id", "reader", name="uq_article_feedback_reader"),)


class ArticleSearch(Base):
    """What people searched for and how much was found, redacted: the gaps of the knowledge base."""

    __tablename__ = "article_searches"

    id: Mapped[int] = id_column()
    query: Mapped[str]
    locale: Mapped[str]
    place: Mapped[str]
    results: Mapped[int]
    best_article_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("articles.id"))
    created_at: Mapped[datetime] = mapped_column(index=True)


# SQLite: the indexes are virtual tables that triggers keep equal to article_texts.
SQLITE = (
    "CREATE VIRTUAL TABLE article_search USING fts5(search_title, search_body, content='article_texts', "
    "content_rowid='id', tokenize='unicode61 remove_diacritics 0')",
    "CREATE VIRTUAL TABLE article_terms USING fts5vocab(article_search, row)",
    "CREATE VIRTUAL TABLE article_grams USING fts5(search_title, content='article_texts', content_rowid='id', "
    "tokenize='trigram')",
    "CREATE TRIGGER article_texts_added AFTER INSERT ON article_texts BEGIN "
    "INSERT INTO article_search(rowid, search_title, search_body) VALUES (new.id, new.search_title, new.search_body); "
    "INSERT INTO article_grams(rowid, search_title) VALUES (new.id, new.search_title); END",
    "CREATE TRIGGER article_texts_gone AFTER DELETE ON article_texts BEGIN "
    "INSERT INTO article_search(article_search, rowid, search_title, search_body) "
    "VALUES ('delete', old.id, old.search_title, old.search_body); "
    "INSERT INTO article_grams(article_grams, rowid, search_title) VALUES ('delete', old.id, old.search_title); END",
    "CREATE TRIGGER article_texts_changed AFTER UPDATE OF search_title, search_body ON article_texts BEGIN "
    "INSERT INTO article_search(article_search, rowid, search_title, search_body) "
    "VALUES ('delete', old.id, old.search_title, old.search_body); "
    "INSERT INTO article_grams(article_grams, rowid, search_title) VALUES ('delete', old.id, old.search_title); "
    "INSERT INTO article_search(rowid, search_title, search_body) VALUES (new.id, new.search_title, new.search_body); "
    "INSERT INTO article_grams(rowid, search_title) VALUES (new.id, new.search_title); END",
)
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX ix_article_texts_search ON article_texts USING gin ({VECTOR})",
    "CREATE INDEX ix_article_texts_grams ON article_texts USING gin (search_title gin_trgm_ops)",
)
SEARCH_INDEXES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def create_search_indexes(connection: Connection) -> None:
    """Create what each database searches with; called when the table is created, and by its migration."""
    for statement in SEARCH_INDEXES[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@event.listens_for(ArticleText.__table__, "after_create")
def _after_create(_: Table, connection: Connection, **__: Any) -> None:
    create_search_indexes(connection)
