"""The harness: what it makes of slices. Pure, but for the running of sides that do nothing."""

import itertools
from collections.abc import Iterator

import pytest

from bench.stage import (
    TINY,
    Bar,
    Round,
    Scale,
    Slice,
    Stage,
    cpu_each,
    per_second,
    quantile,
    results,
    run,
    spread,
)

RATE = Bar("things", per_second, first=0.5, goal=0.9, unit="/s")
SLOWER = Bar("CPU of a thing", cpu_each, first=2.5, goal=1.6, unit="µs", at_least=False)
ABSOLUTE = Bar("sockets", per_second, first=100, goal=200, unit="", absolute=True)


def rounds(*rates: tuple[float, float]) -> list[Round]:
    """Rounds of (limit, subject) in things a second."""
    return [Round(Slice(limit, 1.0, 0.1), Slice(subject, 1.0, 0.2)) for limit, subject in rates]


def verdict(bar: Bar, *rates: tuple[float, float]) -> str:
    (found,) = results(Stage("G0", None, side(1.0), [bar]), rounds(*rates))
    return found.verdict


def side(units: float):  # type: ignore[no-untyped-def]
    async def work(seconds: float) -> Slice:
        return Slice(units, seconds)

    return work


def test_the_figure_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians() -> None:
    (found,) = results(Stage("G0", None, side(1.0), [RATE]), rounds((100, 50), (10, 9), (1000, 600)))
    assert found.value == 0.6
    assert (found.limit, found.subject) == (100, 50)


def test_cpu_is_told_for_one_unit_of_work_of_each_side() -> None:
    (found,) = results(Stage("G0", None, side(1.0), [RATE]), rounds((100, 50), (100, 50)))
    assert (found.cpu_limit_us, found.cpu_subject_us) == (1000, 4000)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 1.0, 1.0, 1.0], 0.0), ([0.8, 0.9, 1.0, 1.1, 1.2], 0.3), ([2.0], 0.0), ([], 0.0)],
)
def test_the_spread_is_the_distance_of_the_quartiles_as_a_share_of_the_median(
    values: list[float], expected: float
) -> None:
    assert spread(values) == pytest.approx(expected)


def test_rounds_that_are_far_apart_give_no_verdict() -> None:
    assert verdict(RATE, (100, 60), (100, 61), (100, 62)) == "ok"
    assert verdict(RATE, (100, 40), (100, 41), (100, 42)) == "BELOW THE BAR"
    assert verdict(RATE, (100, 30), (100, 60), (100, 95)) == "UNSTABLE"


def test_a_cost_must_stay_under_its_bar() -> None:
    cheap = [Round(Slice(10, 1, 1.0), Slice(10, 1, 2.0))] * 3
    dear = [Round(Slice(10, 1, 1.0), Slice(10, 1, 3.0))] * 3
    stage = Stage("G0", None, side(1.0), [SLOWER])
    assert [results(stage, some)[0].verdict for some in (cheap, dear)] == ["ok", "BELOW THE BAR"]


def test_an_absolute_figure_is_unstable_only_where_its_rounds_disagree_about_the_bar() -> None:
    assert verdict(ABSOLUTE, (1, 300), (1, 500), (1, 900)) == "ok"
    assert verdict(ABSOLUTE, (1, 50), (1, 120), (1, 300)) == "UNSTABLE"
    assert verdict(ABSOLUTE, (1, 10), (1, 20), (1, 60)) == "BELOW THE BAR"


def test_a_pooled_figure_is_a_quantile_over_the_samples_of_all_rounds() -> None:
    bar = Bar(
        "wait",
        lambda done: quantile(done.samples["ms"], 0.95),
        first=300,
        goal=100,
        unit="ms",
        at_least=False,
        absolute=True,
        pooled=("ms", 0.95),
    )
    slices = [Slice(10, 1, samples={"ms": tuple(range(start, start + 10))}) for start in (1, 11)]
    (found,) = results(Stage("STORY", None, side(1.0), [bar]), [Round(None, one) for one in slices])
    assert found.value == 19
    assert found.percentiles == {"p50": 10, "p95": 19, "p99": 20, "samples": 20}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.01, 1)])
def test_a_quantile_is_a_value_that_was_measured(share: float, expected: int) -> None:
    assert quantile([10, 3, 1, 7, 5, 2, 9, 4, 8, 6], share) == expected


def test_a_quantile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        quantile([], 0.5)


async def test_the_first_round_only_warms_up() -> None:
    cold: Iterator[float] = itertools.chain([1.0], itertools.repeat(80.0))

    async def subject(seconds: float) -> Slice:
        return Slice(next(cold), 1.0)

    async def limit(seconds: float) -> Slice:
        return Slice(100.0, 1.0)

    (found,) = await run(Stage("G0", limit, subject, [RATE]), TINY)
    assert (found.value, found.rounds) == (0.8, TINY.rounds - 1)


async def test_both_sides_run_in_every_round_in_changing_order() -> None:
    order: list[str] = []

    def noting(name: str):  # type: ignore[no-untyped-def]
        async def work(seconds: float) -> Slice:
            order.append(name)
            return Slice(1.0, 1.0)

        return work

    await run(Stage("G0", noting("limit"), noting("subject"), [RATE]), Scale("test", rounds=12))
    pairs = list(zip(order[::2], order[1::2], strict=True))
    assert all(set(pair) == {"limit", "subject"} for pair in pairs)
    assert len(set(pairs)) == 2
