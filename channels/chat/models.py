"""The visits: one customer's conversation in one browser."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, id_column
from tickets.models import refers_to

ONLINE = "left_at IS NULL AND online_until IS NOT NULL"


class ChatVisit(Base):
    """One visit. `key` is the thread key of its ticket, and the address of its visitor."""

    __tablename__ = "chat_visits"

    id: Mapped[int] = id_column()
    key: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[int] = refers_to("channel_accounts.id")
    customer_id: Mapped[int] = refers_to("customers.id")
    # Set by the first message; another one if the matter was closed and the customer went on writing.
    ticket_id: Mapped[int | None] = refers_to("tickets.id", nullable=True)
    # Entries of the ticket before this public_seq are not this visit's.
    from_seq: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str]
    page: Mapped[str] = mapped_column(default="")
    opened_at: Mapped[datetime]
    # Every process that holds a socket of the visit moves this on; past = no socket anywhere.
    online_until: Mapped[datetime | None]
    # Gone for longer than the grace, and routing was told so.
    left_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    # public_seq up to which the customer's browser has / has shown / has been mailed everything.
    delivered_seq: Mapped[int] = mapped_column(default=0)
    seen_seq: Mapped[int] = mapped_column(default=0)
    mailed_seq: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index("ix_chat_visits_online", "online_until", postgresql_where=text(ONLINE), sqlite_where=text(ONLINE)),
    )
