"""What people write in a ticket: replies and notes. Conversations that they begin: `opening`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, func, select

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from tickets import windows
from tickets.inbound import StoredFile
from tickets.lifecycle import access, mark_read
from tickets.models import ChannelAccount, ContactPoint, Message, Ticket
from tickets.sensitive import masking
from tickets.states import APART_REASONS, APART_STATUSES, AuthorKind, Channel, Delivery, MessageKind, Status
from tickets.timeline import Appended, Entry, append, topics_of

MAX_TEXT = 25_000
# How long a reply can still be taken back, unless its author wants it otherwise. Chat has none: the customer watches.
UNDO = timedelta(seconds=10)
CAN_BE_TAKEN_BACK = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.MESSAGING})


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
    # How long it can be taken back; it leaves after that.
    undo: timedelta = UNDO
    meta: Mapping[str, Any] = field(default_factory=dict)


def reply(tx: Connection, ticket_id: int, answer: Reply, *, author: Author, now: datetime) -> Appended:
    """Answer the customer; a repeated client id gives the first answer again.

    Chat: `sent` when committed, the widget's acks do the rest. Other channels: `queued`, sent after the undo time.
    """
    check_text(answer.text, answer.attachments)
    # Lock first: of two POSTs with one client id the second waits here and then finds the first one's message.
    ticket = _to_answer(tx, ticket_id, answer.contact_point_id)
    known = already_written(tx, author)
    if known is not None:
        return known
    channel, contact_point_id = _whither(tx, ticket, answer)
    account_id = answer.account_id or _account(tx, ticket, channel)
    if channel is Channel.WHATSAPP and windows.TEMPLATE not in answer.meta:
        windows.check(tx, account_id, contact_point_id, now=now)
    entry = Entry(
        kind=MessageKind.OUTBOUND,
        channel=channel.value,
        author_kind=AuthorKind.AGENT if author.user_id else AuthorKind.SYSTEM,
        user_id=author.user_id,
        text=answer.text,
        html=answer.html,
        public=True,
        channel_account_id=account_id,
        contact_point_id=contact_point_id,
        client_id=author.key(),
        automatic=answer.automatic,
        delivery=Delivery.SENT.value if channel is Channel.CHAT else Delivery.QUEUED.value,
        send_after=_send_after(channel, answer, now),
        attachments=answer.attachments,
        meta=answer.meta,
    )
    appended = append(tx, ticket_id, entry, now=now, changes=_after_reply(ticket, answer, now))
    if author.user_id is not None:
        # Whoever answers has read what came before.
        mark_read(tx, ticket_id, author.user_id, appended.seq)
    return appended


def addressee(tx: Connection, ticket_id: int, answer: Reply) -> tuple[Row[Any], Channel, int]:
    """The ticket, locked, and the channel and contact point that an answer would go to; raises what `reply` raises."""
    ticket = _to_answer(tx, ticket_id, answer.contact_point_id)
    return ticket, *_whither(tx, ticket, answer)


def _whither(tx: Connection, ticket: Row[Any], answer: Reply) -> tuple[Channel, int]:
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to write to the customer.")
    if ticket.status in APART_STATUSES:
        raise Conflict(APART_REASONS[Status(ticket.status)])
    channel = answer.channel or Channel(ticket.channel)
    return channel, _recipient(tx, ticket, channel)


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
    check_text(text, attachments)
    ticket = access(tx, ticket_id, lock=True)
    known = already_written(tx, author)
    if known is not None:
        return known
    text, hidden = masking.hide_text(tx, text)
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
        meta=masking.mention(hidden),
    )
    appended = append(tx, ticket_id, entry, now=now)
    masking.keep(tx, appended.message_id, hidden, now=now)
    return appended


LOOKERS = (
    Ticket.id.label("ticket_id"),
    Ticket.queue_id,
    Ticket.assignee_id,
    Ticket.thread_key,
    Ticket.channel.label("ticket_channel"),
)
"""What `announce_change` wants to know of a message's ticket."""
_LOOKERS = select(*LOOKERS).where(Ticket.id == bindparam("ticket"))


def changed(tx: Connection, ticket_id: int, message_id: int, delivery: Delivery, *, now: datetime) -> None:
    """Announce that a message's delivery state is another one."""
    announce_change(tx, tx.execute(_LOOKERS, {"ticket": ticket_id}).one(), message_id, delivery, now=now)


def announce_change(tx: Connection, ticket: Any, message_id: int, delivery: Delivery, *, now: datetime) -> None:
    """The same for whoever has read the `LOOKERS` of the ticket already."""
    emit(
        tx,
        "message.updated",
        {"ticket_id": ticket.ticket_id, "message_id": message_id, "delivery": delivery.value},
        now=now,
        topics=topics_of(
            ticket.ticket_id,
            queue_id=ticket.queue_id,
            assignee_id=ticket.assignee_id,
            visit=ticket.thread_key if ticket.ticket_channel == Channel.CHAT.value else None,
        ),
    )


def check_text(text: str, files: Sequence[StoredFile] = ()) -> None:
    """Raise Invalid for an overlong text, or for an empty one without files."""
    if not text.strip() and not files:
        raise Invalid("Write something first.", field="text")
    if len(text) > MAX_TEXT:
        raise Invalid("This is longer than {most} characters. Attach it as a file.", field="text", most=MAX_TEXT)


_WRITTEN = (
    select(
        Message.id,
        Message.ticket_id,
        Message.seq,
        Message.public_seq,
        Ticket.queue_id,
        Ticket.assignee_id,
        Ticket.customer_id,
        Ticket.thread_key,
        Message.channel,
    )
    .join(Ticket, Ticket.id == Message.ticket_id)
    .where(Message.client_id == bindparam("key"))
)


def already_written(tx: Connection, author: Author) -> Appended | None:
    """What this client id wrote before, so that a repeated POST writes once; None for a new one."""
    key = author.key()
    if key is None:
        return None
    row = tx.execute(_WRITTEN, {"key": key}).first()
    return Appended(*row) if row else None


def _account(tx: Connection, ticket: Row[Any], channel: Channel) -> int | None:
    if channel.value == ticket.channel and ticket.channel_account_id is not None:
        account_id: int = ticket.channel_account_id
        return account_id
    return first_account(tx, channel, ticket.queue_id)


_FIRST_ACCOUNT = (
    select(ChannelAccount.id)
    .where(ChannelAccount.channel == bindparam("channel"), ChannelAccount.enabled)
    .order_by((ChannelAccount.queue_id == bindparam("queue")).desc(), ChannelAccount.id)
    .limit(1)
)


def first_account(tx: Connection, channel: Channel, queue_id: int) -> int | None:
    """The account to send from: the queue's own before any other of the channel."""
    account = {"channel": channel.value, "queue": queue_id}
    account_id: int | None = tx.execute(_FIRST_ACCOUNT, account).scalar_one_or_none()
    return account_id


CONTACT_KINDS = {
    Channel.EMAIL: ("email",),
    Channel.SMS: ("phone",),
    Channel.WHATSAPP: ("phone",),
    Channel.PHONE: ("phone",),
    Channel.CHAT: ("visitor", "email"),
    Channel.MESSAGING: ("handle",),
}


_WANTED = func.coalesce(bindparam("wanted", type_=BigInteger()), Ticket.contact_point_id)
_POINT = (ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.suppressed_reason)
# The ticket, locked, with the address that a reply most likely goes to.
_TO_ANSWER = (
    select(Ticket.__table__, *(column.label(f"point_{column.key}") for column in _POINT))
    .outerjoin(ContactPoint, ContactPoint.id == _WANTED)
    .where(Ticket.id == bindparam("ticket"))
    .with_for_update(of=Ticket)
)
_FIRST_POINT = (
    select(*(column.label(f"point_{column.key}") for column in _POINT))
    .where(
        ContactPoint.customer_id == bindparam("customer"),
        ContactPoint.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(ContactPoint.id)
    .limit(1)
)


def _to_answer(tx: Connection, ticket_id: int, contact_point_id: int | None) -> Row[Any]:
    row = tx.execute(_TO_ANSWER, {"ticket": ticket_id, "wanted": contact_point_id}).first()
    if row is None:
        raise NotFound("There is no such ticket.")
    return row


def _recipient(tx: Connection, ticket: Row[Any], channel: Channel) -> int:
    """The address that is written to: the chosen one or the ticket's, else the customer's first of that kind."""
    kinds = CONTACT_KINDS.get(channel, ())
    point: Any = ticket
    if ticket.point_kind not in kinds:
        point = tx.execute(_FIRST_POINT, {"customer": ticket.customer_id, "kinds": kinds}).first()
    if point is None:
        raise Invalid("The customer has no address for {channel}.", field="channel", channel=channel.value)
    if point.point_suppressed_reason is not None:
        raise Invalid(
            "Nothing can be sent to {address}: {reason}.",
            field="channel",
            address=point.point_value,
            reason=point.point_suppressed_reason,
        )
    contact_point_id: int = point.point_id
    return contact_point_id


def _send_after(channel: Channel, answer: Reply, now: datetime) -> datetime | None:
    if channel is Channel.CHAT:
        return None
    return now if answer.automatic or channel not in CAN_BE_TAKEN_BACK else now + answer.undo
