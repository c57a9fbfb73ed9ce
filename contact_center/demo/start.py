"""`contact-center demo`: migrate, seed an empty database, print the doors, serve the product and its counterparts."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import typer
from sqlalchemy import Connection, func, select

from contact_center import migrate
from contact_center.accounts.models import User
from contact_center.check import port_taken
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.output import complain, print_table
from contact_center.core.settings import Settings
from contact_center.demo import cast, gap, mark, past, seed
from contact_center.demo.doors import DOORS
from contact_center.demo.month import Scale
from contact_center.demo.server import serve
from contact_center.serving import hold_database

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def run(settings: Settings, *, reset: bool) -> None:
    """Start the demo; every refusal is one sentence that says what to do."""
    prepare(settings, Scale(), reset=reset)
    _print_doors(settings)
    serve(settings)


def prepare(settings: Settings, scale: Scale, *, reset: bool = False) -> None:
    """A demo that can be served: made anew in an empty database, else brought from where it was stopped to now."""
    if settings.host not in LOOPBACK:
        refuse(f"The demo signs anybody in, so it only listens on loopback (127.0.0.1), not on {settings.host}.")
    if port_taken(settings.host, settings.port):
        refuse(f"Port {settings.port} is taken. Stop what uses it, or take another: CONTACT_CENTER_PORT=8001 make run")
    if not settings.database.startswith("sqlite"):
        refuse("The demo lives in an SQLite file of its own: unset the database URL.")
    _prepare_folder(settings.data_dir)
    with hold_database(settings) or nullcontext():
        _make_or_catch_up(settings, scale, reset=reset)


def _make_or_catch_up(settings: Settings, scale: Scale, *, reset: bool) -> None:
    if reset:
        reset_files(settings)
    state = _state(settings)
    if state is not None and "seeded_at" not in state:
        # It was interrupted before its first page: nobody has seen it.
        reset_files(settings)
        state = _state(settings)
    if state is None:
        _seed(settings, scale)
    else:
        _catch_up(settings, state)


def _state(settings: Settings) -> dict[str, Any] | None:
    """The mark of the demo that lies there; None in an empty database. Refuses any other one."""
    migrate.run(settings.database, migrate.upgrade)
    state: dict[str, Any] | None = migrate.run(settings.database, mark.read)
    if state is None and migrate.run(settings.database, _in_use):
        shown = settings.database.split("@")[-1]
        refuse(f"{shown} holds real data, and the demo only lives in a database of its own: unset the database URL.")
    if state is not None and not {"stretches", "menu"} <= state.keys():
        refuse("This demo was made by an older version. Start over with: contact-center demo --reset")
    return state


def _seed(settings: Settings, scale: Scale) -> None:
    begun = monotonic()
    typer.echo("Inventing a shop and its day …", err=True)
    seed.fill(settings, now=utcnow(), scale=scale, report=_progress)
    typer.echo(f"\rDone in {monotonic() - begun:.0f} s; the month before is written while you look around.", err=True)


def _catch_up(settings: Settings, state: dict[str, Any]) -> None:
    now = utcnow()
    length = gap.of(state, now)
    if length is not None:
        off = f"{length.days} days" if length.days > 1 else f"{length.total_seconds() / 3600:.1f} hours"
        typer.echo(f"The colleagues work through the {off} that this was off …", err=True)
        gap.work(settings, state, now=now)


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


def reset_files(settings: Settings) -> None:
    """Delete the demo's database and what is left of its past; refuses a database that is no demo."""
    path = seed.database_path(settings)
    if not mark.may_delete(path):
        refuse(f"{path} holds real data: --reset only deletes a demo. Unset the database URL, or move the file away.")
    for one in [path, seed.base_path(settings), *past.files(settings.data_dir)]:
        past.remove(one)


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
