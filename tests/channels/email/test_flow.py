"""The whole way: a mail comes in by SMTP, the answer goes out by SMTP, and the customer's reply finds its ticket."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import aiosmtplib
import pytest

from channels.delivery import DeliveryLoop
from channels.email import pipe
from channels.email.intake_loop import MailIntake
from channels.email.send import MailSender
from channels.email.smtp_in import MailReceiver
from channels.models import DeliveryAttempt
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from tests.channels.desk import Desk
from tests.channels.email.letters import SHOP, letter, mailbox
from tests.channels.email.servers import other_server
from tests.factories import make_user
from tickets.models import JournalItem, Message, Ticket
from tickets.replies import Author, Reply, reply


async def take(desk: Desk) -> None:
    intake = MailIntake(desk.services)
    await intake.run_once()
    await intake.close()


async def test_a_conversation_by_mail(desk: Desk) -> None:
    async with other_server() as other:
        smtp = {"host": "127.0.0.1", "port": other.port, "security": "none"}
        await mailbox(desk, settings={"smtp": smtp, "receiver": True})
        receiver = MailReceiver(desk.services)
        await receiver.start("127.0.0.1", 0)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=receiver.port, start_tls=False) as client:
            await client.sendmail(
                "anna@example.test", [SHOP], letter("Where is my order?", message_id="<q1@example.test>")
            )
            await take(desk)
            user_id = await desk.db.write(make_user, name="Lan")
            ticket_id = (await desk.rows(Ticket))[0].id
            await desk.db.write(
                reply,
                ticket_id,
                Reply("It comes tomorrow."),
                author=Author(user_id),
                now=utcnow() - timedelta(minutes=1),
            )
            await DeliveryLoop(
                desk.services, {"email": MailSender(desk.services.vault, desk.services.files)}
            ).run_once()

            answer = message_from_bytes(other.mails[0][2], policy=default)
            back = letter("Thank you!", **{"from": "Anna <private@example.test>", "subject": "no number here"})
            await client.sendmail("private@example.test", [answer["Reply-To"].addresses[0].addr_spec], back)
            await take(desk)
        await receiver.close()

    messages = await desk.rows(Message)
    assert [(row.kind, row.ticket_id) for row in messages] == [("inbound", 1), ("outbound", 1), ("inbound", 1)]
    assert answer["In-Reply-To"] == "<q1@example.test>"
    assert (messages[1].delivery, messages[2].matched_by) == ("sent", "plus_address")
    assert {row.state for row in await desk.rows(JournalItem)} == {"accepted"}


async def test_a_refused_mail_is_tried_again_with_the_same_id(sqlite_desk: Desk) -> None:
    async with other_server() as other:
        other.data = ["451 4.3.0 Not now"]
        smtp = {"host": "127.0.0.1", "port": other.port, "security": "none"}
        await mailbox(sqlite_desk, settings={"smtp": smtp, "receiver": True})
        receiver = MailReceiver(sqlite_desk.services)
        await receiver.start("127.0.0.1", 0)
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=receiver.port, start_tls=False) as client:
            await client.sendmail("anna@example.test", [SHOP], letter())
        await receiver.close()
        await take(sqlite_desk)
        await sqlite_desk.db.write(
            reply, 1, Reply("Tomorrow."), author=Author(None), now=utcnow() - timedelta(minutes=1)
        )
        delivery = DeliveryLoop(
            sqlite_desk.services, {"email": MailSender(sqlite_desk.services.vault, sqlite_desk.services.files)}
        )
        await delivery.run_once()
        first = (await sqlite_desk.rows(Message))[-1]
        await sqlite_desk.db.write(
            lambda tx: tx.execute(Message.__table__.update().where(Message.id == first.id).values(send_after=utcnow()))
        )
        await delivery.run_once()

    attempts = await sqlite_desk.rows(DeliveryAttempt)
    assert (first.delivery, first.delivery_error is not None) == ("queued", True)
    assert [(row.state, row.error_code) for row in attempts] == [("failed", "greylisted"), ("sent", None)]
    assert [row.answer for row in attempts] == ["451 4.3.0 Not now", "OK queued as 42"]
    assert [row.next_at for row in attempts] == [first.send_after, None]
    ids = [message_from_bytes(raw)["Message-ID"] for raw in (*other.refused, other.mails[0][2])]
    assert (len(other.mails), len(ids), len(set(ids))) == (1, 2, 1)


@pytest.mark.parametrize("named", ["support+100.k3x9@shop.test", "help@shop.test", "Two"])
async def test_a_mail_server_may_name_any_address_of_a_mailbox(sqlite_desk: Desk, named: str) -> None:
    await mailbox(sqlite_desk, name="One", address="sales@shop.test")
    two = await mailbox(sqlite_desk, name="Two", settings={"aliases": ["help@shop.test"]})
    held = sqlite_desk.services

    await pipe.ingest(held.db, held.vault, held.files, letter(to="undisclosed-recipients:;"), named)
    assert [row.channel_account_id for row in await sqlite_desk.rows(JournalItem)] == [two.id]
    with pytest.raises(NotFound):
        await pipe.ingest(held.db, held.vault, held.files, letter(), "nobody@shop.test")
