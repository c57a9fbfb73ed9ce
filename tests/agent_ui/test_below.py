"""What is sent below a reply: the queue's signature in its form, its preview, and the composer's fold."""

from typing import Any

from sqlalchemy import Connection, select, update

from contact_center.accounts.permissions import Role
from tests.agent_ui.console import Console, Seat, cost
from tests.agent_ui.test_admin import FORM
from tests.agent_ui.test_ticket import make_mail, path
from tests.factories import make_account, make_queue
from tickets.models import ChannelAccount, Queue
from tickets.states import Channel

QUEUE = {
    "name": "Orders",
    "locale": "en",
    "target_share": "80",
    "target_seconds": "20",
    "selection": "longest_idle",
    "ordering": "age",
    "live_acceptance": "offer",
    "deferred_acceptance": "auto",
    "max_offers": "3",
    **dict.fromkeys(("timeout_call", "timeout_chat", "wrap_call", "wrap_chat"), "20"),
}


def sign(tx: Connection, template: str) -> None:
    tx.execute(update(Queue).values(signature=template, name="Orders"))
    tx.execute(update(ChannelAccount).values(settings={"sender_name": "Harbor & Co"}))


async def save(console: Console, seat: Seat, queue_id: int, signature: str) -> Any:
    return await seat.post(f"/admin/queues/{queue_id}", FORM, **QUEUE, signature=signature)


async def test_an_unknown_placeholder_is_refused_beside_the_field(console: Console) -> None:
    queue_id, seat = await console.write(make_queue), await console.sit(Role.ADMIN)
    refused = await save(console, seat, queue_id, "{{agent.phone}}")
    assert refused.status_code == 422
    assert "“{{agent.phone}}” is no placeholder. Possible are: {{agent.name}}" in refused.text
    saved = await save(console, seat, queue_id, "{{agent.name}}")
    assert saved.status_code == 303
    assert await console.db.read(lambda tx: tx.execute(select(Queue.signature)).scalar_one()) == "{{agent.name}}"


async def test_the_preview_shows_what_is_typed_with_a_mailbox_of_the_queue(console: Console) -> None:
    queue_id, seat = await console.write(make_queue), await console.sit(Role.ADMIN, name="Alex Kim")
    await console.write(make_account, Channel.EMAIL, queue_id=queue_id, address="orders@shop.test", name="Harbor")
    typed = "**{{agent.name}}** <i>\n{{company}} {{queue.name}} {{mailbox}}"
    shown = await seat.post(f"/admin/queues/signature?queue={queue_id}", signature=typed, name="Orders")
    assert "<strong>Alex Kim</strong> &lt;i&gt;<br>\nHarbor Orders" in shown.text
    assert "orders@shop.test</a>" in shown.text
    refused = await seat.post("/admin/queues/signature", signature="{{x}}")
    assert (refused.status_code, "“{{x}}” is no placeholder" in refused.text) == (200, True)
    assert "No signature" in (await seat.post("/admin/queues/signature", signature=" ")).text


async def test_only_administrators_see_the_preview(console: Console) -> None:
    seat = await console.sit()
    assert (await seat.post("/admin/queues/signature", signature="x")).status_code == 403


async def test_the_composer_shows_the_signature_that_will_leave(console: Console) -> None:
    seat, ticket_id = await console.sit(name="Anna Berg"), await console.write(make_mail)
    await console.write(sign, "{{agent.first_name}} · {{company}} · #{{ticket.number}}")
    assert 'class="below if-reply"' in (await seat.page(path(ticket_id))).text
    shown = (await seat.part(path(ticket_id, "/below"))).text
    assert f"Anna · Harbor &amp; Co · #{ticket_id + 99}" in shown
    assert await cost(seat, path(ticket_id, "/below")) <= 5
    await console.write(sign, "")
    assert "Nothing stands below your words." in (await seat.part(path(ticket_id, "/below"))).text


async def test_the_composer_shows_what_will_be_quoted(console: Console) -> None:
    seat, ticket_id = await console.sit(name="Anna Berg"), await console.write(make_mail, text="Where <is> it?")
    admin = await console.sit(Role.ADMIN)
    saved = await admin.post("/admin/channels/1/sending", FORM, quote="whole", dkim="")
    assert saved.headers["location"] == "/admin/channels/1/sending?done=saved"
    assert 'value="whole" selected' in (await admin.page("/admin/channels/1/sending")).text
    shown = (await seat.part(path(ticket_id, "/below?via=email:1"))).text
    assert "mai@example.com</a> wrote:" in shown
    assert "Where &lt;is&gt; it?" in shown
    assert "Where" not in (await seat.part(path(ticket_id, "/below?via=email:99"))).text


async def test_what_is_no_way_to_quote_is_refused(console: Console) -> None:
    await console.write(make_mail)
    admin = await console.sit(Role.ADMIN)
    assert (await admin.post("/admin/channels/1/sending", FORM, quote="all")).status_code == 422
    assert (await (await console.sit()).post("/admin/channels/1/sending", FORM, quote="all")).status_code == 403
