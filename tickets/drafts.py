"""What people have typed and not sent, per ticket and way to answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Text, UniqueConstraint, delete
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import upsert
from tickets.models import refers_to
from tickets.replies import check_text

MAX_COPIES = 4_000


class Draft(Base):
    """What an agent has typed but not sent, per ticket and channel."""

    __tablename__ = "drafts"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    user_id: Mapped[int] = refers_to("users.id")
    channel: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    # Who gets a copy, as typed; NULL: whoever is proposed.
    cc: Mapped[str | None] = mapped_column(Text)
    bcc: Mapped[str | None] = mapped_column(Text)
    # The ticket's seq when the draft was begun: newer entries make it stale.
    begun_at_seq: Mapped[int]
    updated_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("ticket_id", "user_id", "channel"),)


@dataclass(frozen=True, slots=True)
class Copies:
    """The fields Cc and Bcc of a draft as they were typed, half-written addresses too."""

    cc: str = ""
    bcc: str = ""


def save(
    tx: Connection,
    ticket_id: int,
    user_id: int,
    channel: str,
    text: str,
    *,
    begun_at_seq: int,
    now: datetime,
    copies: Copies | None = None,
) -> None:
    """Keep what an agent has typed so far; nothing typed deletes the draft. `channel` is `note` for notes.

    `copies`: None as long as they are those that were proposed.
    """
    if not text and copies is None:
        tx.execute(
            delete(Draft).where(Draft.ticket_id == ticket_id, Draft.user_id == user_id, Draft.channel == channel)
        )
        return
    if text:
        check_text(text)
    upsert(
        tx,
        Draft,
        key=("ticket_id", "user_id", "channel"),
        values={
            "ticket_id": ticket_id,
            "user_id": user_id,
            "channel": channel,
            "text": text,
            "cc": copies.cc[:MAX_COPIES] if copies else None,
            "bcc": copies.bcc[:MAX_COPIES] if copies else None,
            "begun_at_seq": begun_at_seq,
            "updated_at": now,
        },
    )
