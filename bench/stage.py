"""The harness: LIMIT and SUBJECT in shuffled slices, medians of per-round ratios, their spread, CPU and absolutes."""

import asyncio
import math
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

UNSTABLE_SPREAD = 0.3
BETWEEN = 0.05  # seconds of silence between two slices


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of a stage is run: rounds (the first warms up), seconds of a slice, and whether sizes are tiny."""

    name: str
    rounds: int
    stretch: float = 1.0
    tiny: bool = False

    def size(self, full: int, tiny: int) -> int:
        """How many of something."""
        return tiny if self.tiny else full


FULL = Scale("full", rounds=13)
QUICK = Scale("quick", rounds=5)
TINY = Scale("tiny", rounds=3, stretch=0.3, tiny=True)


@dataclass(frozen=True, slots=True)
class Slice:
    """What one side did in one slice: work as it was counted from outside, wall and CPU seconds, latencies in ms."""

    units: float
    seconds: float
    cpu: float = 0.0
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)


Side = Callable[[float], Awaitable[Slice]]


def per_second(done: Slice) -> float:
    """Units of work a second."""
    return done.units / done.seconds


def cpu_each(done: Slice) -> float:
    """CPU microseconds for one unit of work."""
    return done.cpu / done.units * 1e6


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure of a stage and what it must reach.

    Ratios compare SUBJECT with LIMIT round by round. An `absolute` bar is for SUBJECT's own figure; LIMIT, if there
    is one, only stands beside it. With `pooled` the figure is a quantile over the samples of all rounds. `summary`
    makes one figure of all rounds'.
    """

    what: str
    figure: Callable[[Slice], float]
    first: float
    goal: float
    unit: str
    at_least: bool = True
    absolute: bool = False
    pooled: tuple[str, float] | None = None
    summary: Callable[[Sequence[float]], float] = statistics.median


@dataclass
class Stage:
    """Two callables with the same unit of work, and the bars; a stage without LIMIT has only absolute bars."""

    goal: str
    limit: Side | None
    subject: Side
    bars: Sequence[Bar]
    seconds: float = 1.0
    # Facts for the JSON line: sizes, rates, what runs beside. Stages may add to it while they run.
    notes: dict[str, Any] = field(default_factory=dict)


Prepare = Callable[[Scale], AbstractAsyncContextManager[Stage]]


@dataclass(frozen=True, slots=True)
class Result:
    """One bar of one stage: the JSON line."""

    goal: str
    what: str
    value: float
    spread: float
    first: float
    best: float
    at_least: bool
    absolute: bool
    verdict: str
    limit: float | None
    subject: float
    unit: str
    cpu_limit_us: float | None
    cpu_subject_us: float
    rounds: int
    percentiles: dict[str, float]
    notes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """The two slices of a round."""

    limit: Slice | None
    subject: Slice


async def run(stage: Stage, scale: Scale = FULL) -> list[Result]:
    """Run both sides in shuffled order, `scale.rounds` times; the first round only warms up."""
    order = random.Random(stage.goal)
    rounds = [await _round(stage, scale, order) for _ in range(scale.rounds)]
    return results(stage, rounds[1:])


async def _round(stage: Stage, scale: Scale, order: random.Random) -> Round:
    sides = [("limit", stage.limit), ("subject", stage.subject)]
    order.shuffle(sides)
    done: dict[str, Slice] = {}
    for name, side in sides:
        if side is not None:
            done[name] = await side(stage.seconds * scale.stretch)
            await asyncio.sleep(BETWEEN)
    return Round(done.get("limit"), done["subject"])


def results(stage: Stage, rounds: Sequence[Round]) -> list[Result]:
    """The verdict of every bar over the rounds that count."""
    return [_result(stage, bar, rounds) for bar in stage.bars]


def _result(stage: Stage, bar: Bar, rounds: Sequence[Round]) -> Result:
    ours = [bar.figure(one.subject) for one in rounds]
    theirs = [bar.figure(one.limit) for one in rounds if one.limit is not None]
    if bar.absolute:
        values = ours
        value = _quantile_of_all(rounds, *bar.pooled) if bar.pooled else bar.summary(ours)
    else:
        values = [own / limit for own, limit in zip(ours, theirs, strict=True)]
        value = bar.summary(values)
    return Result(
        goal=stage.goal,
        what=bar.what,
        value=significant(value),
        spread=significant(spread(values)),
        first=bar.first,
        best=bar.goal,
        at_least=bar.at_least,
        absolute=bar.absolute,
        verdict=verdict(bar, value, values),
        limit=significant(statistics.median(theirs)) if theirs else None,
        subject=significant(statistics.median(ours)),
        unit=bar.unit,
        cpu_limit_us=_cpu([one.limit for one in rounds if one.limit is not None]),
        cpu_subject_us=_cpu([one.subject for one in rounds]) or 0.0,
        rounds=len(rounds),
        percentiles=_percentiles(rounds, bar.pooled[0]) if bar.pooled else {},
        notes=stage.notes,
    )


def spread(values: Sequence[float]) -> float:
    """The distance between the quartiles, as a share of the median; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle if middle else 0.0


def verdict(bar: Bar, value: float, values: Sequence[float]) -> str:
    """`ok` or `BELOW THE BAR`; UNSTABLE when the rounds are too far apart to say.

    An absolute figure may vary a lot and still be far from its bar: it is unstable only where the quartiles of the
    rounds lie on both sides of the bar.
    """
    if bar.absolute:
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (value, value, value)
        unstable = spread(values) > UNSTABLE_SPREAD and met(bar, low) != met(bar, high)
    else:
        unstable = spread(values) > UNSTABLE_SPREAD
    if unstable:
        return "UNSTABLE"
    return "ok" if met(bar, value) else "BELOW THE BAR"


def met(bar: Bar, value: float) -> bool:
    """Whether a value reaches the first bar."""
    return value >= bar.first if bar.at_least else value <= bar.first


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed; raises ValueError for none."""
    if not values:
        raise ValueError("no samples")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _quantile_of_all(rounds: Sequence[Round], name: str, share: float) -> float:
    return quantile(list(chain.from_iterable(one.subject.samples[name] for one in rounds)), share)


def _percentiles(rounds: Sequence[Round], name: str) -> dict[str, float]:
    found = {f"p{share:.0%}"[:-1]: _quantile_of_all(rounds, name, share) for share in (0.5, 0.95, 0.99)}
    samples = sum(len(one.subject.samples[name]) for one in rounds)
    return {**{word: significant(value) for word, value in found.items()}, "samples": samples}


def _cpu(slices: Sequence[Slice]) -> float | None:
    return significant(statistics.median(cpu_each(one) for one in slices)) if slices else None


def significant(value: float) -> float:
    """Rounded to four significant digits: nothing here is known better."""
    return float(f"{value:.4g}")


async def for_seconds(seconds: float, workers: int, work: Callable[[], Awaitable[None]]) -> float:
    """Call `work` over and over from several tasks for some seconds; the seconds it really took."""
    begun = time.perf_counter()
    end = begun + seconds

    async def one() -> None:
        while time.perf_counter() < end:
            await work()

    await asyncio.gather(*(one() for _ in range(workers)))
    return time.perf_counter() - begun
