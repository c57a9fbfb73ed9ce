"""The tables of service-level clocks. `tickets.sla_clocks` is their only writer."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column
from tickets.models import partial_index, refers_to

UNFINISHED = "ended_at IS NULL AND dropped_at IS NULL"


class SlaBook(Base):
    """How far a ticket's entries have been counted into its clocks, and what held after the last of them."""

    __tablename__ = "sla_books"

    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    # The seq of the last entry of the ticket that was applied: entries count once, in their order.
    applied_seq: Mapped[int]
    queue_id: Mapped[int]
    priority: Mapped[str]
    status: Mapped[str]
    answered: Mapped[bool]


class SlaClock(Base):
    """One promise on one ticket, see `tickets.sla.Clock`; its moments are kept for lists and loops."""

    __tablename__ = "sla_clocks"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    metric: Mapped[str]
    started_at: Mapped[datetime]
    target: Mapped[int | None]
    counted_from: Mapped[datetime]
    carried: Mapped[float]
    # The pause ledger: [since, until or null, reason].
    pauses: Mapped[list[Any]]
    ended_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    warn_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    # When the loop must look at it next: the warning, then the target. NULL when nothing is to come.
    next_at: Mapped[datetime | None]

    __table_args__ = (
        partial_index("uq_sla_clocks_unfinished", "ticket_id", "metric", where=UNFINISHED, unique=True),
        partial_index("ix_sla_clocks_next_at", "next_at", "id", where="next_at IS NOT NULL"),
    )
