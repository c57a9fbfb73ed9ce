"""Messages change their ticket: one that landed in the wrong one, or several that are a matter of their own.

A seq is never given twice: where a message was, a "moved" entry takes its place and its numbers; at its new ticket it
gets new ones. The message itself keeps its id, its files, its delivery and its references.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit, emit_all
from contact_center.core.text import first_line
from tickets import lifecycle, standing
from tickets.intake import opened as opened_ticket
from tickets.merging import lock_both
from tickets.models import ExternalReference, Message, Ticket
from tickets.numbers import number_of
from tickets.states import APART_STATUSES, AuthorKind, Channel, MessageKind, Status
from tickets.timeline import Appended, add_event, announcement

MOVED = "moved"


def move(tx: Connection, message_id: int, to_ticket_id: int, *, user_id: int, now: datetime) -> int:
    """Put one message into another ticket of any customer; returns its seq there."""
    message = _message(tx, message_id)
    if message.ticket_id == to_ticket_id:
        raise Invalid("The message is in this ticket already.", field="ticket")
    source, target = lock_both(tx, message.ticket_id, to_ticket_id)
    if target.merged_into_id is not None or target.status in (Status.CLOSED, *APART_STATUSES):
        raise Conflict("This ticket is closed. Choose another one, or split the message off.")
    seq = _move(tx, message, target, user_id=user_id, now=now)
    for ticket in (source, target):
        standing.refresh(tx, ticket, now=now)
    _announce(tx, source, target, [message_id], user_id, now=now)
    return seq


def split(
    tx: Connection,
    ticket_id: int,
    message_ids: Sequence[int],
    *,
    subject: str,
    user_id: int,
    now: datetime,
    queue_id: int | None = None,
) -> int:
    """Make a ticket of its own out of some messages of a ticket; returns its id.

    When the customer's last message goes along, the thread goes with it: what they write next belongs to the new one.
    """
    if not subject.strip():
        raise Invalid("Say in a few words what it is about.", field="subject")
    source = lifecycle.access(tx, ticket_id, lock=True)
    messages = [_message(tx, message_id) for message_id in sorted(set(message_ids))]
    if not messages or any(message.ticket_id != ticket_id for message in messages):
        raise Invalid("Choose messages of this ticket.", field="messages")
    last_inbound = _last_inbound(tx, ticket_id)
    takes_thread = source.thread_key is not None and last_inbound in {message.id for message in messages}
    if takes_thread:
        tx.execute(update(Ticket).where(Ticket.id == ticket_id).values(thread_key=None))
    new_id = _split_off(tx, source, subject, takes_thread=takes_thread, queue_id=queue_id, now=now)
    values = {"from_ticket_id": ticket_id, "number": number_of(ticket_id), "messages": len(messages)}
    add_event(tx, new_id, "split", values, now=now, user_id=user_id)
    target = lifecycle.access(tx, new_id, lock=True)
    for message in messages:
        _move(tx, message, target, user_id=user_id, now=now)
    values = {"to_ticket_id": new_id, "number": number_of(new_id), "messages": len(messages)}
    appended = add_event(tx, ticket_id, "split", values, now=now, user_id=user_id)
    for ticket in (source, target):
        standing.refresh(tx, ticket, now=now)
    opened = Appended(
        appended.message_id,
        new_id,
        1,
        None,
        target.queue_id,
        None,
        target.customer_id,
        target.thread_key,
        target.channel,
    )
    # As nobody's own work: routing places it in its queue.
    emit_all(tx, [opened_ticket(opened, Channel(source.channel))], now=now)
    _announce(tx, source, target, [message.id for message in messages], user_id, now=now)
    return new_id


def _split_off(
    tx: Connection, source: Row[Any], subject: str, *, takes_thread: bool, queue_id: int | None, now: datetime
) -> int:
    """Insert a ticket beside the one that its messages come from."""
    new_id: int = tx.execute(
        insert(Ticket).returning(Ticket.id),
        {
            "subject": first_line(subject, 300),
            "status": Status.OPEN.value,
            "priority": source.priority,
            "kind": source.kind,
            "channel": source.channel,
            "channel_account_id": source.channel_account_id,
            "thread_key": source.thread_key if takes_thread else None,
            "queue_id": queue_id or source.queue_id,
            "customer_id": source.customer_id,
            "contact_point_id": source.contact_point_id,
            "locale": source.locale,
            "locale_share": source.locale_share,
            "created_at": now,
            "updated_at": now,
        },
    ).scalar_one()
    return new_id


def _message(tx: Connection, message_id: int) -> Row[Any]:
    row = tx.execute(select(Message.__table__).where(Message.id == message_id)).first()
    if row is None:
        raise NotFound("There is no such message.")
    if row.kind == MessageKind.EVENT.value:
        raise Invalid("Only messages, calls and notes can be moved.", field="messages")
    return row


def _move(tx: Connection, message: Row[Any], target: Row[Any], *, user_id: int, now: datetime) -> int:
    """Give the message its numbers at the target, leave a "moved" entry with its old ones."""
    public = message.public_seq is not None
    steps: dict[str, Any] = {"seq": Ticket.seq + 1, "updated_at": now}
    if public:
        steps["public_seq"] = Ticket.public_seq + 1
    numbers = tx.execute(
        update(Ticket).where(Ticket.id == target.id).values(**steps).returning(Ticket.seq, Ticket.public_seq)
    ).one()
    tx.execute(
        update(Message)
        .where(Message.id == message.id)
        .values(
            ticket_id=target.id,
            seq=numbers.seq,
            public_seq=numbers.public_seq if public else None,
            matched_by=MOVED,
        )
    )
    tx.execute(update(ExternalReference).where(ExternalReference.message_id == message.id).values(ticket_id=target.id))
    tx.execute(
        insert(Message),
        {
            "ticket_id": message.ticket_id,
            "seq": message.seq,
            "public_seq": message.public_seq,
            "kind": MessageKind.EVENT.value,
            "channel": message.channel,
            "author_kind": AuthorKind.AGENT.value,
            "user_id": user_id,
            "text": "",
            "automatic": False,
            "meta": {"name": MOVED, "to_ticket_id": target.id, "number": number_of(target.id), "kind": message.kind},
            "created_at": now,
        },
    )
    appended = Appended(
        message.id,
        target.id,
        numbers.seq,
        numbers.public_seq if public else None,
        target.queue_id,
        target.assignee_id,
        target.customer_id,
        target.thread_key,
        message.channel,
    )
    kind, automatic = MessageKind(message.kind), message.automatic
    created = announcement(appended, kind=kind, moves=False, automatic=automatic, user_id=message.user_id)
    emit_all(tx, [created], now=now)
    seq: int = numbers.seq
    return seq


def _last_inbound(tx: Connection, ticket_id: int) -> int | None:
    return tx.execute(
        select(Message.id)
        .where(Message.ticket_id == ticket_id, Message.kind == MessageKind.INBOUND.value)
        .order_by(Message.seq.desc())
        .limit(1)
    ).scalar_one_or_none()


def _announce(
    tx: Connection, source: Row[Any], target: Row[Any], message_ids: Sequence[int], user_id: int, *, now: datetime
) -> None:
    topics = [f"ticket:{source.id}", f"ticket:{target.id}", "lists"]
    if source.channel == Channel.CHAT.value and source.thread_key is not None:
        topics.append(f"visit:{source.thread_key}")
    emit(
        tx,
        "message.moved",
        {
            "ticket_id": target.id,
            "from_ticket_id": source.id,
            "message_ids": list(message_ids),
            "by_user_id": user_id,
        },
        now=now,
        topics=topics,
    )
