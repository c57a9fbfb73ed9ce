"""`contact-center simulate`: a day at random, or a call log, through the routing policy itself in virtual time."""

from pathlib import Path
from typing import Annotated, Any

import typer

from contact_center.core.output import print_json, print_table
from contact_center.reports.past_calls import First, Imported, Last, OneDay, Zone, history_of
from routing.workforce.cli import duration, target
from routing.workforce.erlang import Load
from routing.workforce.history import Figures, days_of, document_of
from routing.workforce.replay import replay
from routing.workforce.simulate import Day, one_team, play, random_day

Files = Annotated[list[Path] | None, typer.Argument(metavar="FILE.csv", help="Call logs, instead of a load.")]


def simulate(
    files: Files = None,
    contacts: Annotated[
        float | None, typer.Option(min=0, help="How many contacts are offered in the interval.")
    ] = None,
    aht: Annotated[str | None, typer.Option(help="Average handle time, wrap-up included: 180, 3m.")] = None,
    agents: Annotated[int | None, typer.Option(min=1, help="How many agents are there; a log names its own.")] = None,
    interval: Annotated[str, typer.Option(help="The interval: 15m, 30m, 1h.")] = "30m",
    target_: Annotated[str, typer.Option("--target", help="80/20: 80 % answered within 20 seconds.")] = "80/20",
    patience: Annotated[
        str | None, typer.Option(help="How long customers wait on average before they give up.")
    ] = None,
    length: Annotated[str, typer.Option(help="How long contacts come in: 8h.")] = "8h",
    imported: Imported = False,
    first: First = None,
    last: Last = None,
    zone: Zone = None,
    day: OneDay = None,
    pause: Annotated[str, typer.Option(help="An agent without a call for longer was away, in a log.")] = "15m",
    seed: Annotated[int, typer.Option(help="The same seed makes the same day again.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """A day at random, or the calls of a log, through the routing policy itself, in virtual time."""
    _, seconds = target(target_)
    if files or imported:
        history = history_of(files, imported=imported, first=first, last=last, zone=zone, day=day)
        team, played = replay(
            history.calls, history.figures, target=seconds, agents=agents, pause=duration(pause), seed=seed
        )
        _print_replay(history.figures, played, team, seconds, as_json=as_json)
        return
    if contacts is None or aht is None or agents is None:
        raise typer.BadParameter("A load takes --contacts, --aht and --agents; or name a call log, or --imported.")
    load = Load(contacts, duration(interval), duration(aht))
    waits = duration(patience) if patience is not None else None
    played = play(*one_team(agents), random_day(load, duration(length), seed, patience=waits), target=seconds)
    _print_day(played, agents, seconds, as_json=as_json)


def _played(day: Day, agents: int) -> dict[str, Any]:
    return {
        "agents": agents,
        "offered": day.offered,
        "answered": day.answered,
        "abandoned": day.abandoned,
        "service_level": day.service_level,
        "asa": day.asa,
        "wait_p50": day.wait_of(0.5),
        "wait_p90": day.wait_of(0.9),
        "occupancy": day.occupancy,
        "abandonment": day.abandonment,
    }


def _print_day(day: Day, agents: int, seconds: float, *, as_json: bool) -> None:
    if as_json:
        print_json(_played(day, agents))
        return
    rows = [
        ("Agents at work", agents),
        ("Offered", day.offered),
        (f"Answered within {seconds:g} s", f"{day.service_level:.1%}"),
        ("Gave up", f"{day.abandoned} ({day.abandonment:.1%})"),
        ("Average wait of those answered", f"{day.asa:.1f} s"),
        ("Half waited at most", f"{day.wait_of(0.5):.1f} s"),
        ("Nine of ten waited at most", f"{day.wait_of(0.9):.1f} s"),
        ("Agents were busy", f"{day.occupancy:.1%}"),
    ]
    print_table(("", ""), rows)


def _print_replay(figures: Figures, day: Day, agents: int, seconds: float, *, as_json: bool) -> None:
    """The log's own figures beside those of the floor that replayed it."""
    if as_json:
        logged = {**document_of(figures), "service_level": figures.service_level(seconds)}
        print_json({"days": days_of(figures), "log": logged, "replay": _played(day, agents)})
        return
    days = figures.days
    columns = ("Day", "Rows", "Calls", "Answered", "Gave up", "Left in the menu")
    rows = [
        (one, days[one].rows, days[one].calls, days[one].answered, days[one].abandoned, days[one].left_menu)
        for one in sorted(days)
    ]
    print_table(columns, rows)
    gave_up = f"{figures.abandoned} ({figures.abandonment:.1%})"
    both: list[tuple[str, object, object]] = [
        ("Agents", "", agents),
        ("Offered", figures.offered, day.offered),
        ("Answered", figures.answered, day.answered),
        ("Gave up", gave_up, f"{day.abandoned} ({day.abandonment:.1%})"),
        ("Average wait of those answered", f"{figures.asa:.2f} s", f"{day.asa:.2f} s"),
        ("Average wait of everybody offered", f"{figures.mean_wait:.2f} s", f"{day.mean_wait:.2f} s"),
        ("Average handle time", f"{figures.mean_handle:.2f} s", f"{day.mean_handle:.2f} s"),
        (f"Answered within {seconds:g} s", f"{figures.service_level(seconds):.1%}", f"{day.service_level:.1%}"),
        ("Nine of ten waited at most", "", f"{day.wait_of(0.9):.1f} s"),
        ("Agents were busy", "", f"{day.occupancy:.1%}"),
    ]
    print_table(("", "As logged", "Replayed"), both)
