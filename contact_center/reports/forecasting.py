"""`contact-center forecast`: the calls of the days ahead per interval, and the agents that they take."""

from pathlib import Path
from typing import Annotated, Any

import typer

from contact_center.core.output import complain, print_json, print_table
from contact_center.reports.past_calls import First, Imported, Last, OneDay, Zone, history_of
from routing.workforce.cli import duration, share, target
from routing.workforce.erlang import Load, Overload
from routing.workforce.forecast import Errors, Forecast, Slot, forecast
from routing.workforce.staffing import Goal, agents_for, scheduled

MOST_DAYS = 366
LEAST_SHOWN = 0.05
Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE.csv", help="Call logs.")]


def forecast_calls(
    files: Files = None,
    imported: Imported = False,
    queue: Annotated[str | None, typer.Option(help="Only the calls of this queue; its holidays are kept.")] = None,
    first: First = None,
    last: Last = None,
    zone: Zone = None,
    day: OneDay = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How many days ahead.")] = 7,
    interval: Annotated[str, typer.Option(help="The interval: 15m, 30m, 1h.")] = "15m",
    staff: Annotated[bool, typer.Option("--staff", help="Tell the agents that each interval takes.")] = False,
    target_: Annotated[str, typer.Option("--target", help="80/20: 80 % answered within 20 seconds.")] = "80/20",
    patience: Annotated[
        str | None, typer.Option(help="How long customers wait on average before they give up.")
    ] = None,
    max_occupancy: Annotated[str, typer.Option(help="How busy agents may be at most: 0.85.")] = "1",
    shrinkage: Annotated[str, typer.Option(help="Paid time that is not spent at work: 0.3.")] = "0",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """How many calls the days ahead bring, per interval, out of a log; and the agents that they take."""
    seconds = duration(interval)
    if 3600 % seconds or seconds % 60:
        raise typer.BadParameter("An interval is a part of an hour in whole minutes: 15m, 30m, 1h.")
    if not files and not imported and queue is None:
        raise typer.BadParameter("Name a call log, or --imported for the calls in the database.")
    wanted, within = target(target_)
    goal = Goal(wanted, within, share(max_occupancy))
    lost = share(shrinkage)
    if lost == 1 or goal.max_occupancy == 0:
        raise typer.BadParameter("With that nobody is ever at work: shrinkage is below 100 %, occupancy above 0.")
    waits = duration(patience) if patience is not None else None
    history = history_of(files, imported=imported, first=first, last=last, zone=zone, day=day, queue=queue)
    found = forecast(history.calls, zone=history.zone, days=days, interval=int(seconds), holidays=history.holidays)
    try:
        rows = [_row(slot, seconds, goal, waits, lost, staff=staff) for slot in found.slots]
    except Overload as error:
        complain(str(error))
        raise typer.Exit(1) from error
    _print(found, rows, queue, as_json=as_json)


def _row(
    slot: Slot, seconds: float, goal: Goal, patience: float | None, shrinkage: float, *, staff: bool
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "contacts": round(slot.contacts, 3),
        "low": round(slot.low, 3),
        "high": round(slot.high, 3),
        "aht": round(slot.aht, 1),
    }
    if staff:
        load = Load(slot.contacts if slot.aht > 0 else 0.0, seconds, slot.aht or 1.0)
        agents = agents_for(load, goal, patience).agents
        row |= {"agents": agents, "scheduled": scheduled(agents, shrinkage)}
    return {"start": slot.start.isoformat(), **row}


def _errors(errors: Errors | None) -> dict[str, Any] | None:
    if errors is None:
        return None
    return {
        "held_out_days": errors.days,
        "wape": errors.wape,
        "wape_daily": errors.wape_daily,
        "wape_of_last_week_again": errors.naive,
    }


def _print(found: Forecast, rows: list[dict[str, Any]], queue: str | None, *, as_json: bool) -> None:
    if as_json:
        intervals = [{"start": row["start"], "queue": queue, **row} for row in rows]
        print_json({"intervals": intervals, "errors": _errors(found.errors)})
        return
    columns = ["Begins", "Contacts", "Low", "High", "Handle time"] + ["Agents", "Roster"] * (
        "agents" in (rows or [{}])[0]
    )
    print_table(
        columns,
        [
            (
                slot.start.strftime("%m-%d %a %H:%M"),
                *(f"{row[name]:.1f}" for name in ("contacts", "low", "high")),
                f"{row['aht']:.0f} s",
                *(row[name] for name in ("agents", "scheduled") if name in row),
            )
            for slot, row in zip(found.slots, rows, strict=True)
            # A night without calls is no line in a table; programs get it.
            if slot.contacts >= LEAST_SHOWN
        ],
    )
    if found.errors is None:
        complain("The log is too short to say how far off this is: it takes 8 days.")
        return
    told = found.errors
    naive = f", {told.naive:.1%} by the same days of the week before" if told.naive is not None else ""
    complain(
        f"Tried on the last {told.days} days, it was off by {told.wape:.1%} of the contacts per interval "
        f"and {told.wape_daily:.1%} per day{naive}."
    )
