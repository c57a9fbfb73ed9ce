"""Twilio's REST addresses for calls, conferences, participants and recordings, as the official SDK asks for them."""

import base64
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contact_center.demo.voice.playing import Player
from contact_center.demo.voice.sound import mp3, wav
from contact_center.demo.voice.world import (
    ACCOUNT_SID,
    API_VERSION,
    AUTH_TOKEN,
    Conference,
    Leg,
    Participant,
    Recording,
    wanted,
)

BELOW = f"/{API_VERSION}/Accounts/{{account}}"
MOST_REQUESTS = 1_000
CURRENT = "Twilio.CURRENT"


class Problem(Exception):
    """An error as Twilio answers it."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def answer(self) -> Response:
        body = {"code": self.code, "message": self.message, "status": self.status}
        more = {"more_info": f"https://www.twilio.com/docs/errors/{self.code}"}
        return JSONResponse({**body, **more}, status_code=self.status)


def missing(what: str) -> Problem:
    return Problem(404, 20404, f"The requested resource {what} was not found")


Form = dict[str, Any]
Endpoint = Callable[[Request, Form], Awaitable[Response]]


def flag(form: Form, name: str, usual: bool = False) -> bool:
    return str(form.get(name, usual)).lower() == "true"


class Rest:
    """The REST side of a stand-in; `refusals` says which numbers cannot be called, and in which words."""

    def __init__(self, player: Player, mount: str = "") -> None:
        self.player = player
        self.base = mount + BELOW
        self.world = player.world
        self.refusals: dict[str, tuple[int, int, str]] = {}
        # What the next requests meet: "busy" (429), "internal" (500), "refused" (401); each once, in order.
        self.faults: list[str] = []
        # method, path below the account, form: the latest requests that were let in.
        self.requests: deque[tuple[str, str, Form]] = deque(maxlen=MOST_REQUESTS)

    def routes(self) -> list[Route]:
        call, room = f"{self.base}/Calls", f"{self.base}/Conferences"
        return [
            self._route(f"{call}.json", self.calls, "GET", "POST"),
            self._route(f"{call}/{{call}}.json", self.call, "GET", "POST"),
            self._route(f"{call}/{{call}}/Recordings.json", self.recordings, "GET", "POST"),
            self._route(f"{call}/{{call}}/Recordings/{{recording}}.json", self.recording, "GET", "POST", "DELETE"),
            self._route(f"{room}.json", self.list_rooms, "GET"),
            self._route(f"{room}/{{room}}.json", self.room, "GET", "POST"),
            self._route(f"{room}/{{room}}/Participants.json", self.participants, "GET", "POST"),
            self._route(f"{room}/{{room}}/Participants/{{call}}.json", self.participant, "GET", "POST", "DELETE"),
            self._route(f"{room}/{{room}}/Recordings.json", self.recordings, "GET"),
            self._route(f"{room}/{{room}}/Recordings/{{recording}}.json", self.recording, "GET", "POST", "DELETE"),
            self._route(f"{self.base}/Recordings/{{recording}}.json", self.recording, "GET", "DELETE"),
            self._route(f"{self.base}/Recordings/{{file}}", self.sound, "GET"),
        ]

    def _route(self, path: str, endpoint: Endpoint, *methods: str) -> Route:
        async def guarded(request: Request) -> Response:
            try:
                return await endpoint(request, await self._let_in(request))
            except Problem as problem:
                return problem.answer()

        return Route(path, guarded, methods=list(methods))

    async def _let_in(self, request: Request) -> Form:
        expected = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            raise Problem(401, 20003, "Authenticate")
        match self.faults.pop(0) if self.faults else "":
            case "busy":
                raise Problem(429, 20429, "Too Many Requests")
            case "internal":
                raise Problem(500, 20500, "An internal server error has occurred")
            case "refused":
                raise Problem(401, 20003, "Authenticate")
        found = parse_qs((await request.body()).decode(), keep_blank_values=True)
        form = {name: values if name.endswith("Event") else values[-1] for name, values in found.items()}
        self.requests.append((request.method, request.url.path.split(ACCOUNT_SID)[-1], form))
        return form

    # -- calls -----------------------------------------------------------------------------------------------------

    async def calls(self, request: Request, form: Form) -> Response:
        if request.method == "GET":
            asked = request.query_params
            wanted_ = {"to": asked.get("To"), "sender": asked.get("From"), "status": asked.get("Status")}
            newest = reversed(self.world.legs.values())
            found = [
                leg for leg in newest if all(value in (None, getattr(leg, name)) for name, value in wanted_.items())
            ]
            return page("calls", [leg.json() for leg in found])
        leg = self._dial(form)
        leg.url, leg.twiml = form.get("Url", ""), form.get("Twiml", "")
        if not (leg.url or leg.twiml):
            raise Problem(400, 21205, "Url or Twiml parameter is required.")
        return JSONResponse(leg.json(), status_code=201)

    def _dial(self, form: Form) -> Leg:
        to, sender = form.get("To", ""), form.get("From", "")
        if refusal := self.refusals.get(to):
            raise Problem(*refusal)
        if not to.startswith(("+", "client:", "sip:")):
            raise Problem(400, 21211, f"The phone number you are attempting to call, {to}, is not valid.")
        leg = self.player.ring(to, sender, "outbound-api")
        leg.callback = wanted(form, "StatusCallback", "completed")
        leg.timeout = int(form.get("Timeout", 60))
        self.player.progress(leg, "initiated", "ringing")
        return leg

    async def call(self, request: Request, form: Form) -> Response:
        leg = self._leg(request)
        if request.method == "GET":
            return JSONResponse(leg.json())
        if not leg.live:
            raise Problem(400, 21220, "Unable to update record. Call is not in-progress. Cannot redirect.")
        status = form.get("Status", "")
        if status in ("completed", "canceled"):
            await self.player.end(leg, "completed" if leg.answered_at else "canceled")
        elif form.get("Url") or form.get("Twiml"):
            await self._redirect(leg, form)
        return JSONResponse(leg.json())

    async def _redirect(self, leg: Leg, form: Form) -> None:
        """A live call plays another document, out of whatever it was in."""
        for line in self.player.queues.values():
            if leg in line:
                line.remove(leg)
        leg.joins = None
        if leg.conference is not None:
            await self.player.leave(leg, "participant-updated-via-api")
        if form.get("Url"):
            await self.player.play(leg, form["Url"])
        else:
            await self.player.run(leg, ElementTree.fromstring(form["Twiml"]))

    def _leg(self, request: Request) -> Leg:
        sid = request.path_params["call"]
        found = self.world.legs.get(sid)
        if found is None:
            raise missing(f"/Calls/{sid}.json")
        return found

    # -- conferences -----------------------------------------------------------------------------------------------

    async def list_rooms(self, request: Request, _form: Form) -> Response:
        asked = request.query_params
        rooms = [
            room.json()
            for room in self.world.conferences.values()
            if asked.get("FriendlyName") in (None, room.name) and asked.get("Status") in (None, room.status)
        ]
        return page("conferences", rooms)

    def _room(self, request: Request) -> Conference:
        found = self.world.running(request.path_params["room"])
        if found is None:
            raise missing(f"/Conferences/{request.path_params['room']}.json")
        return found

    async def room(self, request: Request, form: Form) -> Response:
        room = self._room(request)
        if form.get("Status") == "completed":
            await self.player.close(room, "conference-ended-via-api")
        return JSONResponse(room.json())

    async def participants(self, request: Request, form: Form) -> Response:
        if request.method == "GET":
            return page("participants", [one.json() for one in self._room(request).inside])
        leg = self._dial(form)
        room = self.world.room(request.path_params["room"], self.player.now())
        if room.callback is None:
            room.callback = wanted(form, "ConferenceStatusCallback", "start end")
        if form.get("ConferenceRecord", "false") not in ("false", "do-not-record"):
            room.record = True
            room.recording_callback = wanted(form, "ConferenceRecordingStatusCallback", "completed")
        place = Participant(leg, room, label=form.get("Label", ""), muted=flag(form, "Muted"))
        place.start = flag(form, "StartConferenceOnEnter", True)
        place.end = flag(form, "EndConferenceOnExit")
        place.coaching, place.coached = flag(form, "Coaching"), form.get("CallSidToCoach", "")
        room.people.append(place)
        leg.joins = place
        return JSONResponse(place.json(), status_code=201)

    async def participant(self, request: Request, form: Form) -> Response:
        room, wanted_ = self._room(request), request.path_params["call"]
        place = next((one for one in room.inside if wanted_ in (one.leg.sid, one.label)), None)
        if place is None:
            raise missing(f"/Conferences/{room.sid}/Participants/{wanted_}.json")
        if request.method == "DELETE":
            await self.player.leave(place.leg, "participant-removed-via-api")
            await self.player.after_room(place.leg)
            return Response(status_code=204)
        await self._change(place, form)
        return JSONResponse(place.json())

    async def _change(self, place: Participant, form: Form) -> None:
        room, player = place.conference, self.player
        if "Muted" in form and flag(form, "Muted") is not place.muted:
            place.muted = not place.muted
            player.tell_room(room, "participant-mute" if place.muted else "participant-unmute", place)
        if "Hold" in form and flag(form, "Hold") is not place.hold:
            place.hold = not place.hold
            player.tell_room(room, "participant-hold" if place.hold else "participant-unhold", place)
            place.hold_url = form.get("HoldUrl", "") if place.hold else ""
            if place.hold_url:
                await player.hold_round(place)
        if "Coaching" in form:
            place.coaching, place.coached = flag(form, "Coaching"), form.get("CallSidToCoach", place.coached)
            player.tell_room(room, "participant-modify", place)
        if "EndConferenceOnExit" in form:
            place.end = flag(form, "EndConferenceOnExit")
            player.tell_room(room, "participant-modify", place)
        if form.get("AnnounceUrl"):
            root = await player.fetch(place.leg, form["AnnounceUrl"])
            player.hear_all(place.leg, root)

    # -- recordings ------------------------------------------------------------------------------------------------

    async def recordings(self, request: Request, form: Form) -> Response:
        if request.method == "GET":
            return page("recordings", [one.json() for one in self._of(request)])
        leg = self._leg(request)
        if leg.status != "in-progress":
            raise Problem(400, 21220, "Requested resource is not eligible for recording")
        callback = wanted(form, "RecordingStatusCallback", "completed")
        recording = self.player.record(leg, None, "StartCallRecordingAPI", callback)
        recording.channels = 2 if form.get("RecordingChannels") == "dual" else 1
        return JSONResponse(recording.json(), status_code=201)

    def _of(self, request: Request) -> list[Recording]:
        """The recordings of the call or conference in the address, all where it names neither."""
        found = list(self.world.recordings.values())
        if "call" in request.path_params:
            return [one for one in found if one.leg is self._leg(request)]
        if "room" in request.path_params:
            return [one for one in found if one.conference is self._room(request)]
        return found

    async def recording(self, request: Request, form: Form) -> Response:
        sid, found = request.path_params["recording"], self._of(request)
        if sid == CURRENT:
            one = next((one for one in found if one.status in ("in-progress", "paused")), None)
        else:
            one = next((one for one in found if one.sid == sid), None)
        if one is None:
            raise missing(f"/Recordings/{sid}.json")
        if request.method == "DELETE":
            del self.world.recordings[one.sid]
            return Response(status_code=204)
        if status := form.get("Status"):
            self._order(one, status)
        return JSONResponse(one.json())

    def _order(self, recording: Recording, status: str) -> None:
        if recording.status not in ("in-progress", "paused"):
            raise Problem(400, 21220, "Unable to update recording. Recording is not in-progress or paused.")
        recording.orders.append(status)
        if status == "stopped":
            self.player.finish(recording)
        else:
            recording.status = status

    async def sound(self, request: Request, _form: Form) -> Response:
        sid, _, kind = request.path_params["file"].partition(".")
        recording = self.world.recordings.get(sid)
        if recording is None or recording.status != "completed":
            raise missing(f"/Recordings/{sid}")
        if kind == "mp3":
            return Response(mp3(recording.seconds), media_type="audio/mpeg")
        return Response(wav(recording.seconds), media_type="audio/x-wav")


def page(name: str, items: list[dict[str, Any]]) -> Response:
    """One page of a list, which is all of it."""
    paging = {"page": 0, "page_size": 50, "next_page_uri": None, "previous_page_uri": None, "uri": "", "start": 0}
    return JSONResponse({name: items, **paging, "end": max(0, len(items) - 1), "first_page_uri": ""})
