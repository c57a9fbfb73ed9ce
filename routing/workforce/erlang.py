"""What waiting lines do, exactly: Erlang B, C and A. Pure.

Contacts arrive at random (Poisson) and take exponential times. Traffic is measured in erlangs: contacts per second
times their average handle time in seconds, that is the agents who would be busy if nobody ever waited.

- B: nobody waits, whoever finds all agents busy is turned away.
- C: everybody waits as long as it takes, so that the agents must be more than the traffic.
- A: people have patience and give up; then any number of agents is enough for some service.

Sources: Gross, Shortle, Thompson, Harris, "Fundamentals of Queueing Theory", chapter 2 (B and C); Mandelbaum, Zeltyn,
"Service Engineering in Action: the Palm/Erlang-A Queue" (A).
"""

import math
from dataclasses import dataclass

# States of the line so unlikely that their sum changes no digit of a result.
NEGLIGIBLE = 1e-17
# A line that grows through more states than this before people give up is no help to anybody.
MOST_STATES = 5_000_000
# Weights grow by products: they are kept below what a float holds.
_LARGE = 1e250


class Overload(ValueError):
    """More work arrives than the agents can ever do, and everybody would wait for it."""


@dataclass(frozen=True, slots=True)
class Load:
    """What arrives: `contacts` in `interval` seconds, each keeping an agent busy for `aht` seconds on average."""

    contacts: float
    interval: float
    aht: float

    @property
    def rate(self) -> float:
        """Contacts per second."""
        return self.contacts / self.interval

    @property
    def traffic(self) -> float:
        """Erlangs."""
        return self.rate * self.aht


@dataclass(frozen=True, slots=True)
class Service:
    """What customers and agents live through; shares lie between 0 and 1, times are seconds.

    `service_level`: answered within the target / offered. `asa`: the average wait of those who are answered.
    `mean_wait`: the average wait of everybody, those who give up included.
    """

    agents: int
    service_level: float
    waiting_probability: float
    asa: float
    mean_wait: float
    occupancy: float
    abandonment: float = 0.0


def blocking(traffic: float, agents: int) -> float:
    """Erlang B: the share of contacts that find all agents busy, where nobody waits."""
    share = 1.0
    for busy in range(1, agents + 1):
        share = traffic * share / (busy + traffic * share)
    return share


def patient(load: Load, agents: int, target: float) -> Service:
    """Erlang C: everybody waits, the target is in seconds. Overload if the agents are not more than the traffic."""
    traffic = load.traffic
    if agents <= traffic and traffic > 0:
        raise Overload(
            f"{agents} agents cannot do the work of {traffic:.2f}: the line would grow for ever. "
            f"It takes at least {math.floor(traffic) + 1}, or customers who give up (a patience)."
        )
    turned_away = blocking(traffic, agents)
    waiting = turned_away * agents / (agents - traffic * (1 - turned_away)) if agents else 0.0
    free = agents - traffic
    wait = waiting * load.aht / free if agents else 0.0
    late = waiting * math.exp(-free * target / load.aht) if agents else 0.0
    return Service(agents, 1 - late, waiting, wait, wait, traffic / agents if agents else 0.0)


def impatient(load: Load, agents: int, target: float, patience: float) -> Service:
    """Erlang A: customers give up after `patience` seconds on average; every share is one of all that were offered.

    Overload if there is nobody to answer, or if people are so patient that the line has millions of states.
    """
    if load.contacts == 0:
        return Service(agents, 1.0, 0.0, 0.0, 0.0, 0.0)
    if agents < 1:
        raise Overload("Nobody answers: it takes at least 1 agent.")
    turned_away = blocking(load.traffic, agents)
    if turned_away == 0:
        return Service(agents, 1.0, 0.0, 0.0, 0.0, load.traffic / agents)
    line = _line(load, agents, target, patience)
    # Seen from the state in which all agents are busy and nobody waits, whose weight is 1.
    total = line.scale / turned_away + line.above
    busy = (line.scale + line.above) / total
    answered_at_once = 1 - busy
    abandoned = line.length / total / patience / load.rate
    answered = 1 - abandoned
    return Service(
        agents,
        answered_at_once + line.in_time / total,
        busy,
        line.waited / total / answered,
        line.length / total / load.rate,
        load.traffic * answered / agents,
        abandoned,
    )


@dataclass(slots=True)
class _Line:
    """Sums over the states in which all agents are busy, relative to the weight `scale` of the first of them."""

    scale: float = 1.0
    # The weight of all states in which somebody waits.
    above: float = 0.0
    # The same times how many wait.
    length: float = 0.0
    # The weight of arrivals that are answered within the target, and the seconds that answered ones have waited.
    in_time: float = 0.0
    waited: float = 0.0

    def shrink(self) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) / _LARGE)


def _line(load: Load, agents: int, target: float, patience: float) -> _Line:
    """Walk the states with 0, 1, 2 … people in line, until what follows weighs nothing.

    With n ahead of one, e^(−wait/patience) is Beta(c, n + 1) distributed, c = agents · patience / aht: from there come
    the chance to be answered, c / (c + n + 1), the wait of those who are, and whether it is within the target.
    """
    c = agents * patience / load.aht
    still_there = math.exp(-target / patience)
    found, weight = _Line(), 1.0
    # P(late | answered) = I_x(c + 1, n + 1), the regularised incomplete beta function, by its recurrence in n.
    late = step = 0.0
    log_step = -(c + 1) * target / patience
    wait = 0.0
    for ahead in range(MOST_STATES):
        step = math.exp(log_step)
        late = min(1.0, late + step)
        wait += patience / (c + 1 + ahead)
        answered = weight * c / (c + ahead + 1)
        found.in_time += answered * (1 - late)
        found.waited += answered * wait
        if ahead:
            found.above += weight
            found.length += weight * ahead
        ratio = load.rate * patience / (c + ahead + 1)
        if ratio < 1 and weight * ratio / (1 - ratio) * (ahead + 2) < NEGLIGIBLE * (found.scale + found.above):
            return found
        weight *= ratio
        log_step += math.log((1 - still_there) * (c + 1 + ahead) / (ahead + 1)) if still_there < 1 else -math.inf
        if weight > _LARGE:
            weight /= _LARGE
            found.shrink()
    raise Overload(f"{agents} agents are too few for {load.traffic:.2f} erlangs of people who wait that long.")
