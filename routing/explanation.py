"""Why a decision fell as it did, and why work still waits: plain JSON records made from the floor. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from routing.eligibility import Obstacle, obstacles
from routing.facts import Agent, Queue, Work
from routing.policy import Decision, Floor
from routing.ranking import agent_parts, agent_score, work_key, work_parts
from routing.steps import NEVER, Stance

NAMED = 60
"""Agents listed one by one in a record; the counts always cover everybody."""


def explain_decision(floor: Floor, decision: Decision, now: float) -> dict[str, Any]:
    """The record of a decision, made while the floor is as it was when the decision fell."""
    work, at = decision.work, decision.stance
    record = _record(floor, work, at, now)
    record["agent"] = decision.agent.id
    record["route"] = decision.route
    record["acceptance"] = decision.acceptance.value
    return record


def explain_waiting(floor: Floor, work: Work, now: float) -> dict[str, Any]:
    """Why the work still waits: the same record, without a winner."""
    at = floor.stance_of(work, now)
    record = _record(floor, work, at, now)
    key = work_key(work, floor.queues[work.queue_id])
    record["ahead"] = sum(
        1
        for other in floor.works.values()
        if other.queue_id == work.queue_id and work_key(other, floor.queues[other.queue_id]) < key
    )
    record["changes_at"] = at.until if at.until < NEVER else None
    return record


def explain_agent(floor: Floor, work: Work, agent: Agent, now: float) -> list[Obstacle]:
    """Everything that keeps the work from this agent; empty when only the order decides."""
    return list(obstacles(work, agent, floor.stance_of(work, now), floor.queues, now))


def _record(floor: Floor, work: Work, at: Stance, now: float) -> dict[str, Any]:
    queue = floor.queues[work.queue_id]
    fit: list[Agent] = []
    ruled_out: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for agent in _considered(floor, work, at):
        reasons = [reason.value for reason in obstacles(work, agent, at, floor.queues, now)]
        if not reasons:
            fit.append(agent)
            continue
        counts.update(reasons[:1])
        if len(ruled_out) < NAMED:
            ruled_out.append({"agent": agent.id, "why": reasons})
    fit.sort(key=lambda agent: agent_score(agent, queue.selection, work.pool))
    return {
        "work_item": work.id,
        "queue": work.queue_id,
        "at": now,
        "step": {
            "index": at.step,
            "only": at.only,
            "need": [list(pair) for pair in at.need],
            "routes": list(at.routes),
        },
        "waited": round(now - work.waiting_since, 3),
        "rank": work_parts(work, queue),
        "candidates": [_candidate(agent, queue, work) for agent in fit[:NAMED]],
        "candidate_count": len(fit),
        "ruled_out": ruled_out,
        "ruled_out_counts": dict(counts),
    }


def _candidate(agent: Agent, queue: Queue, work: Work) -> dict[str, Any]:
    return {"agent": agent.id, "score": agent_parts(agent, queue.selection, work.pool)}


def _considered(floor: Floor, work: Work, at: Stance) -> Iterable[Agent]:
    """Everybody whose absence from the list would raise a question, in order of id."""
    ids: set[int] = set(work.tried)
    for route in (work.queue_id, *at.routes):
        ids |= floor.staff.members(route)
    if at.only is not None:
        ids.add(at.only)
    agents = floor.staff.agents
    return (agents[one] for one in sorted(ids) if one in agents)
