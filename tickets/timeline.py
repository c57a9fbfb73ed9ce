"""Entries of a ticket: the only place that numbers and inserts messages (the hot path has its own statement)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from contact_center.core.errors import NotFound
from contact_center.core.events import Announcement, emit_all
from contact_center.core.schema import clean_json
from contact_center.core.text import first_line, gist
from tickets.inbound import StoredFile
from tickets.models import Attachment, Message, Ticket
from tickets.states import AuthorKind, Channel, MessageKind

PREVIEW_LENGTH = 140


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to append. `public`: whether the customer sees it (then it also counts in public_seq)."""

    kind: MessageKind
    author_kind: AuthorKind
    text: str
    public: bool
    # None: the ticket's own.
    channel: str | None = None
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
    channel: str


# Queue, owner, status: where lists and counters have a ticket.
PLACE = frozenset({"queue_id", "assignee_id", "status"})
# SET takes whatever other columns the parameters name.
_NUMBER = (
    update(Ticket)
    .where(Ticket.id == bindparam("ticket"))
    .values(
        seq=Ticket.seq + 1,
        public_seq=Ticket.public_seq + bindparam("public_step"),
        version=Ticket.version + bindparam("version_step"),
    )
    .returning(
        Ticket.seq,
        Ticket.public_seq,
        Ticket.queue_id,
        Ticket.assignee_id,
        Ticket.customer_id,
        Ticket.thread_key,
        Ticket.channel,
    )
)
INSERT_MESSAGE = insert(Message).returning(Message.id)
_INSERT_FILE = insert(Attachment)


def append(
    tx: Connection,
    ticket_id: int,
    entry: Entry,
    *,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    also: Sequence[Announcement] = (),
) -> Appended:
    """Number and insert an entry and announce `message.created` and what it is `also` called.

    `changes` are other columns of the ticket with their plain values; those of an event count as a new version of it.
    """
    steps = {"updated_at": now, **(changes or {})}
    # Lists show what people said, not our own receipts and surveys.
    if entry.kind is not MessageKind.EVENT and not (entry.automatic and entry.kind is MessageKind.OUTBOUND):
        steps.setdefault("preview", _preview(entry))
    steps |= {
        "ticket": ticket_id,
        "public_step": int(entry.public),
        "version_step": int(entry.kind is MessageKind.EVENT and bool(changes)),
    }
    ticket = tx.execute(_NUMBER, steps).first()
    if ticket is None:
        raise NotFound("There is no such ticket.")
    public_seq = ticket.public_seq if entry.public else None
    channel = entry.channel or ticket.channel
    values = message_values(ticket_id, entry, channel=channel, seq=ticket.seq, public_seq=public_seq, now=now)
    message_id = tx.execute(INSERT_MESSAGE, values).scalar_one()
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
        channel,
    )
    moves = ticket.seq == 1 or (changes is not None and not PLACE.isdisjoint(changes))
    local = {**values, "id": message_id, "attachments": entry.attachments}
    created = announcement(
        appended,
        kind=entry.kind,
        moves=moves,
        automatic=entry.automatic,
        user_id=entry.user_id,
        name=entry.meta["name"] if entry.kind is MessageKind.EVENT else None,
        local=local,
    )
    emit_all(tx, [created, *also], now=now)
    return appended


def _preview(entry: Entry) -> str:
    """What lists show of an entry: its first line, else the name of its first file."""
    line = gist(entry.text, PREVIEW_LENGTH)
    return line or first_line(entry.attachments[0].filename if entry.attachments else "", PREVIEW_LENGTH)


def message_values(
    ticket_id: int, entry: Entry, *, channel: str, seq: int, public_seq: int | None, now: datetime
) -> dict[str, Any]:
    """The columns of a message row."""
    return {
        "ticket_id": ticket_id,
        "seq": seq,
        "public_seq": public_seq,
        "kind": entry.kind.value,
        "channel": channel,
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


def announcement(
    appended: Appended,
    *,
    kind: MessageKind,
    moves: bool,
    automatic: bool = False,
    user_id: int | None = None,
    name: str | None = None,
    local: Mapping[str, Any] | None = None,
) -> Announcement:
    """The event `message.created`, to everybody who looks at the ticket, its queue, its owner or its visit.

    Whom an entry does not concern sees it from this alone and need not look: `name` is that of an event entry,
    `moves` is whether the ticket's queue, owner or status may be others than before.
    """
    seen_by_visitor = appended.channel == Channel.CHAT.value and appended.public_seq is not None
    return Announcement(
        "message.created",
        {
            "ticket_id": appended.ticket_id,
            "message_id": appended.message_id,
            "seq": appended.seq,
            "public_seq": appended.public_seq,
            "kind": kind.value,
            "name": name,
            "automatic": automatic,
            "user_id": user_id,
            "channel": appended.channel,
            "queue_id": appended.queue_id,
            "assignee_id": appended.assignee_id,
            "customer_id": appended.customer_id,
            "moves": moves,
        },
        topics_of(
            appended.ticket_id,
            queue_id=appended.queue_id,
            assignee_id=appended.assignee_id,
            visit=appended.thread_key if seen_by_visitor else None,
        ),
        local,
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
    also: Sequence[Announcement] = (),
) -> Appended:
    """A thin line in the timeline ("status changed to …"): `name` and `values`, put into words when shown."""
    entry = Entry(
        kind=MessageKind.EVENT,
        author_kind=AuthorKind.AGENT if user_id else AuthorKind.SYSTEM,
        user_id=user_id,
        text="",
        public=public,
        automatic=user_id is None,
        meta={"name": name, **values},
    )
    return append(tx, ticket_id, entry, now=now, changes=changes, also=also)


def add_files(tx: Connection, message_id: int, files: Sequence[StoredFile]) -> None:
    """Attach stored files to a message."""
    if files:
        tx.execute(
            _INSERT_FILE,
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
