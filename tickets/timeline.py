"""Entries of a ticket: the only place that numbers and inserts messages (the hot path has its own statement)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from contact_center.core.errors import NotFound
from contact_center.core.events import emit
from contact_center.core.schema import clean_json
from contact_center.core.text import first_line
from tickets.inbound import StoredFile
from tickets.models import Attachment, Message, Ticket
from tickets.states import AuthorKind, MessageKind

PREVIEW_LENGTH = 140


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to append. `public`: whether the customer sees it (then it also counts in public_seq)."""

    kind: MessageKind
    channel: str
    author_kind: AuthorKind
    text: str
    public: bool
    user_id: int | None = None
    subject: str = ""
    quoted: str = ""
    html: str | None = None
    channel_account_id: int | None = None
    contact_point_id: int | None = None
    external_id: str | None = None
    client_id: str | None = None
    journal_id: int | None = None
    matched_by: str | None = None
    automatic: bool = False
    delivery: str | None = None
    send_after: datetime | None = None
    attachments: tuple[StoredFile, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry landed, and what the ticket looked like then."""

    message_id: int
    ticket_id: int
    seq: int
    public_seq: int | None
    queue_id: int
    assignee_id: int | None
    customer_id: int
    thread_key: str | None


def append(
    tx: Connection, ticket_id: int, entry: Entry, *, now: datetime, changes: Mapping[str, Any] | None = None
) -> Appended:
    """Number and insert an entry and announce `message.created`; `changes` are other columns of the ticket."""
    steps: dict[str, Any] = {"seq": Ticket.seq + 1, "updated_at": now, **(changes or {})}
    if entry.public:
        steps["public_seq"] = Ticket.public_seq + 1
    # Lists show what people said, not our own receipts and surveys.
    if entry.kind is not MessageKind.EVENT and not (entry.automatic and entry.kind is MessageKind.OUTBOUND):
        steps.setdefault("preview", first_line(entry.text, PREVIEW_LENGTH))
    ticket = tx.execute(
        update(Ticket)
        .where(Ticket.id == ticket_id)
        .values(**steps)
        .returning(
            Ticket.seq,
            Ticket.public_seq,
            Ticket.queue_id,
            Ticket.assignee_id,
            Ticket.customer_id,
            Ticket.thread_key,
        )
    ).first()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    public_seq = ticket.public_seq if entry.public else None
    values = message_values(ticket_id, entry, seq=ticket.seq, public_seq=public_seq, now=now)
    message_id = tx.execute(insert(Message).returning(Message.id), values).scalar_one()
    add_files(tx, message_id, entry.attachments)
    appended = Appended(
        message_id,
        ticket_id,
        ticket.seq,
        public_seq,
        ticket.queue_id,
        ticket.assignee_id,
        ticket.customer_id,
        ticket.thread_key,
    )
    announce(
        tx,
        appended,
        entry.kind,
        entry.channel,
        now=now,
        local={**values, "id": message_id, "attachments": entry.attachments},
    )
    return appended


def message_values(ticket_id: int, entry: Entry, *, seq: int, public_seq: int | None, now: datetime) -> dict[str, Any]:
    """The columns of a message row."""
    return {
        "ticket_id": ticket_id,
        "seq": seq,
        "public_seq": public_seq,
        "kind": entry.kind.value,
        "channel": entry.channel,
        "channel_account_id": entry.channel_account_id,
        "author_kind": entry.author_kind.value,
        "user_id": entry.user_id,
        "contact_point_id": entry.contact_point_id,
        "subject": entry.subject,
        "text": entry.text,
        "quoted": entry.quoted,
        "html": entry.html,
        "external_id": entry.external_id,
        "client_id": entry.client_id,
        "journal_id": entry.journal_id,
        "matched_by": entry.matched_by,
        "automatic": entry.automatic,
        "delivery": entry.delivery,
        "delivery_error": None,
        "send_after": entry.send_after,
        "meta": clean_json(dict(entry.meta)),
        "created_at": now,
    }


def announce(
    tx: Connection,
    appended: Appended,
    kind: MessageKind,
    channel: str,
    *,
    now: datetime,
    local: Mapping[str, Any] | None = None,
) -> None:
    """The event `message.created`, to everybody who looks at the ticket, its queue, its owner or its visit."""
    emit(
        tx,
        "message.created",
        {
            "ticket_id": appended.ticket_id,
            "message_id": appended.message_id,
            "seq": appended.seq,
            "public_seq": appended.public_seq,
            "kind": kind.value,
            "channel": channel,
            "queue_id": appended.queue_id,
            "assignee_id": appended.assignee_id,
            "customer_id": appended.customer_id,
        },
        now=now,
        topics=topics_of(
            appended.ticket_id,
            queue_id=appended.queue_id,
            assignee_id=appended.assignee_id,
            visit=appended.thread_key if channel == "chat" and appended.public_seq is not None else None,
        ),
        local=local,
    )


def topics_of(ticket_id: int, *, queue_id: int, assignee_id: int | None = None, visit: str | None = None) -> list[str]:
    """Who looks: the ticket, lists (one topic for all), the owner, and the customer's visit if it concerns them."""
    topics = [f"ticket:{ticket_id}", "lists", f"queue:{queue_id}"]
    if assignee_id is not None:
        topics.append(f"user:{assignee_id}")
    if visit is not None:
        topics.append(f"visit:{visit}")
    return topics


def add_event(
    tx: Connection,
    ticket_id: int,
    name: str,
    values: Mapping[str, Any],
    *,
    now: datetime,
    user_id: int | None = None,
    public: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> Appended:
    """A thin line in the timeline ("status changed to …"): `name` and `values`, put into words when shown."""
    channel = tx.execute(select(Ticket.channel).where(Ticket.id == ticket_id)).scalar_one_or_none()
    if channel is None:
        raise NotFound("There is no such ticket.")
    entry = Entry(
        kind=MessageKind.EVENT,
        channel=channel,
        author_kind=AuthorKind.AGENT if user_id else AuthorKind.SYSTEM,
        user_id=user_id,
        text="",
        public=public,
        automatic=user_id is None,
        meta={"name": name, **values},
    )
    return append(tx, ticket_id, entry, now=now, changes=changes)


def add_files(tx: Connection, message_id: int, files: Sequence[StoredFile]) -> None:
    """Attach stored files to a message."""
    if files:
        tx.execute(
            insert(Attachment),
            [
                {
                    "message_id": message_id,
                    "digest": file.digest,
                    "filename": file.filename,
                    "content_type": file.content_type,
                    "size": file.size,
                    "inline": file.inline,
                    "content_id": file.content_id,
                }
                for file in files
            ],
        )
