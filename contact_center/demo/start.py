"""`contact-center demo`: migrate, seed an empty database, print the doors, serve the product and its counterparts."""

from pathlib import Path

import typer
from sqlalchemy import Connection, func, select

from contact_center import migrate
from contact_center.accounts.models import User
from contact_center.check import port_taken
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.output import complain, print_table
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.settings import Settings
from contact_center.demo import cast, mark, seed
from contact_center.demo.doors import DOORS
from contact_center.demo.server import serve

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def run(settings: Settings, *, reset: bool) -> None:
    """Start the demo; every refusal is one sentence that says what to do."""
    if settings.host not in LOOPBACK:
        refuse(f"The demo signs anybody in, so it only listens on loopback (127.0.0.1), not on {settings.host}.")
    if port_taken(settings.host, settings.port):
        refuse(f"Port {settings.port} is taken. Stop what uses it, or take another: CONTACT_CENTER_PORT=8001 make run")
    _prepare_folder(settings.data_dir)
    if reset:
        _reset(settings)
    migrate.run(settings.database, migrate.upgrade)
    state = migrate.run(settings.database, mark.read)
    if state is None and migrate.run(settings.database, _in_use):
        shown = settings.database.split("@")[-1]
        refuse(f"{shown} holds real data, and the demo only lives in a database of its own: unset the database URL.")
    if state is None:
        begun = monotonic()
        typer.echo("Inventing a shop with a month of history …", err=True)
        seed.fill(settings, Vault(load_secret(settings)), now=utcnow(), report=_progress)
        typer.echo(f"\rDone in {monotonic() - begun:.0f} s.                    ", err=True)
    _print_doors(settings)
    serve(settings)


def refuse(sentence: str) -> None:
    """One sentence on stderr and exit code 1."""
    complain(sentence)
    raise typer.Exit(1)


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        refuse(f"Cannot write to {folder} ({error.strerror}). Change its owner, or set CONTACT_CENTER_DATA_DIR.")


def _reset(settings: Settings) -> None:
    if not settings.database.startswith("sqlite"):
        refuse("--reset only starts an SQLite demo over. Drop and create the PostgreSQL database yourself.")
    path = Path(settings.database.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _in_use(tx: Connection) -> bool:
    return tx.execute(select(func.count()).select_from(User)).scalar_one() > 0


def _progress(share: float, text: str) -> None:
    typer.echo(f"\r  {share:4.0%}  {text:<30}", err=True, nl=False)


def _print_doors(settings: Settings) -> None:
    rows = [
        (door.title, f"http://{door.host}.localhost:{settings.port}", cast.email_of(door.person) if door.person else "")
        for door in DOORS
    ]
    print_table(["Who", "Page", f"Login (password: {cast.PASSWORD})"], rows)
    address = f"http://{settings.host}:{settings.port}"
    typer.echo(f"All doors: {address}   Stop with Ctrl+C. Start over with: contact-center demo --reset")
