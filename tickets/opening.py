"""Conversations that people here begin: a first mail, SMS or WhatsApp message, a call, a visit, a follow-up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import emit_all
from contact_center.core.i18n import mark
from contact_center.core.text import first_line
from contact_center.core.upsert import insert_once
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.intake import opened
from tickets.models import OPEN_THREAD, ContactPoint, Ticket
from tickets.numbers import number_of
from tickets.replies import CONTACT_KINDS, Author, Reply, already_written, first_account, note, reply
from tickets.states import Channel, Status

# Whoever answers by these lands in the open conversation of their address: what we begin must be that one.
THREADED = frozenset({Channel.SMS, Channel.WHATSAPP, Channel.MESSAGING})


RUNNING = mark("A conversation with this address is open: #{number}. Write there.")


class AlreadyOpen(Conflict):
    """Somebody is in a conversation with this address already: `ticket_id`."""

    def __init__(self, ticket_id: int) -> None:
        number = number_of(ticket_id)
        super().__init__(RUNNING, number=number)
        self.ticket_id = ticket_id


@dataclass(frozen=True, slots=True)
class Opening:
    """A conversation that a person here begins: walk-in, letter, first outbound mail, SMS or call."""

    subject: str
    queue_id: int
    channel: Channel
    to: Address | None = None
    customer_id: int | None = None
    text: str = ""
    outbound: bool = False
    priority: str = "medium"
    kind: str = "question"
    topic_id: int | None = None
    follows_up_id: int | None = None
    # Of the message that is sent: what a template is made of.
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Recipient:
    customer_id: int
    contact_point_id: int | None
    value: str | None


def open_(tx: Connection, opening: Opening, *, author: Author, now: datetime) -> int:
    """Open a ticket by hand; with `outbound` the text is sent, else it is kept as a note. Returns the ticket id."""
    if not opening.subject.strip():
        raise Invalid("Say in a few words what it is about.", field="subject")
    known = already_written(tx, author)
    if known is not None:
        return known.ticket_id
    account_id = first_account(tx, opening.channel, opening.queue_id)
    if opening.outbound and account_id is None:
        raise Invalid("No {channel} account is set up to send from.", field="channel", channel=opening.channel.value)
    ticket_id = _insert(tx, opening, _whom(tx, opening, now=now), account_id, now=now)
    if opening.outbound:
        answer = Reply(opening.text, account_id=account_id, meta=opening.meta)
        appended = reply(tx, ticket_id, answer, author=author, now=now)
    else:
        appended = note(tx, ticket_id, opening.text or opening.subject, author=author, now=now)
    emit_all(tx, [opened(appended, opening.channel, by_user_id=author.user_id)], now=now)
    return ticket_id


def _insert(tx: Connection, opening: Opening, to: _Recipient, account_id: int | None, *, now: datetime) -> int:
    """The ticket's row; AlreadyOpen where the address has a conversation that its answer would go to."""
    threaded = opening.outbound and opening.channel in THREADED
    values = {
        "subject": first_line(opening.subject, 300),
        "status": Status.OPEN.value,
        "priority": opening.priority,
        "kind": opening.kind,
        "channel": opening.channel.value,
        "channel_account_id": account_id,
        "thread_key": to.value if threaded else None,
        "queue_id": opening.queue_id,
        "topic_id": opening.topic_id,
        "customer_id": to.customer_id,
        "contact_point_id": to.contact_point_id,
        "follows_up_id": opening.follows_up_id,
        "created_at": now,
        "updated_at": now,
    }
    key = ("channel_account_id", "thread_key")
    ticket_id = insert_once(tx, Ticket, key=key, where=OPEN_THREAD, values=values)
    if ticket_id is not None:
        return ticket_id
    assert account_id is not None
    assert to.value is not None
    running = open_thread(tx, account_id, to.value)
    if running is None:
        raise Conflict("Somebody was faster. Try again.")
    raise AlreadyOpen(running)


_OPEN_THREAD = select(Ticket.id).where(
    Ticket.channel_account_id == bindparam("account"),
    Ticket.thread_key == bindparam("thread"),
    Ticket.status.not_in([Status.RESOLVED.value, Status.CLOSED.value]),
)


def open_thread(tx: Connection, account_id: int, thread_key: str) -> int | None:
    """The conversation that a message of this address would go to, if one is open."""
    found: int | None = tx.execute(_OPEN_THREAD, {"account": account_id, "thread": thread_key}).scalar_one_or_none()
    return found


def _whom(tx: Connection, opening: Opening, *, now: datetime) -> _Recipient:
    if opening.to is not None:
        contact = contacts.find_or_create(tx, opening.to, now=now)
        return _Recipient(contact.customer_id, contact.contact_point_id, opening.to.value)
    if opening.customer_id is None:
        raise Invalid("Choose a customer or give an address.", field="to")
    fitting = ContactPoint.kind.in_(CONTACT_KINDS.get(opening.channel, ()))
    first = tx.execute(
        select(ContactPoint.id, ContactPoint.value)
        .where(ContactPoint.customer_id == opening.customer_id)
        .order_by(fitting.desc(), ContactPoint.id)
        .limit(1)
    ).first()
    return _Recipient(opening.customer_id, first.id if first else None, first.value if first else None)
