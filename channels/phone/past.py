"""Calls as the history that workforce planning reads: out of a log that was just read, or out of the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from channels.phone.callog import CallLog, LoggedCall
from channels.phone.history import LEFT_MENU
from channels.phone.models import Call
from channels.phone.states import FINAL, CallState, Direction, state_of
from routing.workforce.history import Figures, PastCall, figures_of

PAGE = 5_000
_COLUMNS: tuple[Any, ...] = (
    Call.id,
    Call.rang_at,
    Call.answered_at,
    Call.ended_at,
    Call.wait_seconds,
    Call.talk_seconds,
    Call.state,
    Call.outcome,
    Call.user_id,
    Call.agent,
)


def of_log(calls: Iterable[LoggedCall], zone: tzinfo) -> Iterator[PastCall]:
    """The calls of a log that came in."""
    for call in calls:
        facts = call.facts
        if call.direction is not Direction.IN or facts.rang_at is None:
            continue
        answered = state_of(facts, call.direction) is CallState.COMPLETED
        yield _past(
            zone,
            (facts.rang_at, facts.answered_at, facts.ended_at),
            (call.wait_seconds, call.talk_seconds),
            call.agent if answered else None,
            left_menu=call.left_menu,
        )


def log_figures(log: CallLog, zone: tzinfo) -> Figures:
    """What a log says of itself; refused rows count as rows of their day where they tell it."""
    found = figures_of(of_log(log.calls, zone))
    for refusal in log.refusals:
        if refusal.at is not None:
            found.days[refusal.at.astimezone(zone).date()].rows += 1
    return found


def ledger_page(
    tx: Connection,
    zone: tzinfo,
    *,
    first: date | None,
    last: date | None,
    after: tuple[datetime, int] | None = None,
    queue_id: int | None = None,
) -> Sequence[Row[Any]]:
    """One page of the ended calls that customers made on the days from `first` to `last`, oldest first."""
    found = (
        select(*_COLUMNS)
        .where(
            Call.direction == Direction.IN.value,
            Call.state.in_([state.value for state in FINAL - {CallState.BLOCKED}]),
            Call.rang_at.is_not(None),
        )
        .order_by(Call.rang_at, Call.id)
        .limit(PAGE)
    )
    if queue_id is not None:
        found = found.where(Call.queue_id == queue_id)
    if first is not None:
        found = found.where(Call.rang_at >= datetime.combine(first, time(), zone))
    if last is not None:
        found = found.where(Call.rang_at < datetime.combine(last + timedelta(days=1), time(), zone))
    if after is not None:
        at, number = after
        found = found.where((Call.rang_at > at) | ((Call.rang_at == at) & (Call.id > number)))
    return tx.execute(found).all()


def past_call(row: Row[Any], zone: tzinfo) -> PastCall:
    """One row of the ledger as history."""
    agent = row.agent or (f"user {row.user_id}" if row.user_id else "")
    return _past(
        zone,
        (row.rang_at, row.answered_at, row.ended_at),
        (row.wait_seconds, row.talk_seconds),
        agent if row.state == CallState.COMPLETED.value else None,
        left_menu=row.outcome == LEFT_MENU,
    )


def _past(
    zone: tzinfo,
    moments: tuple[datetime, datetime | None, datetime | None],
    lengths: tuple[int, int],
    agent: str | None,
    *,
    left_menu: bool,
) -> PastCall:
    """The wait ended with the answer or, where nobody answered, with the call."""
    rang_at, answered_at, ended_at = moments
    wait, talk = lengths
    until = (answered_at if agent is not None else ended_at) or rang_at
    return PastCall(
        day=rang_at.astimezone(zone).date(),
        queued_at=max(rang_at.timestamp(), until.timestamp() - wait),
        wait=float(wait),
        handle=float(talk) if agent is not None else 0.0,
        answered=agent is not None,
        agent=agent or "",
        left_menu=left_menu and agent is None,
    )
