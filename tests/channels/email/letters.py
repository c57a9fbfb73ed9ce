"""Makers of raw mails, and the way of one mail through journal and intake."""

from email.message import EmailMessage
from typing import Any

from channels.email.intake import Taken, prepare, staff_addresses, take
from channels.email.journaling import raw_item, store
from channels.email.reader import Reader
from tests.channels.desk import Desk
from tests.conftest import NOW
from tests.factories import unique
from tickets.channel_accounts import Account
from tickets.models import JournalItem
from tickets.states import Channel

SHOP = "support@shop.test"
SMTP = {"host": "127.0.0.1", "security": "none"}


def letter(text: str = "Where is my order?\n", *, html: str = "", **headers: str) -> bytes:
    """A mail of a customer; keyword `in_reply_to` is the field In-Reply-To, and so on. None leaves a field out."""
    message = EmailMessage()
    fields = {
        "from": "Anna Nguyen <anna@example.test>",
        "to": SHOP,
        "subject": "My order",
        "date": "Mon, 02 Nov 2026 08:59:00 +0000",
        "message_id": f"<{unique('mail')}@example.test>",
        **headers,
    }
    for name, value in fields.items():
        if value is not None:
            message[name.replace("_", "-").title()] = value
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


async def mailbox(desk: Desk, **values: Any) -> Account:
    """An e-mail account of the shop."""
    return await desk.account(
        Channel.EMAIL, **{"address": SHOP, "settings": {"receiver": True}, "secrets": None, **values}
    )


async def deliver(desk: Desk, account: Account, raw: bytes, *, now: Any = NOW) -> Taken:
    """One mail from the edge into its end state."""
    services = desk.services
    item = raw_item(services.files, account.id, unique("test:"), raw)
    journal_id = await desk.db.write(store, item, now=now)
    rows = await desk.db.read(
        lambda tx: tx.execute(JournalItem.__table__.select().where(JournalItem.id == journal_id)).all()
    )
    prepared = prepare(
        rows[0],
        account,
        reader=Reader(),
        vault=services.vault,
        files=services.files,
        staff=await desk.db.read(staff_addresses),
    )
    return await desk.db.write(take, prepared, services.vault, now=now)
