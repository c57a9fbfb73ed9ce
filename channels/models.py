"""Delivery attempts: the ledger of what was sent, visible on the message."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class DeliveryAttempt(Base):
    """One try to send a message: `sending sent failed uncertain`."""

    __tablename__ = "delivery_attempts"

    id: Mapped[int] = id_column()
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    number: Mapped[int]
    state: Mapped[str]
    # The provider's id for what was sent (Twilio SID, the server's queue id).
    external_id: Mapped[str | None]
    error_code: Mapped[str | None]
    error: Mapped[str | None]
    # What the other side's server said, word for word.
    answer: Mapped[str | None] = mapped_column(Text)
    # When the next try is due, where this one failed and another may help.
    next_at: Mapped[datetime | None]
    # When it was last looked for at the carrier, if nobody knows whether it left.
    looked_at: Mapped[datetime | None]
    lease_until: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("message_id", "number"),
        Index("ix_delivery_attempts_external_id", "external_id"),
        Index(
            "ix_delivery_attempts_open",
            "lease_until",
            postgresql_where=text("state = 'sending'"),
            sqlite_where=text("state = 'sending'"),
        ),
    )
