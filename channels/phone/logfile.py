"""A call log on disk: opened and read, or one sentence why that cannot be and exit code 2."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from channels.phone.callog import BadLog, CallLog, day_in_name, read_log
from contact_center.core.clock import utcnow
from contact_center.core.output import complain


def place_of(zone: str) -> ZoneInfo:
    """The zone of that name; exits where there is none."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        complain(f"There is no time zone called {zone}; write one like Europe/Berlin.")
    raise typer.Exit(2)


def day_of(written: str) -> date:
    """The day of "2026-11-22"; exits where it is none."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        complain(f"{written} is no day; write it like 2026-11-22.")
    raise typer.Exit(2)


def read_file(path: Path, place: ZoneInfo, day: str | None, own_numbers: frozenset[str] = frozenset()) -> CallLog:
    """The file as calls and refusals, bare times on `day`, else on the day its name tells or it was last written."""
    stated = day_of(day) if day else day_in_name(path.name)
    try:
        raw = path.read_bytes()
        # A log of times alone is a day's log: the day it was last written, unless somebody knows better.
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).astimezone(place).date()
        return read_log(raw, zone=place, now=utcnow(), day=stated or written, own_numbers=own_numbers)
    except BadLog as error:
        complain(f"{path}: {error}")
    except OSError as error:
        complain(f"{path}: {error.strerror}")
    raise typer.Exit(2)
