"""The ledger on a message: each try with what the other side said, once more on request, and what a colleague knows."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from channels import delivery
from channels.base import Sent
from channels.delivery import Outcome
from channels.models import DeliveryAttempt
from contact_center.accounts.models import AuditEntry
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, SCRIPT, Console
from tests.agent_ui.test_ticket import make_mail, messages, path, row
from tickets import replies
from tickets.models import ChannelAccount, Message
from tickets.replies import SYSTEM, Reply
from tickets.states import Delivery


def answered(tx: Connection, ticket_id: int) -> int:
    answer = Reply("It ships.", automatic=True)
    return replies.reply(tx, ticket_id, answer, author=SYSTEM, now=utcnow()).message_id


def tried(tx: Connection, outcome: Outcome) -> None:
    """One attempt of what is due, with that end."""
    tx.execute(update(Message).where(Message.delivery == Delivery.QUEUED.value).values(send_after=utcnow()))
    [(message_id, attempt_id)] = delivery.claim(tx, ["email"], utcnow())
    delivery.record(tx, message_id, attempt_id, outcome, utcnow())


def failed(**values: Any) -> Outcome:
    given = {"code": "greylisted", "text": "The recipient's server asked us to try again later.", **values}
    return Outcome(Delivery.FAILED, **given)


async def test_each_try_is_shown_with_the_servers_words(console: Console) -> None:
    seat, ticket_id = await console.sit(locale="vi"), await console.write(make_mail)
    message_id = await console.write(answered, ticket_id)
    assert "Chưa gửi lần nào." in (await seat.part(f"/messages/{message_id}/attempts")).text
    await console.write(tried, failed(retryable=True, said="451 4.7.1 <greylisted>"))
    await console.write(tried, Outcome(Delivery.SENT, sent=Sent("q1", "cc.1.x@shop.test"), said="250 queued as q1"))
    page = await seat.page(path(ticket_id))
    assert f'data-attempts="{message_id}"' in page.text
    menu = (await seat.part(f"/messages/{message_id}/attempts")).text
    for expected in ("451 4.7.1 &lt;greylisted&gt;", "Lần gửi tiếp theo", "250 queued as q1", "cc.1.x@shop.test"):
        assert expected in menu
    assert "data-again" not in menu


async def test_what_failed_is_tried_again_as_the_same_message(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    message_id = await console.write(answered, ticket_id)
    assert (await seat.post(f"/messages/{message_id}/again", SCRIPT)).status_code == 409
    await console.write(tried, failed(said="550 no"))
    menu = (await seat.part(f"/messages/{message_id}/attempts")).text
    assert "It is not tried again by itself." in menu
    assert f'data-again="{message_id}"' in menu
    assert (await seat.post(f"/messages/{message_id}/again", SCRIPT)).status_code == 200
    await console.write(tried, Outcome(Delivery.SENT, sent=Sent("q1")))
    assert (await console.db.read(messages, ticket_id))[-1].delivery == "sent"
    assert [one.number for one in await console.db.read(delivery.attempts_of, message_id)] == [1, 2]
    assert (await seat.post(f"/messages/{message_id}/again", SCRIPT)).status_code == 409


async def test_what_was_received_has_no_ledger(console: Console) -> None:
    seat, ticket_id = await console.sit(), await console.write(make_mail)
    message_id = (await console.db.read(row, Message, Message.ticket_id == ticket_id)).id
    assert (await seat.part(f"/messages/{message_id}/attempts")).status_code == 404


UNCERTAIN = Outcome(Delivery.UNCERTAIN, code="uncertain", text="The carrier did not answer.")


async def unknown(console: Console, minutes: int = 10) -> tuple[int, int]:
    """(ticket, message) whose fate nobody knows, so many minutes old."""
    ticket_id = await console.write(make_mail)
    message_id = await console.write(answered, ticket_id)
    await console.write(tried, UNCERTAIN)
    old = update(Message).where(Message.id == message_id).values(created_at=utcnow() - timedelta(minutes=minutes))
    await console.write(lambda tx: tx.execute(old))
    return ticket_id, message_id


async def test_a_colleague_says_by_one_click_that_it_was_sent(console_on_both: Console) -> None:
    ticket_id, message_id = await unknown(console_on_both)
    seat = await console_on_both.sit(name="Mai Tran")
    assert f'data-settle="{message_id}"' in (await seat.page(path(ticket_id))).text
    assert (await seat.post(f"/messages/{message_id}/settle", SCRIPT, sent="perhaps")).status_code == 422
    assert (await seat.post(f"/messages/{message_id}/settle", SCRIPT, sent="yes")).status_code == 200
    assert (await console_on_both.db.read(messages, ticket_id))[1].delivery == "sent"
    page = await seat.page(path(ticket_id))
    assert "was sent · Mai Tran" in page.text
    assert "data-settle" not in page.text
    assert (await seat.post(f"/messages/{message_id}/settle", SCRIPT, sent="no")).status_code == 409
    audit = await console_on_both.db.read(lambda tx: list(tx.execute(select(AuditEntry.action)).scalars()))
    assert audit.count("message.said_sent") == 1


async def test_a_supervisor_sees_what_waits_and_what_was_not_sent_can_be_sent_again(console_on_both: Console) -> None:
    ticket_id, message_id = await unknown(console_on_both)
    supervisor = await console_on_both.sit(Role.SUPERVISOR)
    assert "/board/unsettled" in (await supervisor.page("/board")).text
    listed = await supervisor.page("/board/unsettled")
    assert "It ships." in listed.text
    said = await supervisor.post(f"/board/unsettled/{message_id}", {**PAGE, **SAME_ORIGIN}, sent="no")
    assert said.status_code == 303
    assert "Nothing is unknown" in (await supervisor.page("/board/unsettled")).text
    assert f'data-again="{message_id}"' in (await supervisor.page(path(ticket_id))).text
    assert (await supervisor.post(f"/messages/{message_id}/again", SCRIPT)).status_code == 200


async def test_what_a_report_may_still_settle_is_not_listed_and_agents_have_no_list(console: Console) -> None:
    await unknown(console, minutes=1)
    supervisor = await console.sit(Role.SUPERVISOR)
    assert "Nothing is unknown" in (await supervisor.page("/board/unsettled")).text
    assert "/board/unsettled" not in (await supervisor.page("/board")).text
    assert (await (await console.sit()).page("/board/unsettled")).status_code == 403


@pytest.mark.parametrize(("gateway", "expected"), [({}, True), ({"provider": "gateway"}, False)])
async def test_a_code_of_twilios_comes_with_what_to_do_and_a_page(
    console: Console, gateway: dict[str, str], expected: bool
) -> None:
    _, message_id = await unknown(console)
    await console.write(lambda tx: tx.execute(update(DeliveryAttempt).values(state="failed", error_code="30007")))
    await console.write(lambda tx: tx.execute(update(Message).values(channel="sms")))
    await console.write(lambda tx: tx.execute(update(ChannelAccount).values(settings=gateway)))
    menu = (await (await console.sit()).part(f"/messages/{message_id}/attempts")).text
    assert ("errors/30007" in menu, "Write it without links" in menu) == (expected, expected)
