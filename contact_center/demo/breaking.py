"""Two ways to break things on purpose: cut one browser's line, kill the loops of the process."""

import asyncio
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from contact_center.core.clock import monotonic
from contact_center.core.hub import Hub
from contact_center.core.loops import Supervisor, sleep
from contact_center.core.web import problem

log = structlog.get_logger()

CUT_SECONDS = 20
DEAD_SECONDS = 5
# These keep working while a line is cut, or nobody could see what happens.
STILL_OPEN = ("/demo/state", "/demo/static/", "/static/")


class Breaker:
    """Whose line is cut and until when; and when the loops live again."""

    def __init__(self) -> None:
        self._cut_until: dict[str, float] = {}
        self._dead_until = 0.0

    def cut(self, host: str, hub: Hub) -> None:
        """Drop every connection of the browser pages under `host` and refuse new ones for a while."""
        self._cut_until[host] = monotonic() + CUT_SECONDS
        for socket in tuple(hub.sockets):
            if getattr(socket, "host", host) == host:
                socket.cut(1012)

    def cut_for(self, host: str) -> int:
        """Seconds that the line of `host` stays cut; 0 when it is not."""
        return max(0, round(self._cut_until.get(host, 0.0) - monotonic()))

    def dead_for(self) -> int:
        """Seconds until the loops start again; 0 when they run."""
        return max(0, round(self._dead_until - monotonic()))

    async def kill(self, supervisor: Supervisor, restart: Callable[[], None]) -> None:
        """Cancel all loops in the middle of whatever they do; start them again after a few seconds."""
        if self.dead_for():
            return
        self._dead_until = monotonic() + DEAD_SECONDS
        supervisor.kill()
        log.warning("demo.worker_killed")

        async def revive() -> None:
            await sleep(DEAD_SECONDS)
            restart()
            log.warning("demo.worker_started")

        self._reviving = asyncio.create_task(revive())


class CutLine:
    """Refuses what comes over a cut line, like a network that is gone."""

    def __init__(self, app: ASGIApp, breaker: Breaker) -> None:
        self.app = app
        self.breaker = breaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(STILL_OPEN):
            return await self.app(scope, receive, send)
        host = host_of(scope)
        if not self.breaker.cut_for(host):
            return await self.app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1012, "reason": "line cut"})
            return
        await problem(503, "line_cut", "The demo has cut this line for a moment.")(scope, receive, send)


def host_of(scope: Scope) -> str:
    """The host name that the browser used: agent.localhost."""
    for name, value in scope["headers"]:
        if name == b"host":
            host: str = value.decode("latin-1").partition(":")[0]
            return host
    return ""


def request_host(request: Request) -> str:
    """The same for a request."""
    return host_of(request.scope)
