"""What Twilio tells of a call's conference and of each leg in it, and what follows from a leg that moved.

1. `take_leg` and `take_conference` move legs by the callbacks, each idempotent and in any order.
2. `on_leg_changed` reacts: whom we dialled is there, so the customer is brought in; the last of us left, so the call
   ends; the customer left, so nobody's phone rings on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from channels.phone import handing_over, legs
from channels.phone.commands import Verb, command, commands_of
from channels.phone.legs import ALIVE, OVER, LegState, Role
from channels.phone.models import Call
from channels.sms.parse import BadForm, required
from contact_center.core.events import Event

# Twilio's CallStatus of a leg that we dialled into a conference: answered is joined.
STATUSES = {
    "queued": LegState.DIALING,
    "initiated": LegState.DIALING,
    "ringing": LegState.RINGING,
    "in-progress": LegState.JOINED,
    "answered": LegState.JOINED,
    "completed": LegState.LEFT,
    "busy": LegState.FAILED,
    "no-answer": LegState.FAILED,
    "failed": LegState.FAILED,
    "canceled": LegState.FAILED,
}
MARKS: Mapping[str, Mapping[str, bool]] = {
    "participant-hold": {"held": True},
    "participant-unhold": {"held": False},
    "participant-mute": {"muted": True},
    "participant-unmute": {"muted": False},
}


def take_leg(tx: Connection, leg_id: int, values: dict[str, str], *, now: datetime) -> None:
    """A status callback of a leg that we dialled; raises BadForm. An unknown leg is nobody's."""
    status = required(values, "CallStatus").lower()
    state = STATUSES.get(status)
    if state is None:
        raise BadForm(f"CallStatus {status[:40]!r} is unknown")
    if state is LegState.JOINED and legs.must_accept(legs.by_id(tx, leg_id)):
        # Something picked up; the conference tells when a person pressed a key.
        state = LegState.RINGING
    reason = status if state is LegState.FAILED else ""
    legs.move_leg(tx, leg_id, state, external_id=values.get("CallSid", ""), reason=reason, now=now)


def take_conference(tx: Connection, call_id: int, values: dict[str, str], *, now: datetime) -> None:
    """A status callback of the call's conference; raises BadForm. Participants we do not know are ignored."""
    event = required(values, "StatusCallbackEvent").lower()
    conference_id = required(values, "ConferenceSid")
    if event != "conference-end":
        legs.know_conference(tx, call_id, conference_id)
    leg = legs.find_leg(
        tx, call_id, external_id=values.get("CallSid", ""), client_key=values.get("ParticipantLabel", "")
    )
    if event == "conference-end":
        _conference_over(tx, call_id, now=now)
    if leg is None:
        return
    match event:
        case "participant-join":
            legs.move_leg(tx, leg.id, LegState.JOINED, external_id=values.get("CallSid", ""), now=now)
        case "participant-leave":
            legs.move_leg(tx, leg.id, LegState.LEFT, now=now)
        case _ if event in MARKS:
            legs.mark_leg(tx, leg.id, **MARKS[event], heard=_number(values), now=now)


def _conference_over(tx: Connection, call_id: int, *, now: datetime) -> None:
    """Whoever was in it is not any more, also where its last callbacks were lost."""
    for leg in legs.legs_of(tx, call_id):
        if leg.state == LegState.JOINED.value:
            legs.move_leg(tx, leg.id, LegState.LEFT, now=now)


def _number(values: dict[str, str]) -> int | None:
    text = values.get("SequenceNumber", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def leave(tx: Connection, call_id: int, *, now: datetime) -> None:
    """The customer is no longer on the line, whatever told us."""
    caller = legs.caller_of(tx, call_id)
    if caller is not None:
        legs.move_leg(tx, caller.id, LegState.LEFT, now=now)


def on_leg_changed(tx: Connection, event: Event, now: datetime) -> None:
    """What follows from a leg that joined or is over; the rows are read again, so an old event does no harm."""
    state = event.payload["state"]
    if state not in (LegState.JOINED.value, *OVER):
        return
    call_id = event.payload["call_id"]
    # One at a time per call: two legs that leave together must see each other.
    tx.execute(select(Call.id).where(Call.id == call_id).with_for_update()).one()
    known = legs.legs_of(tx, call_id)
    leg = next(one for one in known if one.id == event.payload["leg_id"])
    caller = next((one for one in reversed(known) if one.role == Role.CALLER.value), None)
    if leg.role == Role.CALLER.value:
        if leg.state in OVER:
            _stop_ringing(tx, known, now=now)
        return
    if caller is None or caller.state in OVER:
        return
    if leg.state == LegState.JOINED.value:
        _bring_in(tx, call_id, caller, now=now)
        return
    is_last = leg.joined_at is not None and not any(one.state in ALIVE for one in known if one.id != caller.id)
    # Passed on to a queue: the customer is held and waits for whoever accepts.
    if is_last and not handing_over.is_awaited(tx, call_id):
        command(tx, call_id, Verb.HANGUP, now=now)


def _bring_in(tx: Connection, call_id: int, caller: Row[Any], *, now: datetime) -> None:
    """Somebody is there for the customer who rang us: in with them, once."""
    if caller.number or caller.state == LegState.JOINED.value:
        return
    if all(one.verb != Verb.CONNECT.value or one.state == "failed" for one in commands_of(tx, call_id)):
        command(tx, call_id, Verb.CONNECT, now=now)


def _stop_ringing(tx: Connection, known: Sequence[Row[Any]], *, now: datetime) -> None:
    """Nobody is called any more; whoever is in the conference leaves as it ends with its customer."""
    for leg in known:
        if leg.role != Role.CALLER.value and leg.state in ALIVE and leg.state != LegState.JOINED.value:
            command(tx, leg.call_id, Verb.DROP, leg_id=leg.id, now=now)
