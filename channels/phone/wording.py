"""A call in one sentence, for timelines, subjects and lists."""

from collections.abc import Callable
from functools import partial

from channels.phone.states import CallState, Direction
from contact_center.core.i18n import gettext, mark
from tickets.customers.identities import shown_phone

HIDDEN = mark("a hidden number")

INWARD = {
    CallState.RINGING: mark("Incoming call from %(number)s"),
    CallState.ANSWERED: mark("On the phone with %(number)s"),
    CallState.COMPLETED: mark("Call from %(number)s"),
    CallState.MISSED: mark("Missed call from %(number)s"),
    CallState.BLOCKED: mark("Blocked call from %(number)s"),
}
OUTWARD = {
    CallState.RINGING: mark("Calling %(number)s"),
    CallState.ANSWERED: mark("On the phone with %(number)s"),
    CallState.COMPLETED: mark("Call to %(number)s"),
    CallState.NO_ANSWER: mark("%(number)s did not answer"),
    CallState.BUSY: mark("%(number)s was busy"),
    CallState.FAILED: mark("The call to %(number)s failed"),
}
# What a caller whom nobody answered did instead.
INSTEAD = {
    "voicemail": mark("Voicemail from %(number)s"),
    "callback": mark("%(number)s asked to be called back"),
}
MINUTES = mark("%(minutes)s min %(seconds)s s")
SECONDS = mark("%(seconds)s s")


Say = Callable[..., str]


def sentence(
    locale: str,
    direction: Direction,
    state: CallState,
    number: str,
    *,
    region: str,
    talk_seconds: int = 0,
    outcome: str = "",
) -> str:
    """What happened, with the length of a finished talk: `Call from 0903 123 456, 2 min 5 s`."""
    shown = shown_phone(number, region) if number else ""
    say = partial(gettext, locale)
    return said(say, direction, state, shown, talk_seconds=talk_seconds, outcome=outcome)


def said(
    say: Say, direction: Direction, state: CallState, number: str, *, talk_seconds: int = 0, outcome: str = ""
) -> str:
    """The same in the words of `say`; the number comes as people write it, empty where it was hidden."""
    table = INWARD if direction is Direction.IN else OUTWARD
    text = say((state is CallState.MISSED and INSTEAD.get(outcome)) or table[state], number=number or say(HIDDEN))
    if state is not CallState.COMPLETED or not talk_seconds:
        return text
    minutes, seconds = divmod(talk_seconds, 60)
    return f"{text}, {say(MINUTES if minutes else SECONDS, minutes=minutes, seconds=seconds)}"
