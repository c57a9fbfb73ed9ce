"""The demo as one process: the product, its simulated floor and the counterparts that speak real protocols."""

import random
from collections.abc import Sequence
from pathlib import Path

import typer
import uvicorn
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.loops import Loop
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo import doors
from contact_center.demo.bar import Bar, WithBar
from contact_center.demo.breaking import Breaker, CutLine
from contact_center.demo.floor import Floor

FOLDER = Path(__file__).parent


def extension() -> Extension:
    """What the demo adds to the product."""
    breaker = Breaker()
    bar = Bar(breaker, started_at=utcnow())

    def loops(services: Services) -> Sequence[Loop]:
        return [Floor(services, {}, random.Random()).loop()]

    return Extension(
        routes=[
            *doors.ROUTES,
            *bar.routes,
            Mount("/demo/static", StaticFiles(directory=FOLDER / "static")),
        ],
        middleware=[Middleware(CutLine, breaker=breaker), Middleware(WithBar)],
        template_folders=[FOLDER / "templates"],
        loops=loops,
    )


def serve(settings: Settings) -> None:
    """Serve until Ctrl+C."""
    config = uvicorn.Config(
        build(settings, extension=extension()),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        raise typer.Exit(1)
