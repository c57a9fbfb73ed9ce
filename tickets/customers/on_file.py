"""Which addresses are a customer's as far as we know, and since when: what was only typed is a claim.

An address is on file when somebody wrote from it, a colleague entered or confirmed it, the shop's system named it, or
the website signed it. One that was typed into a chat or a form is not, until one of these happens.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from tickets.models import Message, Ticket
from tickets.states import Channel, MessageKind

# What a form of a widget brings looks like a mail, and its sender is only typed.
FORM = "widget:%"
# What is written from an address comes by these.
OWN = (Channel.EMAIL.value, Channel.SMS.value, Channel.WHATSAPP.value)


def since(tx: Connection, customer_id: int, points: Sequence[Row[Any]]) -> dict[int, datetime]:
    """contact point -> since when it is on file, of those of a customer that are; a statement more for claims only."""
    known = {point.id: point.on_file_at for point in points if point.on_file_at is not None}
    claims = [point.id for point in points if point.on_file_at is None]
    if not claims:
        return known
    wrote = (
        select(Message.contact_point_id, func.min(Message.created_at))
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(
            Ticket.customer_id == customer_id,
            Message.contact_point_id.in_(claims),
            Message.kind == MessageKind.INBOUND.value,
            Message.channel.in_(OWN),
            ~Message.automatic,
            func.coalesce(Message.external_id, "").not_like(FORM),
        )
        .group_by(Message.contact_point_id)
    )
    return known | {row[0]: row[1] for row in tx.execute(wrote)}
