"""Agents for a load: as published, never one too many or too few, and by the command."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from contact_center.cli import app
from routing.workforce.erlang import Load, Overload
from routing.workforce.staffing import Beside, Goal, agents_for, agents_for_backlog, scheduled, service
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


def test_several_chats_at_once_take_fewer_agents_and_each_that_slows_the_others_takes_some_back() -> None:
    load, goal = Load(100, 1800, 180), Goal(0.8, 20)
    alone, free, slowed = (agents_for(load, goal, None, beside) for beside in (Beside(), Beside(3), Beside(3, 0.2)))
    assert (alone.agents, free.agents, slowed.agents) == (14, 5, 6)
    assert free == replace(service(load, 15, 20), agents=5)
    stretched = service(Load(100, 1800, 180 * 1.4), 18, 20)
    assert slowed == replace(stretched, agents=6)
    # With so much slowing two chats at once hardly save anybody.
    assert agents_for(load, goal, None, Beside(2, 1.0)).agents == alone.agents - 1
    with pytest.raises(Overload, match="3 agents with 3 contacts at once are too few: it takes at least 4"):
        service(load, 3, 20, beside=Beside(3))
    with pytest.raises(ValueError, match="at least 1"):
        Beside(0)


@given(contacts=st.floats(1, 2000), at_once=st.integers(2, 6), slowdown=st.floats(0, 1), share=st.floats(0.5, 0.95))
def test_one_agent_less_would_break_the_promise_of_chats_too(
    contacts: float, at_once: int, slowdown: float, share: float
) -> None:
    load, goal, beside = Load(contacts, 1800, 240), Goal(share, 30), Beside(at_once, slowdown)
    found = agents_for(load, goal, None, beside)
    assert found.service_level >= share
    if found.agents > 1:
        try:
            assert service(load, found.agents - 1, 30, None, beside).service_level < share
        except Overload:
            return


def test_a_backlog_is_done_in_time_with_what_arrives_meanwhile() -> None:
    hour = 3600.0
    assert agents_for_backlog(120, Load(0, 1800, 240), 8 * hour) == 1
    assert agents_for_backlog(240, Load(0, 1800, 240), 8 * hour) == 2
    assert agents_for_backlog(241, Load(0, 1800, 240), 8 * hour) == 3
    assert agents_for_backlog(240, Load(15, hour, 240), 8 * hour) == 3
    assert agents_for_backlog(240, Load(0, 1800, 240), 8 * hour, busy=0.8) == 3
    assert agents_for_backlog(0, Load(0, 1800, 240), 8 * hour) == 0
    with pytest.raises(Overload):
        agents_for_backlog(1, Load(0, 1800, 240), 0)


def test_the_command_knows_chats_and_backlogs() -> None:
    code, out, _ = said(*LOAD, "--at-once", "3", "--slowdown", "20%", "--json")
    assert (code, json.loads(out)["agents"]) == (0, 6)
    backlog = ("--contacts", "15", "--interval", "1h", "--aht", "4m", "--backlog", "240", "--due", "8h")
    code, out, _ = said(*backlog, "--shrinkage", "0.3", "--json")
    assert (code, json.loads(out)) == (0, {"agents": 3, "scheduled": 5})
    assert said(*backlog, "--agents", "3")[0] == 2
