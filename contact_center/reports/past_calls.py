"""The calls that planning looks back on: from log files, or from those in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection, Row, select

from channels.phone.logfile import day_of, place_of, read_file
from channels.phone.past import ledger_page, of_log, past_call
from contact_center.core.commands import run_on_database
from contact_center.core.db import Database
from contact_center.core.output import complain
from contact_center.core.settings import Settings
from routing.workforce.history import Figures, PastCall, figures_of
from tickets.hours import calendar_from
from tickets.models import Calendar, Queue

Imported = Annotated[bool, typer.Option("--imported", help="The calls in the database, instead of a file.")]
First = Annotated[str | None, typer.Option("--from", help="First day of the calls in the database, YYYY-MM-DD.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day of them.")]
Zone = Annotated[str | None, typer.Option(help="Time zone of the days, such as Asia/Ho_Chi_Minh.")]
OneDay = Annotated[str | None, typer.Option("--date", help="Day of times without a date in a file, YYYY-MM-DD.")]


@dataclass(frozen=True, slots=True)
class History:
    """Calls of the past, what they say of themselves, and the zone of their days."""

    calls: Sequence[PastCall]
    figures: Figures
    zone: ZoneInfo
    # The days on which the queue is closed; known of a queue only.
    holidays: frozenset[date] = frozenset()


def history_of(
    files: Sequence[Path] | None,
    *,
    imported: bool,
    first: str | None,
    last: str | None,
    zone: str | None,
    day: str | None,
    queue: str | None = None,
) -> History:
    """The calls of the files, each row once, or of the database; ends with one sentence where there are none."""
    if files and (imported or first or last or queue):
        raise typer.BadParameter("Either files or --imported: what else is chosen is chosen of the database.")
    history = _of_files(files, zone, day) if files else _of_database(first, last, zone, queue)
    if not history.calls:
        complain("There are no calls that came in.")
        raise typer.Exit(1)
    return history


def _of_files(files: Sequence[Path], zone: str | None, day: str | None) -> History:
    place = place_of(zone or Settings().timezone)
    logs = [read_file(path, place, day) for path in files]
    once = {call.key: call for log in logs for call in log.calls}
    calls = list(of_log(once.values(), place))
    figures = figures_of(calls)
    for refusal in (one for log in logs for one in log.refusals):
        if refusal.at is not None:
            figures.days[refusal.at.astimezone(place).date()].rows += 1
    return History(calls, figures, place)


def _of_database(first: str | None, last: str | None, zone: str | None, queue: str | None) -> History:
    begin, end = day_of(first) if first else None, day_of(last) if last else None

    async def work(db: Database, settings: Settings) -> History:
        place = place_of(zone or settings.timezone)
        one = await db.read(_queue, queue) if queue else None
        calls = await _pages(db, place, begin, end, one.id if one else None)
        return History(calls, figures_of(calls), place, closed_days(one.definition) if one else frozenset())

    return run_on_database(work)


def _queue(tx: Connection, name: str) -> Row[int, dict[str, Any] | None]:
    """A queue's id and its hours; ends with one sentence where there is none of that name."""
    hours = select(Queue.id, Calendar.definition).outerjoin(Calendar, Calendar.id == Queue.calendar_id)
    row = tx.execute(hours.where(Queue.name == name)).first()
    if row is None:
        complain(f"There is no queue called {name}.")
        raise typer.Exit(2)
    return row


def closed_days(definition: dict[str, Any] | None) -> frozenset[date]:
    """The days on which a calendar is closed by name: holidays, and special days without hours."""
    if not definition:
        return frozenset()
    calendar = calendar_from(definition)
    return calendar.holidays | {day for day, windows in calendar.special if not windows}


async def _pages(
    db: Database, place: ZoneInfo, first: date | None, last: date | None, queue_id: int | None
) -> list[PastCall]:
    """Page by page, so that nobody waits for a long read."""
    calls: list[PastCall] = []
    after = None
    while page := await db.read(ledger_page, place, first=first, last=last, after=after, queue_id=queue_id):
        calls += [past_call(row, place) for row in page]
        after = (page[-1].rang_at, page[-1].id)
    return calls
