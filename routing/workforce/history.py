"""What a call log says of itself: its days, waits and talks, exactly as logged, and who was there when. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from heapq import heappop, heappush

from routing.workforce.simulate import Shift

_Talk = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call that came in. `queued_at` (seconds since the epoch) is when its wait began, `day` its local day.

    `wait` and `handle` are seconds; `agent` is who served it, empty if nobody did; `left_menu`: hung up before
    anybody was asked for, which is no abandoned call.
    """

    day: date
    queued_at: float
    wait: float
    handle: float
    answered: bool
    agent: str = ""
    left_menu: bool = False


@dataclass(slots=True)
class DayCount:
    """The calls of a day: `rows` of the log, of which `calls` could be taken, and what became of those."""

    rows: int = 0
    calls: int = 0
    answered: int = 0
    abandoned: int = 0
    left_menu: int = 0


@dataclass(slots=True)
class Figures:
    """Sums over a log. Offered = answered + abandoned; whoever left in the menu was never offered."""

    days: dict[date, DayCount] = field(default_factory=lambda: defaultdict(DayCount))
    calls: int = 0
    answered: int = 0
    abandoned: int = 0
    left_menu: int = 0
    # Seconds: the waits of those who were answered and of those who gave up, and the talks.
    answered_waits: float = 0.0
    abandoned_waits: float = 0.0
    handled: float = 0.0
    # How often which wait was answered: what the service level is read from.
    waits: Counter[float] = field(default_factory=Counter)

    @property
    def offered(self) -> int:
        return self.answered + self.abandoned

    @property
    def asa(self) -> float:
        """The average wait of those who were answered."""
        return self.answered_waits / self.answered if self.answered else 0.0

    @property
    def mean_wait(self) -> float:
        """The average wait of everybody who was offered, those who gave up included."""
        return (self.answered_waits + self.abandoned_waits) / self.offered if self.offered else 0.0

    @property
    def mean_handle(self) -> float:
        return self.handled / self.answered if self.answered else 0.0

    @property
    def abandonment(self) -> float:
        return self.abandoned / self.offered if self.offered else 0.0

    def service_level(self, target: float) -> float:
        """Answered within `target` seconds / offered; 1 when nothing was offered."""
        in_time = sum(count for wait, count in self.waits.items() if wait <= target)
        return in_time / self.offered if self.offered else 1.0

    @property
    def patience(self) -> float | None:
        """How long people wait on average before they give up: all waiting / those who gave up; None if nobody did."""
        return (self.answered_waits + self.abandoned_waits) / self.abandoned if self.abandoned else None


def figures_of(calls: Iterable[PastCall]) -> Figures:
    """The figures of a log, one call at a time."""
    found = Figures()
    for call in calls:
        day = found.days[call.day]
        day.rows += 1
        day.calls += 1
        found.calls += 1
        if call.answered:
            day.answered += 1
            found.answered += 1
            found.answered_waits += call.wait
            found.handled += call.handle
            found.waits[call.wait] += 1
        elif call.left_menu:
            day.left_menu += 1
            found.left_menu += 1
        else:
            day.abandoned += 1
            found.abandoned += 1
            found.abandoned_waits += call.wait
    return found


def days_of(figures: Figures) -> dict[str, dict[str, int]]:
    """The days of a log for programs, in their order."""
    return {day.isoformat(): asdict(figures.days[day]) for day in sorted(figures.days)}


def document_of(figures: Figures) -> dict[str, float | None]:
    """The figures of a log for programs; times in seconds."""
    return {
        "calls": figures.calls,
        "offered": figures.offered,
        "answered": figures.answered,
        "abandoned": figures.abandoned,
        "left_menu": figures.left_menu,
        "asa": figures.asa,
        "mean_wait": figures.mean_wait,
        "mean_handle": figures.mean_handle,
        "abandonment": figures.abandonment,
        "patience": figures.patience,
        "waited_seconds": figures.answered_waits + figures.abandoned_waits,
        "handled_seconds": figures.handled,
    }


def shifts_of(calls: Sequence[PastCall], pause: float) -> tuple[list[str], list[Shift]]:
    """Who worked, and when, as their calls show it: from pick-up to hang-up, apart where `pause` seconds lie between.

    Agents are numbered from 1 in the order of their names. A log tells no more: who sat there without a call for
    longer than `pause` counts as away. Where it names nobody there were as many as talked at once.
    """
    served: dict[str, list[_Talk]] = defaultdict(list)
    for call in calls:
        if call.answered:
            begun = call.queued_at + call.wait
            served[call.agent].append((begun, begun + call.handle))
    for number, talks in enumerate(_told_apart(served.pop("", [])), 1):
        served[f"unnamed {number}"] = talks
    names = sorted(served)
    shifts: list[Shift] = []
    for number, name in enumerate(names, 1):
        first, *rest = sorted(served[name])
        begin, end = first
        for begun, ended in rest:
            if begun - end > pause:
                shifts.append(Shift(number, begin, end))
                begin = begun
            end = max(end, ended)
        shifts.append(Shift(number, begin, end))
    return names, shifts


def _told_apart(talks: Sequence[_Talk]) -> list[list[_Talk]]:
    """Talks of people without names, as the fewest people who can have had them."""
    people: list[list[_Talk]] = []
    free: list[tuple[float, int]] = []
    for begun, ended in sorted(talks):
        if free and free[0][0] <= begun:
            _, number = heappop(free)
        else:
            number = len(people)
            people.append([])
        people[number].append((begun, ended))
        heappush(free, (ended, number))
    return people
