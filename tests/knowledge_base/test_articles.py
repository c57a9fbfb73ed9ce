"""Articles on both databases: revisions, states, slugs."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import EventRow
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content, Origin
from knowledge_base.models import Article, ArticleRevision, ArticleText
from tests.conftest import NOW

TEXT = Content("Reset the lamp", "Hold the **button**.", "en")


def make(tx: Connection, content: Content = TEXT, state: ArticleState = ArticleState.PUBLIC) -> int:
    article_id = articles.create(tx, content, state=state, now=NOW)
    assert article_id is not None
    return article_id


def shown(tx: Connection, article_id: int, locale: str = "en") -> tuple[str, int]:
    row = tx.execute(
        select(ArticleText.body, ArticleText.revision).where(
            ArticleText.article_id == article_id, ArticleText.locale == locale
        )
    ).one()
    return row.body, row.revision


def state_of(tx: Connection, article_id: int) -> str:
    return str(tx.execute(select(Article.state).where(Article.id == article_id)).scalar_one())


def events(tx: Connection) -> list[str]:
    return list(tx.execute(select(EventRow.name).order_by(EventRow.id)).scalars())


async def test_every_text_is_kept(db: Database) -> None:
    article_id = await db.write(make)
    newer = Content("Reset the lamp", "Hold it for ten seconds.", "en")
    assert await db.write(articles.edit, article_id, newer, author_id=None, now=NOW) == 2
    assert await db.write(articles.edit, article_id, newer, author_id=None, now=NOW) == 2
    assert await db.read(shown, article_id) == ("Hold it for ten seconds.", 2)
    kept = await db.read(lambda tx: tx.execute(select(ArticleRevision.body).order_by(ArticleRevision.number)).all())
    assert [row.body for row in kept] == ["Hold the **button**.", "Hold it for ten seconds."]


async def test_readers_keep_the_old_text_until_the_change_is_published(db: Database) -> None:
    article_id = await db.write(make)
    newer = Content("Reset the lamp", "New.", "en")
    number = await db.write(articles.edit, article_id, newer, author_id=None, publish=False, now=NOW)
    assert await db.read(shown, article_id) == ("Hold the **button**.", 1)
    await db.write(articles.publish_revision, article_id, "en", number, now=NOW)
    assert await db.read(shown, article_id) == ("New.", 2)
    await db.write(articles.publish_revision, article_id, "en", 1, now=NOW)
    assert await db.read(shown, article_id) == ("Hold the **button**.", 1)
    with pytest.raises(NotFound):
        await db.write(articles.publish_revision, article_id, "en", 9, now=NOW)


async def test_two_authors_do_not_overwrite_each_other(sqlite_db: Database) -> None:
    article_id = await sqlite_db.write(make)
    first, second = Content("A", "1", "en"), Content("A", "2", "en")
    await sqlite_db.write(articles.edit, article_id, first, author_id=None, base=1, now=NOW)
    with pytest.raises(Conflict):
        await sqlite_db.write(articles.edit, article_id, second, author_id=None, base=1, now=NOW)


async def test_a_language_can_be_added(db: Database) -> None:
    article_id = await db.write(make)
    await db.write(articles.edit, article_id, Content("Đặt lại đèn", "Giữ nút.", "vi"), author_id=None, now=NOW)
    assert await db.read(shown, article_id, "vi") == ("Giữ nút.", 1)
    slugs = await db.read(lambda tx: set(tx.execute(select(ArticleText.slug)).scalars()))
    assert slugs == {"reset-the-lamp", "dat-lai-den"}


async def test_the_same_title_gets_another_address(db: Database) -> None:
    for _ in range(3):
        await db.write(make)
    slugs = await db.read(lambda tx: list(tx.execute(select(ArticleText.slug).order_by(ArticleText.id)).scalars()))
    assert slugs == ["reset-the-lamp", "reset-the-lamp-2", "reset-the-lamp-3"]


async def test_an_external_id_and_a_case_make_one_article_only(db: Database) -> None:
    origin = Origin(external_id="a-1")
    assert await db.write(articles.create, TEXT, origin=origin, now=NOW)
    assert await db.write(articles.create, TEXT, origin=origin, now=NOW) is None


async def test_publishing_is_announced(sqlite_db: Database) -> None:
    article_id = await sqlite_db.write(make, TEXT, ArticleState.DRAFT)
    await sqlite_db.write(articles.set_state, article_id, ArticleState.PUBLIC, now=NOW)
    await sqlite_db.write(articles.set_state, article_id, ArticleState.PUBLIC, now=NOW)
    await sqlite_db.write(articles.set_state, article_id, ArticleState.ARCHIVED, now=NOW)
    assert await sqlite_db.read(events) == ["article.created", "article.published", "article.archived"]


async def test_a_scheduled_article_appears_when_its_moment_has_come(db: Database) -> None:
    article_id = await db.write(make, TEXT, ArticleState.DRAFT)
    due = NOW + timedelta(hours=1)
    await db.write(articles.set_state, article_id, ArticleState.SCHEDULED, publish_at=due, now=NOW)
    assert await db.write(articles.publish_due, NOW) == 0
    assert await db.write(articles.publish_due, due) == 1
    assert await db.read(state_of, article_id) == "public"


@pytest.mark.parametrize("moment", [None, NOW, NOW - timedelta(days=1)])
async def test_it_schedules_into_the_future_only(sqlite_db: Database, moment: datetime | None) -> None:
    article_id = await sqlite_db.write(make, TEXT, ArticleState.DRAFT)
    with pytest.raises(Invalid) as caught:
        await sqlite_db.write(articles.set_state, article_id, ArticleState.SCHEDULED, publish_at=moment, now=NOW)
    assert caught.value.field == "publish_at"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Content(" ", "x", "en"), "title"),
        (Content("x" * 201, "x", "en"), "title"),
        (Content("x", "\n ", "en"), "body"),
        (Content("x", "x", "English!"), "locale"),
    ],
)
def test_incomplete_articles_are_refused(content: Content, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        articles.checked(content)
    assert caught.value.field == field
