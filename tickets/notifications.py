"""What happened to a person: given work, mentioned, answered, passed over. Written by handlers, read in a menu.

A customer's messages on one ticket are one notification until it is read. Live chats make none: whoever has one
has it before their eyes.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Index, UniqueConstraint, bindparam, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts.models import User
from contact_center.core.events import Event, poke
from contact_center.core.schema import Base, BigId, id_column
from contact_center.core.text import fold
from contact_center.core.upsert import insert_once
from tickets.models import ChannelAccount, Customer, Message, Ticket, TicketRead, partial_index, refers_to
from tickets.scheduled import State
from tickets.states import AssignmentReason, Channel, MessageKind

KEPT = timedelta(days=60)
RECENT = 30
# Ways of getting work that one has not chosen in that moment.
GIVEN = frozenset(
    {AssignmentReason.ASSIGNED, AssignmentReason.TRANSFERRED, AssignmentReason.AUTO, AssignmentReason.FOLLOW_UP}
)
# A mention is a name after "@"; longer names first, so that "@Anna Berg" is not "@Anna".
SIGN = "@"


class What(StrEnum):
    """What happened."""

    ASSIGNED = "assigned"
    REASSIGNED = "reassigned"
    REPLIED = "replied"
    MENTIONED = "mentioned"
    MISSED = "missed"
    HELD = "held"
    # Of a channel account, not of a ticket.
    SILENT = "silent"
    FAILING = "failing"
    WELL = "well"


class Notification(Base):
    """One line of a person's menu; unread until `read_at`."""

    __tablename__ = "notifications"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = refers_to("users.id", index=False)
    # The fact behind it; events are deleted after some days, so it is no foreign key.
    event_id: Mapped[int] = mapped_column(BigId)
    what: Mapped[str]
    # What it is about: a ticket, or a channel account.
    ticket_id: Mapped[int | None] = refers_to("tickets.id", nullable=True, index=False)
    channel_account_id: Mapped[int | None] = refers_to("channel_accounts.id", nullable=True, index=False)
    by_user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    # How many messages of the customer it stands for.
    messages: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),
        Index("ix_notifications_user", "user_id", "created_at"),
        partial_index("ix_notifications_unread", "user_id", "ticket_id", where="read_at IS NULL"),
    )


def on_ticket_assigned(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.assigned`: tells who got it without asking for it, and who lost it."""
    given, user_id, before = event.payload, event.payload["user_id"], event.payload["previous_user_id"]
    by = given.get("by_user_id")
    if given["reason"] in GIVEN and user_id not in (by, before):
        _tell(tx, event, user_id, What.ASSIGNED, by=by)
    if before is not None and before not in (by, user_id):
        _tell(tx, event, before, What.REASSIGNED, by=by or user_id)


def on_ticket_unassigned(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `ticket.unassigned`: tells whose work went back to the queue without their doing."""
    user_id, by = event.payload["user_id"], event.payload.get("by_user_id")
    if by != user_id and event.payload["reason"] not in ("merged", "spam"):
        _tell(tx, event, user_id, What.REASSIGNED, by=by)


def on_offer_missed(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `offer.missed`."""
    _tell(tx, event, event.payload["agent_id"], What.MISSED, by=None)


def on_message_created(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `message.created`: the customer answered on one's own ticket, or a note names somebody."""
    told = event.payload
    if told["kind"] == MessageKind.NOTE.value:
        _mentions(tx, event)
    elif (
        told["kind"] == MessageKind.INBOUND.value
        and told["assignee_id"] is not None
        and told["channel"] != Channel.CHAT.value
        and not told.get("automatic")
    ):
        _replied(tx, event)


def on_schedule_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `reply.schedule_changed`: a reply did not leave at its moment, or will not."""
    if event.payload["state"] == State.HELD.value:
        _tell(tx, event, event.payload["user_id"], What.HELD, by=None)


_READ_UP_TO = select(TicketRead.seq).where(
    TicketRead.ticket_id == bindparam("ticket"), TicketRead.user_id == bindparam("user")
)
_ONE_MORE = (
    update(Notification)
    .where(
        Notification.user_id == bindparam("user"),
        Notification.ticket_id == bindparam("ticket"),
        Notification.what == What.REPLIED.value,
        Notification.read_at.is_(None),
        Notification.event_id < bindparam("event"),
    )
    .values(event_id=bindparam("event"), messages=Notification.messages + 1)
)


def _replied(tx: Connection, event: Event) -> None:
    user_id, ticket_id = event.payload["assignee_id"], event.payload["ticket_id"]
    read = tx.execute(_READ_UP_TO, {"ticket": ticket_id, "user": user_id}).scalar_one_or_none()
    if (read or 0) >= event.payload["seq"]:
        return
    own = {"ticket": ticket_id, "user": user_id}
    more = tx.execute(_ONE_MORE, {**own, "event": event.id, "created_at": event.created_at})
    if not more.rowcount:
        _tell(tx, event, user_id, What.REPLIED, by=None)


def _mentions(tx: Connection, event: Event) -> None:
    note = tx.execute(select(Message.text, Message.user_id).where(Message.id == event.payload["message_id"])).first()
    if note is None or SIGN not in note.text:
        return
    people = tx.execute(select(User.id, User.name).where(User.active)).all()
    for user_id in mentioned(note.text, people):
        if user_id != note.user_id:
            _tell(tx, event, user_id, What.MENTIONED, by=note.user_id)


def mentioned(text: str, people: Sequence[Any]) -> list[int]:
    """The ids of those (with `id` and `name`) whom "@name" or an unmistakable "@first name" calls.

    Accents may be left out where that leaves one person: "@nguyen thao" is Nguyễn Thảo, unless there is a Nguyen Thao.
    """
    said, folded = text.casefold(), fold(text)
    firsts = [person.name.casefold().partition(" ")[0] for person in people]
    plain, plain_firsts = [fold(person.name) for person in people], [fold(first) for first in firsts]
    found: list[int] = []
    for at, person in enumerate(people):
        exact = [person.name.casefold(), *_if_one(firsts, at)]
        loose = [*_if_one(plain, at), *_if_one(plain_firsts, at)]
        if _is_called(said, exact) or _is_called(folded, loose):
            found.append(person.id)
    return found


def _if_one(names: Sequence[str], at: int) -> list[str]:
    """A name that nobody else has."""
    return [names[at]] if names.count(names[at]) == 1 else []


def _is_called(text: str, names: Sequence[str]) -> bool:
    return any(_called(text, f"{SIGN}{name}") for name in names if name)


def _called(text: str, name: str) -> bool:
    """Whether a mention stands there as a whole word."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        if not (at and text[at - 1].isalnum()) and not (end < len(text) and text[end].isalnum()):
            return True
        at = text.find(name, end)
    return False


def tell_of_account(tx: Connection, event: Event, user_ids: Iterable[int], what: What) -> None:
    """Tell people what became of the channel account of an event."""
    for user_id in user_ids:
        _tell(tx, event, user_id, what, by=None)


def _tell(tx: Connection, event: Event, user_id: int, what: What, *, by: int | None) -> None:
    ticket_id = event.payload.get("ticket_id")
    values = {
        "user_id": user_id,
        "event_id": event.id,
        "what": what.value,
        "ticket_id": ticket_id,
        "channel_account_id": event.payload["account_id"] if ticket_id is None else None,
        "by_user_id": by,
        "messages": 1,
        "created_at": event.created_at,
        "read_at": None,
    }
    if insert_once(tx, Notification, key=["user_id", "event_id"], values=values) is not None:
        _poke(tx, user_id)


# Built once: it runs for every change of what is somebody's own.
UNREAD = (
    select(func.count())
    .select_from(Notification)
    .where(Notification.user_id == bindparam("user"), Notification.read_at.is_(None))
)


def unread(tx: Connection, user_id: int) -> int:
    """How many notifications wait."""
    return tx.execute(UNREAD, {"user": user_id}).scalar_one()


def recent(tx: Connection, user_id: int, *, limit: int = RECENT) -> Sequence[Any]:
    """The newest notifications, each with its ticket's subject and customer or its account, and who did it."""
    return tx.execute(
        select(
            Notification.id,
            Notification.what,
            Notification.ticket_id,
            Notification.messages,
            Notification.created_at,
            Notification.read_at,
            Ticket.subject,
            Ticket.channel,
            Customer.name.label("customer"),
            User.name.label("by_name"),
            Notification.channel_account_id,
            ChannelAccount.name.label("account"),
            ChannelAccount.address,
        )
        .outerjoin(Ticket, Ticket.id == Notification.ticket_id)
        .outerjoin(ChannelAccount, ChannelAccount.id == Notification.channel_account_id)
        .outerjoin(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(User, User.id == Notification.by_user_id)
        .where(Notification.user_id == user_id)
        .order_by(Notification.created_at.desc(), Notification.id.desc())
        .limit(limit)
    ).all()


def mark_read(tx: Connection, user_id: int, *, now: datetime, ticket_id: int | None = None) -> None:
    """The person has seen them: all, or those of one ticket."""
    mine = [Notification.user_id == user_id, Notification.read_at.is_(None)]
    if ticket_id is not None:
        mine.append(Notification.ticket_id == ticket_id)
    if tx.execute(update(Notification).where(*mine).values(read_at=now)).rowcount:
        _poke(tx, user_id)


def purge(tx: Connection, now: datetime) -> int:
    """Forget what is older than `KEPT`; returns how many."""
    return tx.execute(delete(Notification).where(Notification.created_at < now - KEPT)).rowcount


def _poke(tx: Connection, user_id: int) -> None:
    poke(tx, f"user:{user_id}", name="notifications.changed", payload={}, relay=False)
