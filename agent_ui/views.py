"""What the console's templates show: frozen values that pages fill, with nothing per reader in a fragment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_ui.contacts import Contact
from agent_ui.proof import Proof


class Channel(StrEnum):
    """The ways a customer reaches us."""

    EMAIL = "email"
    CHAT = "chat"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    PHONE = "phone"
    MESSAGING = "messaging"


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
    """A view with the number of tickets in it."""

    key: str
    name: str
    count: int
    shared: bool = False
    sort: str = ""


@dataclass(frozen=True)
class File:
    """An attachment of a message; `inline` only for raster images that were detected again, `sound` can be played."""

    name: str
    url: str
    size: int
    inline: bool = False
    sound: bool = False
    # Why nobody gets it: infected | too_large | waiting; empty where nothing speaks against it.
    scan: str = ""
    virus: str = ""
    # Of a recording that was paused: how long it is, and from when to when nothing was recorded, in seconds.
    seconds: int = 0
    pauses: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Erased:
    """A recording that was deleted, when, and after how many days its line deletes them."""

    at: datetime
    days: int


@dataclass(frozen=True)
class Call:
    """What a call card tells."""

    direction: str
    outcome: str
    # What it was, in a sentence; empty where somebody wrote the call down by hand.
    said: str = ""
    seconds: int | None = None
    disposition: str = ""
    # Why it failed, in our words or the carrier's.
    cause: str = ""
    # The call whose outcome nobody has told yet; 0: there is nothing to ask.
    ask: int = 0
    recording_url: str = ""
    # The conversation of an incoming call that is not over, for who may be calling; 0: nothing to ask.
    under_way: int = 0


@dataclass(frozen=True)
class Meeting:
    """What a calendar invitation tells; `method` is request, cancel, reply or publish."""

    method: str
    title: str
    start: datetime
    end: datetime | None = None
    all_day: bool = False
    place: str = ""
    organizer: str = ""
    repeats: bool = False


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
    # Who else got the mail; `copied`: its writer is not the customer of this ticket.
    cc: str = ""
    bcc: str = ""
    copied: bool = False
    subject: str = ""
    quoted: str = ""
    html_url: str = ""
    remote_images: int = 0
    delivery: str = ""
    delivery_error: str = ""
    # Until when whoever wrote it (`by`) may take it back.
    undo_until: datetime | None = None
    by: int = 0
    files: tuple[File, ...] = ()
    erased: tuple[Erased, ...] = ()
    call: Call | None = None
    meeting: Meeting | None = None
    icon: str = "info"
    continued: bool = False
    # Names of what was masked in it, e.g. "card number".
    hidden: tuple[str, ...] = ()
    # What it answers to, in its own words, and how widely it was passed on: "once" or "often" (WhatsApp).
    answers_to: str = ""
    forwarded: str = ""
    # The mails that were passed on together with it: who wrote and about what.
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduledReply:
    """A reply that waits for its moment: `there` is the customer's clock, `held` why it will not leave by itself."""

    scheduled_id: int
    author: str
    text: str
    channel: str
    to: str
    send_at: datetime
    there: str
    files: tuple[str, ...] = ()
    held: str = ""
    # WhatsApp takes no free text any more at that moment.
    too_late: bool = False
    # The status that the ticket gets when it leaves.
    then: str = ""


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
    files: bool = True
    # Whether the customer can answer to the sender.
    answers: bool = True
    # WhatsApp: until when free text may be sent; None there means that only a template may.
    free_until: datetime | None = None
    flag: str = ""


@dataclass(frozen=True)
class DraftFile:
    """A file that waits to be sent, with the reply or with the note."""

    file_id: int
    name: str
    size: int
    mode: str


@dataclass(frozen=True)
class Drafts:
    """What an agent has written and not sent: a reply (by one way) and a note are kept apart."""

    reply: str = ""
    note: str = ""
    mode: str = "reply"
    via: str = ""
    files: tuple[DraftFile, ...] = ()
    # Who gets a copy of the reply, as typed; None: whoever is proposed.
    cc: str | None = None
    bcc: str | None = None


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
    # How the customer's identity is confirmed, and until when a code is under way that would confirm it.
    proof: Proof | None = None
    code_until: datetime | None = None
    # Several people use its number.
    shared: bool = False
    # The language it is in, and how sure the customer's words made us of it (None: their channel or a person said it).
    locale: str = ""
    locale_share: float | None = None


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
class Switch:
    """One channel that an agent has on or off."""

    medium: str
    channel: str
    on: bool


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
    channels: tuple[Switch, ...] = ()


@dataclass(frozen=True)
class Wrapup:
    """Work after a contact that has ended."""

    number: int
    started_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Notice:
    """One thing that happened to a person, as a sentence that leads to its conversation, or to an account's page.

    `url` is empty where the person may not see that page.
    """

    icon: str
    text: str
    subject: str
    url: str
    at: datetime
    unread: bool
    ticket: bool = True
