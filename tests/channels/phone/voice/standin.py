"""Twilio Voice on loopback: a real HTTP server for the official SDK, phones that a test plays, callbacks back to us.

A test says what people do (`call`, `answer`, `press`, `speak`, `hang_up`) and when callbacks arrive (`settle`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx2
import uvicorn
from starlette.applications import Starlette
from twilio.rest import Client

from channels.sms.client import open_client
from contact_center.core.outbound import trust
from contact_center.demo.voice.people import People
from contact_center.demo.voice.rest import Rest
from contact_center.demo.voice.telling import Post
from contact_center.demo.voice.world import ACCOUNT_SID, AUTH_TOKEN, Conference, Leg, Recording

# No fault of the network is told by the clock, so that a slow machine changes no test.
PATIENCE = 60.0


class Twilio(People):
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

    async def answer(self, leg: Leg, *, accepts: bool = True) -> None:
        """Somebody picks up, and presses the key that a colleague's phone asks for; a mailbox does not."""
        await super().answer(leg)
        if accepts and leg.waiting is not None and leg.waiting.tag == "Gather":
            await self.press(leg, "1")

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
        self.inner = httpx2.AsyncHTTPTransport(verify=trust())

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
    server = uvicorn.Server(
        uvicorn.Config(twilio.app(), port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    twilio.api = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield twilio
    finally:
        server.should_exit = True
        await task
