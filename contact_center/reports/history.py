"""What the board compares the present with: the last hour in five-minute steps, and the same time last week."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, or_, select

from contact_center.reports.definitions import (
    ANSWER_CLOCKS,
    LIVE,
    LIVE_CHANNELS,
    SHORT_ABANDON_SECONDS,
    TOP_BOXES,
    Counts,
    in_numbers,
    wilson,
)
from contact_center.reports.floor import History, Moment, Scope
from contact_center.reports.live import AnyRow, agents_query, counts_by_queue, csat, day_start
from routing.models import AgentState, PresenceEntry, QueueEntry
from routing.states import Presence, QueueExit
from tickets.models import Queue, Ticket
from tickets.quality.models import Survey
from tickets.sla_models import SlaClock

STEPS = 12
STEP = timedelta(minutes=5)
WEEK = timedelta(days=7)
# No shift and no live wait is longer than this.
LONGEST_WAIT = timedelta(hours=6)
LONGEST_SHIFT = timedelta(hours=18)


def history(tx: Connection, scope: Scope, *, zone: str, now: datetime) -> History:
    """Everything that changes slowly; a constant number of statements."""
    queues = select(Queue.id, Queue.target_seconds).where(Queue.active)
    if scope.queue_id is not None:
        queues = queues.where(Queue.id == scope.queue_id)
    targets = {row.id: row.target_seconds for row in tx.execute(queues)}
    ids = list(targets)
    then = now - WEEK
    entries = _entries(tx, ids, now=now)
    presences = _presences(tx, scope, now=now)
    risks = _risks(tx, ids, now=now)
    answers = _answers(tx, ids, since=day_start(now, zone), until=now)
    ends = [now - STEP * (STEPS - 1 - index) for index in range(STEPS)]
    before = [row for row in entries if row.entered_at <= then and row.exited_at is not None and row.exited_at > then]
    counted = sum(counts_by_queue(tx, ids, since=day_start(then, zone), until=then).values(), Counts())
    known = counted != Counts()
    on_floor = sum(1 for row in presences if _lasts(row, then))
    return History(
        hour=tuple(
            Moment(
                counts=_counts(entries, targets, end=end),
                waiting=len(_waits(entries, end)),
                longest=max(((end - row.entered_at).total_seconds() for row in _waits(entries, end)), default=0.0),
                available=sum(row.presence == Presence.AVAILABLE.value and _lasts(row, end) for row in presences),
                at_risk=sum(_warned(row, end) for row in risks),
                csat=_satisfied(answers, end),
            )
            for end in ends
        ),
        last_week=counted if known else None,
        last_week_waiting=len(before) if known else None,
        last_week_longest=max(((then - row.entered_at).total_seconds() for row in before), default=0.0)
        if known
        else None,
        last_week_agents=on_floor if on_floor else None,
        last_week_csat=csat(tx, ids, since=day_start(then, zone), until=then),
    )


def _entries(tx: Connection, queue_ids: Sequence[int], *, now: datetime) -> Sequence[AnyRow]:
    """The live waits that touch the last hour, or this moment a week ago."""
    hour, then = now - STEP * STEPS, now - WEEK
    return tx.execute(
        select(QueueEntry.queue_id, QueueEntry.entered_at, QueueEntry.exited_at, QueueEntry.exit)
        .join(Ticket, Ticket.id == QueueEntry.ticket_id)
        .where(
            in_numbers(),
            QueueEntry.queue_id.in_(queue_ids),
            QueueEntry.medium.in_(LIVE),
            or_(
                QueueEntry.exited_at > hour,
                QueueEntry.exited_at.is_(None),
                and_(
                    QueueEntry.exited_at > then,
                    QueueEntry.exited_at <= then + LONGEST_WAIT,
                    QueueEntry.entered_at <= then,
                ),
            ),
        )
    ).all()


def _presences(tx: Connection, scope: Scope, *, now: datetime) -> Sequence[AnyRow]:
    """The presences on the floor that touch the last hour, or this moment a week ago."""
    hour, then = now - STEP * STEPS, now - WEEK
    agents = agents_query(scope).with_only_columns(AgentState.user_id).order_by(None)
    return tx.execute(
        select(PresenceEntry.presence, PresenceEntry.started_at, PresenceEntry.ended_at).where(
            PresenceEntry.user_id.in_(agents),
            PresenceEntry.presence != Presence.OFFLINE.value,
            or_(
                and_(
                    PresenceEntry.started_at > now - LONGEST_SHIFT,
                    or_(PresenceEntry.ended_at > hour, PresenceEntry.ended_at.is_(None)),
                ),
                and_(
                    PresenceEntry.started_at > then - LONGEST_SHIFT,
                    PresenceEntry.started_at <= then,
                    PresenceEntry.ended_at > then,
                ),
            ),
        )
    ).all()


def _lasts(row: AnyRow, at: datetime) -> bool:
    return bool(row.started_at <= at and (row.ended_at is None or row.ended_at > at))


def _risks(tx: Connection, queue_ids: Sequence[int], *, now: datetime) -> Sequence[AnyRow]:
    """The service clocks of recent live contacts that came into their last quarter."""
    recent = select(QueueEntry.ticket_id).where(
        QueueEntry.queue_id.in_(queue_ids),
        QueueEntry.medium.in_(LIVE),
        or_(QueueEntry.exited_at > now - STEP * STEPS - LONGEST_WAIT, QueueEntry.exited_at.is_(None)),
    )
    return tx.execute(
        select(SlaClock.warned_at, SlaClock.ended_at, SlaClock.dropped_at)
        .join(Ticket, Ticket.id == SlaClock.ticket_id)
        .where(
            in_numbers(),
            SlaClock.ticket_id.in_(recent),
            SlaClock.warned_at.is_not(None),
            SlaClock.metric.in_(ANSWER_CLOCKS),
        )
    ).all()


def _answers(tx: Connection, queue_ids: Sequence[int], *, since: datetime, until: datetime) -> Sequence[AnyRow]:
    return tx.execute(
        select(Survey.answered_at, Survey.rating)
        .join(Ticket, Ticket.id == Survey.ticket_id)
        .where(
            in_numbers(),
            Survey.answered_at >= since,
            Survey.answered_at <= until,
            Survey.rating.is_not(None),
            Survey.channel.in_(LIVE_CHANNELS),
            Survey.queue_id.in_(queue_ids),
        )
    ).all()


def _waits(entries: Sequence[AnyRow], at: datetime) -> list[AnyRow]:
    return [row for row in entries if row.entered_at <= at and (row.exited_at is None or row.exited_at > at)]


def _counts(entries: Sequence[AnyRow], targets: Mapping[int, int], *, end: datetime) -> Counts:
    ended = [row for row in entries if row.exited_at is not None and end - STEP < row.exited_at <= end]
    return sum((counted(row, targets[row.queue_id]) for row in ended), Counts())


def _warned(row: AnyRow, at: datetime) -> bool:
    over = row.ended_at or row.dropped_at
    return bool(row.warned_at <= at and (over is None or over > at))


def _satisfied(answers: Sequence[AnyRow], at: datetime) -> float | None:
    ratings = [row.rating for row in answers if row.answered_at <= at]
    share = wilson(sum(rating in TOP_BOXES for rating in ratings), len(ratings))
    return share.percent if share else None


def counted(row: AnyRow, target_seconds: int) -> Counts:
    """What one ended wait counts as: the same rule as `definitions.counts_columns`, for a row in memory."""
    wait = round((row.exited_at - row.entered_at).total_seconds(), 3)
    match row.exit:
        case QueueExit.ANSWERED.value:
            return Counts(answered=1, within=int(wait <= target_seconds), wait=wait)
        case QueueExit.ABANDONED.value:
            return Counts(abandoned=int(wait >= SHORT_ABANDON_SECONDS))
        case QueueExit.FLOWED_OUT.value:
            return Counts(flowed_out=1)
        case _:
            return Counts()
