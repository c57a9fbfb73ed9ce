"""Where a caller stands in the plan and where they go next (pure): no way leads in a circle, every way has an end.

menu → consent → waiting → ringing → talking
  ↘       ↘         ↘ callback, voicemail → bye
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from channels.phone.flow.plan import Consent, Option, Plan, Way


class Step(StrEnum):
    """Where a caller is. In the queue they wait (WAITING) or an agent's phone rings for them (RINGING)."""

    MENU = "menu"
    CONSENT = "consent"
    WAITING = "waiting"
    RINGING = "ringing"
    TALKING = "talking"
    VOICEMAIL = "voicemail"
    BYE = "bye"


class Outcome(StrEnum):
    """How it ended for the caller; whoever hung up by themselves has `left_` and the step instead."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    CALLBACK = "callback"
    CLOSED = "closed"
    NO_CHOICE = "no_choice"
    NO_CONSENT = "no_consent"
    NOBODY = "nobody"


IN_QUEUE = frozenset({Step.WAITING, Step.RINGING})
AGREED = frozenset({"announced", "given"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A caller's place. `said` is the phrase to say first, `outcome` how it ends where that is decided."""

    step: Step
    locale: str
    queue_id: int
    tries: int = 0
    consent: str = ""
    said: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known when a caller's step is over: the key (or none), whether they spoke, how long they have waited."""

    is_open: Callable[[int], bool]
    digits: str = ""
    recorded: bool = False
    waited_seconds: int = 0
    reachable: bool = True


def begin(plan: Plan, queue_id: int, told: Told) -> Spot:
    """Where a new caller stands."""
    spot = Spot(Step.MENU, plan.locale, queue_id, said="greeting")
    return spot if plan.options else _enter(plan, spot, told)


def advance(plan: Plan, spot: Spot, told: Told) -> Spot:
    """Where the caller goes from `spot`; from TALKING and BYE nowhere."""
    match spot.step:
        case Step.MENU:
            return _chosen(plan, spot, told)
        case Step.CONSENT:
            return _agreed(plan, spot, told)
        case Step.WAITING:
            return _waited(plan, spot, told)
        case Step.VOICEMAIL:
            return _bye(spot, "thanks" if told.recorded else "goodbye", Outcome.VOICEMAIL if told.recorded else "")
        case _:
            return replace(spot, said="")


def offers_callback(plan: Plan, told: Told) -> bool:
    """Whether somebody who waits may ask to be called back: not whoever hides their number."""
    return plan.callback and told.reachable and told.waited_seconds >= plan.callback_after


def may_record(plan: Plan, consent: str) -> bool:
    """Whether a caller's talk is recorded: the line records, and they were told or agreed, where that is wished."""
    return plan.record and (plan.consent is Consent.NONE or consent in AGREED)


def _chosen(plan: Plan, spot: Spot, told: Told) -> Spot:
    option = next((one for one in plan.options if one.digit == told.digits), None)
    if option is not None:
        return _enter(plan, _into(spot, option), told)
    again = told.digits == plan.repeat and bool(told.digits)
    said = "" if again else "wrong" if told.digits else "nothing"
    # A wish to hear it again counts too: the menu cannot be kept going for ever.
    if spot.tries + 1 < plan.tries:
        return replace(spot, tries=spot.tries + 1, said=said)
    way = plan.wrong if told.digits else plan.nothing
    if way is Way.QUEUE:
        return _enter(plan, replace(spot, said=""), told)
    if way is Way.VOICEMAIL:
        return _record_word(spot, "")
    return _bye(spot, "goodbye", Outcome.NO_CHOICE)


def _into(spot: Spot, option: Option) -> Spot:
    return replace(
        spot,
        queue_id=spot.queue_id if option.queue_id is None else option.queue_id,
        locale=option.locale or spot.locale,
        said="",
    )


def _enter(plan: Plan, spot: Spot, told: Told) -> Spot:
    """Into the queue, past its hours and the question whether the talk may be recorded."""
    greeted = spot.said
    if plan.hours and not told.is_open(spot.queue_id):
        if plan.closed is Way.VOICEMAIL and plan.voicemail:
            return _record_word(spot, "closed")
        return _bye(spot, "closed", Outcome.CLOSED)
    if plan.record and plan.consent is Consent.ASK:
        return replace(spot, step=Step.CONSENT, said=greeted)
    consent = "announced" if plan.record and plan.consent is Consent.ANNOUNCE else ""
    return replace(spot, step=Step.WAITING, consent=consent, said=greeted or "waiting")


def _agreed(plan: Plan, spot: Spot, told: Told) -> Spot:
    if told.digits == "1":
        return replace(spot, step=Step.WAITING, consent="given", said="waiting")
    if plan.refused is Way.HANG_UP:
        return _bye(replace(spot, consent="refused"), "goodbye", Outcome.NO_CONSENT)
    return replace(spot, step=Step.WAITING, consent="refused", said="unrecorded")


def _waited(plan: Plan, spot: Spot, told: Told) -> Spot:
    if told.digits == "1" and offers_callback(plan, told):
        return _bye(spot, "callback", Outcome.CALLBACK)
    if told.waited_seconds < plan.most_minutes * 60:
        return replace(spot, said="")
    if plan.voicemail:
        return _record_word(spot, "nobody")
    return _bye(spot, "nobody", Outcome.NOBODY)


def _record_word(spot: Spot, said: str) -> Spot:
    return replace(spot, step=Step.VOICEMAIL, said=said)


def _bye(spot: Spot, said: str, outcome: str) -> Spot:
    return replace(spot, step=Step.BYE, said=said, outcome=outcome or spot.outcome)
