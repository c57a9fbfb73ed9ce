"""What stands quoted below an answer: how it reads, who folds it, and whose words are never among it."""

from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, update

from channels import loading
from channels.base import Outbound, Said
from channels.email import quoting
from channels.email.compose import Letter, composed
from channels.email.htmltext import html_lines
from channels.email.visible import split_lines, split_text
from contact_center.core.db import Database
from tests.conftest import NOW
from tests.factories import VAULT, inbound, make_account, make_ticket, make_user
from tickets import intake
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.models import ChannelAccount, Customer
from tickets.replies import Author, Reply, note, reply
from tickets.states import Channel, ContactKind

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CARD = "4111 1111 1111 1111"
HISTORY = (
    Said("Mai Trần", "mai@example.test", datetime(2026, 11, 2, 16, 5, tzinfo=HANOI), "Where is it?\n\n> no quote\nMai"),
    Said("Lan", "support@shop.test", datetime(2026, 11, 1, 9, 0, tzinfo=ZoneInfo("UTC")), "It ships <today>."),
)


def parts(locale: str) -> tuple[str, str]:
    letter = Letter(
        message_id="1@shop.test",
        sender_name="Shop",
        sender_address="support@shop.test",
        to_name="Mai",
        to_address="mai@example.test",
        subject="Hello",
        text="It comes tomorrow.",
        date=NOW,
        footer="Your matter has the number #101.",
        history=HISTORY,
        locale=locale,
    )
    message = message_from_bytes(composed(letter), policy=default)
    assert isinstance(message, EmailMessage)
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content()


def test_the_line_above_speaks_the_customers_language_and_clock() -> None:
    assert quoting.attribution(HISTORY[0], "en") == ("On 2 November 2026 at 16:05, Mai Trần <mai@example.test> wrote:")
    assert quoting.attribution(HISTORY[0], "vi-VN") == (
        "Vào ngày 2 tháng 11, 2026 lúc 16:05, Mai Trần <mai@example.test> đã viết:"
    )
    assert "at 09:00 UTC, Lan <support@shop.test>" in quoting.attribution(HISTORY[1], "fr")


def test_both_parts_quote_as_mail_programs_do() -> None:
    text, html = parts("en")
    assert "wrote:\n> Where is it?\n>\n> > no quote\n> Mai\n\nOn 1 November 2026" in text
    assert html.count('<blockquote type="cite" style="') == 2
    assert "It ships &lt;today&gt;." in html
    assert text.index("It comes tomorrow.") < text.index("#101") < text.index("Where is it?")


@pytest.mark.parametrize("locale", ["en", "vi"])
def test_our_own_reader_folds_it(locale: str) -> None:
    text, html = parts(locale)
    bare = text.replace("\n> ", "\n").replace("\n>", "\n")
    for found in (split_text(text), split_lines(html_lines(html)), split_text(bare)):
        assert found.reply == "It comes tomorrow."
        assert "Where is it?" in found.quoted


def converse(tx: Connection, how: str | None) -> int:
    """Mai asks, Lan notes and answers, a copy writes privately, Mai asks again, a robot speaks; Lan's last answer."""
    account_id = make_account(tx, Channel.EMAIL)
    tx.execute(update(ChannelAccount).values(settings={"quote": how} if how else {}))
    given: dict[str, Any] = {"sender": "mai@example.test", "text": f"My card is {CARD}", "subject": "Kettle"}
    ticket_id = make_ticket(tx, account_id=account_id, channel=Channel.EMAIL, **given).ticket_id or 0
    lan = Author(make_user(tx, name="Lan"))
    note(tx, ticket_id, "She is rude", author=lan, now=NOW)
    reply(tx, ticket_id, Reply("Which kettle?"), author=lan, now=NOW)
    more: dict[str, Any] = {"channel": Channel.EMAIL, "ticket_token": ticket_id}
    for sender, text in (("eve@partner.test", "Between us: refuse it"), ("mai@example.test", "The red one")):
        said = intake.receive(tx, inbound(account_id, sender=sender, text=text, **more), now=NOW)
        assert said.ticket_id == ticket_id
    reply(tx, ticket_id, Reply("We have got it", automatic=True), author=Author(None), now=NOW)
    tx.execute(update(Customer).values(timezone="Asia/Ho_Chi_Minh"))
    return reply(tx, ticket_id, Reply("It ships."), author=lan, now=NOW + timedelta(minutes=1)).message_id


async def outgoing(db: Database, how: str | None) -> Outbound:
    message_id = await db.write(converse, how)
    found = await db.read(loading.load, [(message_id, 1)], VAULT)
    return next(one for one in found if one.message_id == message_id)


async def test_the_last_message_is_the_customers(db: Database) -> None:
    (said,) = (await outgoing(db, "last")).history
    assert (said.text, said.address, said.at.strftime("%H:%M")) == ("The red one", "mai@example.test", "16:00")


async def test_the_whole_is_what_went_between_us_and_nobody_else(db: Database) -> None:
    history = (await outgoing(db, "whole")).history
    assert [said.text for said in history][:2] == ["The red one", "Which kettle?"]
    assert len(history) == 3
    assert "4111" not in history[2].text
    assert history[1].name == "Lan"
    assert history[1].address == "support@shop.test"


@pytest.mark.parametrize("how", ["none", None, "everything"])
async def test_an_account_without_the_choice_quotes_nothing(sqlite_db: Database, how: str | None) -> None:
    assert (await outgoing(sqlite_db, how)).history == ()


async def test_an_automatic_message_quotes_nothing(sqlite_db: Database) -> None:
    await sqlite_db.write(converse, "whole")
    found = await sqlite_db.read(loading.load, [(number, 1) for number in range(1, 12)], VAULT)
    automatic = [one for one in found if one.automatic]
    assert [one.history for one in automatic] == [()]


async def test_a_reply_to_another_address_quotes_nothing_of_the_first(sqlite_db: Database) -> None:
    def write(tx: Connection) -> int:
        converse(tx, "whole")
        eve = contacts.find_or_create(tx, Address(ContactKind.EMAIL, "eve@partner.test"), now=NOW)
        answer = Reply("Thank you", channel=Channel.EMAIL, contact_point_id=eve.contact_point_id)
        return reply(tx, 1, answer, author=Author(make_user(tx)), now=NOW).message_id

    message_id = await sqlite_db.write(write)
    (found,) = await sqlite_db.read(loading.load, [(message_id, 1)], VAULT)
    assert [said.text for said in found.history] == ["Between us: refuse it"]
