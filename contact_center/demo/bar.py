"""The demo's bar: its state as JSON, what its buttons do, and the middleware that puts it on every page."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from channels.chat.models import ChatVisit
from channels.chat.tokens import Tokens
from contact_center.accounts.web import find_person, locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from contact_center.demo import checklist, losses
from contact_center.demo import mark as demo_mark
from contact_center.demo.breaking import Breaker, request_host
from contact_center.demo.doors import HOME, Links, at, require_local
from contact_center.demo.losses import Screen, Written
from contact_center.demo.visitors import WIDGET

PACES = ("pause", "calm", "busy")
MOST_TOLD = 64 * 1024
MOST_WRITTEN = 50
LINKS = b'<link rel="stylesheet" href="/demo/static/bar.css"><script src="/demo/static/bar.js" defer></script></head>'
# The strip is there from the first paint, so that nothing jumps when the bar is filled.
STRIP = b'<nav class="demo-bar" id="demo-bar" aria-label="Demo"></nav></body>'
WORDS: Mapping[str, str] = {
    "demo": mark("Demo"),
    "doors": mark("Doors"),
    "pace": mark("How busy the floor is"),
    "pause": mark("Pause"),
    "calm": mark("Calm"),
    "busy": mark("Busy"),
    "pause_hint": mark("Simulated customers and colleagues rest"),
    "calm_hint": mark("A customer every twenty seconds"),
    "busy_hint": mark("A customer every three seconds"),
    "checklist": mark("Checklist"),
    "close": mark("Close"),
    "break": mark("Break it"),
    "cut": mark("Cut my line for 20 s"),
    "cut_now": mark("Line cut:"),
    "kill": mark("Kill the worker"),
    "killed_now": mark("Worker dead:"),
    "books": mark("In the books"),
    "done": mark("done"),
    "open": mark("open"),
    "away": mark("The server does not answer. Trying again …"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says of itself: whether its panel is open, what it could not send, how far its screen has come."""

    panel: bool = False
    outbox: tuple[Written, ...] = ()
    visit_id: int | None = None
    ticket_id: int | None = None
    seq: int = 0


class Bar:
    """The endpoints of the bar. `write` lets simulated customers write while the worker is dead."""

    def __init__(self, breaker: Breaker, *, started_at: datetime, write: Callable[[], Awaitable[list[str]]]) -> None:
        self.breaker = breaker
        self.started_at = started_at
        self.write = write
        self.routes = [
            Route("/demo/state", self.state, methods=["POST"]),
            Route("/demo/pace", self.pace, methods=["POST"]),
            Route("/demo/cut", self.cut, methods=["POST"]),
            Route("/demo/kill", self.kill, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """What the bar shows, measured now."""
        require_local(request)
        return JSONResponse(await self._state(request, await told(request)))

    async def pace(self, request: Request) -> Response:
        """How busy the simulated customers and colleagues are."""
        require_local(request)
        wanted = request.query_params.get("is", "")
        if wanted in PACES:
            await services(request).db.write(demo_mark.write, pace=wanted)
        return await self.state(request)

    async def cut(self, request: Request) -> Response:
        """Cut the line of this browser's host name."""
        require_local(request)
        self.breaker.cut(request_host(request), await services(request).db.read(losses.books))
        return await self.state(request)

    async def kill(self, request: Request) -> Response:
        """Kill the worker's loops; they start again by themselves."""
        require_local(request)
        books = await services(request).db.read(losses.books)
        await self.breaker.kill(request.app.state.process.supervisor, self.write, books)
        return await self.state(request)

    async def _state(self, request: Request, page: Told) -> dict[str, Any]:
        locale = await locale_of(request)
        host = request_host(request)
        if self.breaker.cut_for(host):
            for written in page.outbox:
                self.breaker.cuts[host].written.setdefault(written.client_id, written)
        person = await find_person(request)
        looked = await services(request).db.read(self._look, host, page, person.id if person else None, utcnow())
        links = Links(request, locale)
        return {
            "words": {key: gettext(locale, text) for key, text in WORDS.items()},
            "home": str(at(request, HOME, "/")),
            "pace": looked["pace"],
            "steps": [step.shown(locale, links) for step in looked["steps"]],
            "safe": looked["safe"].shown(locale) if looked["safe"] else "",
            "history": _history(locale, looked["history"]),
            "breaks": [report.shown(locale) for report in looked["breaks"]],
            "cut": self.breaker.cut_for(host),
            "killed": self.breaker.dead_for(),
        }

    def _look(self, tx: Connection, host: str, page: Told, user_id: int | None, now: datetime) -> dict[str, Any]:
        stored = demo_mark.read(tx) or {}
        return {
            "pace": stored.get("pace", "calm"),
            "history": stored.get("history") or {},
            "steps": checklist.steps(tx, self.started_at),
            "safe": checklist.safety(tx, now) if page.panel else None,
            "breaks": self._breaks(tx, host, page, user_id, now) if page.panel else [],
        }

    def _breaks(self, tx: Connection, host: str, page: Told, user_id: int | None, now: datetime) -> list[losses.Report]:
        """What became of the last cut of this host name and of the last death of the worker, the newer first."""
        found = []
        cut, outage = self.breaker.cuts.get(host), self.breaker.outage
        if cut is not None:
            screen = Screen(user_id, _visit(tx, page.visit_id), page.ticket_id, page.seq)
            found.append((cut.begun, losses.of_cut(tx, cut, screen, now)))
        if outage is not None:
            found.append((outage.begun, losses.of_outage(tx, outage, now)))
        return [report for _, report in sorted(found, key=lambda one: one[0], reverse=True)]


def _history(locale: str, history: Mapping[str, Any]) -> str:
    """How far the month before today has come, while it is still being written."""
    if history.get("done", True):
        return ""
    text = mark("The month before today is being written: %(written)s of %(of)s conversations.")
    return gettext(locale, text, written=history["written"], of=history["of"])


def _visit(tx: Connection, visit_id: int | None) -> str | None:
    """The thread key of a chat visit, under which its messages are stored."""
    return tx.execute(select(ChatVisit.key).where(ChatVisit.id == visit_id)).scalar_one_or_none()


async def told(request: Request) -> Told:
    """What the page says in its body; anything that is not understood is nothing."""
    body = await request.body()
    if not body or len(body) > MOST_TOLD:
        return Told()
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        page = orjson.loads(body)
        visit = Tokens.of(services(request).vault).visit_of(str(page.get("visit") or ""), WIDGET)
        return Told(
            panel=bool(page.get("panel")),
            outbox=tuple(
                Written(str(one["client_id"]), str(one["text"]), datetime.fromtimestamp(one["at"] / 1000, UTC))
                for one in (page.get("outbox") or [])[:MOST_WRITTEN]
            ),
            visit_id=visit,
            ticket_id=int(page.get("ticket") or 0) or None,
            seq=int(page.get("seq") or 0),
        )
    return Told()


class WithBar:
    """Puts the bar on every page of ours, but not inside frames."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or Headers(scope=scope).get("sec-fetch-dest") in ("iframe", "empty"):
            return await self.app(scope, receive, send)
        start: Message | None = None
        parts: list[bytes] = []

        async def sent(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(message):
                start = message
            elif start is not None and message["type"] == "http.response.body":
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = b"".join(parts).replace(b"</head>", LINKS, 1).replace(b"</body>", STRIP, 1)
                    MutableHeaders(scope=start)["content-length"] = str(len(body))
                    await send(start)
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(scope, receive, sent)


def _is_page(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    return headers.get("content-type", "").startswith("text/html") and "content-disposition" not in headers
