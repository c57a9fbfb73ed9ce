"""How Twilio plays a TwiML document to a call, and moves calls in and out of conferences."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx2

from contact_center.demo.voice.telling import Teller
from contact_center.demo.voice.world import (
    LIVE,
    Callback,
    Conference,
    Leg,
    Participant,
    Recording,
    World,
    wanted,
)

CONFERENCE_EVENTS = "start end"
# What Twilio says to a caller when our document cannot be played.
BROKEN = "An application error has occurred. Goodbye."
MOST_DOCUMENTS = 20


class Unplayable(Exception):
    """Our answer was no TwiML."""


def apology() -> Element:
    """What Twilio says then."""
    verb = Element("Say")
    verb.text = BROKEN
    return verb


@dataclass(eq=False)
class Player(Teller):
    """Plays documents, and tells what comes of it."""

    world: World = field(default_factory=World)
    queues: dict[str, list[Leg]] = field(default_factory=dict)

    def hear(self, leg: Leg, verb: Element) -> None:
        """Somebody hears words or music."""
        leg.heard.append((verb.text or "").strip())

    def hear_all(self, leg: Leg, verbs: Iterable[Element]) -> None:
        """The words and music among these."""
        for verb in verbs:
            if verb.tag in ("Say", "Play"):
                self.hear(leg, verb)

    async def fetch(self, leg: Leg, url: str, more: Mapping[str, str] | None = None) -> Element:
        """The document at an address, asked for this call; raises Unplayable."""
        try:
            answer = await self.post(url, {**leg.form(), **(more or {})})
        except httpx2.HTTPError as error:
            raise Unplayable(url) from error
        if answer.status_code != 200:
            raise Unplayable(f"{answer.status_code} {url}")
        try:
            root = ElementTree.fromstring(answer.text)
        except ElementTree.ParseError as error:
            raise Unplayable(answer.text[:200]) from error
        if root.tag != "Response":
            raise Unplayable(root.tag)
        return root

    async def play(self, leg: Leg, url: str, more: Mapping[str, str] | None = None) -> None:
        """Ask for a document and play it until it waits for somebody or ends."""
        leg.document, leg.edition = url, leg.edition + 1
        mine = leg.edition
        try:
            root = await self.fetch(leg, url, more)
        except Unplayable:
            if mine == leg.edition:
                self.hear(leg, apology())
                await self.end(leg)
            return
        # Somebody may have sent the call elsewhere meanwhile.
        if mine == leg.edition:
            await self.run(leg, root)

    async def run(self, leg: Leg, root: Element) -> None:
        """Play a document from its beginning."""
        leg.edition += 1
        leg.todo, leg.waiting = list(root), None
        await self.go_on(leg)

    async def go_on(self, leg: Leg) -> None:
        """The next verbs of the document; at its end the call ends."""
        leg.waiting = None
        while leg.todo and leg.live:
            verb = leg.todo.pop(0)
            if await self.do(leg, verb):
                return
        if leg.live:
            await self.end(leg)

    async def do(self, leg: Leg, verb: Element) -> bool:
        """One verb; True where the call waits in it, or another document took over."""
        match verb.tag:
            case "Say" | "Play":
                self.hear(leg, verb)
            case "Gather":
                self.hear_all(leg, verb)
                leg.waiting = verb
                return True
            case "Record":
                leg.waiting = verb
                return True
            case "Enqueue":
                leg.waiting = verb
                self.queues.setdefault((verb.text or "").strip(), []).append(leg)
                await self.wait(leg)
                return True
            case "Dial":
                return await self.dial(leg, verb)
            case "Redirect":
                await self.play(leg, urljoin(leg.document, (verb.text or "").strip()))
                return True
            case "Hangup":
                await self.end(leg)
                return True
            case "Reject":
                await self.end(leg, "busy" if verb.get("reason") == "busy" else "no-answer")
                return True
        return False

    async def wait(self, leg: Leg) -> None:
        """What somebody who waits hears: the document at the verb's waitUrl, asked for once more."""
        assert leg.waiting is not None
        url = leg.waiting.get("waitUrl")
        if not url:
            return
        name = (leg.waiting.text or "").strip()
        line = self.queues.get(name, [])
        place = {"QueuePosition": str(line.index(leg) + 1 if leg in line else 1), "CurrentQueueSize": str(len(line))}
        root = await self.fetch(leg, urljoin(leg.document, url), {**place, "QueueTime": "0", "AvgQueueTime": "0"})
        await self._waiting_document(leg, root)

    async def _waiting_document(self, leg: Leg, root: Element) -> None:
        for verb in root:
            match verb.tag:
                case "Say" | "Play":
                    self.hear(leg, verb)
                case "Gather":
                    self.hear_all(leg, verb)
                    leg.todo.insert(0, verb)
                    return
                case "Leave":
                    await self.leave_queue(leg, "leave")
                    return

    async def leave_queue(self, leg: Leg, result: str) -> None:
        """Out of the queue; the Enqueue's action says what comes next."""
        verb = leg.waiting
        assert verb is not None
        self.queues[(verb.text or "").strip()].remove(leg)
        if action := verb.get("action"):
            await self.play(leg, urljoin(leg.document, action), {"QueueResult": result, "QueueTime": "0"})
        else:
            await self.go_on(leg)

    async def dial(self, leg: Leg, verb: Element) -> bool:
        """Into a conference, or ring other phones; True as the call now waits."""
        leg.waiting = verb
        noun = verb.find("Conference")
        if noun is not None:
            room = self.world.room((noun.text or "").strip(), self.now())
            if noun.get("record", "").startswith("record"):
                room.record = True
                room.recording_callback = wanted(noun.attrib, "recordingStatusCallback", "completed")
            if room.callback is None:
                room.callback = wanted(noun.attrib, "statusCallback", CONFERENCE_EVENTS)
            place = Participant(leg, room, label=noun.get("participantLabel", ""), muted=noun.get("muted") == "true")
            place.start = noun.get("startConferenceOnEnter", "true") != "false"
            place.end = noun.get("endConferenceOnExit", "false") == "true"
            await self.enter(place, wait_url=noun.get("waitUrl", ""))
            return True
        for noun in verb:
            child = self.ring((noun.text or "").strip(), verb.get("callerId") or leg.to, "outbound-dial")
            child.parent, child.callback = leg, wanted(noun.attrib, "statusCallback", "completed")
            child.url = noun.get("url", "")
            self.progress(child, "ringing")
        return True

    # -- calls -----------------------------------------------------------------------------------------------------

    def ring(self, to: str, sender: str, direction: str) -> Leg:
        """A new call from Twilio to a phone, not yet begun."""
        leg = Leg(self.world.sid("CA"), to, sender, direction, self.now())
        self.world.legs[leg.sid] = leg
        return leg

    def progress(self, leg: Leg, *states: str) -> None:
        """The call goes through these states, each told."""
        for status in states:
            leg.status = status
            self.tell_call(leg)

    async def end(self, leg: Leg, status: str = "completed") -> None:
        """The call is over, for whatever it was in as well."""
        if not leg.live:
            return
        leg.status, leg.ended_at, leg.waiting, leg.todo = status, self.now(), None, []
        for line in self.queues.values():
            if leg in line:
                line.remove(leg)
        for recording in self.world.recordings.values():
            if recording.leg is leg and recording.conference is None:
                self.finish(recording)
        if leg.conference is not None:
            await self.leave(leg, "participant-hung-up")
        self.tell_call(leg)
        if leg.parent is not None and leg.parent.waiting is not None:
            await self.dialled(leg.parent, leg)
        for child in [one for one in self.world.legs.values() if one.parent is leg]:
            await self.end(child, "completed" if child.answered_at else "canceled")

    async def dialled(self, leg: Leg, child: Leg) -> None:
        """A Dial is over once the phone that answered hung up, or nobody else rings."""
        others = [one for one in self.world.legs.values() if one.parent is leg and one.status in LIVE]
        if others and child.answered_at is None:
            return
        verb = leg.waiting
        assert verb is not None
        result = {
            "DialCallStatus": "completed" if child.answered_at else child.status,
            "DialCallSid": child.sid,
            "DialCallDuration": str(child.seconds),
        }
        if action := verb.get("action"):
            await self.play(leg, urljoin(leg.document, action), result)
        else:
            await self.go_on(leg)

    # -- conferences -----------------------------------------------------------------------------------------------

    async def enter(self, place: Participant, *, wait_url: str = "") -> None:
        """Somebody joins a room; it begins once somebody is there for whom it begins."""
        room, leg = place.conference, place.leg
        if place not in room.people:
            room.people.append(place)
        place.inside, leg.conference = True, room
        self.tell_room(room, "participant-join", place)
        if room.status == "init" and place.start:
            room.status = "in-progress"
            self.tell_room(room, "conference-start")
            if room.record:
                self.record(leg, room, "Conference", room.recording_callback)
        if room.status == "init" and wait_url:
            root = await self.fetch(leg, urljoin(leg.document, wait_url), {"ConferenceSid": room.sid})
            self.hear_all(leg, root)

    async def hold_round(self, place: Participant) -> None:
        """Somebody on hold hears the document once; Twilio asks for it again when it is over."""
        with contextlib.suppress(Unplayable):
            told = {"ConferenceSid": place.conference.sid}
            self.hear_all(place.leg, await self.fetch(place.leg, place.hold_url, told))

    async def leave(self, leg: Leg, why: str) -> None:
        """Somebody leaves; the room ends with the last one, or with one for whom it ends."""
        room = leg.conference
        assert room is not None
        place = next(one for one in room.people if one.leg is leg)
        place.inside, leg.conference = False, None
        told = {"ReasonParticipantLeft": why.replace("-", "_"), "ParticipantCallStatus": leg.status}
        self.tell_room(room, "participant-leave", place, **told)
        if place.end and room.inside:
            await self.close(room, "participant-with-end-conference-on-exit-left", leg)
        elif not room.inside:
            await self.close(room, "last-participant-left", leg)

    async def close(self, room: Conference, why: str, by: Leg | None = None) -> None:
        """The room is over; whoever came by a document goes on in it, whoever was called hangs up."""
        if room.status == "completed":
            return
        room.status, room.reason = "completed", why
        left = room.inside
        for place in left:
            place.inside, place.leg.conference = False, None
            self.tell_room(room, "participant-leave", place, ParticipantCallStatus=place.leg.status)
        for recording in self.world.recordings.values():
            if recording.conference is room:
                self.finish(recording)
        ending = {"ReasonConferenceEnded": why, **({"CallSidEndingConference": by.sid} if by else {})}
        self.tell_room(room, "conference-end", None, **ending)
        for place in left:
            await self.after_room(place.leg)

    async def after_room(self, leg: Leg) -> None:
        """What a call does that is no longer in its conference."""
        verb = leg.waiting
        if leg.joins is not None or verb is None:
            await self.end(leg)
        elif action := verb.get("action"):
            await self.play(leg, urljoin(leg.document, action), {"DialCallStatus": "answered"})
        else:
            await self.go_on(leg)

    # -- recordings ------------------------------------------------------------------------------------------------

    def record(self, leg: Leg, room: Conference | None, source: str, callback: Callback | None) -> Recording:
        """Begin to record."""
        recording = Recording(self.world.sid("RE"), leg, source, self.now(), room, callback)
        self.world.recordings[recording.sid] = recording
        self.tell_recording(recording, "in-progress")
        return recording

    def finish(self, recording: Recording) -> None:
        """A recording is complete, and can be fetched."""
        if recording.status not in ("completed", "absent"):
            recording.status = "completed"
            self.tell_recording(recording, "completed")
