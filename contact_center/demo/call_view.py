"""A call as the screen of the customer's phone shows it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from contact_center.demo.cast import ADMIN, AGENTS, QA, SUPERVISORS, client_of
from contact_center.demo.exchange import Exchange
from contact_center.demo.voice.world import Leg
from tickets.customers.identities import shown_phone

STAFF = (*(agent.name for agent in AGENTS), *(name for name, _, _ in SUPERVISORS), QA[0], ADMIN[0])
NAMES: Mapping[str, str] = {client_of(name): name for name in STAFF}
RUNNING = ("in-progress", "paused")


def view(exchange: Exchange, leg: Leg, now: datetime) -> dict[str, Any]:
    """Its state, with whom, what was heard so far, and whether a key or a word is waited for.

    `state` is calling (ours rings there), incoming, line (our machine speaks), talking, held or ended.
    """
    ear = exchange.ear(leg)
    others = [] if leg.conference is None else [one for one in leg.conference.inside if one.leg is not leg]
    place = next((one for one in leg.conference.people if one.leg is leg), None) if leg.conference else None
    waiting = leg.waiting.tag if leg.waiting is not None else ""
    known = exchange.world.recordings.values()
    recording = next((one for one in known if one.leg is leg and one.status in RUNNING), None)
    if not leg.live:
        state = "ended"
    elif leg.status != "in-progress":
        state = "calling" if leg.direction == "inbound" else "incoming"
    elif place is not None and place.hold:
        state = "held"
    else:
        state = "talking" if others else "line"
    until = leg.ended_at or now
    return {
        "id": leg.sid,
        "state": state,
        "outgoing": leg.direction == "inbound",
        "people": [NAMES.get(one.leg.to, shown_phone(one.leg.to, "VN")) for one in others if not one.hold],
        "answered": leg.answered_at is not None,
        "seconds": round((until - leg.answered_at).total_seconds()) if leg.answered_at else 0,
        "recording": recording.status if recording else "",
        "wants": {"Gather": "key", "Record": "voice" if now >= ear.until else ""}.get(waiting, ""),
        "heard": [{"kind": one.kind, "text": one.text, "locale": one.locale} for one in ear.heard(now)],
    }
