"""Where each caller stands in their line's plan, and what was recorded of calls."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class CallFlow(Base):
    """A caller's way through the plan (channels.phone.flow.steps): one row a call, kept when it is over."""

    __tablename__ = "call_flows"

    id: Mapped[int] = id_column()
    call_id: Mapped[int] = mapped_column(BigId, ForeignKey("calls.id"), unique=True)
    step: Mapped[str]
    # Counts the answers we gave: a request that names an older one is a repetition, and hears the present one again.
    turn: Mapped[int] = mapped_column(default=0)
    locale: Mapped[str]
    queue_id: Mapped[int] = mapped_column(BigId, ForeignKey("queues.id"))
    tries: Mapped[int] = mapped_column(default=0)
    # "", announced, given or refused
    consent: Mapped[str] = mapped_column(default="")
    said: Mapped[str] = mapped_column(default="")
    began_at: Mapped[datetime]
    waits_since: Mapped[datetime | None]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_call_flows_open",
            "seen_at",
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )


class CallRecording(Base):
    """A recording at the carrier: of a voicemail, or of the talk. Its sound becomes a file of `message_id`."""

    __tablename__ = "call_recordings"

    id: Mapped[int] = id_column()
    call_id: Mapped[int] = mapped_column(BigId, ForeignKey("calls.id"), index=True)
    # The carrier's id of the recording.
    external_id: Mapped[str] = mapped_column(unique=True)
    # voicemail or call
    kind: Mapped[str]
    # in-progress, completed or absent
    state: Mapped[str]
    url: Mapped[str] = mapped_column(default="")
    seconds: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"))
    # The words, where the carrier has them; or an address where they are.
    transcription: Mapped[str] = mapped_column(default="")
    transcription_url: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    # When its time was over (channels.phone.flow.retention), and when the carrier is to be told: None once it was.
    deleted_at: Mapped[datetime | None]
    carrier_due_at: Mapped[datetime | None]
    carrier_attempts: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        Index(
            "ix_call_recordings_kept",
            "created_at",
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_call_recordings_at_carrier",
            "carrier_due_at",
            postgresql_where=text("carrier_due_at IS NOT NULL"),
            sqlite_where=text("carrier_due_at IS NOT NULL"),
        ),
    )
