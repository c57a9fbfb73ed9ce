"""Search on both databases: what is found, in which order, and who may see it."""

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content
from knowledge_base.models import ArticleSearch
from knowledge_base.search import Audience, Found, remember, search
from tests.conftest import NOW
from tests.knowledge_base.corpus import covid_corpus

ARTICLES = [
    ("Reset your password", "Open the login page and choose “Forgot password”.", "en"),
    ("Track a parcel", "Your tracking number is in the shipping mail. No password is needed.", "en"),
    ("Làm sao để đổi mật khẩu?", "Vào Cài đặt, chọn Tài khoản rồi Đổi mật khẩu.", "vi"),
    ("Đổi trả hàng trong 30 ngày", "Giữ hoá đơn và liên hệ cửa hàng.", "vi"),
    ("Lamp firmware", "Internal notes on **coronavirus** masks.", "en"),
]


def fill(tx: Connection, state: ArticleState = ArticleState.PUBLIC) -> None:
    for title, body, locale in ARTICLES:
        articles.create(tx, Content(title, body, locale), state=state, now=NOW)


def titles(tx: Connection, query: str, **options: object) -> list[str]:
    return [found.title for found in search(tx, query, **{"audience": Audience.CUSTOMERS, **options})]  # type: ignore[arg-type]


@pytest.mark.long
async def test_it_answers_real_questions_alike_on_both_databases(db: Database) -> None:
    corpus = covid_corpus()

    def load(tx: Connection) -> None:
        for title, body in corpus.articles:
            articles.create(tx, Content(title, body, "en"), state=ArticleState.PUBLIC, now=NOW)

    def measure(tx: Connection) -> tuple[float, float]:
        first = third = 0
        for query, right in corpus.queries.items():
            best = [found.article_id - 1 for found in search(tx, query, audience=Audience.CUSTOMERS, limit=3)]
            first += bool(right & set(best[:1]))
            third += bool(right & set(best))
        return first / len(corpus.queries), third / len(corpus.queries)

    await db.write(load)
    first, third = await db.read(measure)
    print(f"{db.dialect}: Hit@1 {first:.3f}, Hit@3 {third:.3f}")
    assert first >= 0.75
    assert third >= 0.885


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("how do I reset my passwords", "Reset your password"),
        ("doi mat khau", "Làm sao để đổi mật khẩu?"),
        ("ĐỔI MẬT KHẨU", "Làm sao để đổi mật khẩu?"),
        ("doi tra hang", "Đổi trả hàng trong 30 ngày"),
        ("pasword", "Reset your password"),
        ("corona virus", "Lamp firmware"),
        ("parcels", "Track a parcel"),
    ],
)
async def test_it_finds_the_right_article_first(db: Database, query: str, best: str) -> None:
    await db.write(fill)
    assert (await db.read(titles, query))[0] == best


@pytest.mark.parametrize(
    "query", ["", "  ", "'; DROP TABLE articles; --", '"*" OR NEAR(', "?!", "zzzz qqqq", "\x00", "a" * 9000]
)
async def test_odd_queries_find_nothing_and_break_nothing(db: Database, query: str) -> None:
    await db.write(fill)
    assert isinstance(await db.read(titles, query), list)


async def test_customers_agents_and_authors_see_their_own_states(sqlite_db: Database) -> None:
    for state in ArticleState:
        if state is not ArticleState.SCHEDULED:
            content = Content(f"Parcel {state}", "x", "en")
            await sqlite_db.write(articles.create, content, state=state, now=NOW)
    seen = {audience: sorted(await sqlite_db.read(titles, "parcel", audience=audience)) for audience in Audience}
    assert seen[Audience.CUSTOMERS] == ["Parcel public"]
    assert seen[Audience.AGENTS] == ["Parcel internal", "Parcel public"]
    assert seen[Audience.AUTHORS] == ["Parcel draft", "Parcel internal", "Parcel public"]


async def test_it_follows_edits(db: Database) -> None:
    await db.write(fill)
    await db.write(articles.edit, 2, Content("Follow a shipment", "x", "en"), author_id=None, now=NOW)
    assert "Follow a shipment" in await db.read(titles, "shipment")
    assert await db.read(titles, "parcel") == []


async def test_it_keeps_to_one_language_on_request_and_to_one_result_per_article(db: Database) -> None:
    await db.write(fill)
    await db.write(articles.edit, 1, Content("Password quên", "x", "vi"), author_id=None, now=NOW)
    assert await db.read(titles, "password", locale="vi") == ["Password quên"]
    found: list[Found] = await db.read(search, "password", audience=Audience.CUSTOMERS)
    assert len({f.article_id for f in found}) == len(found)


async def test_what_people_search_for_is_kept_without_their_data(sqlite_db: Database) -> None:
    query = "parcel of anna@home.example"
    await sqlite_db.write(remember, query, locale="en", place="help", found=[], now=NOW)
    row = await sqlite_db.read(lambda tx: tx.execute(select(ArticleSearch.query, ArticleSearch.results)).one())
    assert tuple(row) == ("parcel of [email]", 0)
