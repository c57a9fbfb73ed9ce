"""Quality and knowledge in a real browser: the live score, the preview, the public pages; and what axe finds."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import Connection, select

from contact_center.accounts import sessions
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import COOKIE
from contact_center.app import build
from contact_center.core.clock import utcnow
from contact_center.core.db import one_shot
from contact_center.core.settings import Settings
from knowledge_base import articles
from knowledge_base.articles import ArticleState, Content
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user
from tests.serving import server_of
from tickets import assignments, lifecycle
from tickets.models import Assignment
from tickets.quality import complaints, evaluations, scorecard_versions
from tickets.quality.complaint_stages import Opener
from tickets.quality.default_scorecards import CONVERSATION
from tickets.states import AssignmentReason

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
RULES = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})"
LOOKED_AT = (
    *("/help", "/help?q=lamp", "/help/reset-the-lamp", "/kb", "/kb/articles/1", "/kb/articles/1/edit"),
    *("/qa", "/qa/complaints/1", "/qa/evaluations/1", "/qa/candidates", "/qa/scorecards/1"),
)


def fill(tx: Connection) -> str:
    """An article, a complaint and an evaluation that was begun; the token of the reviewer's login."""
    agent, reviewer = make_user(tx, name="Tom Baker"), make_user(tx, role=Role.QA)
    articles.create(tx, Content("Reset the lamp", "Hold *it*.", "en"), state=ArticleState.PUBLIC, now=NOW)
    ticket_id = make_ticket(tx, account_id=make_account(tx)).ticket_id
    complaints.open_(tx, ticket_id, opener=Opener.AGENT, user_id=agent, summary="Late", now=NOW)
    assignments.assign(tx, ticket_id, agent, reason=AssignmentReason.TAKEN, by_user_id=agent, now=NOW)
    lifecycle.resolve(tx, ticket_id, user_id=agent, now=NOW)
    card = scorecard_versions.create(tx, "Conversation", CONVERSATION, user_id=None, now=NOW)
    assignment_id = tx.execute(select(Assignment.id)).scalar_one()
    evaluations.start(tx, assignment_id, card, evaluator_id=reviewer, now=NOW)
    return sessions.start(tx, reviewer, device="Chromium", address="127.0.0.1", days=1, now=utcnow())


@pytest_asyncio.fixture(loop_scope="session")
async def page(sqlite_url: str, tmp_path: Path, browser: Browser) -> AsyncIterator[Page]:
    """The reviewer's browser on a real server; the test fails on what its console complains of."""
    with one_shot(sqlite_url) as tx:
        token = fill(tx)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = build(Settings(data_dir=tmp_path, database_url=sqlite_url, port=port), loops=["none"])
    server = server_of(app, port)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    problems: list[str] = []
    context = await browser.new_context(base_url=f"http://127.0.0.1:{port}", bypass_csp=True)
    await context.add_cookies([{"name": COOKIE, "value": token, "url": f"http://127.0.0.1:{port}"}])
    opened = await context.new_page()
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    await context.close()
    server.should_exit = True
    await serving
    assert problems == []


async def test_the_score_follows_each_answer(page: Page) -> None:
    await page.goto("/qa/evaluations/1")
    figure = page.locator("#score .figure")
    await page.locator("input[name='a.greeting'][value=yes]").check(force=True)
    await expect(figure).to_have_text("100.00 %")
    await page.locator("input[name='a.respect'][value=no]").check(force=True)
    await expect(figure).to_have_text("0.00 %")
    await expect(page.locator("#score")).to_contain_text("Failed automatically")
    await page.reload()
    await expect(figure).to_have_text("0.00 %")


async def test_the_preview_follows_what_is_typed(page: Page) -> None:
    await page.goto("/kb/articles/1/edit")
    await page.locator("#body").fill("Hold it for **ten** seconds.")
    await expect(page.locator("#preview strong")).to_have_text("ten")


@pytest.mark.long
async def test_axe_finds_nothing_serious(page: Page) -> None:
    found = []
    for path in LOOKED_AT:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        await page.evaluate(AXE.read_text())
        for violation in (await page.evaluate(RULES))["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.append((path, violation["id"], violation["nodes"][0]["html"][:120]))
    assert found == []
