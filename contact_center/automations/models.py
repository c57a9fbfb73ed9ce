"""The tables of macros."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, id_column
from tickets.models import refers_to


class Macro(Base):
    """What an agent does with one click: of one person, of a team, or of everybody."""

    __tablename__ = "macros"

    id: Mapped[int] = id_column()
    name: Mapped[str]
    # Whose it is: "all", "team:3" or "user:5". The ids beside it let it go with its team or user.
    scope: Mapped[str]
    team_id: Mapped[int | None] = refers_to("teams.id", nullable=True, ondelete="CASCADE")
    user_id: Mapped[int | None] = refers_to("users.id", nullable=True)
    # In the form of automations.actions.
    actions: Mapped[list[Any]]
    requires_identity: Mapped[bool] = mapped_column(default=False)
    used: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("scope", "name"),)


class MacroRun(Base):
    """One click; its key makes a repeated one do nothing."""

    __tablename__ = "macro_runs"

    id: Mapped[int] = id_column()
    macro_id: Mapped[int] = refers_to("macros.id", ondelete="CASCADE")
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    # `user:client_id` of the click.
    key: Mapped[str] = mapped_column(unique=True)
    ran_at: Mapped[datetime]
