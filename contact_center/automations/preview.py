"""What a rule would have matched: the last tickets or messages of its kind, as they are known now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from contact_center.automations import conditions, facts
from contact_center.automations.conditions import Condition, Conditions
from contact_center.automations.triggers import Trigger
from tickets.models import Message, Ticket
from tickets.sla_models import SlaClock
from tickets.states import APART_STATUSES, MessageKind

LOOKED_AT = 500
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Match:
    """One ticket, with the message's moment and the conditions that held."""

    ticket_id: int
    subject: str
    customer: str
    at: datetime
    reasons: Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Preview:
    """Of `looked_at` that were looked at `matched` would have been met; the newest SHOWN of them by name."""

    looked_at: int
    matched: int
    shown: Sequence[Match]


_HERE = Ticket.status.not_in([status.value for status in APART_STATUSES])


def _messages(kind: MessageKind) -> Select[int]:
    said = select(Message.id).join(Ticket, Ticket.id == Message.ticket_id).where(_HERE, Message.kind == kind.value)
    said = said.where(Message.automatic.is_(False)).order_by(Message.id.desc()).limit(LOOKED_AT)
    return said.where(Message.seq > 1) if kind is MessageKind.INBOUND else said.where(Message.user_id.is_not(None))


_FIRST = (
    select(Message.id)
    .join(Ticket, Ticket.id == Message.ticket_id)
    .where(_HERE, Message.seq == 1)
    .order_by(Ticket.id.desc())
    .limit(LOOKED_AT)
)


def _last_words(tickets: Select[int]) -> Select[int]:
    """The newest message of the customer in each of some tickets."""
    chosen = tickets.limit(LOOKED_AT).subquery()
    inbound = (Message.ticket_id == chosen.c.id) & (Message.kind == MessageKind.INBOUND.value)
    return select(func.max(Message.id)).select_from(chosen).join(Message, inbound).group_by(Message.ticket_id)


_BY_UPDATE = select(Ticket.id).where(_HERE).order_by(Ticket.updated_at.desc(), Ticket.id.desc())
_RESOLVED = select(Ticket.id).where(_HERE, Ticket.resolved_at.is_not(None)).order_by(Ticket.id.desc())
_LATE = select(Ticket.id).where(
    _HERE, Ticket.id.in_(select(SlaClock.ticket_id).where(SlaClock.breached_at.is_not(None)))
)
_LOOKED_AT: Mapping[Trigger, Select[int]] = {
    Trigger.TICKET_OPENED: _FIRST,
    Trigger.CUSTOMER_WROTE: _messages(MessageKind.INBOUND),
    Trigger.AGENT_WROTE: _messages(MessageKind.OUTBOUND),
    Trigger.STATUS_CHANGED: _last_words(_BY_UPDATE),
    Trigger.RESOLVED: _last_words(_RESOLVED),
    # Who was late was at risk before.
    Trigger.SLA_WARNING: _last_words(_LATE.order_by(Ticket.id.desc())),
    Trigger.SLA_BREACHED: _last_words(_LATE.order_by(Ticket.id.desc())),
}


def look(tx: Connection, trigger: Trigger, wanted: Conditions) -> Preview:
    """What the rule would have met; three statements, whatever it asks."""
    ids = list(tx.execute(_LOOKED_AT[trigger]).scalars())
    known = facts.of_messages(tx, ids)
    found = [
        Match(one.ticket_id, one.subject, one.customer, one.at, reasons)
        for one in known
        if (reasons := conditions.matches(wanted, one.facts)) is not None
    ]
    found.sort(key=lambda one: (one.at, one.ticket_id), reverse=True)
    return Preview(len(known), len(found), found[:SHOWN])
