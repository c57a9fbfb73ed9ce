"""A log's own figures, and what the policy makes of the same calls."""

from datetime import date
from math import inf

import pytest

from routing.workforce.history import PastCall, days_of, figures_of, shifts_of
from routing.workforce.replay import contacts_of, replay
from routing.workforce.simulate import Contact, Shift, one_team, play

DAY = date(2026, 11, 20)
CALLS = [
    PastCall(DAY, 0, wait=0, handle=100, answered=True, agent="An"),
    PastCall(DAY, 10, wait=90, handle=50, answered=True, agent="An"),
    PastCall(DAY, 20, wait=30, handle=0, answered=False),
    PastCall(DAY, 25, wait=0, handle=0, answered=False, left_menu=True),
    PastCall(date(2026, 11, 21), 90_000, wait=6, handle=60, answered=True, agent="Bo"),
]


def test_the_figures_are_the_logs_own_and_the_menu_abandons_nobody() -> None:
    own = figures_of(CALLS)
    assert (own.calls, own.offered, own.answered, own.abandoned, own.left_menu) == (5, 4, 3, 1, 1)
    assert (own.asa, own.mean_wait, own.mean_handle) == (32, 31.5, 70)
    assert (own.abandonment, own.patience, own.service_level(20)) == (0.25, 126, 0.5)
    assert days_of(own)["2026-11-20"] == {"rows": 4, "calls": 4, "answered": 2, "abandoned": 1, "left_menu": 1}


def test_nothing_comes_of_no_calls() -> None:
    own = figures_of([])
    assert (own.asa, own.mean_wait, own.mean_handle, own.abandonment, own.patience) == (0, 0, 0, 0, None)


def test_agents_are_there_while_their_calls_show_it() -> None:
    names, shifts = shifts_of(CALLS, 900)
    assert names == ["An", "Bo"]
    assert shifts == [Shift(1, 0, 150), Shift(2, 90_006, 90_066)]
    assert shifts_of([CALLS[0], PastCall(DAY, 1001, 0, 10, True, "An")], 900)[1] == [
        Shift(1, 0, 100),
        Shift(1, 1001, 1011),
    ]


def test_talks_that_name_nobody_are_told_apart_by_running_at_once() -> None:
    unnamed = [PastCall(DAY, at, 0, 100, True) for at in (0, 50, 100, 150)]
    assert shifts_of(unnamed, 900) == (["unnamed 1", "unnamed 2"], [Shift(1, 0, 200), Shift(2, 50, 250)])


def test_a_replay_with_the_logs_agents_serves_the_same_calls_in_virtual_time() -> None:
    team, day = replay(CALLS, figures_of(CALLS), target=20, pause=900, seed=1)
    assert (team, day.offered, day.answered, day.abandoned) == (2, 4, 3, 1)
    assert day.waits == [0, 90, 6]
    assert day.gave_up_after == [30]


def test_more_agents_wait_less_and_the_seed_repeats_the_lot() -> None:
    many = [PastCall(DAY, at * 30.0, 60, 100, True, "An") for at in range(50)] + [PastCall(DAY, 1600, 9, 0, False)]
    own = figures_of(many)
    few, more, again = (replay(many, own, target=20, agents=n, pause=900, seed=3)[1] for n in (3, 5, 3))
    assert few.waits == again.waits
    assert more.asa < few.asa
    assert few.offered == more.offered == 51


def test_without_anybody_who_gave_up_nobody_does() -> None:
    calls = [one for one in CALLS if one.answered]
    assert {contact.patience for contact in contacts_of(calls, figures_of(calls), 1)} == {inf}


def test_who_goes_home_finishes_and_takes_nothing_more() -> None:
    queues, team = one_team(1)
    contacts = [Contact(0, 100), Contact(10, 20, patience=500)]
    day = play(queues, team, contacts, target=20, shifts=[Shift(1, 0, 50), Shift(1, 300, 400)])
    assert day.waits == [0, 290]
    assert day.occupancy == pytest.approx(120 / 150)
