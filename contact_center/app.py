"""The web process: opens the services, answers requests, and runs loops where there are no other processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from contact_center import wiring
from contact_center.accounts.web import find_person, locale_of
from contact_center.core import metrics
from contact_center.core.bus import Poke, open_bus
from contact_center.core.db import Database, open_database
from contact_center.core.errors import DomainError, Forbidden
from contact_center.core.files import FileStore
from contact_center.core.hub import Hub
from contact_center.core.i18n import explain
from contact_center.core.loops import Loop, Supervisor
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.services import Services, services
from contact_center.core.settings import Settings
from contact_center.core.web import (
    RequestContext,
    SameOrigin,
    SecurityHeaders,
    http_detail,
    problem,
    problem_of,
    wants_page,
)
from contact_center.version import VERSION
from tickets.sensitive import masking

log = structlog.get_logger()

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
HTTP_ERRORS = {
    403: "You may not see this page.",
    404: "There is no such page.",
    405: "This page cannot do that.",
    413: "This is too large.",
}


@dataclass(frozen=True, slots=True)
class Extension:
    """What another composition root adds to the product (the demo does): it comes before the product's own."""

    routes: Sequence[BaseRoute] = ()
    middleware: Sequence[Middleware] = ()
    template_folders: Sequence[Path] = ()
    loops: Callable[[Services], Sequence[Loop]] = lambda services: ()


class Process:
    """The open parts of one process, and its loops."""

    def __init__(
        self,
        settings: Settings,
        *,
        loops: Sequence[str] | None = None,
        web: bool = True,
        extension: Extension = Extension(),
    ) -> None:
        self.settings = settings
        self.loop_names = loops
        self.web = web
        self.extension = extension
        self.services: Services
        self.supervisor: Supervisor

    async def start(self) -> Services:
        """Open the database and the bus, then start the hub and the loops."""
        settings = self.settings
        db = open_database(settings.database)
        bus = open_bus(settings.redis_url)
        hub = Hub({})
        self.services = Services(
            settings=settings,
            db=db,
            bus=bus,
            hub=hub,
            vault=Vault(load_secret(settings)),
            files=FileStore(settings.data_dir / "files"),
            templates=wiring.templates(tuple(self.extension.template_folders)),
            tables=wiring.TABLES,
        )
        await db.write(masking.publish_key, self.services.vault.sealing_key())
        hub.renderers.update(wiring.renderers(self.services))
        own = wiring.loops(self.services, only=self.loop_names, web=self.web)
        self.supervisor = Supervisor([*own, *self.extension.loops(self.services)])
        db.after_commit = bus.publish
        bus.listen(self._poked, self._resync)
        await bus.start()
        hub.start()
        self.supervisor.start()
        return self.services

    def _poked(self, pokes: Sequence[Poke]) -> None:
        self.services.hub.poke(pokes)
        self.supervisor.poke({poke.topic.partition(":")[0] for poke in pokes})

    def _resync(self) -> None:
        self.services.hub.resync()
        self.supervisor.poke_all()

    async def stop(self) -> None:
        """Close sockets, let loops end their step, then close the connections."""
        await self.services.hub.stop()
        await self.supervisor.stop()
        await self.services.bus.stop()
        await self.services.db.close()


def build(settings: Settings, *, loops: Sequence[str] | None = None, extension: Extension = Extension()) -> Starlette:
    """The ASGI application; `loops` are the names of the loops to run beside it (None: all, ["none"]: none)."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        process = Process(settings, loops=loops, extension=extension)
        app.state.services = await process.start()
        app.state.process = process
        warming = asyncio.create_task(asyncio.to_thread(app.state.services.templates.warm), name="warm")
        log.info("web.started", url=settings.base_url)
        try:
            yield
        finally:
            await warming
            await process.stop()
            log.info("web.stopped")

    return Starlette(
        routes=[*extension.routes, *operations(), *wiring.routes()],
        middleware=[
            Middleware(RequestContext),
            Middleware(SecurityHeaders, https=settings.base_url.startswith("https")),
            Middleware(SameOrigin),
            Middleware(GZipMiddleware, minimum_size=1024, compresslevel=4),
            *extension.middleware,
        ],
        exception_handlers={
            DomainError: on_domain_error,
            HTTPException: on_http_error,
            Exception: on_bug,
        },
        lifespan=lifespan,
        max_body_size=settings.max_body_mb * 1024 * 1024,
    )


async def on_domain_error(request: Request, error: Exception) -> Response:
    """What the domain refuses, in the person's language."""
    assert isinstance(error, DomainError)
    detail = explain(await locale_of(request), error)
    if wants_page(request):
        return await error_page(request, error.status, detail)
    return problem_of(request, error, detail)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Unknown addresses, wrong methods, oversized bodies."""
    assert isinstance(error, HTTPException)
    status, detail = http_detail(error)
    detail = HTTP_ERRORS.get(status, detail)
    if wants_page(request):
        return await error_page(request, status, explain(await locale_of(request), DomainError(detail)))
    return problem(status, "http_error", detail, request_id=request.state.request_id)


async def on_bug(request: Request, error: Exception) -> Response:
    """A defect of ours: logged with the request id that the person sees."""
    log.error("request.failed", path=request.url.path, exc_info=error)
    detail = "Something went wrong here. Nothing that was saved is lost."
    if wants_page(request):
        return await error_page(request, 500, detail)
    return problem(500, "internal", detail, request_id=request.state.request_id)


async def error_page(request: Request, status: int, detail: str) -> Response:
    """An error as a page with a way back."""
    locale = await locale_of(request)
    html = services(request).templates.render(
        locale,
        "error.html",
        status=status,
        detail=detail,
        request_id=request.state.request_id,
        signed_in=await find_person(request) is not None,
        shell=None,
    )
    return HTMLResponse(html, status_code=status)


def operations() -> list[BaseRoute]:
    """What operators and their probes ask."""
    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics_page),
        Route("/version", version),
    ]


async def healthz(request: Request) -> Response:
    """The process lives."""
    return PlainTextResponse("ok")


async def readyz(request: Request) -> Response:
    """The process can serve: its database answers."""
    db: Database = services(request).db
    await db.read(_ping)
    return PlainTextResponse("ready")


def _ping(tx: Connection) -> Any:
    return tx.execute(text("SELECT 1")).scalar_one()


async def metrics_page(request: Request) -> Response:
    """Prometheus metrics, for loopback or with the bearer token."""
    token = services(request).settings.metrics_token
    allowed = request.headers.get("authorization") == f"Bearer {token}" if token else False
    peer = request.client.host if request.client else ""
    if not allowed and (peer not in LOOPBACK or "x-forwarded-for" in request.headers):
        raise Forbidden("Metrics are for loopback, or with the bearer token of CONTACT_CENTER_METRICS_TOKEN.")
    held = services(request)
    metrics.SOCKETS.set(len(held.hub.sockets))
    await wiring.refresh_metrics(held)
    return PlainTextResponse(metrics.render(), media_type="text/plain; version=0.0.4")


async def version(request: Request) -> Response:
    """Name and version."""
    return JSONResponse({"name": "contact-center", "version": VERSION})
