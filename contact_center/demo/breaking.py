"""Two ways to break things on purpose: cut one browser's line, kill the loops of the worker."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import parse_qs

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contact_center.accounts.web import locale_of
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.loops import Supervisor, sleep
from contact_center.core.services import services
from contact_center.core.web import problem, wants_page
from contact_center.demo.losses import Books, Cut, Outage, Written

log = structlog.get_logger()

CUT_SECONDS = 20
DEAD_SECONDS = 10
# These keep working while a line is cut, or nobody could see what happens.
STILL_OPEN = ("/demo/state", "/demo/enter", "/demo/static/", "/static/")
# A web process has these beside the worker's loops, and the demo's people are no part of the product.
SPARED = frozenset({"lists", "board", "chat-leases", "lease", "chat-places"})
SIMULATION = "demo-"
MOST_READ = 64 * 1024
# Lets customers write while the worker is dead; the ids under which their messages go out.
Write = Callable[[], Awaitable[list[str]]]


class Breaker:
    """Whose line is cut and until when; when the worker lives again; and what has to be shown afterwards."""

    def __init__(self) -> None:
        self.cuts: dict[str, Cut] = {}
        self.outage: Outage | None = None
        self.lines: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._cut_until: dict[str, float] = {}
        self._dead_until = 0.0

    def cut(self, host: str, books: Books) -> None:
        """Drop every line of the pages under `host` and refuse new ones for a while."""
        if self.cut_for(host):
            return
        now = utcnow()
        self._cut_until[host] = monotonic() + CUT_SECONDS
        self.cuts[host] = Cut(now, now + timedelta(seconds=CUT_SECONDS), books, dropped=len(self.lines[host]))
        for gone in self.lines.pop(host, ()):
            gone.set()

    def cut_for(self, host: str) -> int:
        """Seconds that the line of `host` stays cut; 0 when it is not."""
        return _left(self._cut_until.get(host, 0.0))

    def dead_for(self) -> int:
        """Seconds until the worker's loops start again; 0 when they run."""
        return _left(self._dead_until)

    async def kill(self, supervisor: Supervisor, write: Write, books: Books) -> None:
        """Cancel the worker's loops in the middle of whatever they do; they start again after a few seconds."""
        if self.dead_for():
            return
        now = utcnow()
        self._dead_until = monotonic() + DEAD_SECONDS
        simulation = {loop.name for loop in supervisor.loops if loop.name.startswith(SIMULATION)}
        killed = supervisor.kill(spared=SPARED | simulation)
        self.outage = Outage(now, now + timedelta(seconds=DEAD_SECONDS), books, killed=len(killed))
        log.warning("demo.worker_killed", loops=len(killed))
        self._reviving = asyncio.create_task(self._revive(supervisor))
        self._writing = asyncio.create_task(self._write(self.outage, write))

    async def _revive(self, supervisor: Supervisor) -> None:
        await sleep(DEAD_SECONDS)
        supervisor.start()
        log.warning("demo.worker_started")

    async def _write(self, outage: Outage, write: Write) -> None:
        outage.sent = await write()


def _left(until: float) -> int:
    left = until - monotonic()
    return max(1, round(left)) if left > 0 else 0


class CutLine:
    """Lets nothing through a cut line, like a network that is gone."""

    def __init__(self, app: ASGIApp, breaker: Breaker) -> None:
        self.app = app
        self.breaker = breaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(STILL_OPEN):
            return await self.app(scope, receive, send)
        host = host_of(scope)
        if not is_browser(scope):
            return await self.app(scope, receive, send)
        if self.breaker.cut_for(host):
            return await self._refuse(host, scope, receive, send)
        if scope["type"] == "websocket":
            return await self._hold(host, scope, receive, send)
        await self.app(scope, receive, send)

    async def _refuse(self, host: str, scope: Scope, receive: Receive, send: Send) -> None:
        cut = self.breaker.cuts[host]
        cut.refused += 1
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1012, "reason": "line cut"})
            return
        request = Request(scope, receive)
        if scope["method"] == "POST" and (written := await _written(request)) is not None:
            cut.written.setdefault(written.client_id, written)
        answer = await self._page(request) if wants_page(request) else _problem()
        await answer(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        left = self.breaker.cut_for(request_host(request))
        html = services(request).templates.render(await locale_of(request), "demo/cut.html", seconds=left, shell=None)
        # The browser asks again by itself when the line is back.
        return HTMLResponse(html, 503, headers={"refresh": str(left + 1), "cache-control": "no-store"})

    async def _hold(self, host: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket until its line is cut: then neither side hears the other again."""
        gone = asyncio.Event()
        self.breaker.lines[host].add(gone)
        cutting = asyncio.ensure_future(gone.wait())
        closed = False

        async def heard() -> Message:
            if not gone.is_set():
                receiving = asyncio.ensure_future(receive())
                try:
                    await asyncio.wait({receiving, cutting}, return_when=asyncio.FIRST_COMPLETED)
                    if not gone.is_set():
                        return receiving.result()
                finally:
                    receiving.cancel()
            # Also where the cut came while nobody was listening.
            await hang_up()
            return {"type": "websocket.disconnect", "code": 1006}

        async def said(message: Message) -> None:
            if not gone.is_set():
                await send(message)

        async def hang_up() -> None:
            nonlocal closed
            if not closed:
                closed = True
                await send({"type": "websocket.close", "code": 1012, "reason": "line cut"})

        try:
            await self.app(scope, heard, said)
        finally:
            cutting.cancel()
            self.breaker.lines[host].discard(gone)


def _problem() -> Response:
    return problem(503, "line_cut", "The demo has cut this line for a moment.")


async def _written(request: Request) -> Written | None:
    """The message in a form that the cut line swallowed; its client id lets one find it again later."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_READ:
            return None
    form = parse_qs(body.decode("utf-8", "replace"))
    client_id, text = (form.get(name, [""])[0] for name in ("client_id", "text"))
    return Written(client_id, text, utcnow()) if client_id and text else None


def host_of(scope: Scope) -> str:
    """The host name that the browser used: agent.localhost."""
    return Headers(scope=scope).get("host", "").partition(":")[0]


def is_browser(scope: Scope) -> bool:
    """Whether a person's browser asks: the demo's counterparts have lines of their own to the same address."""
    return "Mozilla" in Headers(scope=scope).get("user-agent", "")


def request_host(request: Request) -> str:
    """The same for a request."""
    return host_of(request.scope)
