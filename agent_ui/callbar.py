"""The call bar over a conversation: who is on the line and how, what is under way, and what the carrier refused.

It is the same for everybody; its buttons show to those who are on the call (callbar.js).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from channels.phone.commands import OPEN, CommandState, Verb
from channels.phone.handing_over import CONSULT, PASS
from channels.phone.legs import ALIVE, LegState, Role
from channels.phone.models import Call, CallCommand, CallLeg
from contact_center.accounts.models import User
from contact_center.core.i18n import gettext, known, mark
from tickets.customers.identities import shown_phone
from tickets.customers.names import display_name
from tickets.models import Customer, Ticket
from tickets.numbers import number_of
from tickets.states import ContactKind

STATES = {
    LegState.WANTED.value: mark("will be called"),
    LegState.DIALING.value: mark("is being called"),
    LegState.RINGING.value: mark("rings"),
    LegState.JOINED.value: mark("talks"),
}
HELD, MUTED = mark("on hold"), mark("muted")
# A customer who rang us is led by the line's plan until an agent is there.
WAITS = mark("waits")
DOING = {
    Verb.CONNECT.value: mark("Connecting"),
    Verb.DIAL.value: mark("Dialling"),
    Verb.HOLD.value: mark("Putting on hold"),
    Verb.UNHOLD.value: mark("Taking off hold"),
    Verb.MUTE.value: mark("Muting"),
    Verb.UNMUTE.value: mark("Unmuting"),
    Verb.DROP.value: mark("Taking somebody out"),
    Verb.HANGUP.value: mark("Hanging up"),
    Verb.ANNOUNCE.value: mark("Announcing the recording"),
    Verb.RECORD.value: mark("Beginning to record"),
    Verb.PAUSE_RECORDING.value: mark("Pausing the recording"),
    Verb.RESUME_RECORDING.value: mark("Going on with the recording"),
}
RECORDING = {Verb.RECORD.value: "on", Verb.PAUSE_RECORDING.value: "paused", Verb.RESUME_RECORDING.value: "on"}
# One statement, which every conversation that is opened runs.
_LIVE = (
    select(
        Call.id.label("call_id"),
        Call.direction,
        Call.answered_at,
        Call.rang_at,
        CallLeg.id,
        CallLeg.role,
        CallLeg.user_id,
        CallLeg.number,
        CallLeg.state,
        CallLeg.held,
        CallLeg.muted,
        CallLeg.purpose,
        CallLeg.joined_at,
        Call.number.label("caller_number"),
        User.name.label("user_name"),
        Customer.name.label("customer_name"),
    )
    .join(CallLeg, CallLeg.call_id == Call.id)
    .join(Ticket, Ticket.id == Call.ticket_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .outerjoin(User, User.id == CallLeg.user_id)
    .where(Call.ticket_id == bindparam("ticket"), Call.ending.is_(None), CallLeg.state.in_(ALIVE))
    .order_by(Call.id.desc(), CallLeg.id)
)
_COMMANDS = select(CallCommand.verb, CallCommand.state, CallCommand.error).where(
    CallCommand.call_id == bindparam("call")
)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody on the line; `state` is a word for people."""

    leg_id: int
    name: str
    role: str
    state: str
    joined: bool
    held: bool
    muted: bool


@dataclass(frozen=True, slots=True)
class CallBar:
    """What the bar shows; `people` are the users who may move the call."""

    number: int
    title: str
    since: datetime | None
    people: tuple[int, ...]
    parties: tuple[Party, ...]
    caller: Party | None
    recording: str
    doing: tuple[str, ...]
    problem: str
    transfer: str
    can_complete: bool


@dataclass(frozen=True, slots=True)
class Raw:
    """The rows of a live call: its parties, and everything that was wished for, oldest first."""

    parties: Sequence[Any]
    commands: Sequence[Row[str, str, str]]


def read(tx: Connection, ticket_id: int) -> Raw | None:
    """The live call of a ticket; one statement where there is none."""
    rows: Sequence[Any] = tx.execute(_LIVE, {"ticket": ticket_id}).all()
    if not rows:
        return None
    parties = [row for row in rows if row.call_id == rows[0].call_id]
    return Raw(parties, tx.execute(_COMMANDS.order_by(CallCommand.id), {"call": rows[0].call_id}).all())


def shown(raw: Raw | None, ticket_id: int, locale: str) -> CallBar | None:
    """The bar in a language."""
    if raw is None:
        return None
    parties = tuple(_party(row, locale) for row in raw.parties)
    caller = next((one for one in parties if one.role == Role.CALLER.value), None)
    passing = next((row for row in raw.parties if row.purpose in (CONSULT, PASS)), None)
    talks = sum(one.joined for one in parties) > 1
    return CallBar(
        number=number_of(ticket_id),
        title=gettext(locale, mark("On the phone") if talks else mark("Call")),
        since=raw.parties[0].answered_at if talks else None,
        people=tuple(row.user_id for row in raw.parties if row.user_id is not None),
        parties=parties,
        caller=caller,
        recording=_recording(raw.commands),
        doing=tuple(dict.fromkeys(gettext(locale, DOING[row.verb]) for row in raw.commands if row.state in OPEN)),
        problem=_problem(raw.commands, locale),
        transfer=passing.purpose if passing else "",
        can_complete=passing is not None and passing.purpose == CONSULT and passing.state == LegState.JOINED.value,
    )


def _party(row: Any, locale: str) -> Party:
    joined = row.state == LegState.JOINED.value
    led = row.role == Role.CALLER.value and not row.number and row.state == LegState.RINGING.value
    word = HELD if row.held else MUTED if row.muted else WAITS if led else STATES[row.state]
    return Party(row.id, _name(row), row.role, gettext(locale, word), joined, row.held, row.muted)


def _name(row: Any) -> str:
    if row.user_name:
        return str(row.user_name)
    if row.role == Role.CALLER.value:
        return row.customer_name or display_name("", ContactKind.PHONE, row.caller_number)
    return shown_phone(row.number)


def _recording(commands: Sequence[Row[str, str, str]]) -> str:
    """off, on or paused, as the carrier last did it."""
    done = [row.verb for row in commands if row.verb in RECORDING and row.state == CommandState.DONE.value]
    return RECORDING[done[-1]] if done else "off"


def _problem(commands: Sequence[Row[str, str, str]], locale: str) -> str:
    """Why the last wish failed, in our words or in the carrier's."""
    last = commands[-1] if commands else None
    if last is None or last.state != CommandState.FAILED.value:
        return ""
    why = gettext(locale, last.error) if known(last.error) else last.error
    return gettext(locale, mark("%(what)s did not work: %(why)s"), what=gettext(locale, DOING[last.verb]), why=why)
