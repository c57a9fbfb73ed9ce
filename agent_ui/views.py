"""What the console's templates show: frozen values that pages fill, with nothing per reader in a fragment."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """The four ways a customer reaches us, and our own side."""

    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    PHONE = "phone"


class Side(StrEnum):
    """Where an entry of the timeline stands."""

    CUSTOMER = "in"
    AGENT = "out"
    NOTE = "note"
    EVENT = "event"


@dataclass(frozen=True)
class SlaChip:
    """One running SLA clock; `due_at` is absent once it was met."""

    metric: str
    state: str
    due_at: datetime | None = None
    warn_at: datetime | None = None


@dataclass(frozen=True)
class Row:
    """One ticket in a list."""

    ticket_id: int
    number: int
    customer: str
    subject: str
    last_line: str
    channel: str
    status: str
    priority: str
    at: datetime
    waiting_since: datetime | None = None
    assignee: str = ""
    unread: int = 0
    sla: SlaChip | None = None


@dataclass(frozen=True)
class ListView:
    """A saved view with the number of tickets in it."""

    key: str
    name: str
    count: int


@dataclass(frozen=True)
class File:
    """An attachment of a message; `inline` only for raster images that were detected again."""

    name: str
    url: str
    size: int
    inline: bool = False


@dataclass(frozen=True)
class Call:
    """What a call card tells."""

    direction: str
    outcome: str
    seconds: int | None = None
    disposition: str = ""
    recording_url: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of the timeline, in the order of the ticket's `seq`."""

    seq: int
    side: Side
    author: str
    at: datetime
    text: str = ""
    channel: str = ""
    message_id: int = 0
    to: str = ""
    subject: str = ""
    quoted: str = ""
    html_url: str = ""
    remote_images: int = 0
    delivery: str = ""
    delivery_error: str = ""
    files: tuple[File, ...] = ()
    call: Call | None = None
    icon: str = "info"
    continued: bool = False


@dataclass(frozen=True)
class Choice:
    """One option of a select or menu."""

    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Via:
    """One way to answer: a channel with the address it goes to."""

    key: str
    channel: str
    recipient: str
    sender: str = ""
    limit: int = 25_000


@dataclass(frozen=True)
class Drafts:
    """What an agent has written and not sent: a reply (by one way) and a note are kept apart."""

    reply: str = ""
    note: str = ""
    mode: str = "reply"
    via: str = ""


@dataclass(frozen=True)
class Ticket:
    """The head of a conversation."""

    ticket_id: int
    number: int
    subject: str
    status: str
    priority: str
    kind: str
    customer: str
    customer_id: int
    channel: str
    created_at: datetime
    last_message_at: datetime | None
    version: int
    seq: int
    queue: str = ""
    topic: str = ""
    assignee: str = ""
    assignee_id: int | None = None
    connected_at: datetime | None = None
    tags: tuple[str, ...] = ()
    slas: tuple[SlaChip, ...] = ()
    complaint: str = ""


@dataclass(frozen=True)
class Contact:
    """One address of a customer."""

    kind: str
    address: str
    verified: bool


@dataclass(frozen=True)
class Line:
    """One line of a block in the context panel."""

    icon: str
    text: str
    url: str = ""
    sub: str = ""
    at: datetime | None = None
    badge: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Customer360:
    """Everything the panel beside a conversation shows at once; slower blocks load by themselves."""

    customer_id: int
    name: str
    since: datetime
    language: str = ""
    contacts: tuple[Contact, ...] = ()
    open_tickets: tuple[Line, ...] = ()
    history: tuple[Line, ...] = ()
    csat: float | None = None
    csat_count: int = 0
    complaints: int = 0


@dataclass(frozen=True)
class Offer:
    """A time-limited proposal to one agent."""

    offer_id: int
    number: int
    channel: str
    queue: str
    customer: str
    first_message: str
    offered_at: datetime
    expires_at: datetime
    waiting_since: datetime
    priority: str = "medium"
    skills: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Load:
    """How much of a pool one agent holds, in contacts."""

    live: int
    live_max: int
    deferred: int
    deferred_max: int


@dataclass(frozen=True)
class Presence:
    """An agent's own presence with what comes next."""

    state: str
    reason: str
    since: datetime
    next_state: str = ""
    next_reason: str = ""
    on_contact: bool = False
    load: Load = Load(0, 4, 0, 10)


@dataclass(frozen=True)
class Wrapup:
    """Work after a contact that has ended."""

    number: int
    started_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class NavItem:
    """One entry of the rail."""

    key: str
    label: str
    url: str
    icon: str
    count: int = 0


@dataclass(frozen=True)
class Shell:
    """The frame around every signed-in page."""

    user_id: int
    user_name: str
    role: str
    nav: tuple[NavItem, ...]
    here: str
    locale: str = "en"
    theme: str = ""
    density: str = ""
    sound: bool = True
    single_keys: bool = True
    chat_enter_sends: bool = True
    presence: Presence | None = None
    away_reasons: tuple[Choice, ...] = ()
    decline_reasons: tuple[Choice, ...] = ()
    dispositions: tuple[Choice, ...] = ()
    offers: tuple[Offer, ...] = ()
    wrapups: tuple[Wrapup, ...] = ()
    topics: tuple[str, ...] = field(default=())
