"""What one e-mail becomes once it is read: frozen values, and the JSON form that `email parse` prints."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What intake does with the mail; the same words as a journal item's end states."""

    ACCEPTED = "accepted"
    SUPPRESSED = "suppressed"
    QUARANTINED = "quarantined"


class BounceKind(StrEnum):
    """Hard: the address itself will never work again. Soft: this mail failed, another may pass."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address with the display name beside it; either may be empty."""

    name: str
    address: str

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name, "address": self.address}


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a mail; `inline` when the HTML body shows it, `content_id` without angle brackets."""

    filename: str
    content_type: str
    content: bytes
    inline: bool = False
    content_id: str = ""

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        return {
            "filename": self.filename,
            "content_type": self.content_type,
            "size": self.size,
            "sha256": self.sha256,
            "inline": self.inline,
            "content_id": self.content_id,
        }


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One address that did not get our mail: RFC 3463 status where known, and the other side's words."""

    address: str
    status: str
    kind: BounceKind
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about a mail of ours; `original_message_ids` are the ids found in the returned part."""

    recipients: tuple[BouncedRecipient, ...]
    original_message_ids: tuple[str, ...] = ()
    delayed_only: bool = False
    complaint: bool = False


@dataclass(frozen=True, slots=True)
class Passed:
    """The head of one more mail that was passed on."""

    sender: Mailbox
    subject: str
    date: datetime | None

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return {
            "from": self.sender.as_dict(),
            "subject": self.subject,
            "date": self.date.isoformat() if self.date else None,
        }


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The head of the mail that somebody passed on to us; its body too where it came whole, as an attached mail.

    `others` are the mails that were attached beside it.
    """

    sender: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    date: datetime | None
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    others: tuple[Passed, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """One mail, read; `text` is always filled from the HTML where the sender sent no plain part."""

    outcome: Outcome = Outcome.ACCEPTED
    reason: str = ""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    thread_index: str = ""
    sender: Mailbox = Mailbox("", "")
    return_path: str | None = None
    reply_to: tuple[Mailbox, ...] = ()
    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    text: str = ""
    html: str = ""
    reply_text: str = ""
    quoted_text: str = ""
    attachments: tuple[Attachment, ...] = ()
    auto_submitted: bool = False
    out_of_office: bool = False
    answerable: bool = True
    # The list that it went to, where it is mail for many.
    newsletter: str = ""
    bounce: Bounce | None = None
    forwarded: Forwarded | None = None
    authentication_results: tuple[str, ...] = field(default=())


def as_dict(mail: ParsedMail, file: str) -> dict[str, Any]:
    """The JSON form of one parsed file; dates are ISO 8601 with their zone, absent ones null."""
    return {
        "file": file,
        "outcome": mail.outcome.value,
        "reason": mail.reason,
        "message_id": mail.message_id,
        "in_reply_to": list(mail.in_reply_to),
        "references": list(mail.references),
        "from": mail.sender.as_dict(),
        "reply_to": [box.as_dict() for box in mail.reply_to],
        "to": [box.as_dict() for box in mail.to],
        "cc": [box.as_dict() for box in mail.cc],
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "text": mail.text,
        "html": mail.html,
        "reply_text": mail.reply_text,
        "quoted_text": mail.quoted_text,
        "attachments": [attachment.as_dict() for attachment in mail.attachments],
        "auto_submitted": mail.auto_submitted,
        "newsletter": mail.newsletter,
        "bounce": _bounce_dict(mail.bounce),
        "forwarded": _forwarded_dict(mail.forwarded),
    }


def _bounce_dict(bounce: Bounce | None) -> dict[str, Any] | None:
    if bounce is None:
        return None
    return {
        "recipients": [
            {"address": r.address, "status": r.status, "kind": r.kind.value, "diagnostic": r.diagnostic}
            for r in bounce.recipients
        ]
    }


def _forwarded_dict(forwarded: Forwarded | None) -> dict[str, Any] | None:
    if forwarded is None:
        return None
    return {
        "from": forwarded.sender.as_dict(),
        "to": [box.as_dict() for box in forwarded.to],
        "subject": forwarded.subject,
        "date": forwarded.date.isoformat() if forwarded.date else None,
        "others": [other.as_dict() for other in forwarded.others],
    }
