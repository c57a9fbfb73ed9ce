"""Chat that goes on by mail: unseen answers, transcripts, closed hours."""

import asyncio
from email import message_from_bytes
from email.policy import default

import aiosmtplib
import pytest
from sqlalchemy import Connection, select

from channels.chat import mailing, state, visits
from channels.chat.parse import OfflineMessage
from channels.chat.visit import Visit
from channels.delivery import DeliveryLoop
from channels.email.intake_loop import MailIntake
from channels.email.send import MailSender
from channels.email.smtp_in import MailReceiver
from contact_center.core.db import Database
from contact_center.core.errors import Conflict
from tests.channels.chat.story import MINUTE, answer, begun, say, texts
from tests.channels.desk import Desk
from tests.channels.email.letters import letter, mailbox
from tests.channels.email.servers import other_server
from tests.conftest import NOW
from tests.factories import make_account, make_user
from tickets import lifecycle
from tickets.customers import contacts
from tickets.inbound import Address, StoredFile
from tickets.models import Attachment, ContactPoint, Message, Ticket
from tickets.replies import Author, Reply, reply
from tickets.states import Channel, ContactKind


async def test_answers_nobody_has_seen_follow_by_mail_once(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email="ann@example.com")
        answer(tx, visit, "On its way", ago=11 * MINUTE)
        return visit

    visit = await db.write(story)
    assert await db.write(mailing.mail_unseen, NOW) == 1
    assert await db.write(mailing.mail_unseen, NOW) == 0

    def mails(tx: Connection) -> list[tuple[str, str]]:
        found = select(Message.text, ContactPoint.value).join(ContactPoint).where(Message.channel == "email")
        return [tuple(row) for row in tx.execute(found)]  # type: ignore[misc]

    (text, to) = (await db.read(mails))[0]
    assert to == "ann@example.com"
    assert "On its way" in text
    assert (await db.read(texts, visit))[-1] == "This answer also went to ann@example.com."


def mailed(tx: Connection) -> list[str]:
    rows = tx.execute(select(Message.text).where(Message.channel == "email").order_by(Message.id))
    return list(rows.scalars())


async def test_all_unseen_answers_go_in_one_mail_with_their_files_whoever_of_the_workers_is_first(db: Database) -> None:
    def story(tx: Connection) -> None:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email="ann@example.com")
        answer(tx, visit, "It left today.", ago=12 * MINUTE)
        picture = StoredFile("d" * 64, "label.png", "image/png", 3)
        author = Author(make_user(tx))
        reply(tx, visit.ticket_id or 0, Reply("", attachments=(picture,)), author=author, now=NOW - 5 * MINUTE)
        answer(tx, visit, "It comes tomorrow.", ago=2 * MINUTE)

    await db.write(story)
    counts = await asyncio.gather(*(db.write(mailing.mail_unseen, NOW) for _ in range(4)))
    assert sum(counts) == 1
    (text,) = await db.read(mailed)
    assert text.index("these answers came") < text.index("It left today.") < text.index("It comes tomorrow.")
    of_mail = select(Attachment.filename).join(Message).where(Message.channel == "email")
    assert await db.read(lambda tx: tx.execute(of_mail).scalars().all()) == ["label.png"]


async def test_an_agent_who_is_still_writing_is_waited_for_but_not_for_ever(sqlite_db: Database) -> None:
    def story(tx: Connection) -> Visit:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email="ann@example.com")
        for minutes in range(12, -1, -1):
            answer(tx, visit, f"line {minutes}", ago=minutes * MINUTE)
        return visit

    await sqlite_db.write(story)
    assert await sqlite_db.write(mailing.mail_unseen, NOW) == 0
    assert await sqlite_db.write(mailing.mail_unseen, NOW + MINUTE) == 1
    (text,) = await sqlite_db.read(mailed)
    assert "line 12" in text
    assert "line 0" in text


async def test_who_comes_back_and_reads_gets_no_mail_and_a_later_answer_alone(sqlite_db: Database) -> None:
    def story(tx: Connection) -> Visit:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email="ann@example.com")
        answer(tx, visit, "read in time", ago=9 * MINUTE)
        visits.mark(tx, visit, seen=2, now=NOW)
        answer(tx, visit, "not read")
        return visit

    await sqlite_db.write(story)
    assert await sqlite_db.write(mailing.mail_unseen, NOW + 9 * MINUTE) == 0
    assert await sqlite_db.write(mailing.mail_unseen, NOW + 11 * MINUTE) == 1
    (text,) = await sqlite_db.read(mailed)
    assert "read in time" not in text


async def test_an_address_that_takes_no_mail_stops_nobody_elses(db: Database) -> None:
    def story(tx: Connection) -> None:
        make_account(tx, Channel.EMAIL)
        for name in ("gone", "ann"):
            visit = begun(tx, email=f"{name}@example.com", address=name)
            answer(tx, visit, f"for {name}", ago=11 * MINUTE)
        gone = contacts.find(tx, Address(ContactKind.EMAIL, "gone@example.com"))
        assert gone is not None
        contacts.suppress(tx, gone.contact_point_id, "the mailbox does not exist", now=NOW)

    await db.write(story)
    await db.write(mailing.mail_unseen, NOW)
    assert [("for ann" in text) for text in await db.read(mailed)] == [True]
    assert await db.write(mailing.mail_unseen, NOW) == 0


async def test_what_was_seen_of_an_earlier_ticket_says_nothing_about_the_next_one(db: Database) -> None:
    def story(tx: Connection) -> Visit:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email="ann@example.com")
        for number in range(5):
            answer(tx, visit, f"old {number}", ago=30 * MINUTE)
        visits.mark(tx, visit, seen=6, now=NOW)
        lifecycle.set_status(tx, visit.ticket_id or 0, lifecycle.Status.CLOSED, user_id=None, now=NOW)
        visit = say(tx, visit, "One more thing", "client-02").visit
        answer(tx, visit, "new", ago=11 * MINUTE)
        return visit

    visit = await db.write(story)
    assert (await db.read(state.state_of, visit, None)).seen == 0
    assert await db.write(mailing.mail_unseen, NOW) == 1
    (text,) = await db.read(mailed)
    assert "new" in text
    assert "old" not in text


@pytest.mark.parametrize(("ago", "seen", "email"), [(9, 0, "a@b.example"), (11, 2, "a@b.example"), (11, 0, "")])
async def test_no_mail_follows_what_is_fresh_or_seen_or_without_address(
    sqlite_db: Database, ago: int, seen: int, email: str
) -> None:
    def story(tx: Connection) -> None:
        make_account(tx, Channel.EMAIL)
        visit = begun(tx, email=email)
        answer(tx, visit, "On its way", ago=ago * MINUTE)
        visits.mark(tx, visit, seen=seen, now=NOW)

    await sqlite_db.write(story)
    assert await sqlite_db.write(mailing.mail_unseen, NOW) == 0


async def test_a_transcript_goes_to_the_address_that_asks_for_it(sqlite_db: Database) -> None:
    def story(tx: Connection) -> list[str]:
        visit = begun(tx)
        with pytest.raises(Conflict):
            mailing.mail_transcript(tx, visit, "ann@example.com", now=NOW)
        make_account(tx, Channel.EMAIL)
        answer(tx, visit, "On its way")
        mailing.mail_transcript(tx, visit, "ann@example.com", now=NOW)
        return list(tx.execute(select(Message.text).where(Message.channel == "email")).scalars())

    (mail,) = await sqlite_db.write(story)
    assert mail.index("Where is my order?") < mail.index("On its way")


async def test_a_message_in_closed_hours_is_one_mail_ticket(db: Database) -> None:
    form = OfflineMessage("client-01", "", "Ann", "ann@example.com", "Call me", "en", "https://shop.example/cart")

    def taken(tx: Connection, account_id: int, queue_id: int) -> int | None:
        return mailing.take_offline(tx, account_id, queue_id, form, locale="en", address="192.0.2.1", now=NOW).ticket_id

    def accounts(tx: Connection) -> tuple[int, int]:
        account_id = make_account(tx, Channel.CHAT)
        make_account(tx, Channel.EMAIL)
        return account_id, 1

    account_id, queue_id = await db.write(accounts)
    first = await db.write(taken, account_id, queue_id)
    assert await db.write(taken, account_id, queue_id) == first
    rows = await db.read(lambda tx: tx.execute(select(Ticket.channel, Ticket.preview)).all())
    assert [tuple(row) for row in rows] == [("email", "Call me")]


async def test_the_customer_answers_the_mail_and_goes_on_in_the_same_ticket(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    async with other_server() as other:
        await mailbox(
            desk, settings={"receiver": True, "smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"}}
        )

        def story(tx: Connection) -> Visit:
            visit = begun(tx, email="ann@example.com")
            answer(tx, visit, "It left today.", ago=11 * MINUTE)
            return visit

        visit = await desk.db.write(story)
        await desk.db.write(mailing.mail_unseen, NOW)
        senders = {"email": MailSender(desk.services.vault, desk.services.files)}
        await DeliveryLoop(desk.services, senders).run_once()
        (mail,) = other.mails
        sent = message_from_bytes(mail[2], policy=default)
        receiver = MailReceiver(desk.services)
        await receiver.start("127.0.0.1", 0)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=receiver.port, start_tls=False) as client:
            back = letter("Thank you!", **{"from": "Ann <ann@example.com>", "subject": "no number here"})
            await client.sendmail("ann@example.com", [sent["Reply-To"].addresses[0].addr_spec], back)
        await receiver.close()
        intake = MailIntake(desk.services)
        await intake.run_once()
        await intake.close()
    assert "It left today." in sent.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    last = (await desk.rows(Message))[-1]
    assert (last.text, last.kind, last.ticket_id) == ("Thank you!", "inbound", visit.ticket_id)
