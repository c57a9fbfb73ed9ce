"""Writing articles: create, edit, publish, schedule, archive. Every text that ever stood there is kept."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from knowledge_base.markdown import plain_text
from knowledge_base.models import Article, ArticleRevision, ArticleTag, ArticleText
from knowledge_base.text import terms, words

LONGEST_TITLE = 200
LONGEST_BODY = 200_000
SLUG_LENGTH = 80
LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
TOPIC = "articles"


class ArticleState(StrEnum):
    """Who may read an article: nobody but authors, agents, everybody, everybody from a moment on, nobody any more."""

    DRAFT = "draft"
    INTERNAL = "internal"
    PUBLIC = "public"
    SCHEDULED = "scheduled"
    ARCHIVED = "archived"


LIVE = (ArticleState.INTERNAL, ArticleState.PUBLIC)


class Source(StrEnum):
    """Where an article came from."""

    WRITTEN = "written"
    IMPORTED = "imported"
    CASE = "case"


@dataclass(frozen=True)
class Content:
    """The text of an article in one language; the body is Markdown."""

    title: str
    body: str
    locale: str


@dataclass(frozen=True)
class Origin:
    """Who or what an article comes from."""

    source: Source = Source.WRITTEN
    author_id: int | None = None
    external_id: str | None = None
    ticket_id: int | None = None


def create(
    tx: Connection,
    content: Content,
    *,
    now: datetime,
    origin: Origin = Origin(),
    state: ArticleState = ArticleState.DRAFT,
    tags: Sequence[str] = (),
) -> int | None:
    """Create an article and return its id; None if one with this external id or from this ticket exists."""
    content = checked(content)
    if state is ArticleState.SCHEDULED:
        raise Invalid("Create the article as a draft, then schedule it.", field="state")
    values = {
        "external_id": origin.external_id,
        "state": state.value,
        "source": origin.source.value,
        "source_ticket_id": origin.ticket_id,
        "author_id": origin.author_id,
        "created_at": now,
        "updated_at": now,
        "published_at": now if state is ArticleState.PUBLIC else None,
        "views": 0,
        "helpful": 0,
        "unhelpful": 0,
        "uses": 0,
        "version": 1,
    }
    key = "source_ticket_id" if origin.ticket_id is not None else "external_id"
    article_id = insert_once(tx, Article, values=values, key=[key])
    if article_id is None:
        return None
    _add_revision(tx, article_id, content, number=1, author_id=origin.author_id, note="", now=now)
    _show(tx, article_id, content, revision=1, now=now)
    set_tags(tx, article_id, tags)
    _announce(tx, article_id, "article.created", {"source": origin.source.value}, now=now)
    if state is ArticleState.PUBLIC:
        _announce(tx, article_id, "article.published", {}, now=now)
    return article_id


def edit(
    tx: Connection,
    article_id: int,
    content: Content,
    *,
    author_id: int | None,
    now: datetime,
    base: int | None = None,
    note: str = "",
    publish: bool = True,
) -> int:
    """Save a text as a new revision and return its number; the same text again makes none.

    `base` is the revision the author began with: Conflict when a newer one exists. With `publish` off, readers of a
    live article keep the old text until `publish_revision`. A language the article did not have is added.
    """
    content = checked(content)
    article = access(tx, article_id, lock=True)
    last = _last_revision(tx, article_id, content.locale)
    if last is not None and base is not None and last.number != base:
        raise Conflict("Somebody saved this article while you were writing. Open it again and compare.")
    waits = not publish and article.state in LIVE
    if last is not None and (last.title, last.body) == (content.title, content.body):
        if not waits:
            _show(tx, article_id, content, revision=last.number, now=now)
        number: int = last.number
        return number
    number = last.number + 1 if last is not None else 1
    _add_revision(tx, article_id, content, number=number, author_id=author_id, note=note, now=now)
    if not waits:
        _show(tx, article_id, content, revision=number, now=now)
    tx.execute(update(Article).where(Article.id == article_id).values(updated_at=now, version=Article.version + 1))
    _announce(tx, article_id, "article.updated", {"locale": content.locale, "revision": number}, now=now)
    return number


def last_number(tx: Connection, article_id: int, locale: str) -> int:
    """The number of the newest revision in a language; 0 if there is none."""
    last = _last_revision(tx, article_id, locale)
    return last.number if last is not None else 0


def publish_revision(tx: Connection, article_id: int, locale: str, number: int, *, now: datetime) -> None:
    """Show this revision to readers: the waiting one, or an older one that should come back."""
    access(tx, article_id, lock=True)
    row = tx.execute(
        select(ArticleRevision.title, ArticleRevision.body).where(
            ArticleRevision.article_id == article_id,
            ArticleRevision.locale == locale,
            ArticleRevision.number == number,
        )
    ).first()
    if row is None:
        raise NotFound("There is no such revision.")
    _show(tx, article_id, Content(row.title, row.body, locale), revision=number, now=now)
    tx.execute(update(Article).where(Article.id == article_id).values(updated_at=now, version=Article.version + 1))
    _announce(tx, article_id, "article.updated", {"locale": locale, "revision": number}, now=now)


def set_state(
    tx: Connection, article_id: int, wanted: ArticleState, *, now: datetime, publish_at: datetime | None = None
) -> None:
    """Publish, hide, schedule or archive; the state it has already is no error. `scheduled` wants a future moment."""
    article = access(tx, article_id, lock=True)
    if wanted is ArticleState.SCHEDULED:
        if publish_at is None or publish_at <= now:
            raise Invalid("Choose a moment in the future.", field="publish_at")
    elif article.state == wanted.value:
        return
    changes: dict[str, Any] = {
        "state": wanted.value,
        "publish_at": publish_at if wanted is ArticleState.SCHEDULED else None,
        "updated_at": now,
        "version": Article.version + 1,
    }
    if wanted is ArticleState.PUBLIC:
        changes["published_at"] = now
    tx.execute(update(Article).where(Article.id == article_id).values(**changes))
    names = {ArticleState.PUBLIC: "article.published", ArticleState.ARCHIVED: "article.archived"}
    values = {"from": article.state, "to": wanted.value}
    _announce(tx, article_id, names.get(wanted, "article.updated"), values, now=now)


def publish_due(tx: Connection, now: datetime, *, limit: int = 50) -> int:
    """Publish the scheduled articles whose moment has come; returns how many."""
    due = tx.execute(
        select(Article.id)
        .where(Article.state == ArticleState.SCHEDULED.value, Article.publish_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).scalars()
    ids = list(due)
    for article_id in ids:
        set_state(tx, article_id, ArticleState.PUBLIC, now=now)
    return len(ids)


def set_tags(tx: Connection, article_id: int, names: Sequence[str]) -> None:
    """Give the article exactly these labels."""
    wanted = sorted({" ".join(name.split()).lower()[:50] for name in names if name.strip()})
    tx.execute(delete(ArticleTag).where(ArticleTag.article_id == article_id))
    if wanted:
        tx.execute(insert(ArticleTag), [{"article_id": article_id, "name": name} for name in wanted])


def access(tx: Connection, article_id: int, *, lock: bool = False) -> Row[Any]:
    """The article's row, locked on request; NotFound if there is none."""
    statement = select(Article.__table__).where(Article.id == article_id)
    row = tx.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise NotFound("There is no such article.")
    return row


def checked(content: Content) -> Content:
    """The text without stray blanks; Invalid when a part is missing or too long."""
    title, body = " ".join(content.title.split()), content.body.replace("\r\n", "\n").strip()
    locale = content.locale.strip().lower()
    if not title:
        raise Invalid("Give the article a title.", field="title")
    if len(title) > LONGEST_TITLE:
        raise Invalid("The title is longer than {most} characters.", field="title", most=LONGEST_TITLE)
    if not body:
        raise Invalid("Write the text of the article.", field="body")
    if len(body) > LONGEST_BODY:
        raise Invalid("The text is longer than {most} characters.", field="body", most=LONGEST_BODY)
    if not LOCALE.fullmatch(locale):
        raise Invalid("“{locale}” is no language code.", field="locale", locale=locale)
    return Content(title, body, locale)


def _last_revision(tx: Connection, article_id: int, locale: str) -> Row[int, str, str] | None:
    return tx.execute(
        select(ArticleRevision.number, ArticleRevision.title, ArticleRevision.body)
        .where(ArticleRevision.article_id == article_id, ArticleRevision.locale == locale)
        .order_by(ArticleRevision.number.desc())
        .limit(1)
    ).first()


def _add_revision(
    tx: Connection, article_id: int, content: Content, *, number: int, author_id: int | None, note: str, now: datetime
) -> None:
    tx.execute(
        insert(ArticleRevision),
        {
            "article_id": article_id,
            "locale": content.locale,
            "number": number,
            "title": content.title,
            "body": content.body,
            "note": note.strip()[:300],
            "author_id": author_id,
            "created_at": now,
        },
    )


def _show(tx: Connection, article_id: int, content: Content, *, revision: int, now: datetime) -> None:
    """Make a revision the one that readers and search see."""
    title, body = terms(content.title), terms(plain_text(content.body))
    values = {
        "title": content.title,
        "body": content.body,
        "search_title": " ".join(title),
        "search_body": " ".join(body),
        "title_length": len(title),
        "body_length": len(body),
        "revision": revision,
        "updated_at": now,
    }
    changed = tx.execute(
        update(ArticleText)
        .where(ArticleText.article_id == article_id, ArticleText.locale == content.locale)
        .values(**values)
    )
    if changed.rowcount:
        return
    # The slug is decided by the insert: two articles with one title get -2, -3 …
    for slug in _slugs(tx, content.title):
        new = {"article_id": article_id, "locale": content.locale, "slug": slug, **values}
        if insert_once(tx, ArticleText, key=["slug"], values=new) is not None:
            return


def _slugs(tx: Connection, title: str) -> Iterator[str]:
    """Addresses to try, the plain one first; how many are taken is only asked when it is."""
    stem = "-".join(words(title))[:SLUG_LENGTH].strip("-") or "article"
    yield stem
    taken = tx.execute(
        select(func.count()).select_from(ArticleText).where(ArticleText.slug.startswith(stem, autoescape=True))
    ).scalar_one()
    yield from (f"{stem}-{n}" for n in range(2, taken + 10))


def _announce(tx: Connection, article_id: int, name: str, values: dict[str, Any], *, now: datetime) -> None:
    emit(tx, name, {"article_id": article_id, **values}, now=now, topics=[TOPIC])
