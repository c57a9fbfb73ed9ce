"""The last contact of a customer: what counts, what does not, and what a change of hands makes of it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.events import Handlers
from contact_center.core.relay import relay_batch
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_user
from tickets import intake, past, replies, spam
from tickets.customers import last_contact, merge
from tickets.models import Customer, Ticket
from tickets.replies import Author, Reply
from tickets.states import Channel

HANDLERS: Handlers = {
    "message.created": [last_contact.on_message_created],
    "ticket.marked_spam": [last_contact.on_set_apart],
    "ticket.unmarked_spam": [last_contact.on_set_apart],
}
HOUR = timedelta(hours=1)
Known = tuple[datetime, str | None]


class Shop:
    """A shop with a mailbox and a number, and its customers."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def open(self) -> None:
        def make(tx: Connection) -> None:
            self.mail, self.sms = make_account(tx, Channel.EMAIL), make_account(tx, Channel.SMS)
            self.agent = make_user(tx)

        await self.db.write(make)

    async def writes(self, who: str, at: datetime, use_case: Any = intake.receive, **values: Any) -> Any:
        account, channel = (self.mail, Channel.EMAIL) if "@" in who else (self.sms, Channel.SMS)
        message = inbound(account, channel=channel, sender=who, **values)
        receipt = await self.db.write(use_case, message, now=at)
        await self.relay(at)
        return receipt

    async def relay(self, at: datetime) -> None:
        while await self.db.write(relay_batch, HANDLERS, at):
            pass

    async def known(self, ticket_id: int) -> Known:
        owner = select(Ticket.customer_id).where(Ticket.id == ticket_id).scalar_subquery()
        query = select(Customer.listed_at, Customer.last_channel).where(Customer.id == owner)
        row = await self.db.read(lambda tx: tx.execute(query).one())
        return row.listed_at, row.last_channel


async def shop_of(db: Database) -> Shop:
    shop = Shop(db)
    await shop.open()
    return shop


async def test_what_either_says_is_contact_and_a_note_or_a_robot_is_none(db: Database) -> None:
    shop = await shop_of(db)
    mail = await shop.writes("an@shop.test", NOW, external_id="1", own_reference="<1@shop.test>")
    assert await shop.known(mail.ticket_id) == (NOW, "email")
    author = Author(shop.agent, "a")
    await db.write(replies.note, mail.ticket_id, "Checked.", author=author, now=NOW + HOUR)
    robot = {"external_id": "2", "automated": True, "references": ("<1@shop.test>",)}
    assert (await shop.writes("an@shop.test", NOW + HOUR, **robot)).ticket_id == mail.ticket_id
    assert await shop.known(mail.ticket_id) == (NOW, "email")
    author = Author(shop.agent, "b")
    await db.write(replies.reply, mail.ticket_id, Reply("It left."), author=author, now=NOW + 2 * HOUR)
    await shop.relay(NOW + 2 * HOUR)
    assert await shop.known(mail.ticket_id) == (NOW + 2 * HOUR, "email")


async def test_a_talk_that_goes_on_renews_it_once_a_minute(db: Database) -> None:
    shop = await shop_of(db)
    text = await shop.writes("+14155550100", NOW, external_id="1")
    await shop.writes("+14155550100", NOW + timedelta(seconds=59), external_id="2")
    assert await shop.known(text.ticket_id) == (NOW, "sms")
    await shop.writes("+14155550100", NOW + timedelta(seconds=61), external_id="3")
    assert await shop.known(text.ticket_id) == (NOW + timedelta(seconds=61), "sms")


async def test_a_newsletter_is_no_contact_until_somebody_says_that_it_is_none(db: Database) -> None:
    shop = await shop_of(db)
    news = await shop.writes("news@shop.test", NOW, external_id="1", newsletter="List of offers")
    assert await shop.known(news.ticket_id) == (NOW, None)
    await db.write(spam.unmark, news.ticket_id, user_id=shop.agent, now=NOW + HOUR)
    await shop.relay(NOW + HOUR)
    assert await shop.known(news.ticket_id) == (NOW, "email")
    await db.write(spam.mark, news.ticket_id, user_id=shop.agent, now=NOW + HOUR)
    await shop.relay(NOW + HOUR)
    assert (await shop.known(news.ticket_id))[1] is None


async def test_a_merge_brings_the_last_contact_along_and_undoing_takes_it_back(db: Database) -> None:
    shop = await shop_of(db)
    mail = await shop.writes("an@shop.test", NOW, external_id="1")
    text = await shop.writes("+14155550100", NOW + HOUR, external_id="2")

    def owners(tx: Connection) -> list[int]:
        query = select(Ticket.customer_id).where(Ticket.id.in_([mail.ticket_id, text.ticket_id])).order_by(Ticket.id)
        return list(tx.execute(query).scalars())

    kept, merged = await db.read(owners)
    merge_id = await db.write(merge.merge, kept, merged, user_id=shop.agent, now=NOW + HOUR)
    assert await shop.known(mail.ticket_id) == (NOW + HOUR, "sms")
    await db.write(merge.undo, merge_id, user_id=shop.agent, now=NOW + HOUR)
    assert await shop.known(mail.ticket_id) == (NOW, "email")
    assert await shop.known(text.ticket_id) == (NOW + HOUR, "sms")


async def test_old_mail_counts_with_its_own_day(db: Database) -> None:
    shop = await shop_of(db)
    old = await shop.writes("an@shop.test", NOW, past.remember, external_id="1", sent_at=NOW - 100 * HOUR)
    assert await shop.known(old.ticket_id) == (NOW - 100 * HOUR, "email")
    older = await shop.writes("an@shop.test", NOW, past.remember, external_id="2", sent_at=NOW - 200 * HOUR)
    assert await shop.known(older.ticket_id) == (NOW - 100 * HOUR, "email")
