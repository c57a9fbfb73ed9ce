"""The tables of routing: work items and their waits, offers, presence, profiles and skills, connections."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column
from routing.pools import CAPACITY

# Literal in partial indexes and in statements: both databases must prove that a query implies the index.
OPEN_WORK = "state NOT IN ('completed', 'canceled')"
# A ticket's own work, of which one is open; a call that an agent makes is held beside it.
BESIDE = "beside IS NOT NULL"
TICKETS_WORK = f"beside IS NULL AND {OPEN_WORK}"
QUEUED = "state = 'queued'"
OFFERED = "state = 'offered'"


def _ticket(*, index: bool = True) -> Any:
    return mapped_column(BigId, ForeignKey("tickets.id"), index=index)


def _user(*, nullable: bool = False, index: bool = False) -> Any:
    return mapped_column(BigId, ForeignKey("users.id"), nullable=nullable, index=index)


def _queue(*, nullable: bool = False, index: bool = False) -> Any:
    return mapped_column(BigId, ForeignKey("queues.id"), nullable=nullable, index=index)


class WorkItem(Base):
    """The routable segment of a ticket. `version` counts every change: whoever decides on an old one loses."""

    __tablename__ = "work_items"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = _ticket()
    queue_id: Mapped[int] = _queue(index=True)
    pool: Mapped[str]
    medium: Mapped[str]
    weight: Mapped[int]
    state: Mapped[str]
    # Who is offered it, has it, or wraps it up.
    agent_id: Mapped[int | None] = _user(nullable=True)
    # Orders the work and never changes; waits are measured from waiting_since, one segment per queue entry.
    enqueued_at: Mapped[datetime]
    waiting_since: Mapped[datetime]
    priority: Mapped[str]
    # Seconds this item counts as older, beside what its priority and its queue give.
    credit: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    # [[skill id, lowest level]] that are required, and [skill id] that the queue's steps ask for.
    skills: Mapped[list[Any]]
    wishes: Mapped[list[Any]]
    # Agents who let it go since everyone was last tried; how often it was offered, and how often everyone was tried.
    tried: Mapped[list[Any]]
    offers: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    # The agent it knows: has it to themselves until preferred_until, and in rings for the known agent.
    preferred_id: Mapped[int | None] = _user(nullable=True)
    preferred_until: Mapped[datetime | None]
    transfers: Mapped[int] = mapped_column(default=0)
    assigned_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    # The contact is over since; wrap-up ends by itself at wrap_until.
    ended_at: Mapped[datetime | None]
    wrap_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    disposition: Mapped[str | None]
    # What an agent does beside the ticket's own work, once each: `call-7`, a call that they make (routing.beside).
    beside: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index(
            "uq_work_items_open",
            "ticket_id",
            unique=True,
            postgresql_where=sql(TICKETS_WORK),
            sqlite_where=sql(TICKETS_WORK),
        ),
        Index("uq_work_items_beside", "beside", unique=True, postgresql_where=sql(BESIDE), sqlite_where=sql(BESIDE)),
        Index("ix_work_items_queued", "id", "version", postgresql_where=sql(QUEUED), sqlite_where=sql(QUEUED)),
        Index(
            "ix_work_items_agent",
            "agent_id",
            postgresql_where=sql(OPEN_WORK),
            sqlite_where=sql(OPEN_WORK),
        ),
        Index(
            "ix_work_items_wrapping",
            "wrap_until",
            postgresql_where=sql("state = 'wrapping'"),
            sqlite_where=sql("state = 'wrapping'"),
        ),
    )


class QueueEntry(Base):
    """One wait: a work item entered a queue, and how it left. What the queue's numbers are counted from."""

    __tablename__ = "queue_entries"

    id: Mapped[int] = id_column()
    work_item_id: Mapped[int] = mapped_column(BigId, ForeignKey("work_items.id"))
    ticket_id: Mapped[int] = _ticket()
    queue_id: Mapped[int] = _queue()
    medium: Mapped[str]
    entered_at: Mapped[datetime]
    exited_at: Mapped[datetime | None]
    # answered, abandoned, flowed_out, canceled; and of what kind (transfer, follow-up, merged, spam …).
    exit: Mapped[str | None]
    reason: Mapped[str | None]
    agent_id: Mapped[int | None] = _user(nullable=True)

    __table_args__ = (
        Index(
            "uq_queue_entries_open",
            "work_item_id",
            unique=True,
            postgresql_where=sql("exited_at IS NULL"),
            sqlite_where=sql("exited_at IS NULL"),
        ),
        Index("ix_queue_entries_exited", "queue_id", "exited_at"),
        Index("ix_queue_entries_item", "work_item_id"),
    )


class Offer(Base):
    """A time-limited proposal of a work item to one agent."""

    __tablename__ = "offers"

    id: Mapped[int] = id_column()
    work_item_id: Mapped[int] = mapped_column(BigId, ForeignKey("work_items.id"), index=True)
    ticket_id: Mapped[int] = _ticket()
    agent_id: Mapped[int] = _user()
    queue_id: Mapped[int] = _queue()
    state: Mapped[str]
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None]

    __table_args__ = (
        Index(
            "uq_offers_open",
            "work_item_id",
            unique=True,
            postgresql_where=sql(OFFERED),
            sqlite_where=sql(OFFERED),
        ),
        Index("ix_offers_expires", "expires_at", postgresql_where=sql(OFFERED), sqlite_where=sql(OFFERED)),
        Index("ix_offers_agent", "agent_id", "offered_at"),
    )


class Decision(Base):
    """Why routing gave a work item to an agent, or let it rest: the record shown as "why me" and "why not me"."""

    __tablename__ = "routing_decisions"

    id: Mapped[int] = id_column()
    work_item_id: Mapped[int] = mapped_column(BigId, ForeignKey("work_items.id"), index=True)
    offer_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("offers.id"), index=True)
    agent_id: Mapped[int | None] = _user(nullable=True)
    # offer, auto or reset.
    kind: Mapped[str]
    at: Mapped[datetime]
    record: Mapped[dict[str, Any]]


class AgentState(Base):
    """An agent on the floor: presence, channels, and the weights held in both pools. One row per agent.

    held is written by every transaction that gives or takes work, so that two engines cannot both fill the last place.
    """

    __tablename__ = "agent_states"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    presence: Mapped[str]
    reason: Mapped[str | None]
    since: Mapped[datetime]
    # "Next status while on contact": taken on when the last live contact is wrapped up.
    next_presence: Mapped[str | None]
    next_reason: Mapped[str | None]
    # The media that the agent has switched off.
    media_off: Mapped[list[Any]]
    live_capacity: Mapped[int] = mapped_column(default=CAPACITY)
    deferred_capacity: Mapped[int] = mapped_column(default=CAPACITY)
    live_held: Mapped[int] = mapped_column(default=0)
    deferred_held: Mapped[int] = mapped_column(default=0)
    last_assigned_at: Mapped[datetime | None]
    free_since: Mapped[datetime]
    # The last connection went away then; NULL while connected (or signed out properly).
    lost_at: Mapped[datetime | None]
    out_until: Mapped[datetime | None]
    # False for people who were deactivated or no longer handle contacts.
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("live_held >= 0 AND deferred_held >= 0", name="held"),
        Index(
            "ix_agent_states_lost",
            "lost_at",
            postgresql_where=sql("lost_at IS NOT NULL"),
            sqlite_where=sql("lost_at IS NOT NULL"),
        ),
    )


class PresenceEntry(Base):
    """An agent was in one presence from `started_at` to `ended_at`: the timeline of their day."""

    __tablename__ = "presence_log"

    id: Mapped[int] = id_column()
    user_id: Mapped[int] = _user()
    presence: Mapped[str]
    reason: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    by_user_id: Mapped[int | None] = _user(nullable=True)

    __table_args__ = (
        Index("ix_presence_log_user", "user_id", "started_at"),
        Index(
            "uq_presence_log_open",
            "user_id",
            unique=True,
            postgresql_where=sql("ended_at IS NULL"),
            sqlite_where=sql("ended_at IS NULL"),
        ),
    )


class AwayReason(Base):
    """Why people are away, and whether that time is productive and paid. One that is not active cannot be chosen."""

    __tablename__ = "away_reasons"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    productive: Mapped[bool]
    paid: Mapped[bool]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True, server_default=sql("true"))


class ProfileRow(Base):
    """One line of a routing profile: the agent serves this queue."""

    __tablename__ = "profile_rows"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    queue_id: Mapped[int] = mapped_column(BigId, ForeignKey("queues.id"), primary_key=True, index=True)
    priority: Mapped[int] = mapped_column(default=1)
    # Only work that has waited this many seconds.
    delay: Mapped[int] = mapped_column(default=0)

    __table_args__ = (CheckConstraint("priority BETWEEN 1 AND 9 AND delay >= 0", name="bounds"),)


class Skill(Base):
    """Something that work asks for and agents know at a level from 1 to 5; languages are named by their locale code."""

    __tablename__ = "skills"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)


class AgentSkill(Base):
    """An agent knows a skill at a level."""

    __tablename__ = "agent_skills"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    skill_id: Mapped[int] = mapped_column(BigId, ForeignKey("skills.id"), primary_key=True, index=True)
    level: Mapped[int]

    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 5", name="level"),)


class Lease(Base):
    """A web process is alive until `expires_at`; after that its connections count as lost."""

    __tablename__ = "process_leases"

    process_id: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AgentConnection(Base):
    """One open WebSocket of an agent's browser."""

    __tablename__ = "agent_connections"

    id: Mapped[int] = id_column()
    connection_id: Mapped[str]
    process_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[int] = _user(index=True)
    opened_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("connection_id"),)
