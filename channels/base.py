"""What a channel must offer to send, and the closed set of ways in which sending ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tickets.channel_accounts import Account
from tickets.inbound import StoredFile


@dataclass(frozen=True, slots=True)
class Said:
    """An earlier message between us and the recipient; `at` in a zone that they know."""

    name: str
    address: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message on its way out, with all that a sender needs; senders read no database."""

    message_id: int
    attempt_id: int
    attempt: int
    ticket_id: int
    ticket_number: int
    account: Account
    to: str
    to_name: str
    subject: str
    text: str
    html: str | None
    # Who writes: the agent's name, or "" for automatic messages.
    author: str
    automatic: bool
    locale: str
    queue_name: str
    signature: str
    # External references of the ticket, oldest first: Message-IDs for In-Reply-To and References.
    references: tuple[str, ...] = ()
    attachments: tuple[StoredFile, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime | None = None
    # The address's own id: what it is unsubscribed from is written there.
    contact_point_id: int | None = None
    # What the account wants quoted below it, newest first.
    history: tuple[Said, ...] = ()
    # Why nothing may be sent to this address any more (it opted out or bounced after this was written).
    suppressed: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """It was accepted for delivery. `reference` is what replies to it will refer to."""

    external_id: str | None = None
    reference: str | None = None
    # What the other side's server said, word for word, for the ledger of attempts.
    said: str = ""


class SendFailed(Exception):
    """It was not sent. `code` for programs, `text` for people; `retryable`: the same may work later."""

    def __init__(self, code: str, text: str, *, retryable: bool, suppress: bool = False, said: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.retryable = retryable
        # The address itself is bad or has opted out: send nothing more to it.
        self.suppress = suppress
        # What the other side's server said, word for word.
        self.said = said


class SendUncertain(Exception):
    """Nobody knows whether it was sent (a timeout after the request left). Never sent again blindly."""


class Sender(Protocol):
    """A channel's sending side. `idempotent`: sending the same message twice reaches the customer once."""

    idempotent: bool

    async def send(self, outbound: Outbound) -> Sent:
        """Send, outside any transaction; raises SendFailed or SendUncertain and nothing else."""
        ...
