"""What Twilio's voice side knows: calls, conferences with their participants, recordings, and how it writes them."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.etree.ElementTree import Element

# The only account there is; it opens nothing but this stand-in.
ACCOUNT_SID = "AC" + "d" * 32
AUTH_TOKEN = "demo-carrier-token-0000000000000"
API_VERSION = "2010-04-01"
LIVE = frozenset({"queued", "initiated", "ringing", "in-progress"})
# A callback's word for each state of a call.
EVENT_OF = {"initiated": "initiated", "queued": "initiated", "ringing": "ringing", "in-progress": "answered"}


def stamp(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


@dataclass(eq=False)
class Callback:
    """An address that wants to hear of some events; `sequence` counts what it was told."""

    url: str
    events: frozenset[str]
    sequence: int = 0


def wanted(values: Mapping[str, Any], name: str, default: str) -> Callback | None:
    """The callback of a request or a TwiML element: `name` (URL) and `nameEvent` (a list or words)."""
    url = values.get(name, "")
    told = values.get(f"{name}Event") or default
    words = told if isinstance(told, list) else str(told).split()
    return Callback(str(url), frozenset(words)) if url else None


@dataclass(eq=False)
class Leg:
    """One call between Twilio and a phone."""

    sid: str
    to: str
    sender: str
    direction: str
    at: datetime
    status: str = "queued"
    callback: Callback | None = None
    parent: "Leg | None" = None
    url: str = ""
    twiml: str = ""
    timeout: int = 60
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    # What the person at this end heard: words, addresses of music, digits asked for.
    heard: list[str] = field(default_factory=list)
    # The rest of the document it plays, the verb it waits in, and the address the document came from.
    todo: list[Element] = field(default_factory=list)
    waiting: Element | None = None
    document: str = ""
    # Counts the documents it was given: one that arrives after a newer one is not played.
    edition: int = 0
    conference: "Conference | None" = None
    # Set for a call that exists only to join a conference.
    joins: "Participant | None" = None

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def seconds(self) -> int:
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(0, round((self.ended_at - self.answered_at).total_seconds()))

    def form(self) -> dict[str, str]:
        """The fields that every voice request of this call has."""
        found = {
            "CallSid": self.sid,
            "AccountSid": ACCOUNT_SID,
            "From": self.sender,
            "To": self.to,
            "Caller": self.sender,
            "Called": self.to,
            "CallStatus": self.status,
            "Direction": self.direction,
            "ApiVersion": API_VERSION,
        }
        return {**found, "ParentCallSid": self.parent.sid} if self.parent else found

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT_SID,
            "parent_call_sid": self.parent.sid if self.parent else None,
            "to": self.to,
            "from": self.sender,
            "status": self.status,
            "direction": self.direction,
            "duration": str(self.seconds) if self.ended_at else None,
            "start_time": stamp(self.answered_at) if self.answered_at else None,
            "end_time": stamp(self.ended_at) if self.ended_at else None,
            "date_created": stamp(self.at),
            "date_updated": stamp(self.at),
            "api_version": API_VERSION,
            "uri": f"/{API_VERSION}/Accounts/{ACCOUNT_SID}/Calls/{self.sid}.json",
        }


@dataclass(eq=False)
class Participant:
    """A call's place in a conference."""

    leg: Leg
    conference: "Conference"
    label: str = ""
    muted: bool = False
    hold: bool = False
    # What somebody on hold hears, again and again; "" for Twilio's own music.
    hold_url: str = ""
    coaching: bool = False
    coached: str = ""
    start: bool = True
    end: bool = False
    inside: bool = False

    def json(self) -> dict[str, Any]:
        states = {"queued": "queued", "initiated": "connecting", "ringing": "ringing", "in-progress": "connected"}
        failed = "complete" if self.leg.status in ("completed", "canceled") else "failed"
        return {
            "account_sid": ACCOUNT_SID,
            "call_sid": self.leg.sid,
            "label": self.label or None,
            "conference_sid": self.conference.sid,
            "muted": self.muted,
            "hold": self.hold,
            "coaching": self.coaching,
            "call_sid_to_coach": self.coached or None,
            "start_conference_on_enter": self.start,
            "end_conference_on_exit": self.end,
            "status": states.get(self.leg.status, failed),
            "date_created": stamp(self.leg.at),
            "date_updated": stamp(self.leg.at),
            "uri": f"/{API_VERSION}/Accounts/{ACCOUNT_SID}/Conferences/{self.conference.sid}"
            f"/Participants/{self.leg.sid}.json",
        }

    def form(self) -> dict[str, str]:
        """The fields that a conference event about this participant has."""
        return {
            "CallSid": self.leg.sid,
            "Muted": str(self.muted).lower(),
            "Hold": str(self.hold).lower(),
            "Coaching": str(self.coaching).lower(),
            "StartConferenceOnEnter": str(self.start).lower(),
            "EndConferenceOnExit": str(self.end).lower(),
            **({"ParticipantLabel": self.label} if self.label else {}),
            **({"CallSidToCoach": self.coached} if self.coached else {}),
        }


@dataclass(eq=False)
class Conference:
    """A room; the first who names a callback decides who is told."""

    sid: str
    name: str
    at: datetime
    status: str = "init"
    callback: Callback | None = None
    wait_url: str = ""
    people: list[Participant] = field(default_factory=list)
    reason: str = ""
    record: bool = False
    recording_callback: Callback | None = None

    @property
    def inside(self) -> list[Participant]:
        return [one for one in self.people if one.inside]

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT_SID,
            "friendly_name": self.name,
            "status": self.status,
            "region": "us1",
            "reason_conference_ended": self.reason or None,
            "date_created": stamp(self.at),
            "date_updated": stamp(self.at),
            "api_version": API_VERSION,
            "uri": f"/{API_VERSION}/Accounts/{ACCOUNT_SID}/Conferences/{self.sid}.json",
            "subresource_uris": {},
        }


@dataclass(eq=False)
class Recording:
    """What was recorded of a call or a conference; whoever ends it says how long it is."""

    sid: str
    leg: Leg
    source: str
    at: datetime
    conference: Conference | None = None
    callback: Callback | None = None
    status: str = "in-progress"
    seconds: int = 3
    channels: int = 1
    # Each order to pause or go on, as it came.
    orders: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"/{API_VERSION}/Accounts/{ACCOUNT_SID}/Recordings/{self.sid}"

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT_SID,
            "call_sid": self.leg.sid,
            "conference_sid": self.conference.sid if self.conference else None,
            "status": self.status,
            "source": self.source,
            "channels": self.channels,
            "duration": str(self.seconds) if self.status == "completed" else "-1",
            "start_time": stamp(self.at),
            "date_created": stamp(self.at),
            "date_updated": stamp(self.at),
            "api_version": API_VERSION,
            "error_code": None,
            "uri": f"{self.address}.json",
        }


class World:
    """All of it, in memory."""

    def __init__(self, name: Callable[[str], str] | None = None) -> None:
        self._name = name
        self.legs: dict[str, Leg] = {}
        self.conferences: dict[str, Conference] = {}
        self.recordings: dict[str, Recording] = {}
        self._ids = itertools.count(1)

    def sid(self, prefix: str) -> str:
        """A new id; numbered unless `name` makes them."""
        return self._name(prefix) if self._name else f"{prefix}{next(self._ids):032x}"

    def room(self, name_or_sid: str, at: datetime) -> Conference:
        """The running conference of this name, else a new one."""
        if found := self.running(name_or_sid):
            return found
        conference = Conference(self.sid("CF"), name_or_sid, at)
        self.conferences[conference.sid] = conference
        return conference

    def running(self, name_or_sid: str) -> Conference | None:
        """The conference with this sid, or the one with this name that is not over."""
        rooms = [one for one in self.conferences.values() if one.name == name_or_sid and one.status != "completed"]
        return self.conferences.get(name_or_sid) or next(iter(rooms), None)
