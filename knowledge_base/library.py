"""Reading articles: for the public help center and for those who write."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select, update

from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from contact_center.core.upsert import upsert
from knowledge_base.articles import ArticleState
from knowledge_base.models import (
    Article,
    ArticleCase,
    ArticleEvidence,
    ArticleFeedback,
    ArticleRevision,
    ArticleSearch,
    ArticleTag,
    ArticleText,
)

PUBLIC = ArticleState.PUBLIC.value
LONGEST_COMMENT = 1000
# A page of a list; the next one begins after the last row of this one.
PAGE = 50

_CARD = select(
    Article.id,
    Article.state,
    Article.views,
    Article.helpful,
    Article.unhelpful,
    Article.uses,
    Article.source,
    Article.source_ticket_id,
    Article.publish_at,
    Article.published_at,
    Article.updated_at,
    ArticleText.slug,
    ArticleText.locale,
    ArticleText.title,
    ArticleText.body,
    ArticleText.revision,
).join(ArticleText, ArticleText.article_id == Article.id)


def by_tag(tx: Connection, locale: str) -> list[tuple[str, list[Row[Any]]]]:
    """The public articles of a language under their labels, the largest label first; those without under ""."""
    rows = tx.execute(
        _CARD.add_columns(func.coalesce(ArticleTag.name, "").label("tag"))
        .outerjoin(ArticleTag, ArticleTag.article_id == Article.id)
        .where(Article.state == PUBLIC, ArticleText.locale == locale)
        .order_by(ArticleText.title)
        .limit(1000)
    )
    groups: dict[str, list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault(row.tag, []).append(row)
    return sorted(groups.items(), key=lambda group: (group[0] == "", -len(group[1]), group[0]))


def popular(tx: Connection, locale: str, *, limit: int = 6) -> list[Row[Any]]:
    """The public articles that are read most."""
    statement = _CARD.where(Article.state == PUBLIC, ArticleText.locale == locale)
    return list(tx.execute(statement.order_by(Article.views.desc(), Article.helpful.desc(), Article.id).limit(limit)))


def published(tx: Connection, slug: str) -> Any:
    """A public article by its address; NotFound for any other."""
    row = tx.execute(_CARD.where(ArticleText.slug == slug, Article.state == PUBLIC)).first()
    if row is None:
        raise NotFound("There is no such article. It may have been moved or withdrawn.")
    return row


def translations(tx: Connection, article_id: int) -> dict[str, str]:
    """locale → slug of every language the article has."""
    rows = tx.execute(select(ArticleText.locale, ArticleText.slug).where(ArticleText.article_id == article_id))
    return {row.locale: row.slug for row in rows}


def tags_of(tx: Connection, article_id: int) -> list[str]:
    """The article's labels."""
    statement = select(ArticleTag.name).where(ArticleTag.article_id == article_id).order_by(ArticleTag.name)
    return list(tx.execute(statement).scalars())


def record_view(tx: Connection, article_id: int) -> None:
    """Somebody reads the article."""
    tx.execute(update(Article).where(Article.id == article_id).values(views=Article.views + 1))


def give_feedback(
    tx: Connection, article_id: int, reader: str, helpful: bool, *, locale: str, now: datetime, comment: str = ""
) -> None:
    """Keep a reader's voice; a second one replaces the first, and the counts follow."""
    upsert(
        tx,
        ArticleFeedback,
        key=("article_id", "reader"),
        values={
            "article_id": article_id,
            "reader": reader,
            "locale": locale,
            "helpful": helpful,
            "comment": comment.strip()[:LONGEST_COMMENT],
            "created_at": now,
        },
    )
    voices = select(func.count()).select_from(ArticleFeedback).where(ArticleFeedback.article_id == article_id)
    tx.execute(
        update(Article)
        .where(Article.id == article_id)
        .values(
            helpful=voices.where(ArticleFeedback.helpful).scalar_subquery(),
            unhelpful=voices.where(ArticleFeedback.helpful.is_(False)).scalar_subquery(),
        )
    )


def list_articles(
    tx: Connection,
    *,
    state: ArticleState | None = None,
    locale: str | None = None,
    before: tuple[datetime, int] | None = None,
) -> list[Row[Any]]:
    """A page of articles for those who write, newest change first; `before` is the last row of the page before."""
    statement = _CARD.order_by(Article.updated_at.desc(), Article.id.desc()).limit(PAGE)
    statement = statement.where(_first_language(locale))
    if state is not None:
        statement = statement.where(Article.state == state.value)
    if before is not None:
        moment, last_id = before
        earlier = (Article.updated_at < moment) | ((Article.updated_at == moment) & (Article.id < last_id))
        statement = statement.where(earlier)
    return list(tx.execute(statement))


def state_counts(tx: Connection) -> dict[str, int]:
    """How many articles are in each state."""
    rows = tx.execute(select(Article.state, func.count().label("n")).group_by(Article.state))
    return {row.state: row.n for row in rows}


def waiting_drafts(tx: Connection, *, limit: int = PAGE) -> list[Row[Any]]:
    """Drafts learned from cases, those asked most often first; `asked` counts their cases."""
    asked = select(func.count()).select_from(ArticleCase).where(ArticleCase.article_id == Article.id).scalar_subquery()
    statement = (
        _CARD.add_columns(asked.label("asked"))
        .where(Article.state == ArticleState.DRAFT.value, Article.source == "case", _first_language(None))
        .order_by(asked.desc(), Article.created_at.desc(), Article.id)
        .limit(limit)
    )
    return list(tx.execute(statement))


def waiting_count(tx: Connection) -> int:
    """How many drafts learned from cases wait for somebody to read them."""
    statement = select(func.count()).where(Article.state == ArticleState.DRAFT.value, Article.source == "case")
    return int(tx.execute(statement).scalar_one())


def texts(tx: Connection, article_id: int) -> list[Row[Any]]:
    """Every language of an article as readers see it."""
    statement = _CARD.where(Article.id == article_id).order_by(ArticleText.id)
    return list(tx.execute(statement))


def revisions(tx: Connection, article_id: int, locale: str) -> list[Row[Any]]:
    """All revisions of one language with their authors, newest first."""
    return list(
        tx.execute(
            select(
                ArticleRevision.number,
                ArticleRevision.title,
                ArticleRevision.body,
                ArticleRevision.note,
                ArticleRevision.created_at,
                func.coalesce(User.name, literal("")).label("author"),
            )
            .outerjoin(User, User.id == ArticleRevision.author_id)
            .where(ArticleRevision.article_id == article_id, ArticleRevision.locale == locale)
            .order_by(ArticleRevision.number.desc())
            .limit(200)
        )
    )


def evidence(tx: Connection, article_id: int) -> list[Row[Any]]:
    """The sentences a draft was made from, in their order."""
    return list(
        tx.execute(
            select(
                ArticleEvidence.role,
                ArticleEvidence.ticket_id,
                ArticleEvidence.message_id,
                ArticleEvidence.sentence,
                ArticleEvidence.text,
            )
            .where(ArticleEvidence.article_id == article_id)
            .order_by(ArticleEvidence.position)
        )
    )


def related_cases(tx: Connection, article_id: int, *, limit: int = 20) -> list[Row[Any]]:
    """The cases this article answers, newest first."""
    return list(
        tx.execute(
            select(ArticleCase.ticket_id, ArticleCase.relation, ArticleCase.created_at)
            .where(ArticleCase.article_id == article_id)
            .order_by(ArticleCase.id.desc())
            .limit(limit)
        )
    )


def comments(tx: Connection, article_id: int, *, limit: int = 20) -> list[Row[Any]]:
    """What readers wrote, newest first."""
    return list(
        tx.execute(
            select(ArticleFeedback.helpful, ArticleFeedback.comment, ArticleFeedback.created_at)
            .where(ArticleFeedback.article_id == article_id, ArticleFeedback.comment != "")
            .order_by(ArticleFeedback.created_at.desc())
            .limit(limit)
        )
    )


def gaps(tx: Connection, since: datetime, *, limit: int = 30) -> Sequence[Any]:
    """What was searched for without a result, most frequent first: the articles that are missing."""
    times = func.count().label("times")
    return tx.execute(
        select(ArticleSearch.query, times, func.max(ArticleSearch.created_at).label("last_at"))
        .where(ArticleSearch.created_at >= since, ArticleSearch.results == 0)
        .group_by(ArticleSearch.query)
        .order_by(times.desc(), ArticleSearch.query)
        .limit(limit)
    ).all()


def _first_language(locale: str | None) -> ColumnElement[bool]:
    """One row per article: the wished language, else the one written first."""
    if locale is not None:
        return ArticleText.locale == locale
    first: Select[int] = select(func.min(ArticleText.id)).where(ArticleText.article_id == Article.id)
    return ArticleText.id == first.correlate(Article).scalar_subquery()
