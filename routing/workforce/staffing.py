"""How many agents a load takes, and how many must be on the roster for so many to sit there. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from routing.workforce.erlang import Load, Overload, Service, impatient, patient

# More agents than this for one load is a mistake in its figures.
MOST_AGENTS = 1_000_000
# Shares come as decimals: 14 / (1 - 0.3) is 20, not the 20.000000000000004 that floats make of it.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Goal:
    """What is promised: `share` of what is offered answered within `seconds`; agents busy `max_occupancy` at most."""

    share: float
    seconds: float
    max_occupancy: float = 1.0


@dataclass(frozen=True, slots=True)
class Beside:
    """An agent has `contacts` at a time; each beside the first makes all of them longer by the share `slowdown`."""

    contacts: int = 1
    slowdown: float = 0.0

    def __post_init__(self) -> None:
        if self.contacts < 1:
            raise ValueError("An agent has at least 1 contact at a time.")

    def stretched(self, load: Load) -> Load:
        """The load, whose handle time is that of a contact alone, with the one that it has beside all others."""
        return replace(load, aht=load.aht * (1 + self.slowdown * (self.contacts - 1)))


ONE = Beside()


def service(load: Load, agents: int, seconds: float, patience: float | None = None, beside: Beside = ONE) -> Service:
    """What so many agents make of a load (Erlang C, or A where people have patience). Raises Overload.

    With several contacts at once the line waits for places, each as slow as if its agent were full: a quiet floor does
    better than this says. Occupancy is then that of places.
    """
    places, full = agents * beside.contacts, beside.stretched(load)
    if beside.contacts > 1 and patience is None and full.traffic > 0 and places <= full.traffic:
        need = math.floor(full.traffic / beside.contacts) + 1
        raise Overload(
            f"{agents} agents with {beside.contacts} contacts at once are too few: it takes at least {need}."
        )
    found = patient(full, places, seconds) if patience is None else impatient(full, places, seconds, patience)
    return replace(found, agents=agents)


def agents_for(load: Load, goal: Goal, patience: float | None = None, beside: Beside = ONE) -> Service:
    """The fewest agents that keep the goal, and the service they give; none for no load. Raises Overload."""
    if load.contacts == 0:
        return service(load, 0, goal.seconds)

    def keeps(agents: int) -> bool:
        try:
            found = service(load, agents, goal.seconds, patience, beside)
        except Overload:
            return False
        return found.service_level >= goal.share and found.occupancy <= goal.max_occupancy

    least = math.ceil(beside.stretched(load).traffic / beside.contacts)
    return service(load, _first(keeps, around=least), goal.seconds, patience, beside)


def agents_for_backlog(pieces: float, load: Load, seconds: float, *, busy: float = 1.0) -> int:
    """Agents who are done `seconds` of working time from now with a backlog and with what arrives meanwhile.

    `busy`: the most of their time that goes into it. Raises Overload where no time is left.
    """
    work = (pieces + load.rate * seconds) * load.aht
    if work > 0 and (seconds <= 0 or busy <= 0):
        raise Overload("There is no time left to do it in.")
    return math.ceil(round(work / (seconds * busy), _DIGITS)) if work > 0 else 0


def _first(keeps: Callable[[int], bool], *, around: int) -> int:
    """The smallest number for which `keeps` holds, which then holds for all larger ones."""
    low, high = 0, max(1, around)
    while not keeps(high):
        if high >= MOST_AGENTS:
            raise Overload(f"Not even {MOST_AGENTS:,} agents keep that goal.")
        low, high = high, high + max(1, high // 8)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high


def scheduled(agents: int, shrinkage: float) -> int:
    """How many must be on the roster so that `agents` are there: breaks, training and illness take `shrinkage`."""
    return math.ceil(round(agents / (1 - shrinkage), _DIGITS))
