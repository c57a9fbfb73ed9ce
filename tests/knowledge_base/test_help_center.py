"""The public pages: search, articles, feedback, survey, in both languages and without a login."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
import time_machine
from sqlalchemy import Connection, select

from knowledge_base import articles, help_center
from knowledge_base.articles import ArticleState, Content
from knowledge_base.models import Article, ArticleFeedback, ArticleSearch
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, open_console
from tests.conftest import NOW
from tests.factories import make_account
from tests.tickets.quality.test_surveys import URL, resolved
from tickets.quality import surveys
from tickets.quality.models import Survey
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Console]:
    async with open_console(database_url, tmp_path) as opened:
        await opened.write(fill)
        yield opened


def fill(tx: Connection) -> None:
    for title, body, state in (
        ("Return an item", "Within **30 days**.", ArticleState.PUBLIC),
        ("Staff only", "Secret till codes", ArticleState.INTERNAL),
        ("Unfinished", "Draft text", ArticleState.DRAFT),
    ):
        articles.create(tx, Content(title, body, "en"), state=state, tags=["shipping"], now=NOW)
    articles.edit(tx, 1, Content("Đổi trả hàng", "Trong 30 ngày.", "vi"), author_id=None, now=NOW)


async def get(site: Console, path: str, http: httpx2.AsyncClient | None = None) -> httpx2.Response:
    return await (http or site.browser()).get(path, headers=PAGE)


async def test_only_public_articles_are_seen(site: Console) -> None:
    front = (await get(site, "/help")).text
    assert "Return an item" in front
    assert "Staff only" not in front
    for slug in ("staff-only", "unfinished", "nothing"):
        assert (await get(site, f"/help/{slug}")).status_code == 404
    assert "Staff only" not in (await get(site, "/help?q=till+codes")).text


async def test_both_languages_lead_to_each_other(site: Console) -> None:
    http = site.browser()
    moved = await get(site, "/help/return-an-item?lang=vi", http)
    assert moved.headers["location"] == "/help/doi-tra-hang"
    page = await get(site, "/help/doi-tra-hang", http)
    assert '<html lang="vi">' in page.text
    assert 'hreflang="en" href="/help/return-an-item"' in page.text
    assert "Đổi trả hàng" in (await get(site, "/help", http)).text


async def test_it_searches_without_marks_and_notes_what_is_missing(site: Console) -> None:
    assert "Đổi trả hàng" in (await get(site, "/help?q=doi+tra&lang=vi")).text
    assert "No article answers this yet." in (await get(site, "/help?q=zebra")).text
    rows = await site.db.read(lambda tx: tx.execute(select(ArticleSearch.query, ArticleSearch.results)).all())
    assert [tuple(row) for row in rows] == [("doi tra", 1), ("zebra", 0)]


@pytest.mark.parametrize("query", ["<script>alert(1)</script>", "a" * 4000, "%00", '" OR 1=1 --'])
async def test_hostile_queries_are_harmless(site: Console, query: str) -> None:
    answer = await site.browser().get("/help", params={"q": query}, headers=PAGE)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text


async def test_a_reader_has_one_voice(site: Console) -> None:
    http = site.browser()
    for answer in ("yes", "no"):
        sent = await http.post("/help/return-an-item/feedback", data={"helpful": answer}, headers=FORM)
        assert sent.status_code == 303
    counts = await site.db.read(
        lambda tx: tx.execute(select(Article.helpful, Article.unhelpful).where(Article.id == 1)).one()
    )
    assert tuple(counts) == (0, 1)
    assert len(await site.db.read(lambda tx: tx.execute(select(ArticleFeedback.id)).all())) == 1
    assert "Thank you, noted." in (await get(site, "/help/return-an-item?thanks=no")).text
    wrong = await http.post("/help/return-an-item/feedback", data={"helpful": "maybe"}, headers=FORM)
    assert wrong.status_code == 404


async def test_one_reader_cannot_flood_the_feedback(site: Console) -> None:
    http = site.browser()
    vote = {"helpful": "yes"}
    # Voices are counted by the hour of the clock: here it does not turn between two of them.
    with time_machine.travel(NOW):
        answers = [
            await http.post("/help/return-an-item/feedback", data=vote, headers=FORM)
            for _ in range(help_center.VOICES_PER_HOUR + 1)
        ]
    assert [answer.status_code for answer in answers[-2:]] == [303, 429]


async def test_it_says_where_to_write_to(site: Console) -> None:
    assert "mailto:" not in (await get(site, "/help")).text
    await site.write(make_account, Channel.EMAIL)
    assert "mailto:support@shop.test" in (await get(site, "/help")).text


async def test_a_survey_is_answered_once_and_looking_does_not_answer_it(site: Console) -> None:
    token = await site.write(surveys.ask, await site.write(resolved), base_url=URL, now=NOW)
    await site.write(lambda tx: tx.execute(Survey.__table__.update().values(expires_at=NOW.replace(year=2099))))
    http, path = site.browser(), f"/survey/{token}"
    assert "How did we do?" in (await get(site, f"{path}?rating=5", http)).text
    empty = await http.post(path, data={"comment": "hm"}, headers=FORM)
    assert empty.status_code == 422
    assert "hm" in empty.text
    for rating in ("4", "1"):
        assert (await http.post(path, data={"rating": rating}, headers=FORM)).status_code == 303
    assert "Great" in (await get(site, path, http)).text
    assert await site.db.read(lambda tx: tx.execute(select(Survey.rating)).scalar_one()) == 4
    assert (await get(site, "/survey/guess")).status_code == 404
