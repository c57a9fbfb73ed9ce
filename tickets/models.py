"""The tables of customer conversations. Use-case modules beside this one are the only writers."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, false
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column

# Literal in partial indexes and in the hot statements: both databases must prove that a query implies the index.
OPEN_THREAD = "thread_key IS NOT NULL AND status NOT IN ('resolved', 'closed')"
UNCERTAIN = "delivery = 'uncertain'"
WHATSAPP_INBOUND = "channel = 'whatsapp' AND kind = 'inbound'"


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that match `where`, on both databases."""
    return Index(name, *columns, unique=unique, postgresql_where=sql(where), sqlite_where=sql(where))


def refers_to(target: str, *, nullable: bool = False, index: bool = True, ondelete: str | None = None) -> Any:
    """A foreign key column."""
    return mapped_column(BigId, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index)


class ChannelAccount(Base):
    """One configured mailbox, number, chat widget or phone line."""

    __tablename__ = "channel_accounts"

    id: Mapped[int] = id_column()
    channel: Mapped[str]
    name: Mapped[str]
    # What customers write to: an e-mail address, a number; for a widget its public key.
    address: Mapped[str]
    # The unguessable part of our webhook's address, /hooks/{kind}/{key}.
    key: Mapped[str] = mapped_column(unique=True)
    queue_id: Mapped[int] = refers_to("queues.id")
    settings: Mapped[dict[str, Any]]
    # Fernet-encrypted JSON (passwords, tokens); opened by tickets.channel_accounts only.
    secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    enabled: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]
    last_error: Mapped[str | None]

    __table_args__ = (UniqueConstraint("channel", "address"), UniqueConstraint("name"))


class Queue(Base):
    """Where work waits: its policy, hours and service level."""

    __tablename__ = "queues"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    locale: Mapped[str] = mapped_column(default="en")
    calendar_id: Mapped[int | None] = refers_to("calendars.id", nullable=True)
    sla_policy_id: Mapped[int | None] = refers_to("sla_policies.id", nullable=True)
    # Answered within target_seconds for target_share percent: the service level of live work, e.g. 80/20.
    target_share: Mapped[int] = mapped_column(default=80)
    target_seconds: Mapped[int] = mapped_column(default=20)
    acknowledge: Mapped[bool] = mapped_column(default=True)
    survey: Mapped[bool] = mapped_column(default=True)
    signature: Mapped[str] = mapped_column(Text, default="")
    # Owned by routing: acceptance, steps, overflow, credit, wrap-up. See routing.models for its shape.
    routing: Mapped[dict[str, Any]]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Calendar(Base):
    """Business hours: zone, weekly windows and holidays, in the JSON form of tickets.hours."""

    __tablename__ = "calendars"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    definition: Mapped[dict[str, Any]]


class SlaPolicy(Base):
    """Targets per priority, in the JSON form of tickets.sla."""

    __tablename__ = "sla_policies"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    definition: Mapped[dict[str, Any]]


class Topic(Base):
    """A contact reason; two levels."""

    __tablename__ = "topics"

    id: Mapped[int] = id_column()
    parent_id: Mapped[int | None] = refers_to("topics.id", nullable=True)
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (UniqueConstraint("parent_id", "name"),)


def _when_created(row: Any) -> datetime:
    at: datetime = row.get_current_parameters()["created_at"]
    return at


class Customer(Base):
    """A person who contacts us."""

    __tablename__ = "customers"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(default="")
    # Folded name and addresses for search; kept by tickets.customers.
    search: Mapped[str] = mapped_column(Text, default="")
    company: Mapped[str] = mapped_column(default="")
    locale: Mapped[str | None]
    timezone: Mapped[str | None]
    vip: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")
    external_id: Mapped[str | None] = mapped_column(unique=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    merged_into_id: Mapped[int | None] = refers_to("customers.id", nullable=True, index=False)
    created_at: Mapped[datetime]
    # The order of the customers' list: the last contact, and until there is one when they became known. The channel
    # is NULL until then; `tickets.customers.last_contact` keeps both.
    listed_at: Mapped[datetime] = mapped_column(default=_when_created)
    last_channel: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        partial_index("ix_customers_listed", "listed_at", "id", where="merged_into_id IS NULL"),
        partial_index("ix_customers_merged_into_id", "merged_into_id", where="merged_into_id IS NOT NULL"),
    )


class ContactPoint(Base):
    """One address of a customer: e-mail, phone number, visitor id."""

    __tablename__ = "contact_points"

    id: Mapped[int] = id_column()
    customer_id: Mapped[int] = refers_to("customers.id")
    kind: Mapped[str]
    value: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    verified_at: Mapped[datetime | None]
    # Since when it is theirs as far as we know; NULL: somebody only typed it (`tickets.customers.on_file`).
    on_file_at: Mapped[datetime | None]
    # Nothing is sent to a suppressed address; the reason is shown (hard bounce, opted out, not this person).
    suppressed_at: Mapped[datetime | None]
    suppressed_reason: Mapped[str | None]
    # What colleagues know of a phone number; see `tickets.customers.number_flags`.
    flag: Mapped[str | None]
    flag_note: Mapped[str | None]
    flagged_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    flagged_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("kind", "value"),)


class Ticket(Base):
    """One customer matter. Its public number is `tickets.numbers.number_of(id)`."""

    __tablename__ = "tickets"

    id: Mapped[int] = id_column()
    subject: Mapped[str] = mapped_column(default="")
    status: Mapped[str]
    hold_reason: Mapped[str | None]
    priority: Mapped[str] = mapped_column(default="medium")
    kind: Mapped[str] = mapped_column(default="question")
    channel: Mapped[str]
    channel_account_id: Mapped[int | None] = refers_to("channel_accounts.id", nullable=True, index=False)
    thread_key: Mapped[str | None]
    queue_id: Mapped[int] = refers_to("queues.id", index=False)
    topic_id: Mapped[int | None] = refers_to("topics.id", nullable=True, index=False)
    assignee_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    customer_id: Mapped[int] = refers_to("customers.id")
    contact_point_id: Mapped[int | None] = refers_to("contact_points.id", nullable=True)
    # The customer's language; how sure their words made us of it, 0 to 1, NULL if their channel or a person said it.
    locale: Mapped[str | None]
    locale_share: Mapped[float | None]
    # Entries so far: seq counts what agents see, public_seq what the customer sees. Neither has gaps.
    seq: Mapped[int] = mapped_column(default=0)
    public_seq: Mapped[int] = mapped_column(default=0)
    preview: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    last_inbound_at: Mapped[datetime | None]
    last_outbound_at: Mapped[datetime | None]
    # Since when the customer waits for an answer; NULL when it is their turn.
    waiting_since: Mapped[datetime | None]
    first_response_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    closed_at: Mapped[datetime | None]
    reopened: Mapped[int] = mapped_column(default=0)
    follows_up_id: Mapped[int | None] = refers_to("tickets.id", nullable=True, index=False)
    parent_id: Mapped[int | None] = refers_to("tickets.id", nullable=True, index=False)
    merged_into_id: Mapped[int | None] = refers_to("tickets.id", nullable=True, index=False)
    # The earliest SLA target still running; kept by tickets.sla_clocks for sorting and chips.
    sla_due_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        partial_index("uq_tickets_open_thread", "channel_account_id", "thread_key", where=OPEN_THREAD, unique=True),
        partial_index(
            "ix_tickets_resolved_thread",
            "channel_account_id",
            "thread_key",
            where="thread_key IS NOT NULL AND status = 'resolved'",
        ),
        Index("ix_tickets_queue_status", "queue_id", "status", "updated_at", "id"),
        Index("ix_tickets_assignee_status", "assignee_id", "status", "updated_at", "id"),
        Index("ix_tickets_status", "status", "updated_at", "id"),
        partial_index(
            "ix_tickets_merged_thread", "channel_account_id", "thread_key", where="merged_into_id IS NOT NULL"
        ),
        # Few tickets are joined to another one, and every message to any of them renews the entries of all its indexes.
        *(
            partial_index(f"ix_tickets_{name}", name, where=f"{name} IS NOT NULL")
            for name in ("follows_up_id", "parent_id", "merged_into_id")
        ),
        partial_index("ix_tickets_waiting", "waiting_since", "id", where="waiting_since IS NOT NULL"),
        partial_index("ix_tickets_sla_due", "sla_due_at", "id", where="sla_due_at IS NOT NULL"),
        # What the timers look for: snoozed tickets by their end, resolved ones by their week.
        partial_index("ix_tickets_snoozed_until", "snoozed_until", where="snoozed_until IS NOT NULL"),
        partial_index("ix_tickets_resolved_at", "resolved_at", where="status = 'resolved'"),
        CheckConstraint("seq >= public_seq", name="seq"),
    )


class Message(Base):
    """One entry of a ticket's timeline: inbound, outbound, note, call, event."""

    __tablename__ = "messages"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    seq: Mapped[int]
    # NULL for what the customer must never see: notes and internal events.
    public_seq: Mapped[int | None]
    kind: Mapped[str]
    channel: Mapped[str]
    channel_account_id: Mapped[int | None] = refers_to("channel_accounts.id", nullable=True, index=False)
    author_kind: Mapped[str]
    user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    # Where it came from or goes to.
    contact_point_id: Mapped[int | None] = refers_to("contact_points.id", nullable=True, index=False)
    subject: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(Text)
    quoted: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str | None] = mapped_column(Text)
    # From outside: uidvalidity:uid, Twilio SID, visit:client_id, …; with the account unique.
    external_id: Mapped[str | None]
    # From our own screens: `user:client_id`; unique, so that a repeated POST writes once.
    client_id: Mapped[str | None] = mapped_column(unique=True)
    journal_id: Mapped[int | None] = refers_to("journal.id", nullable=True)
    matched_by: Mapped[str | None]
    automatic: Mapped[bool] = mapped_column(default=False)
    delivery: Mapped[str | None]
    delivery_error: Mapped[str | None]
    send_after: Mapped[datetime | None]
    # Channel facts: mail headers (message_id, cc), call data (duration, disposition), event name and values.
    meta: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("ticket_id", "seq"),
        UniqueConstraint("channel_account_id", "external_id", name="uq_messages_external"),
        partial_index("uq_messages_public_seq", "ticket_id", "public_seq", where="public_seq IS NOT NULL", unique=True),
        partial_index("ix_messages_uncertain", "id", where=UNCERTAIN),
        # When a customer wrote last: the window in which WhatsApp takes free text.
        partial_index(
            "ix_messages_whatsapp_inbound",
            "channel_account_id",
            "contact_point_id",
            "created_at",
            where=WHATSAPP_INBOUND,
        ),
        partial_index("ix_messages_to_send", "send_after", "id", where="delivery = 'queued'"),
    )


class Attachment(Base):
    """A file of a message; its bytes lie by digest in core.files."""

    __tablename__ = "attachments"

    id: Mapped[int] = id_column()
    message_id: Mapped[int] = refers_to("messages.id")
    digest: Mapped[str] = mapped_column(index=True)
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    inline: Mapped[bool] = mapped_column(default=False)
    content_id: Mapped[str | None]


class ExternalReference(Base):
    """A Message-ID (or another channel's thread id) that leads to a message: the evidence for threading."""

    __tablename__ = "external_references"

    id: Mapped[int] = id_column()
    reference: Mapped[str] = mapped_column(index=True)
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    message_id: Mapped[int] = refers_to("messages.id")


class JournalItem(Base):
    """One raw inbound item, as it came, with its end state."""

    __tablename__ = "journal"

    id: Mapped[int] = id_column()
    channel: Mapped[str]
    channel_account_id: Mapped[int | None] = refers_to("channel_accounts.id", nullable=True, index=False)
    external_id: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str | None]
    sender: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(default="")
    # Small items lie here, those over 64 KB by digest in core.files.
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    raw_digest: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=1)
    # From before its mailbox was connected: it is kept, and nothing reacts to it.
    history: Mapped[bool] = mapped_column(default=False, server_default=false())
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        partial_index("ix_journal_raw_digest", "raw_digest", where="raw_digest IS NOT NULL"),
        UniqueConstraint("channel_account_id", "external_id", name="uq_journal_external"),
        Index("ix_journal_state", "state", "id"),
        Index("ix_journal_received_at", "received_at", "id"),
    )


class Tag(Base):
    """A free label."""

    __tablename__ = "tags"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)


class TicketTag(Base):
    """A label on a ticket."""

    __tablename__ = "ticket_tags"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(BigId, ForeignKey("tags.id"), primary_key=True, index=True)


class Assignment(Base):
    """An agent owned a ticket from `started_at` to `ended_at`; the history of it is kept."""

    __tablename__ = "assignments"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    user_id: Mapped[int] = refers_to("users.id", index=False)
    queue_id: Mapped[int] = refers_to("queues.id", index=False)
    reason: Mapped[str]
    by_user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    offer_id: Mapped[int | None] = mapped_column(BigId)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]

    __table_args__ = (
        Index("ix_assignments_user", "user_id", "started_at"),
        partial_index("uq_assignments_open", "ticket_id", where="ended_at IS NULL", unique=True),
    )


class TicketRead(Base):
    """How far a user has read a ticket."""

    __tablename__ = "ticket_reads"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    seq: Mapped[int]
