"""What SMS and WhatsApp keep beside the messages: the consent ledger, pictures still to be fetched, templates."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class SmsConsent(Base):
    """One wish of a number's owner, never changed: STOP or START, in which word, and who heard or lifted it."""

    __tablename__ = "sms_consents"

    id: Mapped[int] = id_column()
    contact_point_id: Mapped[int] = mapped_column(BigId, ForeignKey("contact_points.id"), index=True)
    channel_account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    wish: Mapped[str]
    # `keyword`: they wrote it to us; `carrier`: the carrier told us when it refused a message; `person`: somebody here
    # lifted it, and `word` is the reason.
    source: Mapped[str]
    word: Mapped[str] = mapped_column(default="")
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
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


class WhatsAppTemplate(Base):
    """A template as Twilio and WhatsApp know it; in the shape of channels.sms.templates.Template."""

    __tablename__ = "whatsapp_templates"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    sid: Mapped[str]
    name: Mapped[str]
    language: Mapped[str]
    category: Mapped[str]
    status: Mapped[str]
    # Why WhatsApp refused it.
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    variables: Mapped[dict[str, Any]]
    synced_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("channel_account_id", "sid"),)
