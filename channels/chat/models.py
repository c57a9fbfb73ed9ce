"""The visits (one customer's conversation in one browser), and the invitations that begin some of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column
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
    # Whom the website says that this is, by a signed token; NULL: anybody.
    subject: Mapped[str | None]
    # Until when we believe it.
    signed_until: Mapped[datetime | None]
    # The invitation that this visitor has answered to; it may be deleted since.
    invitation_id: Mapped[int | None] = mapped_column(BigId)
    # Of what the visitor said it is about (channels.chat.asking.Choice).
    queue_id: Mapped[int | None] = mapped_column(BigId)
    topic_id: Mapped[int | None] = mapped_column(BigId)
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


class ChatIdentityToken(Base):
    """A signed token of a website that was used, kept until it would have run out: it is good for one browser."""

    __tablename__ = "chat_identity_tokens"

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = refers_to("channel_accounts.id")
    jti: Mapped[str]
    # The browser's own id of its request: the same one may ask again when the answer was lost.
    client_id: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("account_id", "jti"),)


class ChatInvitation(Base):
    """A message that a widget shows beside its launcher, by itself, under a rule; the first rule that fits wins."""

    __tablename__ = "chat_invitations"

    id: Mapped[int] = id_column()
    account_id: Mapped[int] = refers_to("channel_accounts.id")
    # In this order, then by id.
    position: Mapped[int]
    name: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    # A path ("/cart/*") or a whole address; * stands for anything, "" for every page.
    page: Mapped[str] = mapped_column(default="")
    seconds: Mapped[int] = mapped_column(default=0)
    on_exit: Mapped[bool] = mapped_column(default=False)
    # From this visit to the website on.
    visits: Mapped[int] = mapped_column(default=1)
    # How often one person sees it: channels.chat.invitations.Frequency.
    frequency: Mapped[str]
    # So many days of silence after somebody has closed it.
    snooze_days: Mapped[int] = mapped_column(default=7)
    # Shown also while nobody can answer.
    always: Mapped[bool] = mapped_column(default=False)
    sender: Mapped[str] = mapped_column(default="")
    # Locale -> text; not shown in a language without one.
    texts: Mapped[dict[str, Any]]
    # As the browsers tell: a number to compare rules by, not an account of anything.
    shown: Mapped[int] = mapped_column(default=0)
    opened: Mapped[int] = mapped_column(default=0)
    # Conversations and mails that came of it.
    answered: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
