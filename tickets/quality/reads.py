"""What the quality screens read: complaints, evaluations, what could be evaluated, and the figures above them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlalchemy.orm import aliased

from contact_center.accounts.models import User
from contact_center.accounts.permissions import TABLE, Permission
from tickets.models import Assignment, ContactPoint, Customer, Message, Queue, Ticket
from tickets.quality.complaint_stages import Stage
from tickets.quality.evaluations import EvaluationState
from tickets.quality.models import Complaint, ComplaintStep, Evaluation, Scorecard, ScorecardVersion, Survey
from tickets.states import MessageKind

PAGE = 60
OPEN_STAGES = tuple(stage.value for stage in Stage if stage is not Stage.CLOSED)
_SPOKEN = (MessageKind.INBOUND.value, MessageKind.OUTBOUND.value, MessageKind.NOTE.value, MessageKind.CALL.value)

_Owner, _Agent, _Evaluator = aliased(User), aliased(User), aliased(User)


@dataclass(frozen=True)
class Figures:
    """The tiles above the quality pages; shares and scores in percent, None without data."""

    open_complaints: int
    overdue: int
    evaluations: int
    mean_score: float | None
    satisfied: int
    answers: int


def figures(tx: Connection, *, now: datetime, days: int = 30) -> Figures:
    """Open complaints and those past their promise; evaluations and CSAT of the last days."""
    since = now - timedelta(days=days)
    open_, overdue = tx.execute(
        select(func.count(), func.count(case((Complaint.due_at < now, 1)))).where(Complaint.stage.in_(OPEN_STAGES))
    ).one()
    count, mean = tx.execute(
        select(func.count(), func.avg(Evaluation.final_score)).where(Evaluation.finished_at >= since)
    ).one()
    answers, satisfied = tx.execute(
        select(func.count(), func.count(case((Survey.rating >= 4, 1)))).where(Survey.answered_at >= since)
    ).one()
    return Figures(open_, overdue, count, None if mean is None else float(mean) / 100, satisfied, answers)


_COMPLAINTS = (
    select(
        Complaint.__table__,
        Ticket.subject,
        Ticket.channel,
        Customer.id.label("customer_id"),
        Customer.name.label("customer"),
        ContactPoint.kind.label("contact_kind"),
        ContactPoint.value.label("contact"),
        func.coalesce(_Owner.name, "").label("owner"),
        func.coalesce(_Agent.name, "").label("subject_agent"),
    )
    .join(Ticket, Ticket.id == Complaint.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
    .outerjoin(_Owner, _Owner.id == Complaint.owner_id)
    .outerjoin(_Agent, _Agent.id == Complaint.subject_agent_id)
)


def complaints(tx: Connection, *, stage: str = "open", owner_id: int | None = None) -> list[Any]:
    """Complaints of a stage ("open": all but closed), the next promise first."""
    wanted: list[ColumnElement[bool]] = [
        Complaint.stage.in_(OPEN_STAGES) if stage == "open" else Complaint.stage == stage
    ]
    if owner_id is not None:
        wanted.append(Complaint.owner_id == owner_id)
    order = (Complaint.due_at.is_(None), Complaint.due_at, Complaint.received_at.desc(), Complaint.id)
    return list(tx.execute(_COMPLAINTS.where(*wanted).order_by(*order).limit(PAGE)))


def stage_counts(tx: Connection) -> dict[str, int]:
    """How many complaints are in each stage."""
    rows = tx.execute(select(Complaint.stage, func.count().label("n")).group_by(Complaint.stage))
    return {row.stage: row.n for row in rows}


def complaint(tx: Connection, complaint_id: int) -> Any:
    """One complaint with the names around it; None if there is none."""
    return tx.execute(_COMPLAINTS.where(Complaint.id == complaint_id)).first()


def steps(tx: Connection, complaint_id: int) -> list[Any]:
    """The log of a complaint, newest first."""
    return list(
        tx.execute(
            select(ComplaintStep.__table__, func.coalesce(User.name, "").label("by"))
            .outerjoin(User, User.id == ComplaintStep.user_id)
            .where(ComplaintStep.complaint_id == complaint_id)
            .order_by(ComplaintStep.id.desc())
            .limit(200)
        )
    )


def people(tx: Connection, permission: Permission | None = None) -> list[Any]:
    """Active users, or those whose role has the permission: (id, name)."""
    statement = select(User.id, User.name).where(User.active).order_by(User.name, User.id)
    if permission is not None:
        roles = [role.value for role, granted in TABLE.items() if permission in granted]
        statement = statement.where(User.role.in_(roles))
    return list(tx.execute(statement))


def conversation(tx: Connection, ticket_id: int, *, limit: int = 200) -> list[Any]:
    """What was said in a ticket, notes too, in its order."""
    return list(
        tx.execute(
            select(
                Message.id,
                Message.kind,
                Message.author_kind,
                Message.text,
                Message.created_at,
                func.coalesce(User.name, "").label("author"),
            )
            .outerjoin(User, User.id == Message.user_id)
            .where(Message.ticket_id == ticket_id, Message.kind.in_(_SPOKEN))
            .order_by(Message.seq)
            .limit(limit)
        )
    )


_EVALUATIONS = (
    select(
        Evaluation.__table__,
        Ticket.subject,
        Ticket.channel,
        Scorecard.name.label("scorecard"),
        _Agent.name.label("agent"),
        _Evaluator.name.label("evaluator"),
        Assignment.started_at,
        Assignment.ended_at,
    )
    .join(Ticket, Ticket.id == Evaluation.ticket_id)
    .join(Assignment, Assignment.id == Evaluation.assignment_id)
    .join(ScorecardVersion, ScorecardVersion.id == Evaluation.scorecard_version_id)
    .join(Scorecard, Scorecard.id == ScorecardVersion.scorecard_id)
    .join(_Agent, _Agent.id == Evaluation.agent_id)
    .join(_Evaluator, _Evaluator.id == Evaluation.evaluator_id)
)


def evaluations(tx: Connection, *, viewer_id: int, agent_id: int | None = None) -> list[Any]:
    """Finished evaluations and the viewer's own drafts, newest change first."""
    visible = (Evaluation.state == EvaluationState.FINISHED.value) | (Evaluation.evaluator_id == viewer_id)
    statement = _EVALUATIONS.where(visible)
    if agent_id is not None:
        statement = statement.where(Evaluation.agent_id == agent_id)
    return list(tx.execute(statement.order_by(Evaluation.updated_at.desc(), Evaluation.id.desc()).limit(PAGE)))


def evaluation(tx: Connection, evaluation_id: int) -> Any:
    """One evaluation with the names around it; None if there is none."""
    return tx.execute(_EVALUATIONS.where(Evaluation.id == evaluation_id)).first()


def candidates(tx: Connection, *, viewer_id: int, since: datetime) -> Sequence[Any]:
    """Assignments nobody has evaluated yet: complaints and bad ratings first, then the newest."""
    rating = select(func.min(Survey.rating)).where(Survey.ticket_id == Ticket.id).correlate(Ticket).scalar_subquery()
    complained = select(func.count()).where(Complaint.ticket_id == Ticket.id).correlate(Ticket).scalar_subquery()
    evaluated = select(Evaluation.id).where(Evaluation.assignment_id == Assignment.id).exists()
    worst_first = case((complained > 0, 0), (rating <= 2, 1), else_=2)
    return tx.execute(
        select(
            Assignment.id,
            Assignment.started_at,
            Assignment.ended_at,
            Ticket.id.label("ticket_id"),
            Ticket.subject,
            Ticket.channel,
            Ticket.status,
            Queue.name.label("queue"),
            User.name.label("agent"),
            rating.label("rating"),
            complained.label("complained"),
        )
        .join(Ticket, Ticket.id == Assignment.ticket_id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .join(User, User.id == Assignment.user_id)
        .where(
            Assignment.started_at >= since, Assignment.user_id != viewer_id, ~evaluated, Ticket.resolved_at.is_not(None)
        )
        .order_by(worst_first, Assignment.started_at.desc(), Assignment.id.desc())
        .limit(PAGE)
    ).all()


def assignments_of(tx: Connection, ticket_id: int) -> list[Any]:
    """Who owned a ticket, newest first: (id, user_id, agent, started_at)."""
    return list(
        tx.execute(
            select(Assignment.id, Assignment.user_id, User.name.label("agent"), Assignment.started_at)
            .join(User, User.id == Assignment.user_id)
            .where(Assignment.ticket_id == ticket_id)
            .order_by(Assignment.id.desc())
            .limit(20)
        )
    )


def scorecards(tx: Connection) -> list[Any]:
    """All scorecards with their newest version, those in use first, and of them the most used, which a form offers."""
    newest = func.max(ScorecardVersion.number).label("version")
    used = func.count(Evaluation.id).label("used")
    return list(
        tx.execute(
            select(Scorecard.id, Scorecard.name, Scorecard.description, Scorecard.active, newest, used)
            .join(ScorecardVersion, ScorecardVersion.scorecard_id == Scorecard.id)
            .outerjoin(Evaluation, Evaluation.scorecard_version_id == ScorecardVersion.id)
            .group_by(Scorecard.id)
            .order_by(Scorecard.active.desc(), used.desc(), Scorecard.name)
        )
    )
