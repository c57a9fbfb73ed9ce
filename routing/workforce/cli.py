"""`contact-center staffing`: agents for a load. And how durations, shares and targets are written."""

import re
from typing import Annotated

import typer

from contact_center.core.output import complain, print_json, print_table
from routing.workforce.erlang import Load, Overload, Service
from routing.workforce.staffing import Beside, Goal, agents_for, agents_for_backlog, scheduled, service

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%)?")


def seconds_of(text: str) -> float:
    """Seconds of "180", "30m", "1.5h"; BadParameter for anything else."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration: write seconds, or 3m, or 1h.")
    return float(found[1]) * _SECONDS[found[2]]


def duration(text: str) -> float:
    """The same for what takes its time."""
    if not (seconds := seconds_of(text)):
        raise typer.BadParameter("It has to take longer than 0 seconds.")
    return seconds


def share(text: str) -> float:
    """The fraction in "0.85", "85" or "85%": up to 1 as it is, else a percentage."""
    found = _SHARE.fullmatch(text.strip())
    value = float(found[1]) if found else -1.0
    value = value / 100 if found and (found[2] or value > 1) else value
    if not 0 <= value <= 1:
        raise typer.BadParameter(f"{text!r} is no share: write 0.85 or 85%.")
    return value


def target(text: str) -> tuple[float, float]:
    """The share and the seconds of "80/20": 80 % answered within 20 seconds."""
    of, slash, within = text.partition("/")
    if not slash:
        raise typer.BadParameter(f"{text!r} is no target: 80/20 is 80 % answered within 20 seconds.")
    fraction = share(of)
    if not 0 < fraction < 1:
        raise typer.BadParameter("A target lies between 0 and 100 %: nobody can promise to answer all of them at once.")
    return fraction, seconds_of(within)


def staffing(
    contacts: Annotated[float, typer.Option(min=0, help="How many contacts are offered in the interval.")],
    aht: Annotated[str, typer.Option(help="Average handle time, wrap-up included: 180, 3m.")],
    interval: Annotated[str, typer.Option(help="The interval: 15m, 30m, 1h.")] = "30m",
    target_: Annotated[str, typer.Option("--target", help="80/20: 80 % answered within 20 seconds.")] = "80/20",
    agents: Annotated[int | None, typer.Option(min=0, help="Tell what so many agents achieve.")] = None,
    patience: Annotated[
        str | None, typer.Option(help="How long customers wait on average before they give up.")
    ] = None,
    max_occupancy: Annotated[str, typer.Option(help="How busy agents may be at most: 0.85.")] = "1",
    shrinkage: Annotated[str, typer.Option(help="Paid time that is not spent at work: 0.3.")] = "0",
    at_once: Annotated[int, typer.Option(min=1, help="Chats that an agent has at the same time.")] = 1,
    slowdown: Annotated[str, typer.Option(help="How much longer each chat beside the first makes all: 0.2.")] = "0",
    backlog: Annotated[
        float | None, typer.Option(min=0, help="Mails that lie there already, instead of waits.")
    ] = None,
    due: Annotated[str, typer.Option(help="Working time until the backlog must be done.")] = "8h",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """How many agents a load takes, or what the given ones achieve: Erlang C, and A where customers give up."""
    load = Load(contacts, duration(interval), duration(aht))
    wanted, seconds = target(target_)
    waits = duration(patience) if patience is not None else None
    lost, busiest = share(shrinkage), share(max_occupancy)
    if lost == 1 or busiest == 0:
        raise typer.BadParameter("With that nobody is ever at work: shrinkage is below 100 %, occupancy above 0.")
    beside = Beside(at_once, share(slowdown))
    if backlog is not None and agents is not None:
        raise typer.BadParameter("A backlog tells the agents that it takes: leave --agents out.")
    if backlog is not None:
        needed = agents_for_backlog(backlog, load, duration(due), busy=busiest)
        _print_few({"agents": needed, "scheduled": scheduled(needed, lost)}, as_json=as_json)
        return
    try:
        if agents is None:
            found = agents_for(load, Goal(wanted, seconds, busiest), waits, beside)
        else:
            found = service(load, agents, seconds, waits, beside)
    except Overload as error:
        complain(str(error))
        raise typer.Exit(1) from error
    _print(found, scheduled(found.agents, lost), seconds, as_json=as_json)


def _print_few(found: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    print_table(("", ""), [("Agents at work", found["agents"]), ("Agents on the roster", found["scheduled"])])


def _print(found: Service, on_roster: int, seconds: float, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "agents": found.agents,
                "scheduled": on_roster,
                "service_level": found.service_level,
                "waiting_probability": found.waiting_probability,
                "asa": found.asa,
                "mean_wait": found.mean_wait,
                "occupancy": found.occupancy,
                "abandonment": found.abandonment,
            }
        )
        return
    rows = [
        ("Agents at work", found.agents),
        ("Agents on the roster", on_roster),
        (f"Answered within {seconds:g} s", f"{found.service_level:.1%}"),
        ("Have to wait", f"{found.waiting_probability:.1%}"),
        ("Average wait of those answered", f"{found.asa:.1f} s"),
        ("Agents are busy", f"{found.occupancy:.1%}"),
        ("Give up", f"{found.abandonment:.1%}"),
    ]
    print_table(("", ""), rows)
