"""The tables of rules."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, Json, id_column
from tickets.models import refers_to


class Rule(Base):
    """What is done by itself when something happens and its conditions hold."""

    __tablename__ = "rules"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    # One of automations.triggers.
    trigger: Mapped[str]
    # In the forms of automations.conditions and automations.actions.
    conditions: Mapped[dict[str, Any]]
    actions: Mapped[list[Any]]
    active: Mapped[bool] = mapped_column(default=False)
    # Rules run in this order; it has gaps where one was deleted.
    position: Mapped[int]
    # What went wrong when it last failed, and when: {"message", "params"} of the refusal.
    error: Mapped[dict[str, Any] | None] = mapped_column(Json)
    failed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class RuleFiring(Base):
    """A rule ran on an event: the insert decides, so it runs at most once on each."""

    __tablename__ = "rule_firings"

    id: Mapped[int] = id_column()
    rule_id: Mapped[int] = refers_to("rules.id", index=False, ondelete="CASCADE")
    event_id: Mapped[int] = mapped_column(BigId)
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    fired_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("rule_id", "event_id"),)
