"""A new conversation: whom it reaches, WhatsApp only by template or in its window, and never beside an open one."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.sms import consent, templates
from channels.sms.models import WhatsAppTemplate
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.agent_ui.test_whatsapp import LATE, NOISE
from tests.factories import inbound, make_account, make_queue
from tickets import intake, lifecycle
from tickets.models import ContactPoint, Message, Ticket
from tickets.numbers import number_of
from tickets.opening import Opening, open_
from tickets.replies import SYSTEM
from tickets.states import Channel, Status

FORM = {**PAGE, **SAME_ORIGIN}
MAI = "+84903000777"


def furnish(tx: Connection) -> dict[str, str]:
    """A queue with a WhatsApp account that has templates, and the form that writes to Mai."""
    queue_id = make_queue(tx)
    account_id = make_account(tx, Channel.WHATSAPP, queue_id=queue_id)
    templates.keep(tx, account_id, [LATE, NOISE], now=utcnow())
    [approved, _] = tx.execute(select(WhatsAppTemplate.id).order_by(WhatsAppTemplate.id)).scalars()
    given = {"channel": "whatsapp", "to": MAI, "name": "Mai", "queue": str(queue_id), "subject": "Late"}
    return {**given, "template": str(approved), "client_id": "one"}


def write(tx: Connection, *, hours: float = 1, text: str = "Hello") -> int:
    """Mai writes by WhatsApp, that long ago; the ticket."""
    account_id = tx.execute(select(Ticket.channel_account_id)).scalar() or 1
    given = {"channel": Channel.WHATSAPP, "sender": MAI, "thread_key": MAI, "text": text}
    receipt = intake.receive(tx, inbound(account_id, **given), now=utcnow() - timedelta(hours=hours))
    assert receipt.ticket_id is not None
    return receipt.ticket_id


def tickets(tx: Connection) -> list[Any]:
    return list(tx.execute(select(Ticket.__table__).order_by(Ticket.id)).all())


async def test_a_first_whatsapp_message_is_a_template_and_its_answer_comes_back_to_it(console_on_both: Console) -> None:
    given = await console_on_both.write(furnish)
    seat = await console_on_both.sit()
    empty = await seat.post("/tickets", FORM, **given)
    assert (empty.status_code, "Fill in all places" in empty.text, "Late" in empty.text) == (422, True, True)
    for _ in range(2):
        assert (await seat.post("/tickets", FORM, **given, v_1="4711")).status_code == 303
    [sent] = await console_on_both.db.read(lambda tx: tx.execute(select(Message.text, Message.meta)).all())
    assert (sent.text, sent.meta["template"]["variables"]) == ("Order 4711 is late.", {"1": "4711"})
    answered = await console_on_both.write(write, hours=0)
    [ticket] = await console_on_both.db.read(tickets)
    assert answered == ticket.id


async def test_free_text_is_refused_outside_the_window_and_sent_within_it(console: Console) -> None:
    given = {**await console.write(furnish), "template": "", "text": "Your lamp is here"}
    seat = await console.sit()
    refused = await seat.post("/tickets", FORM, **given)
    assert (refused.status_code, "only for 24 hours" in refused.text) == (422, True)
    assert await console.db.read(tickets) == []
    ticket_id = await console.write(write)
    await console.write(lifecycle.set_status, ticket_id, Status.RESOLVED, user_id=None, now=utcnow())
    part = await seat.post("/tickets/new/message", FORM, **given)
    assert ("Free text for another" in part.text, "Template" in part.text) == (True, False)
    assert (await seat.post("/tickets", FORM, **given)).status_code == 303


async def test_an_open_conversation_with_the_number_is_named_and_gets_no_second_one(console_on_both: Console) -> None:
    given = await console_on_both.write(furnish)
    number = number_of(await console_on_both.write(write, hours=30))
    seat = await console_on_both.sit()
    part = await seat.post("/tickets/new/message", FORM, **given)
    assert f"/tickets/{number}" in part.text
    refused = await seat.post("/tickets", FORM, **given, v_1="4711")
    assert (refused.status_code, f"/tickets/{number}" in refused.text) == (409, True)
    assert len(await console_on_both.db.read(tickets)) == 1


async def test_a_number_that_has_opted_out_is_told_before_and_refused_after(console: Console) -> None:
    given = await console.write(furnish)
    ticket_id = await console.write(write, hours=30)
    await console.write(lifecycle.set_status, ticket_id, Status.RESOLVED, user_id=None, now=utcnow())
    point = await console.db.read(lambda tx: tx.execute(select(ContactPoint.id)).scalar_one())
    await console.write(consent.close, point, now=utcnow())
    seat = await console.sit()
    part = await seat.post("/tickets/new/message", FORM, **given)
    assert "must write START first" in part.text
    refused = await seat.post("/tickets", FORM, **given, v_1="4711")
    assert (refused.status_code, "must write START first" in refused.text) == (422, True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"to": "nobody"}, "no address"), ({"channel": "sms"}, "f-text"), ({"channel": ""}, "f-text"), ({}, "order_late")],
)
async def test_the_dialog_shows_what_may_be_said(console: Console, changed: dict[str, str], said: str) -> None:
    given = await console.write(furnish)
    part = await (await console.sit()).post("/tickets/new/message", FORM, **{**given, **changed})
    assert (part.status_code, said in part.text, "sale" in part.text) == (200, True, False)


async def test_the_answer_to_a_text_that_we_began_lands_in_its_conversation(console_on_both: Console) -> None:
    def begin(tx: Connection) -> int:
        account_id = make_account(tx, Channel.SMS, queue_id=make_queue(tx))
        first = inbound(account_id, channel=Channel.SMS, sender=MAI, thread_key=MAI)
        known = intake.receive(tx, first, now=utcnow() - timedelta(days=9))
        assert known.ticket_id is not None
        for status in (Status.RESOLVED, Status.CLOSED):
            lifecycle.set_status(tx, known.ticket_id, status, user_id=None, now=utcnow())
        customer_id = tx.execute(select(Ticket.customer_id)).scalar_one()
        opening = Opening("Lamp", 1, Channel.SMS, customer_id=customer_id, text="It is here", outbound=True)
        ticket_id = open_(tx, opening, author=SYSTEM, now=utcnow())
        again = inbound(account_id, channel=Channel.SMS, sender=MAI, thread_key=MAI, text="Thanks")
        assert intake.receive(tx, again, now=utcnow()).ticket_id == ticket_id
        return ticket_id

    await console_on_both.write(begin)
    assert [row.channel for row in await console_on_both.db.read(tickets)] == ["sms", "sms"]
