"""The rows behind a number of the board: every tile can be opened and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, true
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.shell import page
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from contact_center.reports.definitions import (
    ANSWER_CLOCKS,
    DEFERRED,
    LIVE,
    LIVE_CHANNELS,
    MEANINGS,
    NAMES,
    OPEN_ITEM,
    WAITING,
    Metric,
    in_numbers,
)
from contact_center.reports.live import customer_name, day_end, day_start
from routing.models import QueueEntry, WorkItem
from routing.states import QueueExit
from tickets.models import ContactPoint, Customer, Queue, Ticket
from tickets.numbers import number_of
from tickets.quality.models import Survey
from tickets.sla_models import SlaClock

PAGE = 100
ENDED = (Metric.SERVICE_LEVEL, Metric.ASA, Metric.ABANDONMENT)
OPEN = (Metric.IN_QUEUE, Metric.LONGEST_WAIT, Metric.SLA_AT_RISK)
EXITS = (QueueExit.ANSWERED.value, QueueExit.ABANDONED.value, QueueExit.FLOWED_OUT.value)

AnySelect = Select[*tuple[Any, ...]]


def routes() -> list[Route]:
    """/board/rows/{metric}."""
    return [Route("/board/rows/{metric}", signed_in(rows_page, Permission.VIEW_BOARD), methods=["GET"])]


@dataclass(frozen=True, slots=True)
class Line:
    """One row behind a number; `seconds` is the wait, `exit` how it ended, `rating` an answer to the survey."""

    key: int
    number: int
    customer: str
    subject: str
    channel: str
    queue: str
    at: datetime
    agent: str = ""
    exit: str = ""
    seconds: float | None = None
    in_time: bool | None = None
    due_at: datetime | None = None
    rating: int | None = None


async def rows_page(request: Request) -> Response:
    """The newest rows of a metric (the oldest first, where the number is about age), a page at a time."""
    try:
        metric = Metric(request.path_params["metric"])
    except ValueError:
        raise NotFound("There is no such number.") from None
    if metric is Metric.AGENTS:
        raise NotFound("There is no such number.")
    queue, before = request.query_params.get("queue", ""), request.query_params.get("before", "")
    queue_id = int(queue) if queue.isdecimal() and len(queue) < 19 else None
    held = services(request)
    lines = await held.db.read(
        read_rows,
        metric,
        queue_id,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        zone=held.settings.timezone,
        now=utcnow(),
    )
    address = f"/board/rows/{metric.value}?queue={queue_id or ''}"
    older = f"{address}&before={lines[PAGE - 1].key}" if len(lines) > PAGE else ""
    return await page(
        request,
        "board/rows.html",
        here="board",
        metric=metric.value,
        name=NAMES[metric],
        meaning=MEANINGS[metric],
        lines=lines[:PAGE],
        older=older,
        back=f"/board?queue={queue_id}" if queue_id else "/board",
    )


def read_rows(
    tx: Connection, metric: Metric, queue_id: int | None, *, before: int | None, zone: str, now: datetime
) -> Sequence[Line]:
    """Up to one more than a page of rows, in one statement."""
    wanted: list[ColumnElement[bool]] = [and_(Queue.active, Queue.id == queue_id if queue_id else true())]
    if metric in ENDED:
        return _ended(tx, metric, wanted, before, since=day_start(now, zone), now=now)
    if metric is Metric.CSAT:
        return _answers(tx, wanted, before, since=day_start(now, zone))
    return _open(tx, metric, wanted, before, end=day_end(now, zone), now=now)


def _with_ticket(statement: AnySelect) -> AnySelect:
    return (
        statement.add_columns(
            Ticket.id.label("ticket_id"),
            Ticket.subject,
            Ticket.preview,
            Ticket.channel,
            Customer.name.label("customer"),
            ContactPoint.kind.label("kind"),
            ContactPoint.value.label("address"),
            Queue.name.label("queue"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
    )


def _line(row: Any, **more: Any) -> Line:
    return Line(
        key=row.key,
        number=number_of(row.ticket_id),
        customer=customer_name(row.customer, row.kind, row.address),
        subject=row.subject or row.preview,
        channel=row.channel,
        queue=row.queue,
        **more,
    )


def _ended(
    tx: Connection,
    metric: Metric,
    wanted: list[ColumnElement[bool]],
    before: int | None,
    *,
    since: datetime,
    now: datetime,
) -> Sequence[Line]:
    exits = (QueueExit.ANSWERED.value,) if metric is Metric.ASA else EXITS
    columns: AnySelect = select(
        QueueEntry.id.label("key"),
        QueueEntry.entered_at,
        QueueEntry.exited_at,
        QueueEntry.exit,
        Queue.target_seconds,
        User.name.label("agent"),
    )
    statement = (
        columns.select_from(QueueEntry)
        .join(Queue, Queue.id == QueueEntry.queue_id)
        .join(Ticket, Ticket.id == QueueEntry.ticket_id)
        .outerjoin(User, User.id == QueueEntry.agent_id)
        .where(
            *wanted,
            in_numbers(),
            QueueEntry.medium.in_(LIVE),
            QueueEntry.exit.in_(exits),
            QueueEntry.exited_at >= since,
            QueueEntry.exited_at <= now,
        )
        .order_by(QueueEntry.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        statement = statement.where(QueueEntry.id < before)
    lines = []
    for row in tx.execute(_with_ticket(statement)):
        seconds = (row.exited_at - row.entered_at).total_seconds()
        in_time = seconds <= row.target_seconds if row.exit == QueueExit.ANSWERED.value else None
        lines.append(
            _line(row, at=row.entered_at, agent=row.agent or "", exit=row.exit, seconds=seconds, in_time=in_time)
        )
    return lines


def _open(
    tx: Connection,
    metric: Metric,
    wanted: list[ColumnElement[bool]],
    before: int | None,
    *,
    end: datetime,
    now: datetime,
) -> Sequence[Line]:
    """Open work; pages go by id, which is the order in which work came."""
    columns: AnySelect = select(
        WorkItem.id.label("key"),
        WorkItem.waiting_since,
        WorkItem.enqueued_at,
        Ticket.sla_due_at,
        User.name.label("agent"),
    )
    live = metric in OPEN
    statement = (
        columns.select_from(WorkItem)
        .join(Queue, Queue.id == WorkItem.queue_id)
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .outerjoin(User, User.id == WorkItem.agent_id)
        .where(*wanted, OPEN_ITEM, WorkItem.medium.in_(LIVE if live else DEFERRED), *_only(metric, end, now))
        .order_by(WorkItem.id)
        .limit(PAGE + 1)
    )
    if before is not None:
        statement = statement.where(WorkItem.id > before)
    return [
        _line(
            row,
            at=row.waiting_since if metric in (Metric.IN_QUEUE, Metric.LONGEST_WAIT) else row.enqueued_at,
            agent=row.agent or "",
            due_at=row.sla_due_at,
        )
        for row in tx.execute(_with_ticket(statement))
    ]


def _only(metric: Metric, end: datetime, now: datetime) -> list[ColumnElement[bool]]:
    """Which open work a metric counts."""
    match metric:
        case Metric.IN_QUEUE | Metric.LONGEST_WAIT:
            return [WorkItem.state.in_(WAITING)]
        case Metric.SLA_AT_RISK:
            warned = select(SlaClock.ticket_id).where(
                SlaClock.warn_at <= now,
                SlaClock.ended_at.is_(None),
                SlaClock.dropped_at.is_(None),
                SlaClock.metric.in_(ANSWER_CLOCKS),
            )
            return [or_(WorkItem.ticket_id.in_(warned))]
        case Metric.DUE_TODAY:
            return [and_(Ticket.sla_due_at > now, Ticket.sla_due_at < end)]
        case Metric.BREACHED:
            return [and_(Ticket.sla_due_at <= now)]
        case _:
            return []


def _answers(
    tx: Connection, wanted: list[ColumnElement[bool]], before: int | None, *, since: datetime
) -> Sequence[Line]:
    columns: AnySelect = select(Survey.id.label("key"), Survey.answered_at, Survey.rating, User.name.label("agent"))
    statement = (
        columns.select_from(Survey)
        .join(Queue, Queue.id == Survey.queue_id)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .outerjoin(User, User.id == Survey.agent_id)
        .where(
            *wanted,
            in_numbers(),
            Survey.answered_at >= since,
            Survey.rating.is_not(None),
            Survey.channel.in_(LIVE_CHANNELS),
        )
        .order_by(Survey.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        statement = statement.where(Survey.id < before)
    return [
        _line(row, at=row.answered_at, agent=row.agent or "", rating=row.rating)
        for row in tx.execute(_with_ticket(statement))
    ]
