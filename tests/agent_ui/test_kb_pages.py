"""The knowledge pages of those who write, through the whole web process."""

import re
from datetime import timedelta

from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from knowledge_base import articles, harvest
from knowledge_base.articles import ArticleState, Content
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console, statements
from tests.conftest import NOW
from tests.knowledge_base.test_harvest import resolved_case

FORM = {**PAGE, **SAME_ORIGIN}
NEW = {
    "title": "Reset the lamp",
    "body": "Hold the **button**. <script>alert(1)</script>",
    "locale": "en",
    "tags": "lamp",
}


async def test_an_agent_writes_and_a_reviewer_publishes(console_on_both: Console) -> None:
    agent, reviewer = await console_on_both.sit(), await console_on_both.sit(Role.QA)
    created = await agent.post("/kb/articles/new", headers=FORM, **NEW)
    assert created.status_code == 303
    path = created.headers["location"]
    assert (await agent.post(f"{path}/state", headers=FORM, state="public")).status_code == 403
    assert (await reviewer.post(f"{path}/state", headers=FORM, state="public")).status_code == 303
    shown = await console_on_both.browser().get("/help/reset-the-lamp", headers=PAGE)
    assert "Hold the <strong>button</strong>." in shown.text
    assert "<script>alert" not in shown.text


async def test_an_incomplete_article_keeps_what_was_typed(console: Console) -> None:
    agent = await console.sit()
    answer = await agent.post("/kb/articles/new", headers=FORM, **{**NEW, "title": ""})
    assert answer.status_code == 422
    assert "Give the article a title." in answer.text
    assert "Hold the **button**" in answer.text


async def test_a_change_waits_until_it_is_compared_and_published(console: Console) -> None:
    reviewer = await console.sit(Role.QA)
    article_id = await console.write(articles.create, Content("Lamp", "Old.", "en"), state=ArticleState.PUBLIC, now=NOW)
    path = f"/kb/articles/{article_id}"
    newer = {"title": "Lamp", "body": "New.", "locale": "en", "base": "1", "how": "wait", "note": "shorter"}
    assert (await reviewer.post(f"{path}/edit", headers=FORM, **newer)).status_code == 303
    assert "A newer text waits" in (await reviewer.page(path)).text
    compared = (await reviewer.page(f"{path}/revisions/en/2")).text
    assert "<ins>New.</ins>" in compared
    assert "<del>Old.</del>" in compared
    stale = await reviewer.post(f"{path}/edit", headers=FORM, **{**newer, "body": "Mine."})
    assert "Somebody saved this article" in stale.text
    await reviewer.post(f"{path}/revisions/en/2/publish", headers=FORM)
    assert "New." in (await console.browser().get("/help/lamp", headers=PAGE)).text


async def test_an_agent_cannot_change_what_readers_see(console: Console) -> None:
    agent = await console.sit()
    article_id = await console.write(articles.create, Content("Lamp", "Old.", "en"), state=ArticleState.PUBLIC, now=NOW)
    forged = {"title": "Lamp", "body": "Mine.", "locale": "en", "base": "1", "how": "publish"}
    assert (await agent.post(f"/kb/articles/{article_id}/edit", headers=FORM, **forged)).status_code == 303
    assert "Old." in (await console.browser().get("/help/lamp", headers=PAGE)).text
    published = await agent.post(f"/kb/articles/{article_id}/revisions/en/2/publish", headers=FORM)
    assert published.status_code == 403


async def test_a_draft_from_a_case_shows_its_evidence_beside_it(console: Console) -> None:
    agent = await console.sit()
    ticket_id = await console.write(resolved_case)
    article_id = await console.write(harvest.learn, ticket_id, now=NOW)
    assert "How do I reset the lamp?" in (await agent.page("/kb/drafts")).text
    page = (await agent.page(f"/kb/articles/{article_id}")).text
    assert "I have refunded order #[order number] today." in page
    assert page.count(f"/tickets/{ticket_id + 99}#m") >= 4
    assert "Anna" not in page


async def test_it_searches_and_filters(console: Console) -> None:
    agent = await console.sit()
    for title, state in (("Lamp guide", ArticleState.PUBLIC), ("Till guide", ArticleState.INTERNAL)):
        await console.write(articles.create, Content(title, "x", "en"), state=state, now=NOW)
    assert "Till guide" in (await agent.page("/kb?q=till")).text
    internal = (await agent.page("/kb?state=internal")).text
    assert "Till guide" in internal
    assert "Lamp guide" not in internal
    assert (await agent.page("/kb?state=odd&before=odd~x")).status_code == 200


async def test_it_schedules_in_the_persons_own_time(console: Console) -> None:
    reviewer = await console.sit(Role.QA)
    article_id = await console.write(articles.create, Content("Sale", "x", "en"), now=NOW)
    moment = (utcnow() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    path = f"/kb/articles/{article_id}"
    await reviewer.post(f"{path}/state", headers=FORM, state="scheduled", publish_at=moment)
    assert "Becomes public by itself" in (await reviewer.page(path)).text
    past = await reviewer.post(f"{path}/state", headers=FORM, state="scheduled", publish_at="2020-01-01T10:00")
    assert past.status_code == 422


async def test_the_preview_is_safe_and_missing_things_are_404(console: Console) -> None:
    agent = await console.sit()
    preview = await agent.post("/kb/preview", body="**b** [x](javascript:alert(1)) <img src=x onerror=alert(1)>")
    assert "<strong>b</strong>" in preview.text
    assert not re.search(r"<img|href=\"javascript", preview.text)
    assert (await agent.page("/kb/articles/99")).status_code == 404
    assert (await console.browser().get("/kb", headers=PAGE)).status_code == 303


async def test_the_list_costs_the_same_whatever_its_length(console: Console) -> None:
    agent = await console.sit()
    counts = []
    for n in (1, 20):
        for k in range(n):
            await console.write(articles.create, Content(f"Article {n} {k}", "x", "en"), now=NOW)
        with statements() as seen:
            await agent.page("/kb")
        counts.append(len(seen))
    # Three of them read what is the agent's own in the frame: presence, offers, notifications.
    assert counts[0] == counts[1] <= 7
