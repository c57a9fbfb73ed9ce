"""Runs an application under uvicorn, with the WebSocket settings that were measured to be the cheapest."""

import contextlib
import fcntl
from pathlib import Path
from typing import TextIO

import typer
import uvicorn
from sqlalchemy.engine import make_url
from starlette.applications import Starlette

from contact_center.core.output import complain
from contact_center.core.settings import Settings

GRACE_SECONDS = 10


def serve_app(app: Starlette, settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; exit code 1 when the address or the SQLite file cannot be taken."""
    held = hold_database(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        # Compression costs five times the CPU and a third more memory per socket.
        ws_per_message_deflate=False,
        ws_max_size=settings.max_body_mb * 1024 * 1024,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    # uvicorn passes the signal on once it has ended gracefully: no traceback for a person who pressed Ctrl+C.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(1)
    if held is not None:
        held.close()


def hold_database(settings: Settings) -> TextIO | None:
    """Take the SQLite file for this process until it ends; exits with one sentence if another one serves it."""
    path = make_url(settings.database).database
    if not settings.database.startswith("sqlite") or not path:
        return None
    file = Path(f"{path}.serving").open("w")  # noqa: SIM115 - the lock lasts as long as the process
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        complain(f"Another process serves {path} already. Stop it, or use PostgreSQL for many processes.")
        raise typer.Exit(1) from error
    return file
