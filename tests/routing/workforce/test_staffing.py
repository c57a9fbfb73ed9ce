"""Agents for a load: as published, never one too many or too few, and by the command."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from contact_center.cli import app
from routing.workforce.erlang import Load, Overload
from routing.workforce.staffing import Goal, agents_for, scheduled, service
from tests.routing.workforce.test_erlang import VALUES, load_of


@pytest.mark.parametrize("value", VALUES.get("staffing", []))
def test_agents_and_roster_are_as_published(value: dict[str, Any]) -> None:
    goal = Goal(value["service_level_target"], value["target_seconds"], value.get("max_occupancy", 1.0))
    found = agents_for(load_of(value), goal)
    assert found.agents == value["agents"]
    if "scheduled" in value:
        assert scheduled(found.agents, value["shrinkage"]) == value["scheduled"]


@given(
    contacts=st.floats(1, 3000),
    aht=st.floats(10, 900),
    share=st.floats(0.5, 0.99),
    patience=st.none() | st.floats(20, 600),
    busiest=st.floats(0.5, 1),
)
def test_one_agent_less_would_break_the_promise(
    contacts: float, aht: float, share: float, patience: float | None, busiest: float
) -> None:
    load, goal = Load(contacts, 1800, aht), Goal(share, 20, busiest)
    found = agents_for(load, goal, patience)
    assert found.service_level >= share
    assert found.occupancy <= busiest
    if found.agents > 1:
        try:
            less = service(load, found.agents - 1, 20, patience)
        except Overload:
            return
        assert less.service_level < share or less.occupancy > busiest


def test_nobody_is_needed_for_nothing() -> None:
    assert agents_for(Load(0, 1800, 180), Goal(0.8, 20)).agents == 0


def test_a_roster_is_not_rounded_up_by_the_noise_of_floats() -> None:
    assert [scheduled(agents, share) for agents, share in ((14, 0.3), (11, 0.3), (9, 0.1), (0, 0.3))] == [20, 16, 10, 0]


def said(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["staffing", *words])
    return done.exit_code, done.stdout, done.stderr


LOAD = ("--contacts", "100", "--interval", "30m", "--aht", "180")


def test_the_command_prints_one_document() -> None:
    code, out, _ = said(*LOAD, "--target", "80/20", "--max-occupancy", "0.85", "--shrinkage", "30%", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["agents"], found["scheduled"]) == (14, 20)
    assert found["service_level"] == pytest.approx(0.88835, abs=6e-6)
    assert found["abandonment"] == 0


def test_the_command_tells_what_given_agents_achieve_with_people_who_give_up() -> None:
    code, out, _ = said(*LOAD, "--agents", "13", "--patience", "5m", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["service_level"] == pytest.approx(0.85818, abs=6e-6)
    assert found["mean_wait"] == pytest.approx(7.489, abs=6e-4)


def test_the_command_prints_a_table_for_people() -> None:
    code, out, _ = said(*LOAD)
    assert code == 0
    assert "Agents at work" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((*LOAD, "--agents", "10"), "at least 11"),
        ((*LOAD, "--target", "80"), "80/20"),
        ((*LOAD, "--target", "100/20"), "between 0 and 100 %"),
        ((*LOAD, "--shrinkage", "130%"), "no share"),
        (("--contacts", "100", "--aht", "soon"), "no duration"),
        (("--contacts", "100", "--aht", "0"), "longer than 0"),
        (("--contacts=-1", "--aht", "180"), "contacts"),
        ((*LOAD, "--shrinkage", "1"), "nobody is ever at work"),
    ],
)
def test_what_makes_no_sense_is_refused_on_stderr(words: tuple[str, ...], told: str) -> None:
    code, out, err = said(*words)
    assert code != 0
    assert out == ""
    assert told in " ".join(err.replace("│", " ").split())
