"""A test mail that goes round: out by SMTP, back by the mailbox, recognised, and what stopped it where it did not."""

from channels.email import loopback
from channels.email.models import MailTest
from contact_center.core.clock import utcnow
from tests.channels.desk import Desk
from tests.channels.email.letters import SHOP, deliver, letter, mailbox
from tests.channels.email.servers import Other, other_server
from tests.conftest import NOW
from tickets import silence
from tickets.channel_accounts import Account
from tickets.models import JournalItem, Message, Ticket


async def sent(desk: Desk, other: Other) -> tuple[Account, bytes]:
    """A test mail as the other server has it, and its account."""
    settings = {"receiver": True, "smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"}}
    account = await mailbox(desk, settings=settings)
    await loopback.send(desk.services, account, by=None, locale="en")
    assert [to for _, to, _ in other.mails] == [[SHOP]]
    return account, other.mails[0][2]


async def test_a_test_mail_comes_back_and_becomes_no_conversation(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        account, raw = await sent(sqlite_desk, other)
    assert (await sqlite_desk.rows(MailTest))[0].state == "sent"

    taken = await deliver(sqlite_desk, account, raw, now=utcnow())

    assert (taken.state.value, taken.reason) == ("suppressed", "test_mail")
    test = (await sqlite_desk.rows(MailTest))[0]
    assert test.state == "back"
    assert test.journal_id == taken.journal_id
    assert test.back_at >= test.sent_at
    assert "queued as 42" in test.said
    assert [await sqlite_desk.count(model) for model in (Ticket, Message)] == [0, 0]
    # It says nothing about customers: no silence ends by it.
    counted = await sqlite_desk.db.read(
        lambda tx: tx.execute(JournalItem.__table__.select().where(silence.COUNTS)).all()
    )
    assert counted == []


async def test_a_server_that_writes_its_own_message_id_changes_nothing(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        account, raw = await sent(sqlite_desk, other)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [b"Message-ID: <0100@ses.test>" if one.startswith(b"Message-ID") else one for one in head.split(b"\r\n")]

    await deliver(sqlite_desk, account, b"\r\n".join(lines) + b"\r\n\r\n" + body, now=utcnow())

    assert (await sqlite_desk.rows(MailTest))[0].state == "back"


async def test_a_forged_token_is_a_mail_like_any_other(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        account, _ = await sent(sqlite_desk, other)
    raw = letter("hello", subject=f"[cct.1.{'0' * 24}]", message_id=f"<cct.1.{'0' * 24}@shop.test>")

    taken = await deliver(sqlite_desk, account, raw)

    assert taken.state.value == "accepted"
    assert (await sqlite_desk.rows(MailTest))[0].state == "sent"


async def test_a_server_that_refuses_is_quoted(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        other.rcpt.append("550 5.1.1 no such user here")
        account = await mailbox(
            sqlite_desk, settings={"smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"}}
        )
        await loopback.send(sqlite_desk.services, account, by=None, locale="vi")

    test = (await sqlite_desk.rows(MailTest))[0]
    assert test.state == "failed"
    assert "no such user here" in test.said
    assert test.error


async def test_an_undeliverable_test_mail_says_what_the_server_said(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        account, raw = await sent(sqlite_desk, other)
    token = loopback.token_of(sqlite_desk.services.vault, 1)
    bounce = (
        "From: MAILER-DAEMON@mx.test\r\nTo: support@shop.test\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        "Final-Recipient: rfc822; support@shop.test\r\nAction: failed\r\nStatus: 5.2.2\r\n"
        "Diagnostic-Code: smtp; 552 5.2.2 mailbox full\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{token}@shop.test>\r\n\r\n--b--\r\n"
    )

    await deliver(sqlite_desk, account, bounce.encode(), now=NOW)

    test = (await sqlite_desk.rows(MailTest))[0]
    assert test.state == "failed"
    assert "mailbox full" in test.error
    # The mail itself, late: the first that came counts.
    await deliver(sqlite_desk, account, raw, now=NOW)
    assert (await sqlite_desk.rows(MailTest))[0].state == "failed"
