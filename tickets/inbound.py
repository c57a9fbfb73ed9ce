"""What every channel turns its payloads into before anything is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contact_center.core.text import first_line
from tickets.states import Channel, ContactKind, MessageKind

MAX_SUBJECT = 300
SUBJECT_FROM_TEXT = 80


@dataclass(frozen=True, slots=True)
class Address:
    """Who wrote: a normalised address and the name beside it. `verified` only by evidence that cannot be forged.

    `claimed`: somebody who has proven nothing typed it into a chat or a form.
    """

    kind: ContactKind
    value: str
    name: str = ""
    verified: bool = False
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose bytes are already in core.files."""

    digest: str
    filename: str
    content_type: str
    size: int
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Greeting:
    """What we had said by ourselves before a customer wrote (an invitation to chat): nobody's answer, no contact."""

    text: str
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a customer, on any channel.

    `external_id` is unique within the account for ever. `thread_key` names the conversation on channels that have
    one (chat: visit, SMS: contact point, call: call id); None means "match by evidence" (mail): `ticket_token` (the
    ticket id out of a verified plus-address), then `references` in order. `automated` mail (out-of-office,
    receipts) is kept but wakes nobody and gets no answer.
    """

    channel: Channel
    account_id: int
    external_id: str
    sender: Address
    text: str
    subject: str = ""
    html: str | None = None
    quoted: str = ""
    thread_key: str | None = None
    ticket_token: int | None = None
    references: tuple[str, ...] = ()
    own_reference: str | None = None
    # The sender's own domain says that it did not send this (mail): nothing but a signed token is evidence.
    disowned: bool = False
    automated: bool = False
    # The list that a mail went to, where its head says that it went to many.
    newsletter: str = ""
    kind: MessageKind = MessageKind.INBOUND
    locale: str | None = None
    # How sure the words made us of the locale, 0 to 1; None where the channel says it (tickets.languages).
    locale_share: float | None = None
    queue_id: int | None = None
    topic_id: int | None = None
    # Kept as the first entry of the ticket, if this message opens one.
    greeting: Greeting | None = None
    attachments: tuple[StoredFile, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    # From which internet address, as a keyed hash (tickets.origins); empty where that says nothing.
    origin: str = ""
    raw: bytes | None = None
    # Its raw form, kept only if a block stops it.
    spare: bytes | None = None
    raw_digest: str | None = None
    # Set where the journal row exists already (mail is journaled in a transaction of its own).
    journal_id: int | None = None
    sent_at: datetime | None = None

    def ticket_subject(self) -> str:
        """What a ticket that this message opens is called: its subject, else its first line."""
        return self.message_subject() or first_line(self.text, SUBJECT_FROM_TEXT)

    def message_subject(self) -> str:
        """The subject on one line, cut where no reader would look for more."""
        return first_line(self.subject, MAX_SUBJECT)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an inbound message."""

    outcome: str  # accepted | duplicate | suppressed (the sender is blocked)
    ticket_id: int | None
    message_id: int | None
    seq: int | None = None
    public_seq: int | None = None
    matched_by: str | None = None
    created: bool = False
