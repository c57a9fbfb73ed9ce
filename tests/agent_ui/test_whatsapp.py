"""WhatsApp's accounts and templates in the console, over real requests."""

from sqlalchemy import Connection, select

from channels.sms import templates
from channels.sms.models import WhatsAppTemplate
from channels.sms.templates import Template
from contact_center.accounts.permissions import Role
from contact_center.core.clock import utcnow
from tests.agent_ui.console import PAGE, SAME_ORIGIN, Console
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_ticket
from tickets.models import ChannelAccount, Message
from tickets.numbers import number_of
from tickets.states import Channel

FORM = {**PAGE, **SAME_ORIGIN}
LATE = Template("HX1", "order_late", "en", "utility", "approved", "", "Order {{1}} is late.", {"1": "77"})
NOISE = Template("HX2", "sale", "en", "marketing", "rejected", "Too loud", "SALE", {})


def furnish(tx: Connection) -> tuple[int, int]:
    """(account, ticket) of a customer whose last message is old."""
    account_id = make_account(tx, Channel.WHATSAPP)
    templates.keep(tx, account_id, [LATE, NOISE], now=NOW)
    receipt = make_ticket(tx, account_id=account_id, channel=Channel.WHATSAPP)
    assert receipt.ticket_id is not None
    return account_id, receipt.ticket_id


async def test_an_account_is_added_by_its_number_with_or_without_the_prefix(console: Console) -> None:
    queue_id = await console.write(make_queue)
    seat = await console.sit(Role.ADMIN)
    given = {"name": "Shop WhatsApp", "address": "whatsapp:+14155550199", "queue_id": str(queue_id), "region": "VN"}
    made = await seat.post("/admin/channels/new/whatsapp", FORM, **given, account_sid="AC1", auth_token="secret")
    assert made.status_code == 303
    page = await seat.page(made.headers["location"])
    assert "+14155550199" in page.text
    assert "/whatsapp</code>" in page.text
    assert "secret" not in page.text
    row = await console.db.read(lambda tx: tx.execute(select(ChannelAccount.__table__)).one())
    assert (row.channel, row.address, row.settings) == ("whatsapp", "+14155550199", {"region": "VN"})
    refused = await seat.post("/admin/channels/new/whatsapp", FORM, **{**given, "address": "SHOP", "name": "Other"})
    assert refused.status_code == 422


async def test_the_templates_of_an_account_are_listed_with_whatsapps_word(console_on_both: Console) -> None:
    account_id, _ = await console_on_both.write(furnish)
    seat = await console_on_both.sit(Role.ADMIN)
    page = await seat.page(f"/admin/channels/{account_id}/templates")
    for text in ("order_late", "approved", "sale", "refused", "Too loud", "Order {{1}} is late."):
        assert text in page.text
    sms = await console_on_both.write(make_account)
    assert (await seat.page(f"/admin/channels/{sms}/templates")).status_code == 404
    assert (await (await console_on_both.sit()).page(f"/admin/channels/{account_id}/templates")).status_code == 403


async def test_templates_that_cannot_be_fetched_say_why_and_stay(console: Console) -> None:
    account_id, _ = await console.write(furnish)
    seat = await console.sit(Role.ADMIN)
    page = await seat.post(f"/admin/channels/{account_id}/templates", FORM)
    assert page.status_code == 409
    assert "Twilio did not give the templates" in page.text
    assert "order_late" in page.text


async def test_a_template_is_offered_filled_and_sent_once(console_on_both: Console) -> None:
    _, ticket_id = await console_on_both.write(furnish)
    seat = await console_on_both.sit()
    base = f"/tickets/{number_of(ticket_id)}"
    dialog = await seat.page(f"{base}/templates")
    assert "order_late" in dialog.text
    assert "sale" not in dialog.text
    [template_id, _] = await console_on_both.db.read(lambda tx: list(tx.execute(select(WhatsAppTemplate.id)).scalars()))
    [point] = await console_on_both.db.read(lambda tx: list(tx.execute(select(Message.contact_point_id)).scalars()))
    given = {"template": str(template_id), "via": f"whatsapp:{point}", "client_id": "one"}
    empty = await seat.post(f"{base}/template", FORM, **given)
    assert (empty.status_code, "Fill in all places" in empty.text) == (422, True)
    for _ in range(2):
        assert (await seat.post(f"{base}/template", FORM, **given, v_1="4711")).status_code == 200
    sent = select(Message.text, Message.meta).where(Message.kind == "outbound")
    [row] = await console_on_both.db.read(lambda tx: tx.execute(sent).all())
    assert (row.text, row.meta["template"]["variables"]) == ("Order 4711 is late.", {"1": "4711"})


async def test_a_template_leaves_by_whatsapp_only(console: Console) -> None:
    _, ticket_id = await console.write(furnish)
    seat = await console.sit()
    base = f"/tickets/{number_of(ticket_id)}"
    refused = await seat.post(f"{base}/template", FORM, template="1", via="sms:1", v_1="x")
    assert (refused.status_code, "Choose WhatsApp" in refused.text) == (422, True)


async def test_free_text_is_refused_by_the_server_too(console: Console) -> None:
    _, ticket_id = await console.write(furnish)
    seat = await console.sit()
    given = {"mode": "reply", "via": "whatsapp:1", "text": "too late", "client_id": "x"}
    refused = await seat.post(f"/tickets/{number_of(ticket_id)}/messages", FORM, **given)
    assert utcnow() > NOW
    assert (refused.status_code, "only for 24 hours" in refused.text) == (422, True)
