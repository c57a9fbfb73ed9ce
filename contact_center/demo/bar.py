"""The demo's bar: its state as JSON, what its buttons do, and the middleware that puts it on every page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import Services, services
from contact_center.demo import checklist
from contact_center.demo import mark as demo_mark
from contact_center.demo.breaking import Breaker, request_host

PACES = ("pause", "calm", "busy")
TAGS = b'<link rel="stylesheet" href="/demo/static/demo.css"><script src="/demo/static/bar.js" defer></script></body>'
WORDS: Mapping[str, str] = {
    "demo": mark("Demo"),
    "doors": mark("Doors"),
    "pause": mark("Pause"),
    "calm": mark("Calm"),
    "busy": mark("Busy"),
    "checklist": mark("Checklist"),
    "cut": mark("Cut my line for 20 s"),
    "cut_now": mark("Line cut:"),
    "kill": mark("Kill the worker"),
    "killed_now": mark("Worker dead:"),
}


class Bar:
    """The endpoints of the bar."""

    def __init__(self, breaker: Breaker, *, started_at: datetime) -> None:
        self.breaker = breaker
        self.started_at = started_at
        self.routes = [
            Route("/demo/state", self.state),
            Route("/demo/pace", self.pace, methods=["POST"]),
            Route("/demo/cut", self.cut, methods=["POST"]),
            Route("/demo/kill", self.kill, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """What the bar shows, measured now."""
        return JSONResponse(await self._state(request))

    async def pace(self, request: Request) -> Response:
        """How busy the simulated customers and colleagues are."""
        wanted = request.query_params.get("is", "")
        if wanted in PACES:
            await services(request).db.write(demo_mark.write, pace=wanted)
        return await self.state(request)

    async def cut(self, request: Request) -> Response:
        """Cut the line of this browser's host name."""
        self.breaker.cut(request_host(request), services(request).hub)
        return await self.state(request)

    async def kill(self, request: Request) -> Response:
        """Kill the loops; they start again by themselves."""
        process = request.app.state.process
        await self.breaker.kill(process.supervisor, process.supervisor.start)
        return await self.state(request)

    async def _state(self, request: Request) -> dict[str, Any]:
        held: Services = services(request)
        locale = await locale_of(request)
        found, safe, pace = await held.db.read(_look, self.started_at, utcnow())
        return {
            "words": {key: gettext(locale, text) for key, text in WORDS.items()},
            "home": f"http://127.0.0.1:{request.url.port}/",
            "pace": pace,
            "steps": [step.shown(locale) for step in found],
            "safe": safe.shown(locale),
            "cut": self.breaker.cut_for(request_host(request)),
            "killed": self.breaker.dead_for(),
        }


def _look(tx: Connection, since: datetime, now: datetime) -> tuple[list[checklist.Step], checklist.Safety, str]:
    stored = demo_mark.read(tx) or {}
    return checklist.steps(tx, since), checklist.safety(tx, now), stored.get("pace", "calm")


class WithBar:
    """Puts the bar before the end of every page of ours, but not inside frames."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/widget/"):
            return await self.app(scope, receive, send)
        start: Message | None = None

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and "content-disposition" not in headers:
                    start = message
                    return
            elif start is not None and message["type"] == "http.response.body":
                body = message.get("body", b"").replace(b"</body>", TAGS)
                if not message.get("more_body"):
                    MutableHeaders(scope=start)["content-length"] = str(len(body))
                held, start = start, None
                await send(held)
                message = {**message, "body": body}
            await send(message)

        await self.app(scope, receive, sent)
