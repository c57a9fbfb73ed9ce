"""How many agents a load takes, and how many must be on the roster for so many to sit there. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass

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


def service(load: Load, agents: int, seconds: float, patience: float | None = None) -> Service:
    """What so many agents make of a load (Erlang C, or A where people have patience). Raises Overload."""
    return patient(load, agents, seconds) if patience is None else impatient(load, agents, seconds, patience)


def agents_for(load: Load, goal: Goal, patience: float | None = None) -> Service:
    """The fewest agents that keep the goal, and the service they give; none for no load. Raises Overload."""
    if load.contacts == 0:
        return service(load, 0, goal.seconds)

    def keeps(agents: int) -> bool:
        try:
            found = service(load, agents, goal.seconds, patience)
        except Overload:
            return False
        return found.service_level >= goal.share and found.occupancy <= goal.max_occupancy

    return service(load, _first(keeps, around=math.ceil(load.traffic)), goal.seconds, patience)


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
