"""Mail in through the built-in receiver and out through the account's server, over real SMTP on loopback."""

from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import aiosmtplib
import pytest

from channels.base import Outbound, SendFailed
from channels.email.addresses import PURPOSE, ticket_of
from channels.email.intake_loop import MailIntake
from channels.email.send import MailSender, is_own_message_id
from channels.email.smtp_in import MailReceiver
from tests.channels.desk import Desk
from tests.channels.email.letters import SHOP, letter, mailbox
from tests.channels.email.servers import Other, other_server
from tests.conftest import NOW
from tickets.channel_accounts import Account
from tickets.inbound import StoredFile
from tickets.models import JournalItem, Message


@pytest.fixture
async def receiver(sqlite_desk: Desk) -> AsyncIterator[MailReceiver]:
    found = MailReceiver(sqlite_desk.services)
    await found.start("127.0.0.1", 0)
    yield found
    await found.close()


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    async with other_server() as found:
        yield found


async def send_to(receiver: MailReceiver, raw: bytes, *recipients: str) -> tuple[dict[str, Any], str]:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=receiver.port, start_tls=False) as client:
        return await client.sendmail("anna@example.test", list(recipients), raw)


async def test_250_means_that_the_mail_is_in_the_journal(sqlite_desk: Desk, receiver: MailReceiver) -> None:
    await mailbox(sqlite_desk)

    _, answer = await send_to(receiver, letter("hello"), SHOP)

    journal = (await sqlite_desk.rows(JournalItem))[0]
    assert answer.endswith("Taken")
    assert (journal.state, journal.sender, journal.summary) == (
        "received",
        "Anna Nguyen <anna@example.test>",
        "My order",
    )


async def test_a_plus_address_reaches_its_mailbox_and_strangers_are_refused(
    sqlite_desk: Desk, receiver: MailReceiver
) -> None:
    await mailbox(sqlite_desk)

    refused, _ = await send_to(receiver, letter(), "support+1.abc@shop.test", "somebody@else.test")

    assert refused["somebody@else.test"].code == 550
    assert b"Delivered-To: support+1.abc@shop.test" in (await sqlite_desk.rows(JournalItem))[0].raw


async def test_the_same_bytes_are_journaled_once(sqlite_desk: Desk, receiver: MailReceiver) -> None:
    await mailbox(sqlite_desk)
    raw = letter()

    await send_to(receiver, raw, SHOP)
    _, again = await send_to(receiver, raw, SHOP)

    assert again.endswith("Taken")
    assert await sqlite_desk.count(JournalItem) == 1


async def test_what_cannot_be_stored_stays_with_the_sender(sqlite_desk: Desk, receiver: MailReceiver) -> None:
    await mailbox(sqlite_desk)
    await sqlite_desk.db.write(lambda tx: tx.exec_driver_sql("DROP TABLE events"))

    with pytest.raises(aiosmtplib.SMTPDataError) as failure:
        await send_to(receiver, letter(), SHOP)

    assert failure.value.code == 451
    assert await sqlite_desk.count(JournalItem) == 0


async def test_lines_longer_than_the_standard_allows_are_taken(sqlite_desk: Desk, receiver: MailReceiver) -> None:
    await mailbox(sqlite_desk)

    await send_to(receiver, b"From: a@example.test\r\nSubject: long\r\n\r\n" + b"x" * 50_000 + b"\r\n", SHOP)
    intake = MailIntake(sqlite_desk.services)
    await intake.run_once()
    await intake.close()

    assert len((await sqlite_desk.rows(Message))[0].text) == 50_000


def outbound(account: Account, **values: Any) -> Outbound:
    return Outbound(
        **{
            "message_id": 7,
            "attempt_id": 1,
            "attempt": 1,
            "ticket_id": 3,
            "ticket_number": 102,
            "account": account,
            "to": "anna@example.test",
            "to_name": "Anna Nguyễn",
            "subject": "Re: My order",
            "text": "It comes tomorrow.\n\nhttps://shop.test/track?x=1&y=2",
            "html": None,
            "author": "Lan",
            "automatic": False,
            "locale": "vi",
            "queue_name": "Orders",
            "signature": "Shop team",
            "references": ("one@example.test",),
            "created_at": NOW,
            **values,
        }
    )


async def sending(desk: Desk, other: Other, **values: Any) -> Account:
    settings = {"smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"}, "sender_name": "The shop"}
    return await mailbox(desk, settings=settings, **values)


async def test_a_reply_leads_back_to_its_ticket(sqlite_desk: Desk, other: Other) -> None:
    account = await sending(sqlite_desk, other)
    sender = MailSender(sqlite_desk.services.vault, sqlite_desk.services.files)

    sent = await sender.send(outbound(account))

    envelope, recipients, raw = other.mails[0]
    mail = message_from_bytes(raw, policy=default)
    assert (envelope, recipients) == (SHOP, ["anna@example.test"])
    assert mail["Message-ID"] == f"<{sent.reference}>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<one@example.test>", "<one@example.test>")
    assert mail["Subject"] == "Re: My order [#102]"
    assert mail["From"] == "Lan · The shop <support@shop.test>"
    reply_to = mail["Reply-To"].addresses[0].addr_spec
    assert ticket_of(sqlite_desk.services.vault.key(PURPOSE), SHOP, [reply_to]) == 3
    assert is_own_message_id(sqlite_desk.services.vault, sent.reference or "") == 7
    text, html = (part.get_content() for part in mail.iter_parts())
    assert text.startswith("It comes tomorrow.")
    assert "-- \r\nShop team" in text
    assert "mã số #102" in text
    assert 'href="https://shop.test/track?x=1&amp;y=2"' in html


async def test_a_second_attempt_is_the_same_mail(sqlite_desk: Desk, other: Other) -> None:
    account = await sending(sqlite_desk, other)
    sender = MailSender(sqlite_desk.services.vault, sqlite_desk.services.files)

    first = await sender.send(outbound(account))
    second = await sender.send(outbound(account, attempt=2, attempt_id=2))

    assert first.reference == second.reference


async def test_files_and_inline_pictures_go_out(sqlite_desk: Desk, other: Other) -> None:
    account = await sending(sqlite_desk, other)
    files = sqlite_desk.services.files
    digest = files.put(b"PDF")
    sender = MailSender(sqlite_desk.services.vault, files)

    await sender.send(
        outbound(
            account,
            html='<p>Look: <img src="cid:p@x"></p>',
            attachments=(
                StoredFile(digest, "Hóa đơn.pdf", "application/pdf", 3),
                StoredFile(digest, "p.png", "image/png", 3, inline=True, content_id="p@x"),
            ),
        )
    )

    mail = message_from_bytes(other.mails[0][2], policy=default)
    assert [part.get_filename() for part in mail.walk() if part.get_filename()] == ["p.png", "Hóa đơn.pdf"]


@pytest.mark.parametrize(
    ("rcpt", "data", "code", "retryable", "suppress"),
    [
        (["450 4.2.0 Greylisted, try again"], [], "greylisted", True, False),
        (["550 5.1.1 User unknown"], [], "recipient_refused", False, True),
        (["550 5.7.1 Blocked by Spamhaus"], [], "recipient_refused", False, False),
        ([], ["552 5.3.4 Message size exceeds limit"], "too_large", False, False),
        ([], ["554 5.7.1 Spam"], "refused", False, False),
        ([], ["451 4.3.0 Later"], "greylisted", True, False),
    ],
)
async def test_refusals_have_a_code_and_words_for_people(
    sqlite_desk: Desk, other: Other, rcpt: list[str], data: list[str], code: str, retryable: bool, suppress: bool
) -> None:
    account = await sending(sqlite_desk, other)
    other.rcpt, other.data = rcpt, data

    with pytest.raises(SendFailed) as failure:
        await MailSender(sqlite_desk.services.vault, sqlite_desk.services.files).send(outbound(account))

    assert (failure.value.code, failure.value.retryable, failure.value.suppress) == (code, retryable, suppress)


async def test_a_server_that_is_away_is_tried_again(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk, settings={"smtp": {"host": "127.0.0.1", "port": 1, "security": "none"}})

    with pytest.raises(SendFailed) as failure:
        await MailSender(sqlite_desk.services.vault, sqlite_desk.services.files).send(outbound(account))

    assert (failure.value.code, failure.value.retryable) == ("no_connection", True)


async def test_an_account_without_a_server_says_so(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)

    with pytest.raises(SendFailed, match="administrator"):
        await MailSender(sqlite_desk.services.vault, sqlite_desk.services.files).send(outbound(account))


async def test_automatic_mail_says_what_it_is(sqlite_desk: Desk, other: Other) -> None:
    account = await sending(sqlite_desk, other)
    sender = MailSender(sqlite_desk.services.vault, sqlite_desk.services.files, public_url="https://desk.test")

    survey = {"meta": {"unsubscribe": "surveys"}, "contact_point_id": 1}
    await sender.send(outbound(account, automatic=True, author="", **survey))

    mail = message_from_bytes(other.mails[0][2], policy=default)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Precedence"] == "bulk"
    assert mail["List-Unsubscribe"].startswith("<https://desk.test/unsubscribe/")


async def test_the_server_is_told_of_blind_copies_and_no_field_names_them(sqlite_desk: Desk, other: Other) -> None:
    account = await sending(sqlite_desk, other)
    meta = {"cc": ["bob@partner.test"], "bcc": ["boss@shop.test", "bob@partner.test"]}

    await MailSender(sqlite_desk.services.vault, sqlite_desk.services.files).send(outbound(account, meta=meta))

    [(_, recipients, raw)] = other.mails
    assert recipients == ["anna@example.test", "bob@partner.test", "boss@shop.test"]
    assert b"boss@shop.test" not in raw
    assert message_from_bytes(raw)["Cc"] == "bob@partner.test"


async def test_mail_that_comes_by_its_mailbox_is_refused_here(sqlite_desk: Desk, receiver: MailReceiver) -> None:
    await mailbox(sqlite_desk, settings={"imap": {"host": "mail.shop.test"}})
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send_to(receiver, letter(), SHOP)
    assert refused.value.recipients[0].code == 550
    assert await sqlite_desk.rows(JournalItem) == []
