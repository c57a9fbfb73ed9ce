"""The harness: two sides of one stage in shuffled slices, the median of per-round ratios and its spread."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 13
UNSTABLE_SPREAD = 0.3

# Runs for about `seconds` and returns (units of work done, seconds it took), counted from outside.
Side = Callable[[float], Awaitable[tuple[float, float]]]


@dataclass
class Stage:
    """`higher` is True when the ratio should reach the bar, False when it must stay under it."""

    goal: str
    what: str
    limit: Side
    subject: Side
    bar: float
    best: float
    higher: bool = True
    seconds: float = 1.0
    unit: str = "/s"
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """One JSON line."""

    goal: str
    what: str
    ratio: float
    spread: float
    bar: float
    best: float
    verdict: str
    limit: float
    subject: float
    unit: str
    notes: dict[str, Any]


async def run(stage: Stage, *, rounds: int = ROUNDS) -> Result:
    """Run both sides `rounds` times in shuffled order; the first round only warms up."""
    order = random.Random(stage.goal)
    ratios, limits, subjects = [], [], []
    for number in range(rounds):
        rates: dict[str, float] = {}
        sides = [("limit", stage.limit), ("subject", stage.subject)]
        order.shuffle(sides)
        for name, side in sides:
            units, seconds = await side(stage.seconds)
            rates[name] = units / seconds
            await asyncio.sleep(0.05)
        if number:
            ratios.append(rates["subject"] / rates["limit"])
            limits.append(rates["limit"])
            subjects.append(rates["subject"])
    return _result(stage, ratios, limits, subjects)


def _result(stage: Stage, ratios: list[float], limits: list[float], subjects: list[float]) -> Result:
    ratio = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4)
    spread = (high - low) / ratio if ratio else 0.0
    met = ratio >= stage.bar if stage.higher else ratio <= stage.bar
    verdict = "UNSTABLE" if spread > UNSTABLE_SPREAD else ("ok" if met else "BELOW THE BAR")
    return Result(
        stage.goal,
        stage.what,
        round(ratio, 3),
        round(spread, 3),
        stage.bar,
        stage.best,
        verdict,
        round(statistics.median(limits), 1),
        round(statistics.median(subjects), 1),
        stage.unit,
        stage.notes,
    )


async def for_seconds(seconds: float, workers: int, work: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Call `work` over and over from several tasks for some seconds; (calls, seconds)."""
    begun = time.perf_counter()
    end = begun + seconds
    done = 0

    async def one() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await work()
            done += 1

    await asyncio.gather(*(one() for _ in range(workers)))
    return done, time.perf_counter() - begun
