"""Every call we know of, live or imported: the ledger beside the conversations."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
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
    # What the caller chose in the line's menu.
    queue_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("queues.id"))
    locale: Mapped[str | None]
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
    # The carrier's id of the conference that the call runs in, once its callbacks told it.
    conference_id: Mapped[str | None]
    # How it ended for a caller whom the line's plan led (channels.phone.flow.steps.Outcome, or `left_` and the step).
    outcome: Mapped[str | None]
    cause: Mapped[str] = mapped_column(default="")
    wait_seconds: Mapped[int] = mapped_column(default=0)
    talk_seconds: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("channel_account_id", "external_id"),
        Index("ix_calls_number", "number", "rang_at"),
        Index("ix_calls_rang_at", "rang_at", "id"),
    )


class CallLeg(Base):
    """One party of a call that runs as a conference; `state` only moves forward (channels.phone.legs)."""

    __tablename__ = "call_legs"

    id: Mapped[int] = id_column()
    call_id: Mapped[int] = mapped_column(BigId, ForeignKey("calls.id"), index=True)
    # caller (the customer), agent, colleague, outside
    role: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    # What is dialled: E.164 or `client:name`; empty for the caller, who rang us.
    number: Mapped[str] = mapped_column(default="")
    # The carrier's id of this leg (Twilio's CallSid), once it is known.
    external_id: Mapped[str | None] = mapped_column(unique=True)
    # Our name for it, and its label in the conference: the same wish twice is one leg.
    client_key: Mapped[str] = mapped_column(unique=True)
    # wanted dialing ringing joined left failed
    state: Mapped[str]
    held: Mapped[bool] = mapped_column(default=False)
    muted: Mapped[bool] = mapped_column(default=False)
    # The carrier's number of the last report about `held` and `muted`: late ones change nothing.
    heard: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    # What it was dialled for beside talking: consult (a warm transfer), pass (a cold one to a phone), or nothing.
    purpose: Mapped[str] = mapped_column(default="", server_default="")
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")


class CallCommand(Base):
    """Something the carrier is to do with a call; the switchboard carries them out in order (`id`) per call."""

    __tablename__ = "call_commands"

    id: Mapped[int] = id_column()
    call_id: Mapped[int] = mapped_column(BigId, ForeignKey("calls.id"), index=True)
    leg_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("call_legs.id"))
    verb: Mapped[str]
    args: Mapped[dict[str, Any]]
    # wanted done failed uncertain
    state: Mapped[str]
    error: Mapped[str] = mapped_column(default="")
    wanted_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    # When the request left: from then on it is in doubt until it is settled, and never simply repeated.
    begun_at: Mapped[datetime | None]
    # When somebody may next look at it: at once, after a pause, or when whoever works on it must have died.
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_call_commands_open",
            "call_id",
            "id",
            postgresql_where=text("state IN ('wanted', 'uncertain')"),
            sqlite_where=text("state IN ('wanted', 'uncertain')"),
        ),
    )
