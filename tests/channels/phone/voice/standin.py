"""Twilio Voice on loopback: a real HTTP server for the official SDK, phones that a test plays, callbacks back to us.

A test says what people do (`call`, `answer`, `press`, `speak`, `hang_up`) and when callbacks arrive (`settle`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urljoin
from xml.etree import ElementTree

import httpx2
import uvicorn
from starlette.applications import Starlette
from twilio.rest import Client

from channels.sms.client import open_client
from tests.channels.phone.voice.playing import Player, Post
from tests.channels.phone.voice.rest import Rest
from tests.channels.phone.voice.world import ACCOUNT_SID, AUTH_TOKEN, Callback, Conference, Leg, Recording, wanted

# No fault of the network is told by the clock, so that a slow machine changes no test.
PATIENCE = 60.0


class Twilio(Player):
    """The carrier and the people at its phones. `lost` are faults of the network between us: see `open_http`."""

    def __init__(self, hooks: httpx2.AsyncClient | None = None) -> None:
        super().__init__(hooks)
        self.rest = Rest(self)
        self.api = ""
        self.lost: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=self.rest.routes())

    def open_http(self) -> httpx2.AsyncClient:
        """A client of ours whose requests meet what `lost` says, each once.

        "unreachable": nothing left us; "answer lost": Twilio did it and we never hear.
        """
        return httpx2.AsyncClient(transport=_Line(self), timeout=PATIENCE)

    def client(self, http: httpx2.AsyncClient) -> Client:
        """The official SDK, for the stand-in's own tests."""
        return open_client(http, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, base_url=self.api)

    # -- what people do --------------------------------------------------------------------------------------------

    async def call(self, url: str, *, sender: str, to: str, status_callback: str = "") -> Leg:
        """A customer calls one of our numbers, whose voice address is `url`."""
        leg = Leg(self.world.sid("CA"), to, sender, "inbound", self.now(), status="ringing")
        self.world.legs[leg.sid] = leg
        leg.callback = Callback(status_callback, frozenset({"completed"})) if status_callback else None
        leg.document = url
        root = await self.fetch(leg, url)
        # Only a document that says nothing but Reject leaves a call unanswered.
        if len(root) and root[0].tag != "Reject":
            leg.status, leg.answered_at = "in-progress", self.now()
        await self.run(leg, root)
        return leg

    def ringing(self, to: str = "") -> list[Leg]:
        """The phones that ring now because we called them."""
        going = [leg for leg in self.world.legs.values() if leg.status == "ringing" and leg.direction != "inbound"]
        return [leg for leg in going if to in ("", leg.to)]

    async def answer(self, leg: Leg) -> None:
        """Somebody picks up a phone that rings."""
        assert leg.status == "ringing", leg.status
        leg.answered_at = self.now()
        self.progress(leg, "in-progress")
        if leg.joins is not None:
            await self.enter(leg.joins)
        elif leg.parent is not None:
            for other in self.ringing():
                if other.parent is leg.parent:
                    await self.end(other, "no-answer")
        elif leg.url:
            await self.play(leg, leg.url)
        else:
            await self.run(leg, ElementTree.fromstring(leg.twiml))

    async def hang_up(self, leg: Leg) -> None:
        """The person at this end hangs up, or gives up ringing."""
        await self.end(leg, "completed" if leg.answered_at else "no-answer")

    async def refuse(self, leg: Leg, status: str = "busy") -> None:
        """Nobody picks up: busy, no-answer or failed."""
        await self.end(leg, status)

    async def press(self, leg: Leg, digits: str) -> None:
        """Keys, for the Gather that waits (also one heard in a queue)."""
        gather = leg.waiting
        if gather is not None and gather.tag == "Enqueue" and leg.todo and leg.todo[0].tag == "Gather":
            gather = leg.todo.pop(0)
        assert gather is not None, leg.heard
        assert gather.tag == "Gather", (gather.tag, leg.heard)
        await self._gathered(leg, gather.get("action") or leg.document, digits)

    async def _gathered(self, leg: Leg, action: str, digits: str) -> None:
        url = urljoin(leg.document, action)
        if leg.waiting is not None and leg.waiting.tag == "Enqueue":
            root = await self.fetch(leg, url, {"Digits": digits})
            await self._waiting_document(leg, root)
        else:
            await self.play(leg, url, {"Digits": digits})

    async def silence(self, leg: Leg) -> None:
        """Nothing is pressed until the Gather gives up."""
        assert leg.waiting is not None
        assert leg.waiting.tag == "Gather"
        if leg.waiting.get("actionOnEmptyResult") == "true":
            await self._gathered(leg, leg.waiting.get("action") or leg.document, "")
        else:
            await self.go_on(leg)

    async def speak(self, leg: Leg, seconds: int) -> Recording:
        """The caller speaks into the Record that waits, and is done."""
        verb = leg.waiting
        assert verb is not None, leg.heard
        assert verb.tag == "Record", (verb.tag, leg.heard)
        recording = self.record(leg, None, "RecordVerb", wanted(verb.attrib, "recordingStatusCallback", "completed"))
        recording.seconds = seconds
        self.finish(recording)
        told = {
            "RecordingUrl": f"https://api.twilio.com{recording.address}",
            "RecordingSid": recording.sid,
            "RecordingDuration": str(seconds),
            "Digits": "hangup",
        }
        await self.play(leg, urljoin(leg.document, verb.get("action") or leg.document), told)
        return recording

    def transcribe(self, recording: Recording, url: str, text: str) -> None:
        """Twilio has the words of a recording."""
        form = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": recording.leg.sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"https://api.twilio.com{recording.address}",
            "TranscriptionSid": self.world.sid("TR"),
            "TranscriptionStatus": "completed" if text else "failed",
            "TranscriptionText": text,
        }
        self.outbox.append(Post(url, form))

    # -- what a test looks at --------------------------------------------------------------------------------------

    def room(self) -> Conference:
        """The only conference that is not over."""
        [found] = [room for room in self.world.conferences.values() if room.status != "completed"]
        return found

    def inside(self, name: str = "") -> dict[str, str]:
        """number or label -> "talking", "held" or "muted", for everybody in the running conference."""
        room = self.world.running(name) if name else self.room()
        assert room is not None
        return {
            one.label or one.leg.to: "held" if one.hold else "muted" if one.muted else "talking" for one in room.inside
        }


class _Line(httpx2.AsyncBaseTransport):
    """The network between us and Twilio."""

    def __init__(self, twilio: Twilio) -> None:
        self.twilio = twilio
        self.inner = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fault = self.twilio.lost.pop(0) if self.twilio.lost else ""
        if fault == "unreachable":
            raise httpx2.ConnectError("connection refused", request=request)
        answer = await self.inner.handle_async_request(request)
        if fault == "answer lost":
            await answer.aread()
            await answer.aclose()
            raise httpx2.ReadTimeout("timed out", request=request)
        return answer

    async def aclose(self) -> None:
        await self.inner.aclose()


@contextlib.asynccontextmanager
async def open_twilio(hooks: httpx2.AsyncClient | None = None) -> AsyncIterator[Twilio]:
    """A stand-in that listens at `api`; `hooks`, which reaches our public address, may be set at any time."""
    twilio = Twilio(hooks)
    server = uvicorn.Server(uvicorn.Config(twilio.app(), port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    twilio.api = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield twilio
    finally:
        server.should_exit = True
        await task
