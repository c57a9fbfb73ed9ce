"""What people write in a ticket: replies, notes, drafts, and the conversations they start themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import emit
from contact_center.core.text import first_line
from contact_center.core.upsert import upsert
from tickets.customers import contacts
from tickets.inbound import Address, StoredFile
from tickets.intake import announce_opened
from tickets.lifecycle import access
from tickets.models import ChannelAccount, ContactPoint, Draft, Message, Ticket
from tickets.states import AuthorKind, Channel, Delivery, MessageKind, Status
from tickets.timeline import Appended, Entry, append, topics_of

MAX_TEXT = 25_000
# How long a reply can still be taken back. Chat has none: the customer watches.
UNDO = {Channel.EMAIL: timedelta(seconds=10), Channel.SMS: timedelta(seconds=5)}


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: a user (with the client id of their screen, unique per user) or the system."""

    user_id: int | None
    client_id: str | None = None

    def key(self) -> str | None:
        """The value that makes a repeated POST write once."""
        return f"{self.user_id}:{self.client_id}" if self.client_id else None


SYSTEM = Author(None)


@dataclass(frozen=True, slots=True)
class Reply:
    """A public answer. None: the ticket's own channel, account and contact point."""

    text: str
    html: str | None = None
    channel: Channel | None = None
    account_id: int | None = None
    contact_point_id: int | None = None
    attachments: tuple[StoredFile, ...] = ()
    # Auto-replies, surveys and receipts: they never count as an answer and never change the status.
    automatic: bool = False
    send_after: datetime | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def reply(tx: Connection, ticket_id: int, answer: Reply, *, author: Author, now: datetime) -> Appended:
    """Answer the customer; a repeated client id gives the first answer again.

    Chat: `sent` when committed, the widget's acks do the rest. Other channels: `queued`, sent after the undo time.
    """
    check_text(answer.text)
    # Lock first: of two POSTs with one client id the second waits here and then finds the first one's message.
    ticket = access(tx, ticket_id, lock=True)
    known = already_written(tx, author)
    if known is not None:
        return known
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to write to the customer.")
    channel = answer.channel or Channel(ticket.channel)
    entry = Entry(
        kind=MessageKind.OUTBOUND,
        channel=channel.value,
        author_kind=AuthorKind.AGENT if author.user_id else AuthorKind.SYSTEM,
        user_id=author.user_id,
        text=answer.text,
        html=answer.html,
        public=True,
        channel_account_id=answer.account_id or _account(tx, ticket, channel),
        contact_point_id=_recipient(tx, ticket, answer, channel),
        client_id=author.key(),
        automatic=answer.automatic,
        delivery=Delivery.SENT.value if channel is Channel.CHAT else Delivery.QUEUED.value,
        send_after=_send_after(channel, answer, now),
        attachments=answer.attachments,
        meta=answer.meta,
    )
    return append(tx, ticket_id, entry, now=now, changes=_after_reply(ticket, answer, now))


def _after_reply(ticket: Row[Any], answer: Reply, now: datetime) -> dict[str, Any]:
    """What an answer changes on the ticket: the customer waits no longer."""
    if answer.automatic:
        return {}
    changes: dict[str, Any] = {"last_outbound_at": now, "waiting_since": None}
    if ticket.first_response_at is None:
        changes["first_response_at"] = now
    if ticket.status == Status.NEW.value:
        changes["status"] = Status.OPEN.value
    return changes


def note(
    tx: Connection,
    ticket_id: int,
    text: str,
    *,
    author: Author,
    now: datetime,
    attachments: tuple[StoredFile, ...] = (),
) -> Appended:
    """Write an internal note: it has no public seq, so the customer's side leaves no trace of it."""
    check_text(text)
    ticket = access(tx, ticket_id, lock=True)
    known = already_written(tx, author)
    if known is not None:
        return known
    entry = Entry(
        kind=MessageKind.NOTE,
        channel=ticket.channel,
        author_kind=AuthorKind.AGENT if author.user_id else AuthorKind.SYSTEM,
        user_id=author.user_id,
        text=text,
        public=False,
        client_id=author.key(),
        automatic=author.user_id is None,
        attachments=attachments,
    )
    return append(tx, ticket_id, entry, now=now)


def cancel(tx: Connection, message_id: int, *, user_id: int, now: datetime) -> Row[int, str]:
    """Undo a reply that has not left yet; gives (ticket_id, text) back for the composer."""
    row = tx.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.user_id == user_id,
            Message.delivery == Delivery.QUEUED.value,
            Message.send_after > now,
        )
        .values(delivery=Delivery.CANCELED.value)
        .returning(Message.ticket_id, Message.text)
    ).first()
    if row is None:
        raise Conflict("This message has already been sent.")
    changed(tx, row.ticket_id, message_id, Delivery.CANCELED, now=now)
    return row


def changed(tx: Connection, ticket_id: int, message_id: int, delivery: Delivery, *, now: datetime) -> None:
    """Announce that a message's delivery state is another one."""
    row = tx.execute(
        select(Ticket.queue_id, Ticket.assignee_id, Ticket.thread_key, Ticket.channel).where(Ticket.id == ticket_id)
    ).one()
    emit(
        tx,
        "message.updated",
        {"ticket_id": ticket_id, "message_id": message_id, "delivery": delivery.value},
        now=now,
        topics=topics_of(
            ticket_id,
            queue_id=row.queue_id,
            assignee_id=row.assignee_id,
            visit=row.thread_key if row.channel == Channel.CHAT.value else None,
        ),
    )


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


def open_(tx: Connection, opening: Opening, *, author: Author, now: datetime) -> int:
    """Open a ticket by hand; with `outbound` the text is sent, else it is kept as a note. Returns the ticket id."""
    if not opening.subject.strip():
        raise Invalid("Say in a few words what it is about.", field="subject")
    known = already_written(tx, author)
    if known is not None:
        return known.ticket_id
    customer_id, contact_point_id = _whom(tx, opening, now=now)
    account_id = _first_account(tx, opening.channel, opening.queue_id)
    if opening.outbound and account_id is None:
        raise Invalid("No {channel} account is set up to send from.", field="channel", channel=opening.channel.value)
    ticket_id: int = tx.execute(
        insert(Ticket).returning(Ticket.id),
        {
            "subject": first_line(opening.subject, 300),
            "status": Status.OPEN.value,
            "priority": opening.priority,
            "kind": opening.kind,
            "channel": opening.channel.value,
            "channel_account_id": account_id,
            "queue_id": opening.queue_id,
            "topic_id": opening.topic_id,
            "customer_id": customer_id,
            "contact_point_id": contact_point_id,
            "follows_up_id": opening.follows_up_id,
            "created_at": now,
            "updated_at": now,
        },
    ).scalar_one()
    if opening.outbound:
        appended = reply(tx, ticket_id, Reply(opening.text), author=author, now=now)
    else:
        appended = note(tx, ticket_id, opening.text or opening.subject, author=author, now=now)
    announce_opened(tx, appended, opening.channel, by_user_id=author.user_id, now=now)
    return ticket_id


def save_draft(
    tx: Connection, ticket_id: int, user_id: int, channel: str, text: str, *, begun_at_seq: int, now: datetime
) -> None:
    """Keep what an agent has typed so far; an empty text deletes the draft. `channel` is `note` for notes."""
    if not text:
        tx.execute(
            delete(Draft).where(Draft.ticket_id == ticket_id, Draft.user_id == user_id, Draft.channel == channel)
        )
        return
    check_text(text)
    upsert(
        tx,
        Draft,
        key=("ticket_id", "user_id", "channel"),
        values={
            "ticket_id": ticket_id,
            "user_id": user_id,
            "channel": channel,
            "text": text,
            "begun_at_seq": begun_at_seq,
            "updated_at": now,
        },
    )


def check_text(text: str) -> None:
    """Raise Invalid for an empty or an overlong text."""
    if not text.strip():
        raise Invalid("Write something first.", field="text")
    if len(text) > MAX_TEXT:
        raise Invalid("This is longer than {most} characters. Attach it as a file.", field="text", most=MAX_TEXT)


def already_written(tx: Connection, author: Author) -> Appended | None:
    """What this client id wrote before, so that a repeated POST writes once; None for a new one."""
    key = author.key()
    if key is None:
        return None
    row = tx.execute(
        select(
            Message.id,
            Message.ticket_id,
            Message.seq,
            Message.public_seq,
            Ticket.queue_id,
            Ticket.assignee_id,
            Ticket.customer_id,
            Ticket.thread_key,
        )
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Message.client_id == key)
    ).first()
    return Appended(*row) if row else None


def _account(tx: Connection, ticket: Row[Any], channel: Channel) -> int | None:
    if channel.value == ticket.channel and ticket.channel_account_id is not None:
        account_id: int = ticket.channel_account_id
        return account_id
    return _first_account(tx, channel, ticket.queue_id)


def _first_account(tx: Connection, channel: Channel, queue_id: int) -> int | None:
    """The account to send from: the queue's own before any other of the channel."""
    return tx.execute(
        select(ChannelAccount.id)
        .where(ChannelAccount.channel == channel.value, ChannelAccount.enabled)
        .order_by((ChannelAccount.queue_id == queue_id).desc(), ChannelAccount.id)
        .limit(1)
    ).scalar_one_or_none()


CONTACT_KINDS = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("phone",),
    Channel.PHONE: ("phone",),
    Channel.CHAT: ("visitor", "email"),
}


def _recipient(tx: Connection, ticket: Row[Any], answer: Reply, channel: Channel) -> int | None:
    """The address that is written to: the chosen one, the ticket's, else the customer's first of that kind."""
    kinds = CONTACT_KINDS.get(channel, ())
    wanted = answer.contact_point_id or ticket.contact_point_id
    row = tx.execute(
        select(ContactPoint.id, ContactPoint.value, ContactPoint.suppressed_reason)
        .where(
            ContactPoint.kind.in_(kinds),
            (ContactPoint.id == wanted) | (ContactPoint.customer_id == ticket.customer_id),
        )
        .order_by((ContactPoint.id == wanted).desc(), ContactPoint.id)
        .limit(1)
    ).first()
    if row is None:
        raise Invalid("The customer has no address for {channel}.", field="channel", channel=channel.value)
    if row.suppressed_reason is not None:
        raise Invalid(
            "Nothing can be sent to {address}: {reason}.",
            field="channel",
            address=row.value,
            reason=row.suppressed_reason,
        )
    contact_point_id: int = row.id
    return contact_point_id


def _send_after(channel: Channel, answer: Reply, now: datetime) -> datetime | None:
    if channel is Channel.CHAT:
        return None
    if answer.send_after is not None:
        return answer.send_after
    return now if answer.automatic else now + UNDO.get(channel, timedelta(0))


def _whom(tx: Connection, opening: Opening, *, now: datetime) -> tuple[int, int | None]:
    if opening.to is not None:
        contact = contacts.find_or_create(tx, opening.to, now=now)
        return contact.customer_id, contact.contact_point_id
    if opening.customer_id is None:
        raise Invalid("Choose a customer or give an address.", field="to")
    first = tx.execute(
        select(func.min(ContactPoint.id)).where(ContactPoint.customer_id == opening.customer_id)
    ).scalar_one()
    return opening.customer_id, first
