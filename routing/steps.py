"""What waiting work asks for at a moment: computed from its elapsed wait, so a restart resumes at the same ring."""

from dataclasses import dataclass

from routing.facts import Agent, Need, Queue, Step, Work
from routing.pools import PoolName
from routing.states import Presence

NEVER = float("inf")
OFFER_BACK_OFF = 15.0
LONGEST_BACK_OFF = 120.0


@dataclass(frozen=True, slots=True)
class Stance:
    """Whom work may go to now. `only`: nobody but this agent. `routes`: the queues whose agents may take it, its
    own first. `until`: when the stance changes by the mere passing of time."""

    step: int
    only: int | None
    need: Need
    routes: tuple[int, ...]
    until: float


def stance(work: Work, queue: Queue, preferred: Agent | None, now: float) -> Stance:
    """The stance of `work` at `now`; `preferred` is the agent it knows, if there still is one."""
    if work.not_before > now:
        return Stance(0, None, (), (), work.not_before)
    reachable = preferred is not None and preferred.id not in work.tried and is_reachable(preferred, work.pool)
    if reachable and now < work.preferred_until:
        return Stance(0, work.preferred_id, (), (), work.preferred_until)
    waited = max(0.0, now - work.waiting_since)
    routes, until = _routes(work, queue, waited)
    index, step, ends = _ring(queue.steps, waited, reachable=reachable)
    until = min(until, ends)
    moment = work.waiting_since + until if until < NEVER else NEVER
    if step.agent:
        return Stance(index, work.preferred_id, (), (), moment)
    return Stance(index, None, _need(work, step), routes, moment)


def is_reachable(agent: Agent, pool: PoolName) -> bool:
    """Whether waiting for this agent makes sense: a live contact cannot wait for the end of a lunch."""
    if agent.absent:
        return False
    if pool is PoolName.LIVE:
        return agent.presence is Presence.AVAILABLE
    return agent.presence is not Presence.OFFLINE


def back_off(round_: int) -> float:
    """Seconds of rest after everyone was tried for the `round_`-th time (from 0)."""
    return min(OFFER_BACK_OFF * 2.0**round_, LONGEST_BACK_OFF)


def _routes(work: Work, queue: Queue, waited: float) -> tuple[tuple[int, ...], float]:
    routes, until = [work.queue_id], NEVER
    for overflow in queue.overflows:
        if waited >= overflow.after or work.offers >= queue.max_offers:
            routes.append(overflow.queue_id)
        else:
            until = min(until, overflow.after)
    return tuple(routes), until


def _ring(steps: tuple[Step, ...], waited: float, *, reachable: bool) -> tuple[int, Step, float]:
    """Index, ring, and the wait at which it ends. Rings for an agent who cannot be reached take no time."""
    ends = 0.0
    last = (0, Step())
    for index, step in enumerate(steps):
        if step.agent and not reachable:
            continue
        last = (index, step)
        if step.seconds is None:
            break
        ends += step.seconds
        if waited < ends:
            return index, step, ends
    index, step = last
    # A chain that ends on a ring for one agent would keep its work from everybody else for ever.
    return (index, Step(), NEVER) if step.agent else (index, step, NEVER)


def _need(work: Work, step: Step) -> Need:
    if not step.needs and not (step.level and work.wishes):
        return work.skills
    need = dict(work.skills)
    for skill, level in step.needs:
        need[skill] = max(need.get(skill, 0), level)
    if step.level:
        for skill in work.wishes:
            need[skill] = max(need.get(skill, 0), step.level)
    return tuple(sorted(need.items()))
