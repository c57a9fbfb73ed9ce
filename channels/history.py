"""What was said before a reply, for channels that quote it: only what went between us and its very recipient.

Notes, events and automatic messages are never among it, nor what somebody else wrote into the same ticket: a copy's
private answer is not the customer's to read. Texts are those of the timeline, so what was masked stays masked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Connection, bindparam, func, select

from channels.base import Said
from contact_center.accounts.models import User
from tickets.models import Calendar, ChannelAccount, ContactPoint, Customer, Message, Queue, Ticket
from tickets.states import Delivery, MessageKind

MOST = 20
MOST_TEXT = 8_000


class How(StrEnum):
    """The setting `quote` of an account: how much of the conversation stands below a reply."""

    NONE = "none"
    LAST = "last"
    WHOLE = "whole"


def how(settings: Mapping[str, Any]) -> How:
    """An account's choice; accounts from before there was one quote nothing."""
    try:
        return How(settings.get("quote", How.NONE))
    except ValueError:
        return How.NONE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reply wants to quote: the ticket's earlier messages with one contact point."""

    ticket_id: int
    before_seq: int
    contact_point_id: int
    how: How


_RANKED = (
    select(
        Message.ticket_id,
        Message.seq,
        Message.kind,
        Message.contact_point_id,
        Message.text,
        Message.created_at,
        User.name.label("author"),
        func.coalesce(func.nullif(ContactPoint.name, ""), Customer.name).label("customer"),
        ContactPoint.value.label("customer_address"),
        ChannelAccount.name.label("account"),
        ChannelAccount.address.label("account_address"),
        Customer.timezone,
        Calendar.definition.label("hours"),
        func.row_number()
        .over(partition_by=(Message.ticket_id, Message.contact_point_id), order_by=Message.seq.desc())
        .label("nth"),
    )
    .join(Ticket, Ticket.id == Message.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .join(Queue, Queue.id == Ticket.queue_id)
    .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
    .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
    .outerjoin(User, User.id == Message.user_id)
    .outerjoin(ChannelAccount, ChannelAccount.id == Message.channel_account_id)
    .where(
        Message.ticket_id.in_(bindparam("tickets", expanding=True)),
        Message.contact_point_id.in_(bindparam("points", expanding=True)),
        Message.kind.in_((MessageKind.INBOUND.value, MessageKind.OUTBOUND.value)),
        Message.public_seq.is_not(None),
        Message.automatic.is_(False),
        func.coalesce(Message.delivery, "").not_in((Delivery.CANCELED.value, Delivery.FAILED.value)),
    )
    .subquery()
)
_EARLIER = select(_RANKED).where(_RANKED.c.nth <= 2 * MOST).order_by(_RANKED.c.ticket_id, _RANKED.c.seq.desc())


def earlier(tx: Connection, wanted: Mapping[int, Wanted]) -> dict[int, tuple[Said, ...]]:
    """key -> what it quotes, newest first, in one statement; none where nobody wants any."""
    asked = {key: one for key, one in wanted.items() if one.how is not How.NONE}
    if not asked:
        return {}
    tickets, points = {one.ticket_id for one in asked.values()}, {one.contact_point_id for one in asked.values()}
    rows = tx.execute(_EARLIER, {"tickets": tickets, "points": points}).all()
    return {key: tuple(_said(row) for row in _chosen(rows, one)) for key, one in asked.items()}


def _chosen(rows: Any, wanted: Wanted) -> list[Any]:
    theirs = [
        row
        for row in rows
        if (row.ticket_id, row.contact_point_id) == (wanted.ticket_id, wanted.contact_point_id)
        and row.seq < wanted.before_seq
        and row.text.strip()
    ]
    if wanted.how is How.WHOLE:
        return theirs[:MOST]
    return [row for row in theirs if row.kind == MessageKind.INBOUND.value][:1]


def _said(row: Any) -> Said:
    inbound = row.kind == MessageKind.INBOUND.value
    text = row.text.replace("\r\n", "\n").strip("\n").rstrip()
    return Said(
        name=(row.customer if inbound else row.author or row.account) or "",
        address=(row.customer_address if inbound else row.account_address) or "",
        at=row.created_at.astimezone(_zone(row.timezone, (row.hours or {}).get("zone"))),
        text=text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT].rstrip()} …",
    )


def _zone(*names: str | None) -> ZoneInfo:
    """The customer's zone, else that of the queue's hours, else UTC."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")
