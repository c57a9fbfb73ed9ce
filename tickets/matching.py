"""Which ticket an inbound message belongs to, with the evidence that said so.

Channels with a thread (chat, SMS, calls) match by it. Mail matches by evidence, strongest first; a reference only
counts if the sender already takes part in that ticket, so that nobody walks into somebody else's matter.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, bindparam, or_, select

from tickets.customers.contacts import Contact
from tickets.inbound import InboundMessage
from tickets.models import ExternalReference, Message, Ticket
from tickets.numbers import id_of
from tickets.states import Status

REOPEN_WITHIN = timedelta(days=7)
# How a reference begins that comes from Outlook's Thread-Index.
THREAD_INDEX = "thread-index:"
SUBJECT_NUMBER = re.compile(r"\[?#(\d{3,10})\b")


class Action(StrEnum):
    APPEND = "append"
    REOPEN = "reopen"
    FOLLOW_UP = "follow_up"


class Evidence(StrEnum):
    THREAD = "thread"
    TOKEN = "plus_address"
    REFERENCE = "reference"
    THREAD_INDEX = "thread_index"
    SUBJECT = "subject_number"


@dataclass(frozen=True, slots=True)
class Match:
    """The ticket a message belongs to and what to do with it."""

    ticket_id: int
    action: Action
    evidence: Evidence


_THREAD = (Ticket.channel_account_id == bindparam("account"), Ticket.thread_key == bindparam("thread"))
_BY_THREAD = (
    select(Ticket.id, Ticket.status, Ticket.resolved_at)
    .where(*_THREAD, Ticket.merged_into_id.is_(None), Ticket.status != Status.CLOSED.value)
    .order_by(Ticket.id.desc())
    .limit(5)
)
_BY_MERGED_THREAD = (
    select(Ticket.id).where(*_THREAD, Ticket.merged_into_id.is_not(None)).order_by(Ticket.id.desc()).limit(1)
)
_BY_REFERENCE = select(ExternalReference.reference, ExternalReference.ticket_id).where(
    ExternalReference.reference.in_(bindparam("references", expanding=True))
)
_TAKES_PART = (
    select(Ticket.id)
    .outerjoin(Message, Message.ticket_id == Ticket.id)
    .where(
        Ticket.id == bindparam("ticket"),
        or_(Ticket.customer_id == bindparam("customer"), Message.contact_point_id == bindparam("contact_point")),
    )
    .limit(1)
)
_BY_ID = select(Ticket.id, Ticket.status, Ticket.resolved_at, Ticket.merged_into_id).where(
    Ticket.id == bindparam("ticket")
)


def find(tx: Connection, inbound: InboundMessage, contact: Contact, *, now: datetime) -> Match | None:
    """The match of an inbound message, or None for a new matter."""
    if inbound.thread_key is not None:
        return _by_thread(tx, inbound, now=now)
    return (
        _by_token(tx, inbound, now=now)
        or _by_reference(tx, inbound, contact, now=now)
        or _by_subject(tx, inbound, contact, now=now)
    )


def _by_thread(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Match | None:
    rows = tx.execute(_BY_THREAD, {"account": inbound.account_id, "thread": inbound.thread_key}).all()
    for row in rows:
        if row.status != Status.RESOLVED.value:
            return Match(row.id, Action.APPEND, Evidence.THREAD)
    recent = next((row for row in rows if row.resolved_at and now - row.resolved_at < REOPEN_WITHIN), None)
    return Match(recent.id, Action.REOPEN, Evidence.THREAD) if recent else _by_merged_thread(tx, inbound, now=now)


def _by_merged_thread(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Match | None:
    """A thread whose last ticket was merged goes on in the other one, as long as that one lives."""
    thread = {"account": inbound.account_id, "thread": inbound.thread_key}
    merged_id = tx.execute(_BY_MERGED_THREAD, thread).scalar_one_or_none()
    if merged_id is None:
        return None
    match = _judge(_ticket(tx, merged_id), Evidence.THREAD, now=now)
    return None if match is None or match.action is Action.FOLLOW_UP else match


def _by_token(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Match | None:
    if inbound.ticket_token is None:
        return None
    return _judge(_ticket(tx, inbound.ticket_token), Evidence.TOKEN, now=now)


def _by_reference(tx: Connection, inbound: InboundMessage, contact: Contact, *, now: datetime) -> Match | None:
    if inbound.disowned or not inbound.references:
        return None
    rows = tx.execute(_BY_REFERENCE, {"references": inbound.references}).all()
    by_reference = {row.reference: row.ticket_id for row in rows}
    for reference in inbound.references:
        ticket_id = by_reference.get(reference)
        if ticket_id is not None and takes_part(tx, ticket_id, contact):
            outlook = reference.startswith(THREAD_INDEX)
            evidence = Evidence.THREAD_INDEX if outlook else Evidence.REFERENCE
            return _judge(_ticket(tx, ticket_id), evidence, now=now)
    return None


def _by_subject(tx: Connection, inbound: InboundMessage, contact: Contact, *, now: datetime) -> Match | None:
    found = None if inbound.disowned else SUBJECT_NUMBER.search(inbound.subject)
    if found is None:
        return None
    ticket_id = id_of(int(found.group(1)))
    if not takes_part(tx, ticket_id, contact):
        return None
    return _judge(_ticket(tx, ticket_id), Evidence.SUBJECT, now=now)


def takes_part(tx: Connection, ticket_id: int, contact: Contact) -> bool:
    """Whether the sender is the ticket's customer, or has written or been written to in it."""
    sender = {"customer": contact.customer_id, "contact_point": contact.contact_point_id}
    return tx.execute(_TAKES_PART, {"ticket": ticket_id, **sender}).first() is not None


def _ticket(tx: Connection, ticket_id: int) -> Row[int, str, datetime | None] | None:
    """The ticket, or the one it was merged into."""
    row = tx.execute(_BY_ID, {"ticket": ticket_id}).first()
    if row is not None and row.merged_into_id is not None:
        return _ticket(tx, row.merged_into_id)
    return row  # type: ignore[return-value]


def _judge(row: Row[int, str, datetime | None] | None, evidence: Evidence, *, now: datetime) -> Match | None:
    if row is None:
        return None
    if row.status == Status.CLOSED.value:
        return Match(row.id, Action.FOLLOW_UP, evidence)
    if row.status == Status.RESOLVED.value:
        fresh = row.resolved_at is not None and now - row.resolved_at < REOPEN_WITHIN
        return Match(row.id, Action.REOPEN if fresh else Action.FOLLOW_UP, evidence)
    return Match(row.id, Action.APPEND, evidence)
