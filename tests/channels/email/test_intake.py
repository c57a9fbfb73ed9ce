"""Mails into tickets: threading by evidence, robots, bounces, duplicates, forwards."""

import base64
import email
import email.policy
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.email import acknowledge
from channels.email.addresses import PURPOSE, tagged_address
from channels.email.send import message_id_of
from contact_center.core.events import Event
from tests.channels.desk import Desk
from tests.channels.email.letters import SHOP, deliver, letter, mailbox
from tests.conftest import NOW
from tests.factories import make_user
from tickets import channel_accounts, lifecycle
from tickets.channel_accounts import Account
from tickets.models import Attachment, ContactPoint, JournalItem, Message, Ticket
from tickets.numbers import number_of
from tickets.replies import Author, Reply, reply
from tickets.states import Channel, Delivery, JournalState


async def test_a_mail_becomes_a_ticket_with_its_files(desk: Desk) -> None:
    account = await mailbox(desk)
    raw = letter("Xin chào, đơn hàng của tôi ở đâu?", subject="Đơn hàng").replace(b"\n", b"\r\n")

    taken = await deliver(desk, account, raw)

    ticket = (await desk.rows(Ticket))[0]
    message = (await desk.rows(Message))[0]
    assert taken.state is JournalState.ACCEPTED
    assert (ticket.subject, ticket.channel, ticket.locale) == ("Đơn hàng", "email", "vi")
    assert message.text == "Xin chào, đơn hàng của tôi ở đâu?"
    assert message.meta["from"] == {"name": "Anna Nguyen", "address": "anna@example.test"}


async def test_attachments_are_stored_by_digest(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    raw = (
        b"From: a@example.test\r\nTo: support@shop.test\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
        b"--x\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n"
        b'--x\r\nContent-Type: image/png; name="a.png"\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--x--\r\n'
    )

    await deliver(sqlite_desk, account, raw)

    file = (await sqlite_desk.rows(Attachment))[0]
    assert (file.filename, file.size) == ("a.png", 3)
    assert sqlite_desk.services.files.get(file.digest) == b"ABC"


async def test_a_reply_to_the_signed_address_joins_whoever_sends_it(desk: Desk) -> None:
    account = await mailbox(desk)
    first = await deliver(desk, account, letter())
    tagged = tagged_address(desk.services.vault.key(PURPOSE), SHOP, first.receipt.ticket_id)

    second = await deliver(desk, account, letter("Me again", **{"from": "anna.private@example.test", "to": tagged}))

    assert second.receipt.ticket_id == first.receipt.ticket_id
    assert second.receipt.matched_by == "plus_address"


async def test_a_reply_to_the_address_before_the_last_change_still_joins(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    first = await deliver(sqlite_desk, account, letter())
    vault = sqlite_desk.services.vault
    tagged = tagged_address(vault.key(PURPOSE), SHOP, first.receipt.ticket_id)
    db = sqlite_desk.services.db
    await db.write(channel_accounts.set_address, vault, account.id, "care@shop.test", now=NOW)
    moved = await db.read(channel_accounts.by_id, vault, account.id)

    second = await deliver(sqlite_desk, moved, letter("Me again", **{"from": "anna.b@example.test", "to": tagged}))

    assert (second.receipt.ticket_id, second.receipt.matched_by) == (first.receipt.ticket_id, "plus_address")


async def test_a_forged_signed_address_opens_a_new_ticket(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    first = await deliver(sqlite_desk, account, letter())
    tagged = tagged_address(b"x" * 32, SHOP, first.receipt.ticket_id)

    second = await deliver(sqlite_desk, account, letter("Let me in", **{"from": "eve@evil.test", "to": tagged}))

    assert second.receipt.created


async def test_references_of_somebody_else_open_a_new_ticket(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    await deliver(sqlite_desk, account, letter(message_id="<one@example.test>"))

    own = await deliver(sqlite_desk, account, letter("more", in_reply_to="<one@example.test>"))
    forged = await deliver(
        sqlite_desk, account, letter("x", references="<one@example.test>", **{"from": "eve@evil.test"})
    )

    assert (own.receipt.created, own.receipt.matched_by) == (False, "reference")
    assert forged.receipt.created


async def test_any_id_in_any_field_finds_the_conversation(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    first = await deliver(sqlite_desk, account, letter(message_id="<one@example.test>"))
    strange = " ".join(f"<{number}@else.test>" for number in range(80))

    for fields in (
        {"in_reply_to": "<x@else.test> <y@else.test> <one@example.test>"},
        {"references": f"<one@example.test> {strange}"},
        {"references": f"{strange} <one@example.test>", "in_reply_to": "<x@else.test>"},
        {"in_reply_to": "Your message of Monday <one@example.test>"},
    ):
        again = await deliver(sqlite_desk, account, letter("more", **fields))
        assert (again.receipt.ticket_id, again.receipt.matched_by) == (first.receipt.ticket_id, "reference")


async def test_outlooks_thread_index_joins_for_a_participant_only(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    thread = bytes(range(22))
    first = await deliver(sqlite_desk, account, letter(thread_index=base64.b64encode(thread).decode()))
    later = base64.b64encode(thread + b"12345").decode()

    own = await deliver(sqlite_desk, account, letter("more", thread_index=later))
    other = await deliver(sqlite_desk, account, letter("x", thread_index=later, **{"from": "eve@evil.test"}))
    broken = await deliver(sqlite_desk, account, letter("y", thread_index="%%%"))

    assert (own.receipt.ticket_id, own.receipt.matched_by) == (first.receipt.ticket_id, "thread_index")
    assert other.receipt.created
    assert broken.receipt.created


async def test_the_signed_address_weighs_more_than_references_and_these_more_than_a_number(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    one = await deliver(sqlite_desk, account, letter("one", message_id="<one@example.test>"))
    two = await deliver(sqlite_desk, account, letter("two", message_id="<two@example.test>"))
    tagged = tagged_address(sqlite_desk.services.vault.key(PURPOSE), SHOP, one.receipt.ticket_id)
    number = {"subject": f"[#{number_of(one.receipt.ticket_id)}]"}

    signed = await deliver(sqlite_desk, account, letter("a", to=tagged, in_reply_to="<two@example.test>"))
    named = await deliver(sqlite_desk, account, letter("b", in_reply_to="<two@example.test>", **number))

    assert (signed.receipt.ticket_id, signed.receipt.matched_by) == (one.receipt.ticket_id, "plus_address")
    assert (named.receipt.ticket_id, named.receipt.matched_by) == (two.receipt.ticket_id, "reference")


async def test_a_sender_that_its_domain_disowns_matches_nothing(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk, settings={"trusted_host": "mx.shop.test"})
    await deliver(sqlite_desk, account, letter(message_id="<one@example.test>"))
    failed = "mx.shop.test; dmarc=fail (p=reject) header.from=example.test"

    forged = await deliver(
        sqlite_desk, account, letter("x", in_reply_to="<one@example.test>", authentication_results=failed)
    )
    passed = await deliver(
        sqlite_desk,
        account,
        letter("y", in_reply_to="<one@example.test>", authentication_results="evil.test; dmarc=fail"),
    )

    assert forged.receipt.created
    assert not passed.receipt.created


async def test_the_number_in_the_subject_counts_for_a_participant_only(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    await deliver(sqlite_desk, account, letter())

    own = await deliver(sqlite_desk, account, letter("a", subject="Re: My order [#100]"))
    other = await deliver(sqlite_desk, account, letter("b", subject="[#100]", **{"from": "eve@evil.test"}))

    assert own.receipt.matched_by == "subject_number"
    assert other.receipt.created


async def test_the_same_mail_by_two_ways_is_taken_once(desk: Desk) -> None:
    account = await mailbox(desk)
    raw = letter(message_id="<same@example.test>")

    await deliver(desk, account, raw)
    again = await deliver(desk, account, b"Delivered-To: support@shop.test\r\n" + raw)
    other = await deliver(desk, account, letter("Another text", message_id="<same@example.test>"))

    assert again.state is JournalState.DUPLICATE
    assert other.state is JournalState.ACCEPTED
    assert await desk.count(Message) == 2


async def test_it_keeps_out_of_office_mail_without_reopening(desk: Desk) -> None:
    account = await mailbox(desk)
    first = await deliver(desk, account, letter(message_id="<one@example.test>"))
    user_id = await desk.db.write(make_user)
    await desk.db.write(lifecycle.resolve, first.receipt.ticket_id, user_id=user_id, now=NOW)

    away = letter(
        "I am away",
        subject="Automatic reply: My order",
        in_reply_to="<one@example.test>",
        auto_submitted="auto-replied",
    )
    taken = await deliver(desk, account, away, now=NOW + timedelta(hours=1))

    ticket = (await desk.rows(Ticket))[0]
    assert taken.receipt.ticket_id == first.receipt.ticket_id
    assert ticket.status == "resolved"


async def test_an_absence_notice_without_a_ticket_opens_none(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)

    taken = await deliver(sqlite_desk, account, letter("away", subject="Out of office: holidays"))

    assert taken.state is JournalState.SUPPRESSED
    assert await sqlite_desk.count(Ticket) == 0


def bounce_of(message_id: str, address: str, status: str, words: str, action: str = "failed") -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.test\r\nTo: support@shop.test\r\nSubject: Undelivered Mail\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{message_id}>\r\nTo: {address}\r\n\r\n--b--\r\n"
    ).encode()


async def answered(desk: Desk) -> tuple[int, int]:
    """(ticket id, message id) of a ticket with an answer of ours that was sent."""
    account = await mailbox(desk)
    first = await deliver(desk, account, letter())
    user_id = await desk.db.write(make_user)
    sent = await desk.db.write(reply, first.receipt.ticket_id, Reply("Tomorrow."), author=Author(user_id), now=NOW)
    await desk.db.write(
        lambda tx: tx.execute(
            Message.__table__.update().where(Message.id == sent.message_id).values(delivery=Delivery.SENT.value)
        )
    )
    return first.receipt.ticket_id, sent.message_id


async def test_a_hard_bounce_fails_the_message_and_suppresses_the_address(desk: Desk) -> None:
    _, message_id = await answered(desk)
    account = await desk.db.read(first_mailbox, desk)
    reference = message_id_of(desk.services.vault, message_id, "shop.test")

    taken = await deliver(desk, account, bounce_of(reference, "anna@example.test", "5.1.1", "550 5.1.1 User unknown"))

    message = next(row for row in await desk.rows(Message) if row.id == message_id)
    point = (await desk.rows(ContactPoint))[0]
    assert taken.state is JournalState.ACCEPTED
    assert (message.delivery, message.delivery_error) == ("failed", "The address does not exist.")
    assert point.suppressed_reason == "The address does not exist"
    assert await desk.count(Ticket) == 1


async def test_a_full_mailbox_or_a_delay_suppresses_nothing(sqlite_desk: Desk) -> None:
    _, message_id = await answered(sqlite_desk)
    account = await sqlite_desk.db.read(first_mailbox, sqlite_desk)
    reference = message_id_of(sqlite_desk.services.vault, message_id, "shop.test")

    await deliver(
        sqlite_desk, account, bounce_of(reference, "anna@example.test", "4.4.1", "timed out", action="delayed")
    )
    delayed = next(row for row in await sqlite_desk.rows(Message) if row.id == message_id).delivery
    await deliver(sqlite_desk, account, bounce_of(reference, "anna@example.test", "5.2.2", "552 mailbox full"))
    failed = next(row for row in await sqlite_desk.rows(Message) if row.id == message_id)

    assert (delayed, failed.delivery, failed.delivery_error) == ("sent", "failed", "The mailbox is full.")
    assert (await sqlite_desk.rows(ContactPoint))[0].suppressed_at is None


async def test_a_forged_bounce_changes_nothing(sqlite_desk: Desk) -> None:
    _, message_id = await answered(sqlite_desk)
    account = await sqlite_desk.db.read(first_mailbox, sqlite_desk)
    forged = bounce_of(f"cc.{message_id}.{'0' * 24}@shop.test", "anna@example.test", "5.1.1", "550 User unknown")

    taken = await deliver(sqlite_desk, account, forged)

    message = next(row for row in await sqlite_desk.rows(Message) if row.id == message_id)
    assert taken.state is JournalState.ACCEPTED
    assert message.delivery == "sent"
    assert (await sqlite_desk.rows(ContactPoint))[0].suppressed_at is None


async def test_what_an_agent_passes_on_belongs_to_the_original_sender(desk: Desk) -> None:
    account = await mailbox(desk)
    await desk.db.write(make_user, name="Lan", email="lan@shop.test")
    text = (
        "Please take this one.\n\n---------- Forwarded message ---------\n"
        "From: Bob Customer <bob@example.test>\nDate: Mon, 2 Nov 2026 at 08:00\nSubject: Broken lamp\n"
        "To: Lan <lan@shop.test>\n\nThe lamp arrived broken.\n"
    )

    await deliver(desk, account, letter(text, subject="Fwd: Broken lamp", **{"from": "Lan <lan@shop.test>"}))

    ticket = (await desk.rows(Ticket))[0]
    messages = await desk.rows(Message)
    assert ticket.subject == "Broken lamp"
    assert (await desk.rows(ContactPoint))[0].value == "bob@example.test"
    assert [row.kind for row in messages] == ["inbound", "note"]
    assert messages[1].text == "Please take this one."


@pytest.mark.parametrize("encoded", [False, True])
async def test_a_mail_that_an_agent_attaches_whole_is_its_authors_with_its_files(
    sqlite_desk: Desk, encoded: bool
) -> None:
    account = await mailbox(sqlite_desk)
    await sqlite_desk.db.write(make_user, name="Lan", email="lan@shop.test")
    inner = letter("The lamp arrived broken.\n", subject="Broken lamp", **{"from": "Bob <bob@example.test>"})
    attached = email.message_from_bytes(inner, policy=email.policy.default)
    attached.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="lamp.png")
    outer = email.message_from_bytes(
        letter("Please take this one.\n", subject="Lamp", **{"from": "Lan <lan@shop.test>"}),
        policy=email.policy.default,
    )
    if encoded:
        outer.add_attachment(attached.as_bytes(), maintype="application", subtype="octet-stream", filename="Lamp.eml")
    else:
        outer.add_attachment(attached)

    await deliver(sqlite_desk, account, outer.as_bytes())

    messages = await sqlite_desk.rows(Message)
    assert (await sqlite_desk.rows(Ticket))[0].subject == "Broken lamp"
    assert (await sqlite_desk.rows(ContactPoint))[0].value == "bob@example.test"
    assert [row.text.strip() for row in messages] == ["The lamp arrived broken.", "Please take this one."]
    assert "lamp.png" in [row.filename for row in await sqlite_desk.rows(Attachment)]


async def test_a_contact_form_belongs_to_its_reply_to(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    raw = letter("Hello", reply_to="visitor@example.test", **{"from": "noreply@shop.test"})

    await deliver(sqlite_desk, account, raw)

    assert (await sqlite_desk.rows(ContactPoint))[0].value == "visitor@example.test"


async def test_our_own_mail_and_unreadable_mail_stay_in_the_journal(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    own = message_id_of(sqlite_desk.services.vault, 7, "shop.test")

    first = await deliver(sqlite_desk, account, letter(message_id=f"<{own}>"))
    second = await deliver(sqlite_desk, account, letter(**{"from": SHOP}))
    third = await deliver(sqlite_desk, account, b"Subject: nobody\r\n\r\nhello")

    assert (first.state, second.state) == (JournalState.SUPPRESSED, JournalState.SUPPRESSED)
    assert third.state is JournalState.QUARANTINED
    assert "sender" in third.reason
    assert [row.state for row in await sqlite_desk.rows(JournalItem)] == ["suppressed", "suppressed", "quarantined"]


async def test_a_person_gets_one_receipt_and_a_robot_none(desk: Desk) -> None:
    account = await mailbox(desk)
    await deliver(desk, account, letter())
    await deliver(desk, account, letter(precedence="bulk", **{"from": "news@example.test"}))
    await deliver(desk, account, letter(list_id="<dev.example.test>", **{"from": "list@example.test"}))
    tickets = await desk.rows(Ticket)

    for ticket in [*tickets, tickets[0]]:
        await desk.db.write(acknowledge.on_ticket_created, created(ticket), NOW)

    receipts = [row for row in await desk.rows(Message) if row.kind == "outbound"]
    assert [row.ticket_id for row in receipts] == [tickets[0].id]
    assert "#100" in receipts[0].text
    assert receipts[0].automatic


async def test_the_breaker_stops_receipts_to_one_address(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    for number in range(6):
        await deliver(sqlite_desk, account, letter(f"mail {number}"))
    for ticket in await sqlite_desk.rows(Ticket):
        await sqlite_desk.db.write(acknowledge.on_ticket_created, created(ticket), NOW)

    assert len([row for row in await sqlite_desk.rows(Message) if row.kind == "outbound"]) == acknowledge.MOST_PER_HOUR


def created(ticket: Any) -> Event:
    payload = {"ticket_id": ticket.id, "channel": "email", "automated": False, "by_user_id": None}
    return Event(id=1, name="ticket.created", payload=payload, created_at=NOW)


def first_mailbox(tx: Connection, desk: Desk) -> Account:
    return channel_accounts.enabled(tx, desk.services.vault, Channel.EMAIL)[0]
