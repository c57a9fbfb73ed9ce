"""The e-mail channel's own tables: how far each mailbox has been read, which mails were taken, who let us in."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class MailboxCursor(Base):
    """How far an IMAP folder has been read, and which process reads it at the moment."""

    __tablename__ = "mailbox_cursors"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    folder: Mapped[str]
    # A folder's UIDs mean something only together with its UIDVALIDITY; 0 before the first look.
    uidvalidity: Mapped[int] = mapped_column(BigId, default=0)
    last_uid: Mapped[int] = mapped_column(BigId, default=0)
    # One process at a time watches a mailbox; two would only do the work twice.
    holder: Mapped[str] = mapped_column(default="")
    held_until: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    # The first look: what lay there before it, below this UID, is the past.
    begun_at: Mapped[datetime | None]
    begun_uidvalidity: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    begun_uid: Mapped[int] = mapped_column(BigId, default=0, server_default="0")
    # UIDs were dealt anew since: below this UID the time of arrival decides.
    begun_by_time: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (UniqueConstraint("channel_account_id", "folder", name="uq_mailbox_cursors_folder"),)


class MailPrint(Base):
    """The fingerprint of a mail that was taken: the same mail by another way is a duplicate."""

    __tablename__ = "mail_prints"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    # sha256 of Message-ID, From, Date, Subject and text: an id alone could be sent first by somebody else. Or "raw:"
    # and the sha256 of the bytes.
    fingerprint: Mapped[str]
    journal_id: Mapped[int] = mapped_column(BigId, ForeignKey("journal.id"), index=True)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("channel_account_id", "fingerprint", name="uq_mail_prints_fingerprint"),)


class MailGrant(Base):
    """The permission by which we sign in to a mailbox at a provider that takes no passwords."""

    __tablename__ = "mail_grants"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"), unique=True)
    # Fernet-encrypted JSON: access and refresh token; opened by channels.email.grants only.
    tokens: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    # One process at a time renews it.
    held_until: Mapped[datetime | None]
    # Why no token comes any more, until somebody connects the mailbox anew.
    error: Mapped[str | None]


class MailboxReport(Base):
    """The last comparison of a mailbox with what was taken from it: `asked running done failed`; one per account."""

    __tablename__ = "mailbox_reports"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"), unique=True)
    state: Mapped[str]
    # Whether what is missing is taken on the way.
    takes: Mapped[bool]
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    # Until then the process that compares must have said something; after it another begins anew.
    held_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    total: Mapped[int]
    seen: Mapped[int]
    taken: Mapped[int]
    # How many the comparison itself handed in.
    handed_in: Mapped[int]
    # {"why": {reason: mails}, "mails": [channels.email.reconcile.Missing as JSON]}
    missing: Mapped[dict[str, Any]]
    error: Mapped[str | None]


class MailTest(Base):
    """A mail that goes round, out by SMTP and back: `sending sent back failed`."""

    __tablename__ = "mail_tests"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"), index=True)
    state: Mapped[str]
    sent_at: Mapped[datetime]
    sent_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    # When it was journaled again, or its bounce.
    back_at: Mapped[datetime | None]
    journal_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("journal.id"))
    # What stopped it, and what our server said when it took or refused it.
    error: Mapped[str | None]
    said: Mapped[str | None]
