"""Callers on their way through a plan: each step is one transaction, committed before Twilio hears what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone import calls, entries, legs, lines
from channels.phone.flow.models import CallFlow
from channels.phone.flow.plan import Plan
from channels.phone.flow.steps import IN_QUEUE, Outcome, Spot, Step, Told, advance, begin
from channels.phone.legs import LegState, Role
from channels.phone.lines import Line
from channels.phone.models import Call
from channels.phone.states import Ending, Facts
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.upsert import insert_once
from routing import contacts as floor
from tickets import timers
from tickets.states import ContactKind

ASKED = mark("Asked for on the phone; keeps their place in the queue.")
# When a call that was asked for is due if nobody knows how long one waits.
USUAL_WAIT = timedelta(minutes=10)
# Longer than any round of music: whoever asks nothing for so long hung up without anybody telling us.
SILENT = timedelta(minutes=20)
BATCH = 20


@dataclass(frozen=True, slots=True)
class Way:
    """A line with its plan."""

    line: Line
    plan: Plan


def arrive(tx: Connection, way: Way, call_id: int, *, now: datetime) -> Row[Any]:
    """A caller begins; arriving again finds them where they are."""
    call = _call(tx, call_id, lock=True)
    spot = begin(way.plan, way.line.account.queue_id, _told(tx, call, now=now))
    values = {"call_id": call_id, **_columns(spot), "turn": 0, "began_at": now, "seen_at": now}
    if insert_once(tx, CallFlow, key=["call_id"], values=values) is not None:
        key = f"caller-{call_id}"
        known = {"external_id": call.external_id, "state": LegState.RINGING}
        legs.add_leg(tx, call_id, Role.CALLER, client_key=key, **known, now=now)
        _follow(tx, way, call, None, spot, now=now)
    return flow_of(tx, call_id)


def go_on(tx: Connection, way: Way, call_id: int, turn: int, values: Mapping[str, str], *, now: datetime) -> Row[Any]:
    """The caller's step is over; a request that was answered before (or that comes late) changes nothing."""
    # The call before the flow, as everywhere: whoever holds its row decides.
    call = _call(tx, call_id, lock=True)
    flow = flow_of(tx, call_id, lock=True)
    if turn != flow.turn or flow.ended_at is not None:
        return flow
    spot = spot_of(flow)
    digits = values.get("Digits", "").strip()
    told = _told(
        tx,
        call,
        now=now,
        digits=digits if len(digits) == 1 else "",
        recorded=bool(values.get("RecordingSid")) and values.get("RecordingDuration", "0") != "0",
        waits_since=flow.waits_since,
    )
    after = advance(way.plan, spot, told)
    tx.execute(
        update(CallFlow).where(CallFlow.id == flow.id).values(**_columns(after), turn=flow.turn + 1, seen_at=now)
    )
    _follow(tx, way, call, spot, after, now=now)
    return flow_of(tx, call_id)


def _follow(tx: Connection, way: Way, call: Row[Any], before: Spot | None, after: Spot, *, now: datetime) -> None:
    """What a step means for the ledger, the ticket and the queue."""
    if call.queue_id != after.queue_id or call.locale != after.locale:
        tx.execute(update(Call).where(Call.id == call.id).values(queue_id=after.queue_id, locale=after.locale))
    waited = before is not None and before.step in IN_QUEUE
    if after.step is Step.WAITING and not waited:
        _into_queue(tx, way, call.id, now=now)
    call = _call(tx, call.id)
    if waited and after.step not in IN_QUEUE and call.ticket_id is not None:
        _out_of_queue(tx, way, call, after, now=now)
    if after.outcome and call.outcome is None:
        calls.end_as(tx, way.line, call, after.outcome, now=now)


def _into_queue(tx: Connection, way: Way, call_id: int, *, now: datetime) -> None:
    """The call's ticket is offered to agents from now on, unless the caller has hung up by now."""
    tx.execute(update(CallFlow).where(CallFlow.call_id == call_id).values(waits_since=now))
    call = tx.execute(
        update(Call)
        .where(Call.id == call_id, Call.ending.is_(None), Call.ticket_id.is_(None))
        .values(live=True)
        .returning(*Call.__table__.columns)
    ).first()
    if call is not None:
        calls.open_ticket(tx, way.line, call, now=now)


def _out_of_queue(tx: Connection, way: Way, call: Row[Any], after: Spot, *, now: datetime) -> None:
    """Whoever leaves the queue with our help keeps their place: as a call to make, or a message to hear."""
    wait = floor.wait_of(tx, call.ticket_id, now=now)
    floor.asked_to_be_called(tx, call.ticket_id, after.outcome or after.step.value, now=now)
    if after.outcome != Outcome.CALLBACK.value:
        return
    seconds = wait.estimate_seconds if wait else None
    due_at = now + (timedelta(seconds=max(60, seconds)) if seconds is not None else USUAL_WAIT)
    key = f"call-{call.id}"
    text = gettext(way.line.locale, ASKED)
    timers.remind(tx, call.ticket_id, due_at=due_at, now=now, text=text, client_id=key)


def ended(tx: Connection, line: Line, call_id: int, *, now: datetime) -> None:
    """The call is over, whoever said so: the caller's way ends where it is, and has a name."""
    flow = tx.execute(
        update(CallFlow)
        .where(CallFlow.call_id == call_id, CallFlow.ended_at.is_(None))
        .values(ended_at=now)
        .returning(CallFlow.step)
    ).first()
    if flow is None:
        return
    call = _call(tx, call_id)
    if call.outcome is None:
        outcome = Outcome.ANSWERED.value if call.answered_at else f"left_{flow.step}"
        calls.end_as(tx, line, call, outcome, now=now)
    caller = legs.caller_of(tx, call_id)
    if caller is not None:
        legs.move_leg(tx, caller.id, LegState.LEFT, now=now)


def hung_up(tx: Connection, call_id: int, *, at: datetime, now: datetime) -> None:
    """The caller is gone and Twilio's status callback may never say so: the ledger learns it here."""
    line = line_for(tx, call_id)
    calls.learn(tx, line, call_id, Facts(ended_at=at, ending=Ending.HUNG_UP), now=now)
    ended(tx, line, call_id, now=now)


def sweep(tx: Connection, now: datetime) -> bool:
    """End the way of callers of whom nothing was heard for long; True if there may be more."""
    rows = tx.execute(
        select(CallFlow.call_id, CallFlow.seen_at)
        .where(CallFlow.ended_at.is_(None), CallFlow.seen_at < now - SILENT, CallFlow.step != Step.TALKING.value)
        .order_by(CallFlow.seen_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        hung_up(tx, row.call_id, at=row.seen_at, now=now)
    return len(rows) == BATCH


def flow_of(tx: Connection, call_id: int, *, lock: bool = False) -> Row[Any]:
    """Where a caller is; NotFound where no plan leads this call."""
    statement = select(CallFlow.__table__).where(CallFlow.call_id == call_id)
    flow = tx.execute(statement.with_for_update() if lock else statement).first()
    if flow is None:
        raise NotFound("There is nothing here.")
    return flow


def spot_of(flow: Row[Any]) -> Spot:
    """The row as a spot."""
    return Spot(Step(flow.step), flow.locale, flow.queue_id, flow.tries, flow.consent, flow.said)


def line_for(tx: Connection, call_id: int) -> Line:
    """The line of a call for those who send nothing: without its credentials."""
    account_id = tx.execute(select(Call.channel_account_id).where(Call.id == call_id)).scalar_one()
    return lines.line_by_id(tx, account_id, source="twilio")


def is_reachable(number: str, region: str) -> bool:
    """Whether a caller's number can be called back."""
    return entries.sender_of(number, "", region).kind is ContactKind.PHONE


def _told(tx: Connection, call: Row[Any], *, now: datetime, waits_since: datetime | None = None, **known: Any) -> Told:
    waited = (now - waits_since).total_seconds() if waits_since else 0
    return Told(
        is_open=partial(_is_open, tx, now),
        waited_seconds=int(waited),
        reachable=is_reachable(call.number, ""),
        **known,
    )


def _is_open(tx: Connection, now: datetime, queue_id: int) -> bool:
    return floor.queue_is_open(tx, queue_id, now)


def _columns(spot: Spot) -> dict[str, Any]:
    return {
        "step": spot.step.value,
        "locale": spot.locale,
        "queue_id": spot.queue_id,
        "tries": spot.tries,
        "consent": spot.consent,
        "said": spot.said,
    }


def _call(tx: Connection, call_id: int, *, lock: bool = False) -> Row[Any]:
    statement = select(Call.__table__).where(Call.id == call_id)
    return tx.execute(statement.with_for_update() if lock else statement).one()
