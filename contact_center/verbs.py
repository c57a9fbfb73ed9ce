"""The verbs that run and look after an installation: serve, worker, migrate, createadmin, check, demo."""

import asyncio
import contextlib
import importlib
import signal
from collections.abc import Iterator
from typing import Annotated

import structlog
import typer
import uvloop
from pydantic import ValidationError
from sqlalchemy import Connection

from contact_center import migrate as migrations
from contact_center.accounts import users
from contact_center.accounts.audit import record
from contact_center.accounts.permissions import Role
from contact_center.app import Process, build
from contact_center.check import findings
from contact_center.core import logs, metrics
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.settings import Settings
from contact_center.serving import serve_app
from contact_center.wiring import LOOPS

log = structlog.get_logger()
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def load_settings() -> Settings:
    """The settings, or an exit with one clear sentence per mistake."""
    try:
        settings = Settings()
        _ = settings.database
    except ValidationError as error:
        for mistake in error.errors():
            name = ".".join(str(part) for part in mistake["loc"]).upper()
            complain(f"CONTACT_CENTER_{name.removeprefix('CONTACT_CENTER_')}: {mistake['msg']}")
        raise typer.Exit(2) from error
    except (ValueError, OSError) as error:
        complain(str(error))
        raise typer.Exit(2) from error
    logs.configure(settings.log_level, settings.log_format)
    return settings


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    loops: Annotated[str, typer.Option(help="Loops to run beside the web server: all, none, or names.")] = "all",
) -> None:
    """Run the web server; with loops=all it is the whole product in one process."""
    settings = load_settings()
    overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update=overrides)
    _require_schema(settings)
    serve_app(build(settings, loops=names_of(loops)), settings)


def names_of(loops: str) -> list[str] | None:
    """None for all loops, else their names."""
    if loops == "all":
        return None
    names = [name.strip() for name in loops.split(",") if name.strip()]
    unknown = sorted(set(names) - {"none", *LOOPS})
    if unknown:
        raise typer.BadParameter(f"there is no loop called {', '.join(unknown)}; there are: {', '.join(LOOPS)}")
    return names


@app.command()
def worker(loops: Annotated[str, typer.Option(help="all, or names separated by commas.")] = "all") -> None:
    """Run the loops without a web server: relay, delivery, routing, timers, mailboxes. Any number may run."""
    settings = load_settings()
    if settings.database.startswith("sqlite"):
        complain("A worker of its own needs PostgreSQL; with SQLite `serve` runs everything in one process.")
        raise typer.Exit(2)
    _require_schema(settings)
    uvloop.run(_work(settings, names_of(loops)))


async def _work(settings: Settings, loops: list[str] | None) -> None:
    process = Process(settings, loops=loops, web=False)
    if settings.metrics_port:
        metrics.serve(settings.host, settings.metrics_port)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await process.start()
    log.info("worker.started", loops=[loop.name for loop in process.supervisor.loops])
    await stopping.wait()
    await process.stop()


@app.command()
def migrate() -> None:
    """Bring the database to the present schema; safe to run again."""
    settings = load_settings()
    with clear_errors():
        migrations.run(settings.database, migrations.upgrade)
    complain(f"The database is at revision {migrations.head()}.")


def _require_schema(settings: Settings) -> None:
    with clear_errors():
        present = migrations.run(settings.database, migrations.revision)
    if present != migrations.head():
        complain(
            f"The database is at revision {present or 'none'}, not {migrations.head()}: run contact-center migrate."
        )
        raise typer.Exit(2)


@app.command()
def createadmin(
    email: Annotated[str, typer.Option(prompt=True)],
    name: Annotated[str, typer.Option(prompt=True)],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Add an administrator."""
    settings = load_settings()
    with clear_errors():
        migrations.run(settings.database, lambda tx: _create_admin(tx, email, name, password))
    complain(f"{email} can sign in now.")


def _create_admin(tx: Connection, email: str, name: str, password: str) -> None:
    now = utcnow()
    user_id = users.create(tx, email=email, name=name, role=Role.ADMIN, password=password, now=now)
    record(tx, "user.created", f"user:{user_id}", now=now, details={"email": email, "role": Role.ADMIN.value})


@app.command()
def check(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Say what is misconfigured and how to fix it; exit code 1 if anything must be fixed."""
    found = findings(load_settings())
    if as_json:
        for finding in found:
            print_json({"level": finding.level, "what": finding.what(), "fix": finding.fix()})
    else:
        print_table(["", "What", "What to do"], [(finding.level, finding.what(), finding.fix()) for finding in found])
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


@app.command()
def demo(reset: Annotated[bool, typer.Option(help="Start over with a new shop.")] = False) -> None:
    """Serve a shop with a living floor on this machine: invented people, real protocols."""
    with clear_errors():
        # Its one-click logins and counterparts are not even loaded by the verbs that serve customers.
        importlib.import_module("contact_center.demo.start").run(load_settings(), reset=reset)


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a person can mend into one sentence on stderr and exit code 1."""
    try:
        yield
    except DomainError as error:
        complain(error.detail)
        raise typer.Exit(1) from error
    except OSError as error:
        complain(f"{error.strerror or error}: {error.filename or 'is the server running?'}")
        raise typer.Exit(1) from error
