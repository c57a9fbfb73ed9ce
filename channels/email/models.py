"""The e-mail channel's own tables: how far each mailbox has been read, and which mails were taken."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
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

    __table_args__ = (UniqueConstraint("channel_account_id", "folder", name="uq_mailbox_cursors_folder"),)


class MailPrint(Base):
    """The fingerprint of a mail that was taken: the same mail by another way is a duplicate."""

    __tablename__ = "mail_prints"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    # sha256 of Message-ID, From, Date, Subject and text: an id alone could be sent first by somebody else.
    fingerprint: Mapped[str]
    journal_id: Mapped[int] = mapped_column(BigId, ForeignKey("journal.id"), index=True)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("channel_account_id", "fingerprint", name="uq_mail_prints_fingerprint"),)
