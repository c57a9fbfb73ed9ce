"""The tables of quality: scorecards and evaluations, surveys, complaints."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, BigId, id_column
from tickets.models import refers_to


class Scorecard(Base):
    """A form that evaluations fill; its questions are in versions."""

    __tablename__ = "scorecards"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class ScorecardVersion(Base):
    """The questions of a scorecard as they once were; a finished evaluation keeps its version."""

    __tablename__ = "scorecard_versions"

    id: Mapped[int] = id_column()
    scorecard_id: Mapped[int] = refers_to("scorecards.id", index=False)
    number: Mapped[int]
    # The JSON form of scorecards.Definition.
    definition: Mapped[dict[str, Any]]
    created_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("scorecard_id", "number", name="uq_scorecard_versions_number"),)


class Evaluation(Base):
    """One evaluator's view of how one agent handled one assignment."""

    __tablename__ = "evaluations"

    id: Mapped[int] = id_column()
    assignment_id: Mapped[int] = refers_to("assignments.id", index=False)
    ticket_id: Mapped[int] = refers_to("tickets.id")
    agent_id: Mapped[int] = refers_to("users.id", index=False)
    evaluator_id: Mapped[int] = refers_to("users.id", index=False)
    scorecard_version_id: Mapped[int] = refers_to("scorecard_versions.id")
    state: Mapped[str]
    # Hundredths of a percent: 7167 is 71.67 %.
    raw_score: Mapped[int | None]
    final_score: Mapped[int | None]
    verdict: Mapped[str | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("assignment_id", "scorecard_version_id", "evaluator_id", name="uq_evaluations_once"),
        Index("ix_evaluations_state", "state", "updated_at", "id"),
        Index("ix_evaluations_agent", "agent_id", "finished_at"),
    )


class EvaluationAnswer(Base):
    """The chosen answer to one question, by the keys of the scorecard's version."""

    __tablename__ = "evaluation_answers"

    evaluation_id: Mapped[int] = mapped_column(BigId, ForeignKey("evaluations.id"), primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    choice: Mapped[str]
    comment: Mapped[str] = mapped_column(Text, default="")


class Survey(Base):
    """The question "how satisfied were you?" after one resolution, and its answer."""

    __tablename__ = "surveys"

    id: Mapped[int] = id_column()
    # The unguessable part of the link; whoever holds it may answer, once.
    token: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    resolved_at: Mapped[datetime]
    customer_id: Mapped[int] = refers_to("customers.id")
    # Who is credited: the agent that resolved the ticket.
    agent_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    queue_id: Mapped[int] = refers_to("queues.id", index=False)
    channel: Mapped[str]
    locale: Mapped[str]
    message_id: Mapped[int | None] = refers_to("messages.id", nullable=True, index=False)
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    rating: Mapped[int | None]
    comment: Mapped[str] = mapped_column(Text, default="")
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("ticket_id", "resolved_at", name="uq_surveys_resolution"),
        Index(
            "ix_surveys_planned",
            "due_at",
            "id",
            postgresql_where=sql("state = 'planned'"),
            sqlite_where=sql("state = 'planned'"),
        ),
        Index("ix_surveys_answered_at", "answered_at"),
        Index("ix_surveys_agent", "agent_id", "answered_at"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    )


class Complaint(Base):
    """A ticket whose matter is a complaint, and what is known of it so far."""

    __tablename__ = "complaints"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), unique=True)
    stage: Mapped[str]
    opener: Mapped[str]
    opened_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    summary: Mapped[str] = mapped_column(Text)
    severity: Mapped[str | None]
    owner_id: Mapped[int | None] = refers_to("users.id", nullable=True)
    # Whom it is about, if it is about a person here: they may not own it.
    subject_agent_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    acknowledgement: Mapped[str] = mapped_column(Text, default="")
    findings: Mapped[str] = mapped_column(Text, default="")
    decision: Mapped[str | None]
    reasons: Mapped[str] = mapped_column(Text, default="")
    remedy: Mapped[str] = mapped_column(Text, default="")
    root_cause: Mapped[str] = mapped_column(default="")
    communicated: Mapped[str] = mapped_column(Text, default="")
    received_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # The next promise to the customer; NULL once the decision was communicated.
    due_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_complaints_stage", "stage", "received_at", "id"),)


class ComplaintStep(Base):
    """One entry of a complaint's log: a move to a stage, or a change of its facts."""

    __tablename__ = "complaint_steps"

    id: Mapped[int] = id_column()
    complaint_id: Mapped[int] = refers_to("complaints.id")
    source: Mapped[str | None]
    target: Mapped[str]
    user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    reason: Mapped[str] = mapped_column(Text, default="")
    # Changed facts: name → [before, after].
    changes: Mapped[dict[str, Any]]
    at: Mapped[datetime]
