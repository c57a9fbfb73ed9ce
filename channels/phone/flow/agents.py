"""Between a caller who waits and the agent who accepted: whose phone rings, and what if nobody picks it up."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from channels.phone import calls, legs
from channels.phone.commands import Verb, command, commands_of
from channels.phone.flow import callers
from channels.phone.flow.models import CallFlow
from channels.phone.flow.plan import plan_of
from channels.phone.flow.steps import Step, may_record
from channels.phone.legs import OVER, LegState, Role
from channels.phone.models import Call
from channels.phone.people import phone_of
from channels.phone.states import Facts
from contact_center.core.events import Event
from routing import contacts as floor
from tickets.timeline import add_event

# Every assignment of any ticket runs it, so it is built once.
_WAITING_CALL = (
    select(CallFlow.id, CallFlow.call_id, CallFlow.step)
    .join(Call, Call.id == CallFlow.call_id)
    .where(
        Call.ticket_id == bindparam("ticket"),
        Call.ending.is_(None),
        CallFlow.ended_at.is_(None),
        CallFlow.step.in_([Step.WAITING.value, Step.RINGING.value]),
    )
    .with_for_update()
)


def on_ticket_assigned(tx: Connection, event: Event, now: datetime) -> None:
    """Somebody accepted a caller who waits: their phone rings into the conference, the caller hears that they do."""
    flow = tx.execute(_WAITING_CALL, {"ticket": event.payload["ticket_id"]}).first()
    if flow is None:
        return
    user_id = event.payload["user_id"]
    if flow.step == Step.RINGING.value:
        _drop_agents(tx, flow.call_id, but=user_id, now=now)
    number = phone_of(tx, user_id)
    if not number:
        add_event(tx, event.payload["ticket_id"], "no_phone", {"user_id": user_id}, now=now)
        _wait_on(tx, flow, event.payload["ticket_id"], user_id, now=now)
        return
    key = f"agent-{flow.call_id}-{event.payload['assignment_id']}"
    leg = legs.add_leg(tx, flow.call_id, Role.AGENT, client_key=key, number=number, user_id=user_id, now=now)
    if leg.state == LegState.WANTED.value:
        command(tx, flow.call_id, Verb.DIAL, leg_id=leg.id, now=now)
    _step(tx, flow.id, Step.RINGING)


def on_ticket_unassigned(tx: Connection, event: Event, now: datetime) -> None:
    """Who accepted let the caller go again before they spoke: the caller waits on, the phone rings no more."""
    flow = tx.execute(_WAITING_CALL, {"ticket": event.payload["ticket_id"]}).first()
    if flow is None or flow.step != Step.RINGING.value:
        return
    _step(tx, flow.id, Step.WAITING)
    _unclaim(tx, flow.call_id)
    _drop_agents(tx, flow.call_id, now=now)


def on_leg_changed(tx: Connection, event: Event, now: datetime) -> None:
    """The agent did not pick up, or both are there, or the caller is gone."""
    call_id, state = event.payload["call_id"], event.payload["state"]
    # The call first, as everywhere: whoever holds its row decides.
    tx.execute(select(Call.id).where(Call.id == call_id).with_for_update()).one()
    flow = tx.execute(
        select(CallFlow.id, CallFlow.call_id, CallFlow.step, CallFlow.consent)
        .where(CallFlow.call_id == call_id, CallFlow.ended_at.is_(None))
        .with_for_update()
    ).first()
    if flow is None:
        return
    is_caller = event.payload["role"] == Role.CALLER.value
    if is_caller and state == LegState.JOINED.value:
        _talk(tx, flow, now=now)
    elif is_caller and state in OVER:
        callers.hung_up(tx, call_id, at=event.created_at, now=now)
    elif not is_caller and state in OVER and flow.step == Step.RINGING.value:
        _not_picked_up(tx, flow, event.payload, now=now)


def _talk(tx: Connection, flow: Any, *, now: datetime) -> None:
    """Caller and agent are in the conference: the call is answered, and recorded where that was agreed."""
    _step(tx, flow.id, Step.TALKING)
    line = callers.line_for(tx, flow.call_id)
    calls.learn(tx, line, flow.call_id, Facts(answered_at=now), now=now)
    plan = plan_of(line.account.settings)
    asked = any(one.verb == Verb.RECORD.value for one in commands_of(tx, flow.call_id))
    if plan is not None and may_record(plan, flow.consent) and not asked:
        command(tx, flow.call_id, Verb.RECORD, now=now)


def _not_picked_up(tx: Connection, flow: Any, leg: Any, *, now: datetime) -> None:
    alive = [
        one
        for one in legs.legs_of(tx, flow.call_id)
        if one.role == Role.AGENT.value and one.state not in OVER and one.id != leg["leg_id"]
    ]
    ticket_id = tx.execute(select(Call.ticket_id).where(Call.id == flow.call_id)).scalar_one()
    if not alive and ticket_id is not None:
        add_event(tx, ticket_id, "not_picked_up", {"user_id": leg["user_id"]}, now=now)
        _wait_on(tx, flow, ticket_id, leg["user_id"], now=now)


def _wait_on(tx: Connection, flow: Any, ticket_id: int, user_id: int, *, now: datetime) -> None:
    """Back among those who wait, with their age; this agent is not asked again at once."""
    _step(tx, flow.id, Step.WAITING)
    _unclaim(tx, flow.call_id)
    floor.not_reached(tx, ticket_id, user_id, now=now)


def _step(tx: Connection, flow_id: int, step: Step) -> None:
    tx.execute(update(CallFlow).where(CallFlow.id == flow_id).values(step=step.value, said=""))


def _unclaim(tx: Connection, call_id: int) -> None:
    tx.execute(update(Call).where(Call.id == call_id, Call.answered_at.is_(None)).values(user_id=None))


def _drop_agents(tx: Connection, call_id: int, *, now: datetime, but: int | None = None) -> None:
    for leg in legs.legs_of(tx, call_id):
        if leg.role == Role.AGENT.value and leg.state not in OVER and leg.user_id != but:
            command(tx, call_id, Verb.DROP, leg_id=leg.id, now=now)
