"""Simulated floors: by hand where a few people suffice, against Erlang where it takes many."""

import json
import math
import statistics
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contact_center.cli import app
from routing.facts import Agent, Queue, Row, Step
from routing.pools import Medium
from routing.states import Presence
from routing.workforce.erlang import Load, impatient, patient
from routing.workforce.simulate import Contact, Day, one_team, play, random_day
from tests.routing.workforce.seeds import figures_of_seed

# Student's t for 19 degrees of freedom, 99 % on two sides.
T_99 = 2.861
SEEDS = range(1, 21)
NAMES = ("service level", "average wait", "abandonment", "occupancy")


def test_who_comes_while_everybody_is_busy_waits_for_the_first_who_is_free() -> None:
    day = play(*one_team(1), [Contact(0, 100), Contact(10, 50), Contact(20, 10)], target=20)
    assert day.waits == [0, 90, 130]
    assert (day.offered, day.answered, day.abandoned, day.in_time) == (3, 3, 0, 1)
    assert day.ended_at == 160
    assert day.occupancy == 1


def test_who_loses_patience_leaves_the_line_and_counts_as_offered() -> None:
    day = play(*one_team(1), [Contact(0, 100), Contact(10, 50, patience=30), Contact(20, 10)], target=20)
    assert day.waits == [0, 80]
    assert day.gave_up_after == [30]
    assert day.service_level == pytest.approx(1 / 3)
    assert day.abandonment == pytest.approx(1 / 3)


def test_an_agent_who_becomes_free_at_the_last_moment_is_in_time() -> None:
    day = play(*one_team(1), [Contact(0, 30), Contact(0, 10, patience=30)], target=30)
    assert (day.answered, day.abandoned) == (2, 0)


def test_work_that_nobody_may_take_ends_with_the_day() -> None:
    day = play(*one_team(1), [Contact(0, 10, skills=((7, 1),)), Contact(1, 10)], target=20)
    assert (day.offered, day.answered, day.abandoned) == (2, 1, 1)


def test_rings_open_by_the_mere_passing_of_time() -> None:
    ring = Queue(1, steps=(Step(seconds=30, needs=((5, 3),)), Step()))
    novice = Agent(1, Presence.AVAILABLE, rows={1: Row(1)})
    assert play([ring], [novice], [Contact(0, 10)], target=20).waits == [30]


def test_several_chats_at_once_go_to_one_agent_and_one_call_fills_them() -> None:
    chats = [Contact(0, 100, medium=Medium.CHAT) for _ in range(5)]
    assert play(*one_team(1), chats, target=20).waits == [0, 0, 0, 0, 100]
    calls = [Contact(0, 100), Contact(0, 100, medium=Medium.CHAT)]
    assert play(*one_team(1), calls, target=20).waits == [0, 100]


def test_a_seed_makes_the_same_day_again() -> None:
    load = Load(100, 1800, 180)
    first, again, other = (play(*one_team(12), random_day(load, 7200, seed), target=20).waits for seed in (1, 1, 2))
    assert first == again != other


def test_nothing_comes_of_no_load() -> None:
    day = play(*one_team(1), random_day(Load(0, 1800, 180), 3600, 1), target=20)
    assert (day.offered, day.service_level, day.asa, day.wait_of(0.9)) == (0, 1, 0, 0)


def test_percentiles_are_waits_that_somebody_had() -> None:
    day = Day(waits=[5, 1, 3, 2, 4])
    assert [day.wait_of(share) for share in (0.2, 0.5, 0.9, 1)] == [1, 3, 5, 5]


def test_the_command_plays_a_day() -> None:
    words = ["simulate", "--contacts", "100", "--aht", "3m", "--agents", "9", "--patience", "60", "--json"]
    done = CliRunner().invoke(app, words)
    day = json.loads(done.stdout)
    assert done.exit_code == 0
    assert day["offered"] == day["answered"] + day["abandoned"] > 1000
    assert 0 <= day["wait_p50"] < day["wait_p90"]
    assert "Gave up" in CliRunner().invoke(app, words[:-1]).stdout


@pytest.mark.long
@pytest.mark.parametrize("patience", [None, 300.0])
def test_the_simulated_floor_agrees_with_erlang(patience: float | None) -> None:
    """20 fixed seeds of a million contacts at 77 % load: the exact values lie in narrow 99 % intervals."""
    load, agents, target = Load(100, 1800, 180), 13, 20.0
    exact = patient(load, agents, target) if patience is None else impatient(load, agents, target, patience)
    run = partial(figures_of_seed, load, agents, target, patience, 1_000_000)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        seen = list(pool.map(run, SEEDS))
    wanted = (exact.service_level, exact.asa, exact.abandonment, exact.occupancy)
    # Half the interval: 0.5 points of service level, 3 % of the average wait; the others as they come.
    widest = (0.005, 0.03 * exact.asa, 0.005, 0.005)
    for name, value, limit, values in zip(NAMES, wanted, widest, zip(*seen, strict=True), strict=True):
        mean = statistics.mean(values)
        half = T_99 * statistics.stdev(values) / math.sqrt(len(values))
        assert half <= limit, (name, half)
        assert abs(mean - value) <= half + 1e-9, (name, value, mean, half)


def test_the_command_wants_a_load_or_a_log(tmp_path: Path) -> None:
    assert "A load takes --contacts" in CliRunner().invoke(app, ["simulate", "--aht", "60"]).output
    both = CliRunner().invoke(app, ["simulate", "x.csv", "--imported"])
    assert both.exit_code == 2
    empty = tmp_path / "calls.csv"
    empty.write_text("start,from,to,direction,status\n2026-11-20 10:00,100,0903123456,out,answered\n")
    assert CliRunner().invoke(app, ["simulate", str(empty)]).exit_code == 1
