"""What an agent does with a live call: hold, mute, more people, and passing it on without losing the customer.

Warm: the customer is held while the agent talks with a colleague or a number; then the agent leaves, or takes it back.
Cold to a queue or colleague: the customer is held and waits; whoever accepts is rung into the same conference.
Cold to a phone: the customer is held until it answers, and comes back to the agent if it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone import consent, legs
from channels.phone.commands import Verb, command, commands_of
from channels.phone.legs import ALIVE, OVER, LegState, Role
from channels.phone.models import Call, CallLeg
from channels.phone.people import phone_of
from channels.phone.placing import SOURCE, check_number, hold_room
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, Forbidden, Invalid, NotFound
from contact_center.core.events import Event
from routing import handling, work
from routing.contacts import WAITING
from routing.pools import Medium
from routing.states import WorkItemState
from tickets import lifecycle
from tickets.customers.identities import BadAddress, normalise_phone
from tickets.timeline import add_event

CONSULT, PASS = "consult", "pass"
OURS = (Role.AGENT.value, Role.COLLEAGUE.value, Role.OUTSIDE.value)
MOST_PEOPLE = 6


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to bring in: a colleague, or a number as somebody wrote it."""

    user_id: int | None = None
    number: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A live call, locked, with its parties; `mine` is the leg of whoever acts."""

    call: Row[Any]
    known: Sequence[Row[Any]]
    mine: Row[Any]
    user_id: int

    @property
    def caller(self) -> Row[Any]:
        """The customer."""
        found: Row[Any] = next(leg for leg in reversed(self.known) if leg.role == Role.CALLER.value)
        return found

    @property
    def consulted(self) -> Row[Any] | None:
        """Whoever is asked before the call is theirs."""
        return next((leg for leg in self.known if leg.purpose == CONSULT and leg.state in ALIVE), None)


def live_call(tx: Connection, ticket_id: int) -> int | None:
    """The call of a ticket that runs as a conference now."""
    found: int | None = tx.execute(
        select(Call.id)
        .where(
            Call.ticket_id == ticket_id,
            Call.ending.is_(None),
            select(CallLeg.id).where(CallLeg.call_id == Call.id, CallLeg.state.in_(ALIVE)).exists(),
        )
        .order_by(Call.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def access(tx: Connection, ticket_id: int, user_id: int) -> Talk:
    """The ticket's live call, for somebody who is on it; NotFound where there is none, Forbidden for others."""
    lifecycle.access(tx, ticket_id, lock=True)
    call_id = live_call(tx, ticket_id)
    if call_id is None:
        raise NotFound("Nobody is on the phone here any more.")
    call = tx.execute(select(Call.__table__).where(Call.id == call_id).with_for_update()).one()
    known = legs.legs_of(tx, call_id)
    mine = next((leg for leg in known if leg.user_id == user_id and leg.state in ALIVE), None)
    if mine is None:
        raise Forbidden("Only who is on this call can do that.")
    return Talk(call, known, mine, user_id)


def set_leg(tx: Connection, ticket_id: int, leg_id: int, verb: Verb, *, user_id: int, now: datetime) -> None:
    """Hold, mute or take out one party, or undo it; Conflict for one that is not in the conference."""
    talk = access(tx, ticket_id, user_id)
    leg = next((one for one in talk.known if one.id == leg_id), None)
    if leg is None:
        raise NotFound("This person is no longer on the line.")
    wanted = ALIVE if verb is Verb.DROP else (LegState.JOINED.value,)
    if leg.state not in wanted:
        raise Conflict("This person is no longer on the line.")
    if verb is Verb.DROP and leg.id == talk.caller.id:
        raise Invalid("To end the call with the customer, hang up.")
    _wish(tx, talk, verb, leg.id, now=now)


def hang_up(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """End the call for everybody."""
    talk = access(tx, ticket_id, user_id)
    if talk.caller.state == LegState.WANTED.value:
        # The customer was never dialled: our own phone stops ringing, and the call says so.
        _wish(tx, talk, Verb.DROP, talk.mine.id, now=now)
    else:
        _wish(tx, talk, Verb.HANGUP, None, now=now)


def record(tx: Connection, ticket_id: int, verb: Verb, *, user_id: int, now: datetime) -> None:
    """Begin to record, pause (a card number is said), or go on."""
    talk = access(tx, ticket_id, user_id)
    if talk.caller.state != LegState.JOINED.value:
        raise Conflict("Nobody talks yet.")
    if verb is Verb.RECORD:
        consent.wish(tx, talk.call, talk.caller.id, user_id=user_id, now=now)
    else:
        _wish(tx, talk, verb, None, now=now)


def add(
    tx: Connection, ticket_id: int, target: Target, *, user_id: int, client_id: str, region: str, now: datetime
) -> None:
    """A third person joins the conversation."""
    talk = access(tx, ticket_id, user_id)
    _dial(tx, talk, target, "", client_id=client_id, region=region, now=now)


def consult(
    tx: Connection, ticket_id: int, target: Target, *, user_id: int, client_id: str, region: str, now: datetime
) -> None:
    """Hold the customer and ring whoever shall have the call."""
    talk = access(tx, ticket_id, user_id)
    _no_other(talk, client_id)
    _dial(tx, talk, target, CONSULT, client_id=client_id, region=region, now=now)
    _hold(tx, talk, now=now)


def complete(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """The consulted person has the customer from now on; the agent leaves. The ticket goes to a colleague with it."""
    talk = access(tx, ticket_id, user_id)
    leg = talk.consulted
    if leg is None:
        raise Conflict("Nobody is being consulted any more.")
    if leg.state != LegState.JOINED.value:
        raise Conflict("Wait until they have picked up, or take the customer back.")
    _hand_to(tx, talk, leg, now=now)


def take_back(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """The consulted person leaves, the customer is back with the agent."""
    talk = access(tx, ticket_id, user_id)
    for leg in talk.known:
        if leg.purpose in (CONSULT, PASS) and leg.state in ALIVE:
            _wish(tx, talk, Verb.DROP, leg.id, now=now)
    _wish(tx, talk, Verb.UNHOLD, talk.caller.id, now=now)


def pass_on(
    tx: Connection,
    ticket_id: int,
    *,
    user_id: int,
    queue_id: int | None = None,
    to_user_id: int | None = None,
    summary: str = "",
    now: datetime,
) -> None:
    """Cold: routing offers the ticket on with its age; the customer is held until somebody has accepted it."""
    talk = access(tx, ticket_id, user_id)
    if talk.caller.state != LegState.JOINED.value:
        raise Conflict("Nobody talks yet.")
    item = work.open_of(tx, ticket_id)
    if item is None or item.medium != Medium.CALL.value:
        raise Conflict("We made this call, so no queue offers it. Consult a colleague, or pass it to their phone.")
    target = {"queue_id": queue_id} if queue_id is not None else {"to_user_id": to_user_id}
    handling.transfer(tx, ticket_id, by_user_id=user_id, summary=summary, now=now, **target)
    _hold(tx, talk, now=now)
    for leg in talk.known:
        if leg.role in OURS and leg.state in ALIVE:
            _wish(tx, talk, Verb.DROP, leg.id, now=now)


def pass_to_phone(
    tx: Connection, ticket_id: int, target: Target, *, user_id: int, client_id: str, region: str, now: datetime
) -> None:
    """Cold to a phone: it has the customer as soon as it answers; else the customer is back with the agent."""
    talk = access(tx, ticket_id, user_id)
    _no_other(talk, client_id)
    _dial(tx, talk, target, PASS, client_id=client_id, region=region, now=now)
    _hold(tx, talk, now=now)


def _no_other(talk: Talk, client_id: str) -> None:
    busy = [leg for leg in talk.known if leg.purpose in (CONSULT, PASS) and leg.state in ALIVE]
    if any(leg.client_key != _key(talk, client_id) for leg in busy):
        raise Conflict("A transfer is under way already. Complete it or take the customer back.")


def _key(talk: Talk, client_id: str) -> str:
    return f"guest-{talk.call.id}-{talk.user_id}-{client_id}"[:250]


def _dial(
    tx: Connection, talk: Talk, target: Target, purpose: str, *, client_id: str, region: str, now: datetime
) -> None:
    """Ring one more person into the conference; the same client id again rings nobody."""
    key = _key(talk, client_id)
    if any(leg.client_key == key for leg in talk.known):
        return
    if talk.caller.state != LegState.JOINED.value:
        raise Conflict("Nobody talks yet.")
    if sum(leg.state in ALIVE for leg in talk.known) >= MOST_PEOPLE:
        raise Conflict("More people than this cannot talk with each other.")
    number = _number_of(tx, target, region, now=now)
    if any(leg.number == number and leg.state in ALIVE for leg in talk.known):
        raise Conflict("This person is on the line already.")
    role = Role.OUTSIDE if target.user_id is None else Role.COLLEAGUE
    leg = legs.add_leg(
        tx,
        talk.call.id,
        role,
        client_key=key,
        number=number,
        user_id=target.user_id,
        purpose=purpose,
        now=now,
    )
    _wish(tx, talk, Verb.DIAL, leg.id, now=now)


def _number_of(tx: Connection, target: Target, region: str, *, now: datetime) -> str:
    if target.user_id is not None:
        number = phone_of(tx, target.user_id)
        if not number:
            name = tx.execute(select(User.name).where(User.id == target.user_id)).scalar_one_or_none() or ""
            raise Invalid("{name} has entered no phone in their settings.", name=name)
        return number
    try:
        number = normalise_phone(target.number, region)
    except BadAddress as error:
        raise Invalid(str(error), field="number") from error
    check_number(tx, number, now=now)
    return number


def _hold(tx: Connection, talk: Talk, *, now: datetime) -> None:
    if not talk.caller.held:
        _wish(tx, talk, Verb.HOLD, talk.caller.id, now=now)


def _wish(tx: Connection, talk: Talk, verb: Verb, leg_id: int | None, *, now: datetime) -> None:
    """Once: the same wish that is still open is not wished again."""
    for one in commands_of(tx, talk.call.id):
        if (one.verb, one.leg_id) == (verb.value, leg_id) and one.state in ("wanted", "uncertain"):
            return
    command(tx, talk.call.id, verb, leg_id=leg_id, user_id=talk.user_id, now=now)


def _hand_to(tx: Connection, talk: Talk, leg: Row[Any], *, now: datetime) -> None:
    """The call is this leg's: the customer hears them, the agent leaves, the ticket follows."""
    is_colleague = leg.user_id is not None
    role = Role.AGENT.value if is_colleague else leg.role
    tx.execute(update(CallLeg).where(CallLeg.id == leg.id).values(purpose="", role=role))
    _wish(tx, talk, Verb.UNHOLD, talk.caller.id, now=now)
    for one in talk.known:
        if one.user_id == talk.user_id and one.state in ALIVE:
            _wish(tx, talk, Verb.DROP, one.id, now=now)
    ticket_id, is_ours = talk.call.ticket_id, talk.call.source == SOURCE
    if is_colleague:
        tx.execute(update(Call).where(Call.id == talk.call.id).values(user_id=leg.user_id))
        handling.assign(tx, ticket_id, leg.user_id, by_user_id=talk.user_id, now=now)
        if is_ours:
            hold_room(tx, talk.call, legs.legs_of(tx, talk.call.id), talk.caller, now=now)
    else:
        add_event(tx, ticket_id, "call_passed", {"number": leg.number}, now=now, user_id=talk.user_id)
        # A call that we made is work beside the ticket's own, which goes on.
        if not is_ours:
            handling.end(tx, ticket_id, now=now)


def on_leg_changed(tx: Connection, event: Event, now: datetime) -> None:
    """A passed-on call reached somebody or nobody; the rows are read again, so an old event does no harm."""
    if event.payload["state"] not in (LegState.JOINED.value, *OVER) or event.payload["role"] == Role.CALLER.value:
        return
    call = tx.execute(select(Call.__table__).where(Call.id == event.payload["call_id"]).with_for_update()).one()
    known = legs.legs_of(tx, call.id)
    leg = next(one for one in known if one.id == event.payload["leg_id"])
    caller = next((one for one in reversed(known) if one.role == Role.CALLER.value), None)
    if caller is None or caller.state != LegState.JOINED.value:
        return
    agent = next((one for one in known if one.role == Role.AGENT.value and one.state == LegState.JOINED.value), None)
    talk = Talk(call, known, agent or leg, agent.user_id if agent else 0)
    if leg.state == LegState.JOINED.value:
        if leg.purpose == PASS and agent is not None:
            _hand_to(tx, talk, leg, now=now)
        elif leg.role == Role.AGENT.value and talk.consulted is None and caller.held:
            _system(tx, talk, Verb.UNHOLD, caller.id, now=now)
    elif leg.purpose in (CONSULT, PASS) and agent is not None:
        if caller.held:
            _system(tx, talk, Verb.UNHOLD, caller.id, now=now)
    elif leg.role == Role.AGENT.value and leg.joined_at is None and _nobody(known):
        _not_picked_up(tx, call, leg, now=now)


def _system(tx: Connection, talk: Talk, verb: Verb, leg_id: int, *, now: datetime) -> None:
    command(tx, talk.call.id, verb, leg_id=leg_id, now=now)


def _nobody(known: Sequence[Row[Any]]) -> bool:
    return not any(one.role in OURS and one.state in ALIVE for one in known)


def _not_picked_up(tx: Connection, call: Row[Any], leg: Row[Any], *, now: datetime) -> None:
    """Who accepted a passed-on call did not pick up: it goes to the next one, with its age."""
    item = work.open_of(tx, call.ticket_id)
    if item is not None and item.agent_id == leg.user_id:
        handling.requeue(tx, call.ticket_id, by_user_id=leg.user_id, now=now)


def is_awaited(tx: Connection, call_id: int) -> bool:
    """Whether the customer of a call waits for somebody that routing still looks for."""
    ticket_id = tx.execute(select(Call.ticket_id).where(Call.id == call_id)).scalar_one()
    item = work.open_of(tx, ticket_id, lock=False) if ticket_id is not None else None
    if item is None or item.medium != Medium.CALL.value:
        return False
    # Accepted, and their phone is about to ring.
    is_new = all(leg.user_id != item.agent_id for leg in legs.legs_of(tx, call_id))
    return item.state in WAITING or (item.state == WorkItemState.ASSIGNED.value and is_new)


def on_ticket_assigned(tx: Connection, event: Event, now: datetime) -> None:
    """Somebody accepted a call that was passed on: their phone rings into its conference."""
    user_id = event.payload["user_id"]
    call_id = live_call(tx, event.payload["ticket_id"])
    if call_id is None:
        return
    tx.execute(select(Call.id).where(Call.id == call_id).with_for_update()).one()
    known = legs.legs_of(tx, call_id)
    leaving = {one.leg_id for one in commands_of(tx, call_id) if one.verb == Verb.DROP.value}
    held = any(one.role == Role.CALLER.value and one.state == LegState.JOINED.value for one in known)
    staying = [one for one in known if one.role in OURS and one.state in ALIVE and one.id not in leaving]
    number = phone_of(tx, user_id)
    if not held or staying or not number:
        return
    key = f"agent-{call_id}-{event.payload['assignment_id']}"
    leg = legs.add_leg(tx, call_id, Role.AGENT, client_key=key, number=number, user_id=user_id, now=now)
    if leg.state == LegState.WANTED.value:
        command(tx, call_id, Verb.DIAL, leg_id=leg.id, now=now)
