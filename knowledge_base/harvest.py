"""Learns from resolved tickets: a handler that drafts an article with its evidence, or notes which article knew it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from contact_center.core.events import Event, emit
from contact_center.core.upsert import insert_once
from knowledge_base import articles, cases
from knowledge_base.articles import ArticleState, Content, Origin, Source
from knowledge_base.cases import Relation
from knowledge_base.drafts import BAD_RATING, Case, DraftArticle, Known, Lesson, Skipped, draft, known_already
from knowledge_base.markdown import plain_text
from knowledge_base.models import Article, ArticleCase, ArticleEvidence
from knowledge_base.search import nearest

# An article that says the same is among the first few for question and answer together.
LOOKED_AT = 6
RELATIONS = {
    Lesson.ARTICLE_USED: Relation.USED,
    Lesson.COPY_OF_ARTICLE: Relation.ANSWERED,
    Lesson.SAME_QUESTION: Relation.ASKED_AGAIN,
}


def on_ticket_resolved(tx: Connection, event: Event, now: datetime) -> None:
    """Draft what the ticket taught; running again changes nothing."""
    learn(tx, event.payload["ticket_id"], now=now)


def on_survey_answered(tx: Connection, event: Event, now: datetime) -> None:
    """A customer who was not helped: the draft of that case is no answer."""
    rating = event.payload.get("rating")
    if rating is None or rating > BAD_RATING:
        return
    article_id = tx.execute(
        select(Article.id).where(
            Article.source_ticket_id == event.payload["ticket_id"], Article.state == ArticleState.DRAFT.value
        )
    ).scalar_one_or_none()
    if article_id is not None:
        articles.set_state(tx, article_id, ArticleState.ARCHIVED, now=now)


def learn(tx: Connection, ticket_id: int, *, now: datetime) -> int | Skipped | None:
    """The id of the draft, or why there is none; None when there is no such case."""
    case = cases.load(tx, ticket_id)
    if case is None:
        return None
    result: DraftArticle | Skipped = draft(case, keep=cases.own_addresses(tx))
    if isinstance(result, DraftArticle):
        result = known_already(result, _known(tx, ticket_id, result)) or result
    if isinstance(result, Skipped):
        _note(tx, result, ticket_id, now=now)
        return result
    return _store(tx, ticket_id, case, result, now=now)


def _known(tx: Connection, ticket_id: int, drafted: DraftArticle) -> Sequence[Known]:
    """The articles that most likely say the same, but for the one drafted from this very ticket."""
    like = nearest(tx, f"{drafted.title} {drafted.answer}", limit=LOOKED_AT)
    return [Known(row.article_id, row.title, plain_text(row.body)) for row in like if row.source_ticket_id != ticket_id]


def _note(tx: Connection, skipped: Skipped, ticket_id: int, *, now: datetime) -> None:
    relation = RELATIONS.get(skipped.lesson)
    if skipped.article_id is None or relation is None:
        return
    if relation is Relation.USED:
        use(tx, skipped.article_id, ticket_id, user_id=None, now=now)
    else:
        relate(tx, skipped.article_id, ticket_id, relation, now=now)


def relate(
    tx: Connection, article_id: int, ticket_id: int, relation: Relation, *, now: datetime, user_id: int | None = None
) -> bool:
    """Note once that the article answers the ticket; True the first time."""
    values = {
        "article_id": article_id,
        "ticket_id": ticket_id,
        "relation": relation.value,
        "user_id": user_id,
        "created_at": now,
    }
    return insert_once(tx, ArticleCase, key=["article_id", "ticket_id", "relation"], values=values) is not None


def use(tx: Connection, article_id: int, ticket_id: int, *, user_id: int | None, now: datetime) -> None:
    """An agent put the article, or a link to it, into an answer; counted once per ticket."""
    articles.access(tx, article_id)
    if relate(tx, article_id, ticket_id, Relation.USED, user_id=user_id, now=now):
        tx.execute(update(Article).where(Article.id == article_id).values(uses=Article.uses + 1))


def _store(tx: Connection, ticket_id: int, case: Case, drafted: DraftArticle, *, now: datetime) -> int | None:
    content = Content(drafted.title, drafted.body, case.locale)
    origin = Origin(Source.CASE, ticket_id=ticket_id)
    article_id = articles.create(tx, content, origin=origin, now=now)
    if article_id is None:
        return _renew(tx, ticket_id, content, drafted, now=now)
    relate(tx, article_id, ticket_id, Relation.SOURCE, now=now)
    _evidence(tx, article_id, ticket_id, drafted)
    emit(
        tx,
        "article.drafted",
        {
            "article_id": article_id,
            "ticket_id": ticket_id,
            "title": drafted.title,
            "redacted": drafted.redactions.total(),
        },
        now=now,
        topics=[articles.TOPIC, f"ticket:{ticket_id}"],
    )
    return article_id


def _renew(tx: Connection, ticket_id: int, content: Content, drafted: DraftArticle, *, now: datetime) -> int | None:
    """The case was reopened and resolved again: a draft that nobody took up yet follows it."""
    row = tx.execute(select(Article.id, Article.state).where(Article.source_ticket_id == ticket_id)).one()
    if row.state != ArticleState.DRAFT.value:
        return None
    before = articles.last_number(tx, row.id, content.locale)
    if articles.edit(tx, row.id, content, author_id=None, note="The case was resolved again.", now=now) == before:
        return int(row.id)
    tx.execute(delete(ArticleEvidence).where(ArticleEvidence.article_id == row.id))
    _evidence(tx, row.id, ticket_id, drafted)
    return int(row.id)


def _evidence(tx: Connection, article_id: int, ticket_id: int, drafted: DraftArticle) -> None:
    tx.execute(
        insert(ArticleEvidence),
        [
            {
                "article_id": article_id,
                "ticket_id": ticket_id,
                "message_id": piece.message_id,
                "position": position,
                "role": piece.role.value,
                "sentence": piece.sentence,
                "text": piece.text,
            }
            for position, piece in enumerate(drafted.evidence, 1)
        ],
    )
