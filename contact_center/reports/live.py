"""The floor as it is now: a constant number of statements, whatever the number of queues, agents and contacts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, literal, or_, select

from contact_center.accounts.models import TeamMember, User
from contact_center.core.schema import UtcDateTime
from contact_center.reports import troubles
from contact_center.reports.definitions import (
    AGES,
    ANSWER_CLOCKS,
    DEFERRED,
    LIVE,
    LIVE_CHANNELS,
    OPEN_ITEM,
    TOP_BOXES,
    WAITING,
    Counts,
    Share,
    activity,
    counts_columns,
    how_many,
    in_numbers,
    is_staffed,
    wilson,
)
from contact_center.reports.floor import AgentLine, Deferred, Present, QueueLine, Scope, Waiting
from routing import queue_settings
from routing.models import AgentState, Offer, ProfileRow, QueueEntry, WorkItem
from routing.pools import PoolName
from routing.states import OfferState, Presence, WorkItemState
from tickets.customers.names import display_name
from tickets.hours import calendar_from, is_open
from tickets.models import Assignment, Calendar, ContactPoint, Customer, Queue, Ticket
from tickets.numbers import number_of
from tickets.quality.models import Survey
from tickets.sla_models import SlaClock
from tickets.states import ContactKind

LISTED = 40

AnySelect = Select[*tuple[Any, ...]]
AnyRow = Row[*tuple[Any, ...]]


def day_start(now: datetime, zone: str) -> datetime:
    """Local midnight before `now`."""
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(now.tzinfo)


def day_end(now: datetime, zone: str) -> datetime:
    """Local midnight after `now`."""
    local = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (local + timedelta(days=1)).astimezone(now.tzinfo)


def present(tx: Connection, scope: Scope, *, zone: str, now: datetime) -> Present:
    """The floor now; `zone` says where a day begins."""
    since = day_start(now, zone)
    queues = _queues(tx, scope, since=since, now=now)
    ids = [queue.id for queue in queues]
    names = {queue.id: queue.name for queue in queues}
    at_risk, missed = _service_targets(tx, ids, now=now)
    return Present(
        at=now,
        queues=queues,
        agents=_agents(tx, scope, since=since),
        waiting=_waiting(tx, names),
        at_risk=at_risk,
        missed_target=missed,
        deferred=_deferred(tx, ids, end=day_end(now, zone), now=now),
        csat=csat(tx, ids, since=since, until=now),
        troubles=troubles.accounts(tx),
        unsettled=troubles.unsettled_messages(tx, now),
    )


def _queues(tx: Connection, scope: Scope, *, since: datetime, now: datetime) -> tuple[QueueLine, ...]:
    query = (
        select(Queue.id, Queue.name, Queue.target_share, Queue.target_seconds, Queue.routing, Calendar.definition)
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .where(Queue.active)
        .order_by(Queue.name)
    )
    if scope.queue_id is not None:
        query = query.where(Queue.id == scope.queue_id)
    rows = tx.execute(query).all()
    ids = [row.id for row in rows]
    waiting = {(row.queue_id, row.pool): row for row in tx.execute(_waits(ids))}
    staff = {row.queue_id: row for row in tx.execute(_staff(ids))}
    today = counts_by_queue(tx, ids, since=since, until=now)
    lines = []
    for row in rows:
        live = waiting.get((row.id, PoolName.LIVE.value))
        deferred = waiting.get((row.id, PoolName.DEFERRED.value))
        people = staff.get(row.id)
        closed = queue_settings.read(row.routing).closed
        lines.append(
            QueueLine(
                id=row.id,
                name=row.name,
                is_open=closed is None and (row.definition is None or is_open(calendar_from(row.definition), now)),
                closed_reason=closed or "",
                target_share=row.target_share,
                target_seconds=row.target_seconds,
                waiting=live.waiting if live else 0,
                longest_since=live.longest_since if live else None,
                staffed=people.staffed if people else 0,
                available=people.available if people else 0,
                deferred=deferred.waiting if deferred else 0,
                today=today.get(row.id, Counts()),
            )
        )
    return tuple(lines)


def _waits(queue_ids: Sequence[int]) -> AnySelect:
    return (
        select(
            WorkItem.queue_id,
            WorkItem.pool,
            func.count().label("waiting"),
            func.min(WorkItem.waiting_since).label("longest_since"),
        )
        .where(WorkItem.state.in_(WAITING), OPEN_ITEM, WorkItem.queue_id.in_(queue_ids))
        .group_by(WorkItem.queue_id, WorkItem.pool)
    )


def _staff(queue_ids: Sequence[int]) -> AnySelect:
    available = AgentState.presence == Presence.AVAILABLE.value
    staffed = AgentState.presence != Presence.OFFLINE.value
    return (
        select(
            ProfileRow.queue_id,
            func.sum(case((staffed, 1), else_=0)).label("staffed"),
            func.sum(case((available, 1), else_=0)).label("available"),
        )
        .join(AgentState, AgentState.user_id == ProfileRow.user_id)
        .where(AgentState.active, ProfileRow.queue_id.in_(queue_ids))
        .group_by(ProfileRow.queue_id)
    )


def counts_by_queue(
    tx: Connection, queue_ids: Sequence[int], *, since: datetime, until: datetime
) -> Mapping[int, Counts]:
    """The live waits that ended from `since` to `until`, by queue."""
    rows = tx.execute(
        select(QueueEntry.queue_id, *counts_columns())
        .join(Queue, Queue.id == QueueEntry.queue_id)
        .join(Ticket, Ticket.id == QueueEntry.ticket_id)
        .where(
            QueueEntry.queue_id.in_(queue_ids),
            in_numbers(),
            QueueEntry.medium.in_(LIVE),
            QueueEntry.exited_at >= since,
            QueueEntry.exited_at <= until,
        )
        .group_by(QueueEntry.queue_id)
    )
    return {row.queue_id: counts_of(row) for row in rows}


def counts_of(row: AnyRow) -> Counts:
    """The `Counts` of a row that holds `counts_columns`."""
    return Counts(row.answered, row.within, row.wait, row.abandoned, row.flowed_out)


def _agents(tx: Connection, scope: Scope, *, since: datetime) -> tuple[AgentLine, ...]:
    rows = tx.execute(agents_query(scope)).all()
    ids = [row.user_id for row in rows]
    held: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    for item in tx.execute(
        select(WorkItem.agent_id, WorkItem.pool, WorkItem.state, func.count().label("items"))
        .where(OPEN_ITEM, WorkItem.agent_id.in_(ids))
        .group_by(WorkItem.agent_id, WorkItem.pool, WorkItem.state)
    ):
        held[item.agent_id][item.pool, item.state] = item.items
    contacts = tx.execute(
        select(Assignment.user_id, func.count().label("n"))
        .join(Ticket, Ticket.id == Assignment.ticket_id)
        .where(Assignment.user_id.in_(ids), Assignment.started_at >= since, in_numbers())
        .group_by(Assignment.user_id)
    )
    missed = tx.execute(
        select(Offer.agent_id, func.count().label("n"))
        .join(Ticket, Ticket.id == Offer.ticket_id)
        .where(
            Offer.agent_id.in_(ids), Offer.offered_at >= since, Offer.state == OfferState.TIMEOUT.value, in_numbers()
        )
        .group_by(Offer.agent_id)
    )
    taken = {row.user_id: row.n for row in contacts}
    lost = {row.agent_id: row.n for row in missed}
    return tuple(_agent(row, held[row.user_id], taken.get(row.user_id, 0), lost.get(row.user_id, 0)) for row in rows)


def agents_query(scope: Scope) -> AnySelect:
    """The agents of a scope with their state, those on the floor first.

    Opening the console gives anybody a presence; who takes work from no queue and holds none is a visitor here.
    """
    works = or_(
        AgentState.user_id.in_(select(ProfileRow.user_id)),
        AgentState.live_held + AgentState.deferred_held > 0,
        AgentState.presence == Presence.AVAILABLE.value,
    )
    query = (
        select(AgentState.__table__, User.name)
        .join(User, User.id == AgentState.user_id)
        .where(AgentState.active, User.active, works)
        .order_by(case((AgentState.presence == Presence.OFFLINE.value, 1), else_=0), User.name, User.id)
    )
    if scope.queue_id is not None:
        query = query.where(
            AgentState.user_id.in_(select(ProfileRow.user_id).where(ProfileRow.queue_id == scope.queue_id))
        )
    if scope.team_id is not None:
        query = query.where(
            AgentState.user_id.in_(select(TeamMember.user_id).where(TeamMember.team_id == scope.team_id))
        )
    return query


def _agent(row: AnyRow, held: Mapping[tuple[str, str], int], contacts: int, missed: int) -> AgentLine:
    live, deferred = PoolName.LIVE.value, PoolName.DEFERRED.value
    on_contact = held.get((live, WorkItemState.ASSIGNED.value), 0)
    wrapping = held.get((live, WorkItemState.WRAPPING.value), 0)
    return AgentLine(
        id=row.user_id,
        name=row.name,
        presence=row.presence,
        reason=row.reason or "",
        since=row.since,
        activity=activity(
            on_contact=on_contact, incoming=held.get((live, WorkItemState.RESERVED.value), 0), wrapping=wrapping
        ),
        live_held=row.live_held,
        live_capacity=row.live_capacity,
        deferred_held=row.deferred_held,
        deferred_capacity=row.deferred_capacity,
        live=on_contact + wrapping,
        deferred=held.get((deferred, WorkItemState.ASSIGNED.value), 0),
        contacts=contacts,
        missed=missed,
    )


def _waiting(tx: Connection, queues: Mapping[int, str]) -> tuple[Waiting, ...]:
    """What has waited longest, live work before deferred work."""
    live_first = case((WorkItem.pool == PoolName.LIVE.value, 0), else_=1)
    rows = tx.execute(
        select(
            WorkItem.id.label("work_item_id"),
            WorkItem.ticket_id,
            WorkItem.queue_id,
            WorkItem.pool,
            WorkItem.waiting_since,
            WorkItem.priority,
            WorkItem.round,
            Ticket.channel,
            Ticket.subject,
            Ticket.preview,
            Customer.name.label("customer"),
            ContactPoint.kind.label("kind"),
            ContactPoint.value.label("address"),
            User.name.label("offered_to"),
        )
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .outerjoin(User, and_(User.id == WorkItem.agent_id, WorkItem.state == WorkItemState.RESERVED.value))
        .where(WorkItem.state.in_(WAITING), OPEN_ITEM, WorkItem.queue_id.in_(queues))
        .order_by(live_first, WorkItem.waiting_since, WorkItem.id)
        .limit(LISTED)
    )
    return tuple(
        Waiting(
            work_item_id=row.work_item_id,
            ticket_id=row.ticket_id,
            number=number_of(row.ticket_id),
            customer=customer_name(row.customer, row.kind, row.address),
            subject=row.subject or row.preview,
            channel=row.channel,
            queue=queues[row.queue_id],
            priority=row.priority,
            is_live=row.pool == PoolName.LIVE.value,
            waiting_since=row.waiting_since,
            offered_to=row.offered_to or "",
            rounds=row.round,
        )
        for row in rows
    )


def customer_name(name: str, kind: str | None, address: str | None) -> str:
    """What to call a customer: the name, or what their address tells."""
    return display_name(name, ContactKind(kind), address or "") if kind else name


def _service_targets(tx: Connection, queue_ids: Sequence[int], *, now: datetime) -> tuple[int, int]:
    """(at risk, missed): open live contacts whose running answer clocks are in their last quarter, or late."""
    late = SlaClock.due_at <= now
    warned = SlaClock.warn_at <= now
    per_item = (
        select(
            func.max(case((late, 1), else_=0)).label("late"),
            func.max(case((warned, 1), else_=0)).label("warned"),
        )
        .select_from(WorkItem)
        .join(SlaClock, SlaClock.ticket_id == WorkItem.ticket_id)
        .where(
            WorkItem.pool == PoolName.LIVE.value,
            OPEN_ITEM,
            WorkItem.queue_id.in_(queue_ids),
            SlaClock.ended_at.is_(None),
            SlaClock.dropped_at.is_(None),
            SlaClock.metric.in_(ANSWER_CLOCKS),
        )
        .group_by(WorkItem.id)
        .subquery()
    )
    row = tx.execute(
        select(
            func.coalesce(func.sum(case((and_(per_item.c.warned == 1, per_item.c.late == 0), 1), else_=0)), 0).label(
                "at_risk"
            ),
            func.coalesce(func.sum(per_item.c.late), 0).label("late"),
        )
    ).one()
    return row.at_risk, row.late


def _deferred(tx: Connection, queue_ids: Sequence[int], *, end: datetime, now: datetime) -> Deferred:
    edges = [literal(now - edge, UtcDateTime()) for edge, _ in AGES if edge is not None]
    row = tx.execute(
        select(
            func.count().label("open"),
            how_many(WorkItem.state.in_(WAITING)).label("unowned"),
            func.min(WorkItem.enqueued_at).label("oldest_since"),
            how_many(and_(Ticket.sla_due_at > now, Ticket.sla_due_at < end)).label("due_today"),
            how_many(Ticket.sla_due_at <= now).label("breached"),
            *(how_many(_between(WorkItem.enqueued_at, edges, at)).label(f"age_{at}") for at in range(len(AGES))),
        )
        .select_from(WorkItem)
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .where(
            OPEN_ITEM,
            WorkItem.medium.in_(DEFERRED),
            WorkItem.queue_id.in_(queue_ids),
        )
    ).one()
    ages = tuple(getattr(row, f"age_{index}") for index in range(len(AGES)))
    return Deferred(row.open, row.unowned, row.oldest_since, row.due_today, row.breached, ages)


def _between(column: Any, edges: Sequence[Any], index: int) -> ColumnElement[bool]:
    """Whether a moment lies in age group `index`: younger than its edge, not younger than the edge before."""
    if index == 0:
        return and_(column > edges[0])
    if index == len(edges):
        return and_(column <= edges[-1])
    return and_(column <= edges[index - 1], column > edges[index])


def csat(tx: Connection, queue_ids: Sequence[int], *, since: datetime, until: datetime) -> Share | None:
    """The answers about live contacts from `since` to `until`."""
    row = tx.execute(
        select(func.count().label("n"), how_many(Survey.rating.in_(TOP_BOXES)).label("good"))
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(
            in_numbers(),
            Survey.answered_at >= since,
            Survey.answered_at <= until,
            Survey.rating.is_not(None),
            Survey.channel.in_(LIVE_CHANNELS),
            Survey.queue_id.in_(queue_ids),
        )
    ).one()
    return wilson(row.good, row.n)


def staffed(agents: Sequence[AgentLine]) -> list[AgentLine]:
    """The agents who count as being on the floor."""
    return [agent for agent in agents if is_staffed(agent.presence)]
