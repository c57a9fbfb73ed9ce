"""I7: whoever waits is served, however many come with more credit; and a crowd of agents decides like a few."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.facts import Queue, Row
from routing.policy import CROWD, Floor
from routing.pools import Medium, Pool
from tests.routing.floors import T0, a_floor, a_queue, an_agent, full, naive_decide, some_work, who_gets
from tickets.states import Priority

MOST_CREDIT = 600.0 + 120.0 * 8


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), priority=st.integers(1, 9))
def test_nothing_starves_behind_urgent_work_and_first_rank_queues(seed: int, priority: int):
    dice = random.Random(seed)
    rows = (Row(1, priority=priority), Row(2))
    agent = an_agent(9, rows=rows, live=Pool(25))
    floor = a_floor(a_queue(1), a_queue(2), agent, some_work(1, priority=Priority.LOW))
    # Every 30 s one urgent contact arrives in the preferred queue, and one contact is finished: always a backlog.
    for tick in range(1, 200):
        now = T0 + 30.0 * tick
        floor.put_work(some_work(2 * tick, at=now - 1, queue=2, priority=Priority.URGENT))
        if dice.random() < 0.3:
            floor.put_work(some_work(2 * tick + 1, at=now, queue=2, priority=Priority.URGENT))
        floor.put_agent(agent)
        if 1 in who_gets(floor, now):
            assert now - T0 <= MOST_CREDIT * 2
            return
    raise AssertionError("it starved")


def test_strict_priority_may_starve_and_that_is_what_it_says():
    floor = a_floor(a_queue(1), a_queue(2, strict=1), some_work(1, at=T0 - 90_000.0))
    for tick in range(20):
        floor.put_work(some_work(10 + tick, queue=2, at=T0 + tick))
        floor.put_agent(an_agent(9, queues=(1, 2), live=Pool(25)))
        assert 1 not in who_gets(floor, T0 + tick)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_crowd_of_agents_who_sign_in_at_once_gets_what_the_plain_policy_gives(seed: int):
    dice = random.Random(seed)
    queues = {number: Queue(number) for number in (1, 2)}
    agents = {
        number: an_agent(
            number,
            queues=tuple(dice.sample((1, 2), dice.choice((1, 2)))),
            skills={skill: dice.randint(1, 5) for skill in dice.sample((1, 2, 3), 2)},
            live=Pool(50),
        )
        for number in range(1, CROWD * 2)
    }
    works = {
        number: some_work(
            number,
            at=T0 - dice.uniform(0, 100),
            queue=dice.choice((1, 2)),
            medium=dice.choice((Medium.CHAT, Medium.MAIL)),
            skills=dice.choice(((), ((1, 2),), ((2, 3),))),
        )
        for number in range(1, 120)
    }
    floor = Floor()
    for queue in queues.values():
        floor.put_queue(queue)
    for work in works.values():
        floor.put_work(work)
    floor.decide(T0)
    for agent in agents.values():
        floor.put_agent(agent)
    expected, _ = naive_decide(works, agents, queues, T0)
    assert who_gets(floor) == expected


def test_a_backlog_costs_no_more_than_its_lanes():
    works = [some_work(number, at=T0 + number / 1000) for number in range(1, 5001)]
    floor = a_floor(a_queue(), *works, an_agent(8, live=full(Pool())))
    floor.decide(T0 + 10)
    assert [len(lane.members) for lane in floor._lanes] == [5000]
    floor.put_agent(replace(an_agent(9), live=Pool(25)))
    assert who_gets(floor, T0 + 10) == {1: 9}
