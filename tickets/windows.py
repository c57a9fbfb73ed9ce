"""WhatsApp's customer service window: free text for 24 hours after the customer's last message, then templates only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy import text as sql

from contact_center.core.errors import Invalid
from tickets.models import WHATSAPP_INBOUND, Message

LENGTH = timedelta(hours=24)
TEMPLATE = "template"
"""Where a message's meta keeps the template that it is made of."""

# Literal, so that both databases can prove that the partial index holds what is asked for.
_LAST = (
    select(Message.contact_point_id, func.max(Message.created_at).label("at"))
    .where(
        sql(WHATSAPP_INBOUND),
        Message.channel_account_id == bindparam("account"),
        Message.contact_point_id.in_(bindparam("points", expanding=True)),
    )
    .group_by(Message.contact_point_id)
)


def open_until(tx: Connection, account_id: int, points: Sequence[int], *, now: datetime) -> Mapping[int, datetime]:
    """contact point -> when its window closes, for those whose window is open."""
    rows = tx.execute(_LAST, {"account": account_id, "points": list(points)})
    return {row.contact_point_id: row.at + LENGTH for row in rows if row.at + LENGTH > now}


def check(tx: Connection, account_id: int | None, contact_point_id: int, *, now: datetime) -> None:
    """Raise Invalid, with what to do, if only a template may be sent now."""
    if account_id is None or not open_until(tx, account_id, [contact_point_id], now=now):
        raise Invalid(
            "WhatsApp takes free text only for 24 hours after the customer's last message. Choose a template, or wait "
            "until they write again.",
            field="text",
        )
