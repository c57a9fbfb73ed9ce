"""Learning from resolved tickets through the real use cases, and suggesting beside open ones."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from contact_center.accounts.permissions import Role
from contact_center.core.db import Database
from contact_center.core.events import Event, EventRow
from contact_center.core.relay import relay_batch
from knowledge_base import articles, harvest
from knowledge_base.articles import ArticleState, Content
from knowledge_base.models import Article, ArticleCase, ArticleEvidence, ArticleText
from knowledge_base.suggest import suggest
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user, unique
from tickets import lifecycle, replies
from tickets.replies import Author, Reply

QUESTION = "Hello, my order #A-10293 came. How do I reset the lamp? It blinks red. Anna Smith"
ANSWER = (
    "Hi Anna,\n\nI have refunded order #A-10293 today.\n\nTo reset the lamp, unplug it and wait ten seconds. "
    "Then hold the button while you plug it in again, and release it when the light turns green.\n\nBest regards,\nTom"
)
HANDLERS = {"ticket.resolved": [harvest.on_ticket_resolved], "survey.answered": [harvest.on_survey_answered]}
LATER = NOW + timedelta(minutes=5)


def resolved_case(tx: Connection, answer: str = ANSWER, question: str = QUESTION) -> int:
    agent = make_user(tx, name=None, role=Role.AGENT)
    account_id = make_account(tx, address=unique("+1500555"))
    ticket_id = make_ticket(tx, account_id=account_id, text=question).ticket_id
    replies.reply(tx, ticket_id, Reply(answer), author=Author(agent), now=NOW)
    lifecycle.resolve(tx, ticket_id, user_id=agent, now=LATER)
    return ticket_id


def relayed(tx: Connection) -> None:
    while relay_batch(tx, HANDLERS, LATER):
        pass


def the_draft(tx: Connection) -> tuple[str, str, str]:
    row = tx.execute(
        select(Article.state, ArticleText.title, ArticleText.body).join(
            ArticleText, ArticleText.article_id == Article.id
        )
    ).one()
    return row.state, row.title, row.body


def relations(tx: Connection) -> list[tuple[int, str]]:
    return [
        tuple(row) for row in tx.execute(select(ArticleCase.ticket_id, ArticleCase.relation).order_by(ArticleCase.id))
    ]


async def test_a_resolved_ticket_becomes_a_draft_with_evidence(db: Database) -> None:
    ticket_id = await db.write(resolved_case)
    await db.write(relayed)
    state, title, body = await db.read(the_draft)
    assert (state, title) == ("draft", "How do I reset the lamp?")
    assert body.endswith("release it when the light turns green.")
    for secret in ("Anna", "Smith", "10293", "Tom"):
        assert secret not in body
    rows = await db.read(
        lambda tx: tx.execute(select(ArticleEvidence.role, ArticleEvidence.ticket_id, ArticleEvidence.message_id)).all()
    )
    assert {row.role for row in rows} == {"question", "answer", "left_out"}
    assert {row.ticket_id for row in rows} == {ticket_id}
    assert len({row.message_id for row in rows}) == 2


async def test_the_handler_may_run_again(db: Database) -> None:
    await db.write(resolved_case)
    await db.write(relayed)
    await db.write(lambda tx: tx.execute(EventRow.__table__.update().values(dispatched_at=None)))
    await db.write(relayed)
    assert len(await db.read(relations)) == 1


async def test_a_case_resolved_again_renews_its_draft(sqlite_db: Database) -> None:
    ticket_id = await sqlite_db.write(resolved_case)
    await sqlite_db.write(relayed)
    await sqlite_db.write(lifecycle.reopen, ticket_id, user_id=None, now=LATER)
    better = Reply(
        "The lamp has to be loaded with new firmware: open the app, choose Devices, then Update, and keep it "
        "near the router for about five minutes until the light turns green again."
    )
    agent = await sqlite_db.write(make_user)
    await sqlite_db.write(replies.reply, ticket_id, better, author=Author(agent), now=LATER)
    await sqlite_db.write(lifecycle.resolve, ticket_id, user_id=agent, now=LATER)
    await sqlite_db.write(relayed)
    assert (await sqlite_db.read(the_draft))[2].endswith("until the light turns green again.")


async def test_the_same_answer_twice_is_one_draft_that_was_asked_for_twice(db: Database) -> None:
    first = await db.write(resolved_case)
    await db.write(relayed)
    second = await db.write(resolved_case)
    await db.write(relayed)
    assert await db.read(relations) == [(first, "source"), (second, "answered")]


@pytest.mark.parametrize("answer", ["Done.", "Hi Anna,\nI have checked your order and sent you a mail.\nThanks"])
async def test_a_case_that_taught_nothing_leaves_nothing(sqlite_db: Database, answer: str) -> None:
    await sqlite_db.write(resolved_case, answer)
    await sqlite_db.write(relayed)
    assert await sqlite_db.read(lambda tx: tx.execute(select(Article.id)).all()) == []


async def test_a_bad_rating_later_withdraws_the_draft(sqlite_db: Database) -> None:
    ticket_id = await sqlite_db.write(resolved_case)
    await sqlite_db.write(relayed)
    good, bad = (Event(1, "survey.answered", {"ticket_id": ticket_id, "rating": n}, LATER) for n in (4, 1))
    await sqlite_db.write(harvest.on_survey_answered, good, LATER)
    assert (await sqlite_db.read(the_draft))[0] == "draft"
    await sqlite_db.write(harvest.on_survey_answered, bad, LATER)
    assert (await sqlite_db.read(the_draft))[0] == "archived"


async def test_a_ticket_that_is_gone_is_no_error(sqlite_db: Database) -> None:
    assert await sqlite_db.write(harvest.learn, 99, now=NOW) is None


def library(tx: Connection) -> tuple[int, int]:
    lamp = articles.create(tx, Content("Reset a lamp", "Hold the button.", "en"), state=ArticleState.PUBLIC, now=NOW)
    for title in ("Track a parcel", "Change your address", "Opening hours", "Pay by card"):
        articles.create(tx, Content(title, "…", "en"), state=ArticleState.PUBLIC, now=NOW)
    assert lamp is not None
    return lamp, make_ticket(tx, text=QUESTION).ticket_id


async def test_it_suggests_what_the_customer_asks_for(db: Database) -> None:
    lamp, ticket_id = await db.write(library)
    assert [hit.article_id for hit in await db.read(suggest, ticket_id)] == [lamp]


async def test_it_suggests_nothing_rather_than_anything(sqlite_db: Database) -> None:
    await sqlite_db.write(library)
    account_id = await sqlite_db.write(make_account, address="+15005550999")
    receipt = await sqlite_db.write(make_ticket, account_id=account_id, text="Hello, are you there?")
    assert await sqlite_db.read(suggest, receipt.ticket_id) == []


async def test_using_an_article_counts_once_per_ticket_and_needs_no_draft(db: Database) -> None:
    lamp, ticket_id = await db.write(library)
    agent = await db.write(make_user)
    for _ in range(2):
        await db.write(harvest.use, lamp, ticket_id, user_id=agent, now=NOW)
    assert await db.read(lambda tx: tx.execute(select(Article.uses).where(Article.id == lamp)).scalar_one()) == 1
    await db.write(replies.reply, ticket_id, Reply(ANSWER), author=Author(agent), now=NOW)
    await db.write(lifecycle.resolve, ticket_id, user_id=agent, now=LATER)
    await db.write(relayed)
    assert await db.read(relations) == [(ticket_id, "used")]


async def test_a_link_to_an_article_in_the_answer_counts_as_its_use(db: Database) -> None:
    lamp, ticket_id = await db.write(library)
    agent = await db.write(make_user)
    linked = Reply("Please see https://shop.test/help/reset-a-lamp, it shows every step with pictures of the lamp.")
    await db.write(replies.reply, ticket_id, linked, author=Author(agent), now=NOW)
    await db.write(lifecycle.resolve, ticket_id, user_id=agent, now=LATER)
    await db.write(relayed)
    assert await db.read(relations) == [(ticket_id, "used")]
    assert await db.read(lambda tx: tx.execute(select(Article.uses).where(Article.id == lamp)).scalar_one()) == 1
