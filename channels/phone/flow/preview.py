"""A plan read aloud as text: what callers hear on every way through it, from the very documents that Twilio gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree import ElementTree

from channels.phone.flow.plan import Consent, Plan, Way
from channels.phone.flow.steps import IN_QUEUE, Spot, Step, Told, advance, begin, may_record
from channels.phone.flow.twiml import Scene, document
from contact_center.core.i18n import mark

# What the queue says is shown for somebody with two callers before them.
POSITION, WAIT = 3, 240
NUMBER = "0 9 0 3, 1 2 3, 4 5 6"
MUSIC = "music"

BEGINS = mark("The call begins")
KEY = mark("Key %(digit)s: %(queue)s")
NOTHING = mark("No key is pressed, until the last time")
WRONG = mark("A key that leads nowhere, until the last time")
AGREES = mark("The caller agrees to be recorded")
REFUSES = mark("The caller does not agree")
WAITS = mark("In the queue, with two callers before them")
CALLED_BACK = mark("They press 1 in the queue")
ACCEPTED = mark("An agent has accepted, their phone rings")
TALK_RECORDED = mark("The talk, recorded")
TALK = mark("The talk, not recorded")
TOO_LONG = mark("Nobody was free for %(minutes)s min")
SPOKEN = mark("They have left a message")
CLOSED = mark("The queue is closed")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing heard: `say` (words), `play` (an address, or MUSIC for ours), `key` (seconds to press one), `record`
    (at most so many seconds), `end` (the line hangs up)."""

    kind: str
    text: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One place on a caller's way: a title of the table above with its values, and what is heard there."""

    title: str
    values: Mapping[str, str]
    lines: Sequence[Line]


def walk(plan: Plan, names: Mapping[int, str], queue_id: int) -> list[Stop]:
    """Every way through a plan; `names` are those of the queues, the line's own is `queue_id`."""
    opened, shut = Told(is_open=lambda _: True), Told(is_open=lambda _: False)
    start = begin(plan, queue_id, opened)
    stops = [Stop(BEGINS, {}, heard(plan, start, names))]
    waiting = start
    if start.step is Step.MENU:
        for option in plan.options:
            spot = advance(plan, start, replace(opened, digits=option.digit))
            queue = names.get(spot.queue_id, "")
            stops.append(Stop(KEY, {"digit": option.digit, "queue": queue}, heard(plan, spot, names)))
            waiting = spot
        stops.append(Stop(NOTHING, {}, _to_the_end(plan, start, "", names)))
        stops.append(Stop(WRONG, {}, _to_the_end(plan, start, "#", names)))
    if waiting.step is Step.CONSENT:
        agreed = advance(plan, waiting, replace(opened, digits="1"))
        stops.append(Stop(AGREES, {}, heard(plan, agreed, names)))
        stops.append(Stop(REFUSES, {}, heard(plan, advance(plan, waiting, opened), names)))
        waiting = agreed
    queued = replace(waiting, step=Step.WAITING, said="")
    return [*stops, *_queue(plan, queued, names), *_closed(plan, start, shut, names)]


def _queue(plan: Plan, waiting: Spot, names: Mapping[int, str]) -> list[Stop]:
    told = Told(is_open=lambda _: True, waited_seconds=plan.most_minutes * 60)
    stops = [Stop(WAITS, {}, heard(plan, waiting, names))]
    if plan.callback:
        called = advance(plan, waiting, replace(told, digits="1"))
        stops.append(Stop(CALLED_BACK, {}, heard(plan, called, names)))
    stops.append(Stop(ACCEPTED, {}, heard(plan, replace(waiting, step=Step.RINGING), names)))
    recorded = may_record(plan, "given" if plan.consent is Consent.ASK else "announced")
    stops.append(Stop(TALK_RECORDED if recorded else TALK, {}, ()))
    left = advance(plan, waiting, told)
    stops.append(Stop(TOO_LONG, {"minutes": str(plan.most_minutes)}, heard(plan, left, names)))
    if left.step is Step.VOICEMAIL:
        stops.append(Stop(SPOKEN, {}, heard(plan, advance(plan, left, replace(told, recorded=True)), names)))
    return stops


def _closed(plan: Plan, start: Spot, shut: Told, names: Mapping[int, str]) -> list[Stop]:
    if not plan.hours:
        return []
    spot = begin(plan, start.queue_id, shut)
    if spot.step is Step.MENU:
        spot = advance(replace(plan, tries=1, nothing=Way.QUEUE), spot, shut)
    return [Stop(CLOSED, {}, heard(plan, spot, names))]


def _to_the_end(plan: Plan, spot: Spot, digit: str, names: Mapping[int, str]) -> list[Line]:
    """The menu again and again until it gives up."""
    lines: list[Line] = []
    told = Told(is_open=lambda _: True, digits=digit)
    while spot.step is Step.MENU:
        spot = advance(plan, spot, told)
        lines += heard(plan, spot, names)
    return lines


def heard(plan: Plan, spot: Spot, names: Mapping[int, str]) -> list[Line]:
    """What is heard at a spot."""
    waiting = spot.step is Step.WAITING and not spot.said
    scene = Scene(
        plan=plan,
        spot=spot,
        next_url="next",
        recording_url="recording",
        transcription_url="transcription",
        music_url=MUSIC,
        queues={0: names.get(spot.queue_id, ""), **names},
        position=POSITION if waiting else None,
        wait_seconds=WAIT if waiting else None,
        offers_callback=waiting and plan.callback,
        number=NUMBER,
    )
    lines = _lines(ElementTree.fromstring(str(document(scene))))
    # In the queue a key leads somewhere only where a call back is offered.
    deaf = spot.step in IN_QUEUE and not scene.offers_callback
    return [line for line in lines if not (deaf and line.kind == "key")]


def _lines(element: ElementTree.Element) -> list[Line]:
    found: list[Line] = []
    for verb in element:
        match verb.tag:
            case "Say":
                found.append(Line("say", verb.text or "", verb.get("language", "").partition("-")[0]))
            case "Play":
                found.append(Line("play", (verb.text or "").strip()))
            case "Gather":
                found += [*_lines(verb), Line("key", verb.get("timeout", ""))]
            case "Record":
                found.append(Line("record", verb.get("maxLength", "")))
            case "Hangup":
                found.append(Line("end"))
    return found
