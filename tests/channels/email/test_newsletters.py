"""Mail for many is kept apart by its head; nothing that a customer may have written ever is."""

from typing import Any

import pytest
from sqlalchemy import func, select

from channels.email.newsletters import is_own_list
from channels.email.parse import parse
from contact_center.core.db import Database
from contact_center.core.relay import relay_batch
from contact_center.wiring import HANDLERS
from routing.models import WorkItem
from tests.channels.desk import Desk
from tests.channels.email.corpus import folder
from tests.channels.email.letters import deliver, letter, mailbox
from tests.conftest import NOW
from tests.factories import make_user
from tickets import lifecycle, spam
from tickets.models import Message, Ticket
from tickets.replies import Author, Reply, reply
from tickets.sla_models import SlaClock

OUT = "<https://out.test/u/1>, <mailto:out@out.test>"
NEWS = {"from": "Shop News <news@brand.test>", "list_unsubscribe": OUT, "list_id": "Spring <spring.brand.test>"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"list_id": "Spring <spring.list.test>", "precedence": "bulk"}, "spring.list.test"),
        (
            {"list_id": "<1a2b.list-id.mcsv.net>", "x_mc_user": "f00", "feedback_id": "1:2:us:mc"},
            "1a2b.list-id.mcsv.net",
        ),
        ({"list_unsubscribe_post": "List-Unsubscribe=One-Click", "feedback_id": "9:x:klaviyo"}, "brand.test"),
        ({"precedence": "Bulk", "auto_submitted": "auto-generated"}, "brand.test"),
        ({"list_id": "<spring.list.test>", "reply_to": "hello@mail.brand.test"}, "spring.list.test"),
        ({"list_id": "<spring.list.test>", "list_post": "NO"}, "spring.list.test"),
        ({"x_campaign_id": "77", "from": "Tin <tin@ban.com.vn>", "reply_to": "ho.tro@thu.ban.com.vn"}, "ban.com.vn"),
    ],
)
def test_two_signs_of_a_program_make_a_newsletter(fields: dict[str, str], name: str) -> None:
    assert parse(letter(**{"from": "Shop <news@brand.test>", "list_unsubscribe": OUT, **fields})).newsletter == name


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"precedence": "bulk"},
        {"feedback_id": "1.eu-west-1.abc:AmazonSES"},
        {"list_unsubscribe": OUT},
        {"list_unsubscribe": "out", "list_id": "<a.list.test>"},
        {"list_unsubscribe": OUT, "list_id": "<a.list.test>", "in_reply_to": "<ours@shop.test>"},
        {"list_unsubscribe": OUT, "list_id": "<a.list.test>", "references": "<ours@shop.test>"},
        {"list_unsubscribe": OUT, "list_id": "<a.list.test>", "list_post": "<mailto:a@list.test>"},
        {"list_unsubscribe": OUT, "feedback_id": "1", "reply_to": "Mai <mai@example.test>", "from": "form@market.test"},
    ],
)
def test_one_sign_an_answer_a_discussion_or_somebodys_words_passed_on_make_none(fields: dict[str, str]) -> None:
    assert parse(letter(**fields)).newsletter == ""


def test_no_mail_of_the_corpora_is_taken_for_a_newsletter() -> None:
    files = [path for path in folder("zammad").parent.rglob("*") if path.suffix in (".eml", ".txt", ".box")]
    assert len(files) > 600
    assert [path.name for path in files if parse(path.read_bytes()).newsletter] == []


def test_a_list_of_our_own_domain_is_ours() -> None:
    assert is_own_list("support.shop.test", ("a@x.test", "support@shop.test"))
    assert not is_own_list("myshop.test", ("support@shop.test",))


async def relay(db: Database) -> None:
    while await db.write(relay_batch, HANDLERS, NOW):
        pass


async def statuses(desk: Desk) -> list[str]:
    return [row.status for row in await desk.rows(Ticket)]


async def test_it_is_nobodys_work_and_comes_back_with_its_age(desk: Desk) -> None:
    account = await mailbox(desk)
    taken = await deliver(desk, account, letter(**NEWS))
    await relay(desk.db)
    ticket_id: Any = taken.receipt and taken.receipt.ticket_id
    assert await statuses(desk) == ["newsletter"]
    assert await desk.count(WorkItem) == 0
    assert {row.due_at for row in await desk.rows(SlaClock)} <= {None}
    said = [row.meta for row in await desk.rows(Message) if row.kind == "event"]
    assert [(one["name"], one["list"]) for one in said] == [("kept_newsletter", "spring.brand.test")]
    agent = await desk.db.write(make_user)
    await desk.db.write(spam.unmark, ticket_id, user_id=agent, now=NOW)
    await relay(desk.db)
    ticket = await desk.db.read(lifecycle.access, ticket_id)
    assert (ticket.status, ticket.waiting_since) == ("new", NOW)
    waiting = select(func.count()).where(WorkItem.ticket_id == ticket_id, WorkItem.state == "queued")
    assert await desk.db.read(lambda tx: tx.execute(waiting).scalar_one()) == 1
    # Whoever was said to be none is remembered; others are not.
    await deliver(desk, account, letter(**NEWS))
    await deliver(desk, account, letter(**{**NEWS, "from": "news@other.test"}))
    assert await statuses(desk) == ["new", "new", "newsletter"]


async def test_whom_we_have_answered_writes_no_newsletters(desk: Desk) -> None:
    account = await mailbox(desk)
    first = await deliver(desk, account, letter(**{"from": "news@brand.test"}))
    agent = await desk.db.write(make_user)
    await desk.db.write(reply, first.receipt.ticket_id, Reply("Hello."), author=Author(agent), now=NOW)
    await deliver(desk, account, letter(**NEWS))
    assert "newsletter" not in await statuses(desk)


@pytest.mark.parametrize("settings", [{"newsletters_apart": False}, {"aliases": ["hello@brand.test"]}])
async def test_a_mailbox_that_wants_them_and_a_list_of_ours_keep_none_apart(
    sqlite_desk: Desk, settings: dict[str, Any]
) -> None:
    account = await mailbox(sqlite_desk, settings={"receiver": True, **settings})
    await deliver(sqlite_desk, account, letter(**NEWS))
    assert await statuses(sqlite_desk) == ["new"]
