"""Waiting lines against published values, against each other at their limits, and against a simulated line."""

import heapq
import json
import os
import random
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.workforce.erlang import Load, Overload, blocking, impatient, patient

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "workforce.json"
VALUES: dict[str, Any] = json.loads(GOLDEN.read_text()) if GOLDEN.exists() or os.environ.get("CI") else {}
# The digits that the reference values have.
DIGITS = 6e-6


def load_of(value: dict[str, Any]) -> Load:
    return Load(value["calls"], value["interval"], value["aht"])


def agrees(found: Any, value: dict[str, Any], names: dict[str, str]) -> None:
    for name, attribute in names.items():
        if name in value:
            tolerance = 6e-4 if name in ("asa", "mean_wait") else DIGITS
            assert getattr(found, attribute) == pytest.approx(value[name], abs=tolerance), (name, value)


@pytest.mark.parametrize("value", VALUES.get("erlang_b", []))
def test_blocking_is_as_published(value: dict[str, Any]) -> None:
    agents = value.get("servers") or value["servers_needed"]
    assert blocking(value["traffic"], agents) == pytest.approx(value["blocking"], abs=DIGITS)
    if "max_blocking" in value:
        assert blocking(value["traffic"], agents - 1) > value["max_blocking"]


@pytest.mark.parametrize("value", VALUES.get("erlang_c", []))
def test_patient_lines_are_as_published(value: dict[str, Any]) -> None:
    found = patient(load_of(value), value["agents"], value["target_seconds"])
    names = ("waiting_probability", "service_level", "asa", "occupancy")
    agrees(found, value, {name: name for name in names})


@pytest.mark.parametrize("value", VALUES.get("erlang_a", []))
def test_impatient_lines_are_as_published(value: dict[str, Any]) -> None:
    found = impatient(load_of(value), value["agents"], value.get("target_seconds", 20), value["patience"])
    names = {name: name for name in ("occupancy", "abandonment", "waiting_probability", "mean_wait")}
    agrees(found, value, {**names, "service_level_of_offered": "service_level"})


def test_patience_without_end_is_erlang_c() -> None:
    load = Load(100, 1800, 180)
    for agents in (11, 13, 20):
        forever, calm = patient(load, agents, 20), impatient(load, agents, 20, 1e9)
        assert calm.service_level == pytest.approx(forever.service_level, abs=1e-6)
        assert calm.asa == pytest.approx(forever.asa, rel=1e-5)
        assert calm.abandonment == pytest.approx(0, abs=1e-6)


def test_a_line_that_grows_for_ever_is_refused_with_what_to_do() -> None:
    with pytest.raises(Overload, match="at least 11"):
        patient(Load(100, 1800, 180), 10, 20)
    with pytest.raises(Overload, match="at least 1 agent"):
        impatient(Load(100, 1800, 180), 0, 20, 60)


def test_no_load_is_served_by_nobody() -> None:
    assert patient(Load(0, 1800, 180), 0, 20).service_level == 1
    assert impatient(Load(0, 1800, 180), 0, 20, 60).service_level == 1


def test_far_too_many_agents_and_a_floor_of_thousands_stay_within_floats() -> None:
    assert impatient(Load(1, 1800, 180), 900, 20, 60).service_level == 1
    crowd = impatient(Load(360_000, 3600, 180), 17_900, 20, 60)
    assert 0.9 < crowd.service_level < 1
    flood = impatient(Load(360_000, 3600, 180), 9_000, 20, 300)
    assert flood.abandonment == pytest.approx(0.5, abs=1e-6)


@given(
    traffic=st.floats(0.1, 200),
    agents=st.integers(1, 250),
    aht=st.floats(10, 1000),
    target=st.floats(0, 300),
    patience=st.floats(5, 5000),
)
def test_shares_are_shares_and_everybody_is_accounted_for(
    traffic: float, agents: int, aht: float, target: float, patience: float
) -> None:
    load = Load(traffic * 3600 / aht, 3600, aht)
    found = impatient(load, agents, target, patience)
    for share in (found.service_level, found.waiting_probability, found.occupancy, found.abandonment):
        assert -1e-9 <= share <= 1 + 1e-9
    # What is served keeps agents busy; who waits and gives up waits for the same line (Little).
    assert found.occupancy * agents == pytest.approx(traffic * (1 - found.abandonment), rel=1e-6)
    assert found.mean_wait == pytest.approx(patience * found.abandonment, rel=1e-6)
    assert found.service_level <= 1 - found.abandonment + 1e-9
    assert found.service_level >= 1 - found.waiting_probability - 1e-9
    more = impatient(load, agents + 1, target, patience)
    assert more.service_level >= found.service_level - 1e-9
    assert more.abandonment <= found.abandonment + 1e-9


def test_the_service_level_and_the_wait_of_those_answered_are_those_of_a_simulated_line() -> None:
    """No published values exist for these two: 400,000 people in a line with a fixed seed."""
    agents, aht, patience, target = 4, 100.0, 60.0, 15.0
    load = Load(150, 3600, aht)
    answered, in_time, waited = simulate(load, agents, patience, target, people=400_000)
    found = impatient(load, agents, target, patience)
    assert found.service_level == pytest.approx(in_time / 400_000, abs=0.004)
    assert found.asa == pytest.approx(waited / answered, abs=0.15)


def simulate(load: Load, agents: int, patience: float, target: float, *, people: int) -> tuple[int, int, float]:
    """First come, first served, by hand: how many were answered, how many in time, and how long those waited."""
    draw = random.Random(20_261_122)
    free = [0.0] * agents
    line: deque[tuple[float, float]] = deque()
    answered = in_time = 0
    waited, now = 0.0, 0.0

    def serve(until: float) -> None:
        nonlocal answered, in_time, waited
        while line and free[0] <= until:
            came, leaves = line.popleft()
            begins = max(came, free[0])
            if begins > leaves:
                continue
            heapq.heapreplace(free, begins + draw.expovariate(1 / load.aht))
            answered += 1
            waited += begins - came
            in_time += begins - came <= target

    for _ in range(people):
        now += draw.expovariate(load.rate)
        serve(now)
        line.append((now, now + draw.expovariate(1 / patience)))
        serve(now)
    serve(float("inf"))
    return answered, in_time, waited
