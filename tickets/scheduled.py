"""Replies that leave later: written now, said at their moment, held back when the customer writes before it.

Until its moment such a reply is no entry of the ticket: nobody was told anything, the customer waits, the clocks run.
A step of the timers' loop makes it one, as its author's, in one transaction with its end state: once, however many
workers there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnClause, Connection, Row, Text, bindparam, func, literal_column, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts.models import User
from contact_center.core.among import among
from contact_center.core.errors import Conflict, DomainError, Invalid, NotFound
from contact_center.core.events import Event, emit, together
from contact_center.core.i18n import mark
from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import insert_once
from tickets import lifecycle, replies, taking_back
from tickets.inbound import StoredFile
from tickets.models import ContactPoint, Message, partial_index, refers_to
from tickets.replies import CAN_BE_TAKEN_BACK, Author, Reply
from tickets.states import Channel, MessageKind, Status
from tickets.taking_back import TakenBack
from tickets.timeline import Appended, topics_of

LONGEST = timedelta(days=365)
# In the facts of a message: nobody need have been at their desk when it left.
SCHEDULED = "scheduled"
CUSTOMER_WROTE = mark("The customer has written since. Read it, then send or change your reply.")


class State(StrEnum):
    """`held`: its moment is off until a person looks; `taken_back`: into somebody's composer."""

    WAITING = "waiting"
    HELD = "held"
    SENT = "sent"
    TAKEN_BACK = "taken_back"


class ScheduledReply(Base):
    """A reply with the moment at which it leaves."""

    __tablename__ = "scheduled_replies"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    user_id: Mapped[int] = refers_to("users.id", index=False)
    channel: Mapped[str]
    contact_point_id: Mapped[int] = refers_to("contact_points.id", index=False)
    text: Mapped[str] = mapped_column(Text)
    # Stored files as JSON, in the form of tickets.inbound.StoredFile.
    files: Mapped[list[Any]]
    meta: Mapped[dict[str, Any]]
    send_at: Mapped[datetime]
    # The zone that the moment was chosen in: the customer's.
    zone: Mapped[str]
    state: Mapped[str]
    held_because: Mapped[str | None] = mapped_column(Text)
    # What the ticket held when a person last looked: an inbound message after it holds the reply back.
    seen_seq: Mapped[int]
    client_id: Mapped[str | None] = mapped_column(unique=True)
    message_id: Mapped[int | None] = refers_to("messages.id", nullable=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        partial_index("ix_scheduled_replies_due", "send_at", "id", where="state = 'waiting'"),
        partial_index("ix_scheduled_replies_open", "ticket_id", where="state IN ('waiting', 'held')"),
    )


def schedule(
    tx: Connection, ticket_id: int, answer: Reply, *, send_at: datetime, zone: str, author: Author, now: datetime
) -> int:
    """Keep a reply until `send_at`; a repeated client id gives the first one again. Returns its id.

    `then` in its facts is the status that the ticket gets when it leaves.
    """
    assert author.user_id is not None
    _check_moment(send_at, now)
    replies.check_text(answer.text, answer.attachments)
    ticket, channel, contact_point_id = replies.addressee(tx, ticket_id, answer)
    if channel not in CAN_BE_TAKEN_BACK:
        raise Invalid("Only e-mail and SMS can be sent later.", field="when")
    values = {
        "ticket_id": ticket_id,
        "user_id": author.user_id,
        "channel": channel.value,
        "contact_point_id": contact_point_id,
        "text": answer.text,
        "files": [asdict(file) for file in answer.attachments],
        "meta": dict(answer.meta),
        "send_at": send_at,
        "zone": zone,
        "state": State.WAITING.value,
        "seen_seq": ticket.seq,
        "client_id": author.key(),
        "created_at": now,
    }
    scheduled_id = insert_once(tx, ScheduledReply, key=["client_id"], values=values)
    if scheduled_id is None:
        return tx.execute(_BY_CLIENT, {"key": author.key()}).scalar_one()
    _tell(tx, ticket_id, scheduled_id, author.user_id, State.WAITING, now=now)
    return scheduled_id


def is_known(tx: Connection, author: Author) -> bool:
    """Whether this client id has scheduled a reply before."""
    return tx.execute(_BY_CLIENT, {"key": author.key()}).first() is not None


def move(tx: Connection, scheduled_id: int, *, send_at: datetime, now: datetime) -> int:
    """Choose another moment, also for one that was held back; returns the ticket's id."""
    _check_moment(send_at, now)
    row = _lock(tx, scheduled_id)
    ticket = lifecycle.access(tx, row.ticket_id)
    changes = {"state": State.WAITING.value, "held_because": None, "send_at": send_at, "seen_seq": ticket.seq}
    tx.execute(_SET, {"scheduled": scheduled_id, **changes})
    _tell(tx, row.ticket_id, scheduled_id, row.user_id, State.WAITING, now=now)
    return int(row.ticket_id)


def send_now(tx: Connection, scheduled_id: int, *, undo: timedelta, now: datetime) -> int:
    """Somebody has looked and says that it may leave; raises what a reply raises. Returns the ticket's id."""
    row = _lock(tx, scheduled_id)
    lifecycle.access(tx, row.ticket_id, lock=True)
    _release(tx, row, undo=undo, now=now)
    return int(row.ticket_id)


def take_back(tx: Connection, scheduled_id: int, *, user_id: int, now: datetime) -> TakenBack:
    """It does not leave: its text and files are this person's draft."""
    row = _lock(tx, scheduled_id)
    ticket = lifecycle.access(tx, row.ticket_id)
    tx.execute(_SET, {"scheduled": scheduled_id, "state": State.TAKEN_BACK.value})
    key = f"{row.channel}:{row.contact_point_id}"
    files = [StoredFile(**file) for file in row.files]
    back = taking_back.put_back(
        tx, row.ticket_id, user_id, key, row.text, files, meta=row.meta, seq=ticket.seq, now=now
    )
    _tell(tx, row.ticket_id, scheduled_id, row.user_id, State.TAKEN_BACK, now=now)
    return back


def send_next(tx: Connection, now: datetime) -> bool:
    """Send one reply whose moment has come, or hold it back with the reason; False when none is due.

    One to a transaction: two tickets are never locked at once.
    """
    row = tx.execute(_DUE, {"now": now}).first()
    if row is None:
        return False
    # The lock first: whoever writes to this ticket has committed before it, or comes after the reply.
    lifecycle.access(tx, row.ticket_id, lock=True)
    if tx.execute(_WROTE, {"ticket": row.ticket_id, "seen": row.seen_seq}).first() is not None:
        _hold(tx, row, CUSTOMER_WROTE, now=now)
        return True
    try:
        with tx.begin_nested():
            _release(tx, row, undo=timedelta(0), now=now)
    except DomainError as error:
        _hold(tx, row, error.message if not error.params else error.detail, now=now)
    return True


@together
def on_message_created(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """Handler of `message.created`: what the customer writes meanwhile holds the ticket's waiting replies back."""
    wrote: dict[int, int] = {}
    for told in (event.payload for event in events):
        if told["kind"] == MessageKind.INBOUND.value and not told.get("automatic"):
            wrote[told["ticket_id"]] = max(told["seq"], wrote.get(told["ticket_id"], 0))
    for row in tx.execute(_WAITING, {"tickets": wrote}).all() if wrote else ():
        if row.seen_seq < wrote[row.ticket_id]:
            _hold(tx, row, CUSTOMER_WROTE, now=now)


def ticket_of(tx: Connection, scheduled_id: int) -> int:
    """The ticket that it belongs to."""
    ticket_id: int | None = tx.execute(_TICKET_OF, {"scheduled": scheduled_id}).scalar_one_or_none()
    if ticket_id is None:
        raise NotFound("There is no such message.")
    return ticket_id


def open_of(tx: Connection, ticket_id: int) -> Sequence[Row[Any]]:
    """What waits or is held on a ticket, with author and recipient, soonest first."""
    return tx.execute(_OPEN_OF, {"ticket": ticket_id}).all()


def _check_moment(send_at: datetime, now: datetime) -> None:
    if not now < send_at <= now + LONGEST:
        raise Invalid("Choose a moment in the future.", field="when")


def _lock(tx: Connection, scheduled_id: int) -> Row[Any]:
    row = tx.execute(_LOCK, {"scheduled": scheduled_id}).first()
    if row is None:
        raise NotFound("There is no such message.")
    if row.state == State.SENT.value:
        raise Conflict("This message has already been sent.")
    if row.state == State.TAKEN_BACK.value:
        raise Conflict("Somebody has taken this reply back already.")
    return row


def _release(tx: Connection, row: Row[Any], *, undo: timedelta, now: datetime) -> Appended:
    answer = Reply(
        row.text,
        channel=Channel(row.channel),
        contact_point_id=row.contact_point_id,
        attachments=tuple(StoredFile(**file) for file in row.files),
        undo=undo,
        meta={**row.meta, SCHEDULED: True},
    )
    # The client id is the second proof, beside the row's state, that it is written once.
    author = Author(row.user_id, f"scheduled-{row.id}")
    sent = replies.reply(tx, row.ticket_id, answer, author=author, now=now)
    tx.execute(_SET, {"scheduled": row.id, "state": State.SENT.value, "message_id": sent.message_id})
    _tell(tx, row.ticket_id, row.id, row.user_id, State.SENT, now=now)
    if row.meta.get("then"):
        lifecycle.set_status(tx, row.ticket_id, Status(row.meta["then"]), user_id=row.user_id, now=now)
    return sent


def _hold(tx: Connection, row: Row[Any], because: str, *, now: datetime) -> None:
    tx.execute(_SET, {"scheduled": row.id, "state": State.HELD.value, "held_because": because})
    _tell(tx, row.ticket_id, row.id, row.user_id, State.HELD, now=now)


def _tell(tx: Connection, ticket_id: int, scheduled_id: int, user_id: int, state: State, *, now: datetime) -> None:
    """`user_id` is who wrote it."""
    ticket = lifecycle.access(tx, ticket_id)
    payload: Mapping[str, Any] = {
        "scheduled_id": scheduled_id,
        "ticket_id": ticket_id,
        "user_id": user_id,
        "state": state.value,
    }
    topics = topics_of(ticket_id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id)
    emit(tx, "reply.schedule_changed", payload, now=now, topics=topics)


# Literal, so that both databases can prove that the partial indexes hold what is asked for.
_IS_WAITING: ColumnClause[str] = literal_column(f"'{State.WAITING.value}'")
_IS_OPEN: Sequence[ColumnClause[str]] = (_IS_WAITING, literal_column(f"'{State.HELD.value}'"))
_BY_CLIENT = select(ScheduledReply.id).where(ScheduledReply.client_id == bindparam("key"))
_TICKET_OF = select(ScheduledReply.ticket_id).where(ScheduledReply.id == bindparam("scheduled"))
_LOCK = select(ScheduledReply.__table__).where(ScheduledReply.id == bindparam("scheduled")).with_for_update()
_DUE = (
    select(ScheduledReply.__table__)
    .where(ScheduledReply.state == _IS_WAITING, ScheduledReply.send_at <= bindparam("now"))
    .order_by(ScheduledReply.send_at, ScheduledReply.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_WAITING = (
    select(ScheduledReply.__table__)
    .where(among(ScheduledReply.ticket_id, "tickets"), ScheduledReply.state == _IS_WAITING)
    .order_by(ScheduledReply.id)
    .with_for_update()
)
_WROTE = (
    select(Message.id)
    .where(
        Message.ticket_id == bindparam("ticket"),
        Message.seq > bindparam("seen"),
        Message.kind == MessageKind.INBOUND.value,
        Message.automatic.is_(False),
    )
    .limit(1)
)
# SET takes whatever columns the parameters name.
_SET = update(ScheduledReply).where(ScheduledReply.id == bindparam("scheduled", type_=BigInteger()))
# When the customer wrote last by WhatsApp, which takes free text for a day after that.
_WROTE_AT = (
    select(func.max(Message.created_at))
    .where(
        Message.ticket_id == ScheduledReply.ticket_id,
        Message.channel == ScheduledReply.channel,
        Message.contact_point_id == ScheduledReply.contact_point_id,
        Message.kind == MessageKind.INBOUND.value,
    )
    .correlate(ScheduledReply)
    .scalar_subquery()
)
_OPEN_OF = (
    select(
        ScheduledReply.__table__,
        User.name.label("author"),
        ContactPoint.kind.label("to_kind"),
        _WROTE_AT.label("wrote_at"),
        ContactPoint.value.label("to"),
    )
    .join(User, User.id == ScheduledReply.user_id)
    .join(ContactPoint, ContactPoint.id == ScheduledReply.contact_point_id)
    .where(ScheduledReply.ticket_id == bindparam("ticket"), ScheduledReply.state.in_(_IS_OPEN))
    .order_by(ScheduledReply.send_at, ScheduledReply.id)
)
