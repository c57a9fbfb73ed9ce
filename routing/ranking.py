"""Which work comes first, and which agent: every order that the policy uses, with its parts for the explanation."""

from collections.abc import Mapping
from typing import Any

from routing.facts import Agent, Ordering, Queue, Row, Selection, Work
from routing.pools import PoolName
from tickets.states import Priority

CREDITS: Mapping[PoolName, Mapping[Priority, float]] = {
    PoolName.LIVE: {Priority.LOW: 0.0, Priority.MEDIUM: 60.0, Priority.HIGH: 180.0, Priority.URGENT: 600.0},
    PoolName.DEFERRED: {
        Priority.LOW: 0.0,
        Priority.MEDIUM: 1800.0,
        Priority.HIGH: 7200.0,
        Priority.URGENT: 28800.0,
    },
}
ROW_HANDICAP: Mapping[PoolName, float] = {PoolName.LIVE: 120.0, PoolName.DEFERRED: 3600.0}
"""Work counts as this much younger per profile priority below the first: preferred, yet nothing starves."""

WorkKey = tuple[int, float, int]
"""Strict level (negated), virtual arrival, id: the smallest comes first."""
AgentScore = tuple[float, float, int]


def work_key(work: Work, queue: Queue) -> WorkKey:
    """The place of `work` in the order of everything that waits."""
    return (-queue.strict, virtual_arrival(work, queue), work.id)


def virtual_arrival(work: Work, queue: Queue) -> float:
    """When the work counts as having arrived: its age plus every credit.

    In a queue ordered by time to breach, work that is due in t counts as old as work without SLA that has t left
    of the queue's target: both kinds share one scale, which never moves, so nothing starves.
    """
    if queue.ordering is Ordering.TIME_TO_BREACH:
        due = work.enqueued_at + queue.target if work.due_at is None else work.due_at
        return due - queue.target - queue.credit - work.credit
    return work.enqueued_at - CREDITS[work.pool][work.priority] - queue.credit - work.credit


def handicap(row: Row, pool: PoolName) -> float:
    """How much younger the work of this profile row counts for its agent."""
    return (row.priority - 1) * ROW_HANDICAP[pool]


def agent_score(agent: Agent, selection: Selection, pool: PoolName) -> AgentScore:
    """The place of `agent` in the order of those who may have the work: the smallest gets it."""
    if selection is Selection.MOST_SPARE:
        return (-agent.pool(pool).spare, agent.last_assigned_at, agent.id)
    if selection is Selection.LONGEST_IDLE:
        held = agent.pool(pool)
        # Somebody with work in this pool is not idle, however long ago the last assignment was.
        return (agent.free_since if held.held <= 0 else LATER - held.spare, agent.last_assigned_at, agent.id)
    return (0.0, agent.last_assigned_at, agent.id)


LATER = 1e12
"""After every moment in seconds since the epoch."""


def work_parts(work: Work, queue: Queue) -> dict[str, Any]:
    """What made up the key, for the explanation."""
    parts: dict[str, Any] = {
        "enqueued_at": work.enqueued_at,
        "credit_queue": queue.credit,
        "credit_item": work.credit,
        "strict": queue.strict,
    }
    if queue.ordering is Ordering.TIME_TO_BREACH:
        parts["due_at"] = work.due_at
        parts["target"] = queue.target
    else:
        parts["credit_priority"] = CREDITS[work.pool][work.priority]
    return parts


def agent_parts(agent: Agent, selection: Selection, pool: PoolName) -> dict[str, Any]:
    """What made up the agent's score, for the explanation."""
    return {
        "selection": selection.value,
        "spare": round(agent.pool(pool).spare, 3),
        "held": agent.pool(pool).held,
        "capacity": agent.pool(pool).capacity,
        "free_since": agent.free_since,
        "last_assigned_at": agent.last_assigned_at,
    }
