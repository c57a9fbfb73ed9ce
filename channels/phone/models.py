"""Every call we know of, live or imported: the ledger beside the conversations."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class Call(Base):
    """One call. Its facts are merged from reports; `state` follows from them (channels.phone.states)."""

    __tablename__ = "calls"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = mapped_column(BigId, ForeignKey("channel_accounts.id"))
    # The exchange's id; `log:` and the row's digest for imported rows, `note:` and the message for manual ones.
    external_id: Mapped[str]
    source: Mapped[str]
    direction: Mapped[str]
    state: Mapped[str]
    # The customer's number as E.164 (as written where it is none), empty when it was hidden.
    number: Mapped[str] = mapped_column(default="")
    line: Mapped[str] = mapped_column(default="")
    # Offered to our agents while it rings.
    live: Mapped[bool] = mapped_column(default=False)
    contact_point_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contact_points.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("tickets.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    # The colleague's name or extension and the queue, as the exchange gives them.
    agent: Mapped[str] = mapped_column(default="")
    queue: Mapped[str] = mapped_column(default="")
    rang_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ending: Mapped[str | None]
    cause: Mapped[str] = mapped_column(default="")
    wait_seconds: Mapped[int] = mapped_column(default=0)
    talk_seconds: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("channel_account_id", "external_id"),
        Index("ix_calls_number", "number", "rang_at"),
        Index("ix_calls_rang_at", "rang_at", "id"),
    )
