"""What SMS keeps beside the messages: the consent ledger and pictures still to be fetched."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class SmsConsent(Base):
    """One wish of a number's owner, never changed: STOP or START, in which word, and who heard it."""

    __tablename__ = "sms_consents"

    id: Mapped[int] = id_column()
    contact_point_id: Mapped[int] = mapped_column(BigId, ForeignKey("contact_points.id"), index=True)
    channel_account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    wish: Mapped[str]
    # `keyword`: they wrote it to us; `carrier`: the carrier told us when it refused a message.
    source: Mapped[str]
    word: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class SmsMedia(Base):
    """A picture of an inbound MMS: `waiting` until it is fetched from the carrier, then `stored` or `failed`."""

    __tablename__ = "sms_media"

    id: Mapped[int] = id_column()
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    position: Mapped[int]
    url: Mapped[str]
    content_type: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("message_id", "position"),
        Index(
            "ix_sms_media_waiting",
            "due_at",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
    )
