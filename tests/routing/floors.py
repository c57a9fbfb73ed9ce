"""Builders for work, agents, queues and floors, and the plain policy that the fast one must agree with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from routing.eligibility import may_take
from routing.facts import Agent, Queue, Row, Work
from routing.policy import Floor
from routing.pools import WEIGHTS, Medium, Pool
from routing.ranking import agent_score, work_key
from routing.states import Presence
from routing.steps import back_off, stance

T0 = 1_000_000.0


def a_queue(id: int = 1, **options: Any) -> Queue:
    return Queue(id, **options)


def an_agent(id: int, *, queues: tuple[int, ...] = (1,), rows: tuple[Row, ...] = (), **options: Any) -> Agent:
    rows = rows or tuple(Row(queue) for queue in queues)
    options.setdefault("presence", Presence.AVAILABLE)
    return Agent(id, rows={row.queue_id: row for row in rows}, **options)


def some_work(id: int, *, at: float = T0, queue: int = 1, medium: Medium = Medium.CHAT, **options: Any) -> Work:
    options.setdefault("waiting_since", at)
    return Work(id, queue, medium, WEIGHTS[medium], at, **options)


def a_floor(*things: Queue | Agent | Work) -> Floor:
    floor = Floor()
    for kind, put in ((Queue, floor.put_queue), (Agent, floor.put_agent), (Work, floor.put_work)):
        for thing in things:
            if isinstance(thing, kind):
                put(thing)  # type: ignore[operator]
    return floor


def who_gets(floor: Floor, now: float = T0) -> dict[int, int]:
    return {one.work.id: one.agent.id for one in floor.decide(now).decisions}


def full(pool: Pool) -> Pool:
    return replace(pool, held=pool.capacity)


def naive_decide(
    works: Mapping[int, Work], agents: Mapping[int, Agent], queues: Mapping[int, Queue], now: float
) -> tuple[dict[int, int], dict[int, Work]]:
    """Look at all work in order and at every agent for each: {work: agent} and the work that was reset."""
    staff = dict(agents)
    given: dict[int, int] = {}
    reset: dict[int, Work] = {}
    for work in sorted(works.values(), key=lambda one: work_key(one, queues[one.queue_id])):
        winner = naive_choice(work, staff, queues, now)
        if winner is not None:
            given[work.id] = winner.id
            staff[winner.id] = winner.given(work.pool, work.weight, now)
        elif work.tried and _would_go(work, staff, queues, now):
            reset[work.id] = replace(
                work, tried=frozenset(), round=work.round + 1, not_before=now + back_off(work.round)
            )
    return given, reset


def naive_choice(work: Work, agents: Mapping[int, Agent], queues: Mapping[int, Queue], now: float) -> Agent | None:
    at = stance(work, queues[work.queue_id], agents.get(work.preferred_id or 0), now)
    able = [agent for agent in agents.values() if may_take(work, agent, at, queues, now)]
    if not able:
        return None
    if at.only is not None:
        return able[0]

    def place(agent: Agent) -> tuple[int, object]:
        for index, route in enumerate(at.routes):
            row = agent.rows.get(route)
            if row and queues[route].is_open and now - work.waiting_since >= row.delay:
                return index, agent_score(agent, queues[route].selection, work.pool)
        raise AssertionError("an eligible agent has a route")

    return min(able, key=place)


def _would_go(work: Work, agents: Mapping[int, Agent], queues: Mapping[int, Queue], now: float) -> bool:
    """The stance stays that of the tried work; only the agents' own history is forgotten."""
    at = stance(work, queues[work.queue_id], agents.get(work.preferred_id or 0), now)
    fresh = replace(work, tried=frozenset())
    return any(may_take(fresh, agent, at, queues, now) for agent in agents.values())
