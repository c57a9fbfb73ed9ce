"""Users, teams, logins and the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column


class User(Base):
    """Somebody who works here. Deactivated users stay: their work refers to them."""

    __tablename__ = "users"

    id: Mapped[int] = id_column()
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password: Mapped[str]
    locale: Mapped[str | None]
    timezone: Mapped[str | None]
    # Screen preferences: theme, density, sound, enter_sends, single_keys, undo (seconds), phone (E.164).
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class Team(Base):
    """Who works together: for reports and quality, not for routing."""

    __tablename__ = "teams"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)


class TeamMember(Base):
    """A user in a team."""

    __tablename__ = "team_members"

    team_id: Mapped[int] = mapped_column(BigId, ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True, index=True)


class LoginSession(Base):
    """One login on one device; only the digest of its token is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    digest: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RateCount(Base):
    """How often something happened in a window: failed logins, new visits, bad tokens."""

    __tablename__ = "rate_counts"

    id: Mapped[int] = id_column()
    key: Mapped[str]
    window: Mapped[datetime]
    count: Mapped[int]

    __table_args__ = (UniqueConstraint("key", "window"),)


class AuditEntry(Base):
    """Who did what to whom: logins, rights, settings, monitoring, exports."""

    __tablename__ = "audit_log"

    id: Mapped[int] = id_column()
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    action: Mapped[str]
    target: Mapped[str]
    details: Mapped[dict[str, Any]]
    address: Mapped[str] = mapped_column(default="")

    __table_args__ = (Index("ix_audit_log_at", "at", "id"),)
