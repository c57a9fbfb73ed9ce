"""The ledger on a message: each try with what the other side said, and once more on request."""

from typing import Any

from sqlalchemy import Connection, update

from channels import delivery
from channels.base import Sent
from channels.delivery import Outcome
from contact_center.core.clock import utcnow
from tests.agent_ui.console import SCRIPT, Console
from tests.agent_ui.test_ticket import make_mail, messages, path, row
from tickets import replies
from tickets.models import Message
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
