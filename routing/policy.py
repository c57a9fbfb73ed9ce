"""The routing policy: a floor of waiting work and agents, and the decisions that follow from each change. Pure.

After `decide` no agent could take any waiting work (I6). So a change can only make pairs with what changed: the
floor remembers the agents and work that were touched, and looks at nothing else.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush

from routing.facts import Acceptance, Agent, Queue, Work
from routing.lanes import ONLY, Lane, Lanes
from routing.pools import PoolName
from routing.ranking import WorkKey, agent_score, work_key
from routing.staff import POOLS, Staff, same_profile
from routing.states import Presence
from routing.steps import NEVER, Stance, back_off, stance

CROWD = 32
"""So many agents who changed at once would all nominate the same work, if less than AGENT_COST times as much waits."""
AGENT_COST = 20
WORK = 0
"""In the agenda's place of an agent id: work that looks for somebody, not an agent who looks for work."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`work` goes to `agent_id`, as an offer until `expires_at`, or at once when `acceptance` is auto.

    `agent` and `work` are as they were when it was decided; `route` is the queue through which it came.
    """

    work: Work
    agent: Agent
    route: int
    stance: Stance
    key: WorkKey
    acceptance: Acceptance
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Reset:
    """Everyone who could have had the work was tried: `work` rests until its `not_before`, then starts over."""

    work: Work
    overflows: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `decide` found, and when the passing of time alone may bring more."""

    decisions: tuple[Decision, ...]
    resets: tuple[Reset, ...]
    look_again_at: float


@dataclass(slots=True)
class _Spot:
    key: WorkKey
    stance: Stance
    until: float
    lanes: list[Lane]


class Floor:
    """Everything that waits and everyone who works, in memory, kept so that a decision is cheap."""

    def __init__(self) -> None:
        self.staff = Staff()
        self.queues: dict[int, Queue] = {}
        self.works: dict[int, Work] = {}
        self._spots: dict[int, _Spot] = {}
        self._lanes = Lanes()
        self._prefers: dict[int, set[int]] = {}
        self._timers: list[tuple[float, int]] = []
        self._woken_agents: set[int] = set()
        self._woken_works: set[int] = set()
        self._unplaced: set[int] = set()

    def put_queue(self, queue: Queue) -> None:
        """Take in a new or changed queue; opening and closing are changes too."""
        before = self.queues.get(queue.id)
        self.queues[queue.id] = queue
        if before == queue:
            return
        self._replace_where({queue.id})

    def put_agent(self, agent: Agent) -> None:
        """Take in a new or changed agent."""
        before = self.staff.agents.get(agent.id)
        if before == agent:
            return
        if changed := self.staff.put(agent):
            self._replace_where(set(changed))
        if before is None or not same_profile(before, agent):
            self._lanes.review(agent, agent.rows)
        self._woken_agents.add(agent.id)
        if fans := self._prefers.get(agent.id):
            self._unplaced |= fans

    def drop_agent(self, agent_id: int) -> None:
        """Forget an agent."""
        self._lanes.review(Agent(agent_id), ())
        self._replace_where(set(self.staff.drop(agent_id)))
        self._unplaced |= self._prefers.get(agent_id, set())

    def put_work(self, work: Work) -> None:
        """Take in new or changed queued work."""
        before = self.works.get(work.id)
        if before == work:
            return
        if before is not None:
            self.drop_work(work.id)
        self.works[work.id] = work
        if work.preferred_id is not None:
            self._prefers.setdefault(work.preferred_id, set()).add(work.id)
        self._unplaced.add(work.id)

    def drop_work(self, work_id: int) -> None:
        """Forget work that no longer waits."""
        work = self.works.pop(work_id, None)
        if work is None:
            return
        self._unlist(work_id)
        self._unplaced.discard(work_id)
        if work.preferred_id is not None:
            fans = self._prefers[work.preferred_id]
            fans.discard(work_id)
            if not fans:
                del self._prefers[work.preferred_id]

    def wake_agent(self, agent_id: int) -> None:
        """Let an agent be looked at again, e.g. after somebody else won the race for their work."""
        self._woken_agents.add(agent_id)

    def stance_of(self, work: Work, now: float) -> Stance:
        """Whom the work may go to now."""
        preferred = self.staff.agents.get(work.preferred_id) if work.preferred_id is not None else None
        return stance(work, self.queues[work.queue_id], preferred, now)

    def decide(
        self, now: float, *, limit: int = 1_000_000, witness: Callable[[Decision], None] | None = None
    ) -> Outcome:
        """Match until no agent can take any waiting work, or `limit` decisions were made; the rest comes with the
        next call. `witness` sees each decision while the floor is still as it was when it fell."""
        self._turn_clock(now)
        agenda = self._agenda()
        decisions: list[Decision] = []
        resets: list[Reset] = []
        yielded: set[int] = set()
        while agenda:
            if len(decisions) == limit:
                self._put_off(agenda)
                break
            key, agent_id, _ = heappop(agenda)
            work, spot = self.works.get(key[2]), self._spots.get(key[2])
            if agent_id != WORK and not (work and spot and spot.key == key and self._has_room(agent_id, work)):
                self._nominate(agenda, agent_id)
                continue
            if work is None or spot is None:
                continue
            found = self._choose(work, spot.stance, now)
            if found is not None and work.id not in yielded:
                rather = self._rather(found[0], found[1], work)
                if rather is not None:
                    heappush(agenda, (key, WORK, work.id))
                    work, spot = self.works[rather], self._spots[rather]
                    found = self._choose(work, spot.stance, now)
                    if found is None:
                        # Nobody may have that one now: the next time this work does not give way to it.
                        yielded.add(key[2])
            if found is not None:
                decision = self._decision(work, spot, found, now)
                if witness is not None:
                    witness(decision)
                self._settle(decision, now)
                decisions.append(decision)
            elif self._is_exhausted(work, spot.stance, now):
                resets.append(self._reset(work, now))
            else:
                continue
            if agent_id != WORK:
                self._nominate(agenda, agent_id)
        self._place_all(now)
        return Outcome(tuple(decisions), tuple(resets), self._timers[0][0] if self._timers else NEVER)

    # Placing: every queued work has a spot, and stands in one lane per door that it may leave through.

    def _replace_where(self, queue_ids: set[int]) -> None:
        if not queue_ids:
            return
        for work in self.works.values():
            spot = self._spots.get(work.id)
            if work.queue_id in queue_ids or (spot and not queue_ids.isdisjoint(spot.stance.routes)):
                self._unplaced.add(work.id)

    def _turn_clock(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            until, work_id = heappop(self._timers)
            spot = self._spots.get(work_id)
            if spot is not None and spot.until == until:
                self._unplaced.add(work_id)
        self._place_all(now)

    def _place_all(self, now: float) -> None:
        if not self._unplaced:
            return
        for work_id in self._unplaced:
            self._unlist(work_id)
            self._place(self.works[work_id], now)
        self._woken_works |= self._unplaced
        self._unplaced.clear()

    def _place(self, work: Work, now: float) -> None:
        queue = self.queues[work.queue_id]
        at = self.stance_of(work, now)
        spot = _Spot(work_key(work, queue), at, at.until, [])
        lane_key = (work.queue_id, work.medium, work.weight, at.need)
        agents = self.staff.agents
        if at.only is not None:
            known = [agents[at.only]] if at.only in agents else []
            spot.lanes.append(self._lanes.add((at.only, ONLY), lane_key, known, spot.key))
        for route in at.routes:
            able = self.staff.able(route, at.need)
            for delay in self.staff.delays(route):
                if delay > 0 and work.waiting_since + delay > now:
                    spot.until = min(spot.until, work.waiting_since + delay)
                    break
                members = map(agents.__getitem__, able)
                spot.lanes.append(self._lanes.add((route, delay), lane_key, members, spot.key))
        self._spots[work.id] = spot
        if spot.until < NEVER:
            heappush(self._timers, (spot.until, work.id))

    def _unlist(self, work_id: int) -> None:
        spot = self._spots.pop(work_id, None)
        if spot is not None:
            for lane in spot.lanes:
                self._lanes.remove(lane, work_id)

    # Matching.

    def _agenda(self) -> list[tuple[WorkKey, int, int]]:
        agenda: list[tuple[WorkKey, int, int]] = []
        if CROWD < len(self._woken_agents) > len(self.works) / AGENT_COST:
            self._woken_works |= self.works.keys()
            self._woken_agents.clear()
        for agent_id in self._woken_agents:
            self._nominate(agenda, agent_id)
        for work_id in self._woken_works:
            spot = self._spots.get(work_id)
            if spot is not None and spot.lanes:
                agenda.append((spot.key, WORK, work_id))
        self._woken_agents.clear()
        self._woken_works.clear()
        heapify(agenda)
        return agenda

    def _put_off(self, agenda: list[tuple[WorkKey, int, int]]) -> None:
        for _, agent_id, work_id in agenda:
            if agent_id == WORK:
                self._woken_works.add(work_id)
            else:
                self._woken_agents.add(agent_id)

    def _nominate(self, agenda: list[tuple[WorkKey, int, int]], agent_id: int) -> None:
        agent = self.staff.agents.get(agent_id)
        if agent is None or agent.presence is not Presence.AVAILABLE or agent.absent:
            return
        nominee = self._best(agent, POOLS)
        if nominee is not None:
            heappush(agenda, (nominee, agent_id, nominee[2]))

    def _rather(self, agent: Agent, route: int, work: Work) -> int | None:
        """The work this agent's profile puts before `work`, which came first only in the order of all work."""
        row = agent.rows.get(route)
        if row is None or row.priority <= 1:
            return None
        best = self._best(agent, (work.pool,))
        return best[2] if best is not None and best[2] != work.id else None

    def _best(self, agent: Agent, pools: Iterable[PoolName]) -> WorkKey | None:
        """The first work that this agent could take, apart from having been tried."""
        best: tuple[int, float, int] | None = None
        nominee: WorkKey | None = None
        for pool in pools:
            seen, room = self._lanes.seen_by(agent.id, pool), agent.pool(pool).room
            if not seen or room <= 0:
                continue
            for lane, extra in seen:
                key = lane.first()
                if key is None:
                    continue
                rank = (key[0], key[1] + extra, key[2])
                if (best is None or rank < best) and lane.weight <= room and self._lets_in(lane, agent):
                    best, nominee = rank, key
        return nominee

    def _lets_in(self, lane: Lane, agent: Agent) -> bool:
        return (
            lane.medium in agent.media
            and self._is_open(lane.home)
            and (lane.door[1] == ONLY or self._is_open(lane.door[0]))
        )

    def _is_open(self, queue_id: int) -> bool:
        queue = self.queues.get(queue_id)
        return queue is not None and queue.is_open

    def _has_room(self, agent_id: int, work: Work) -> bool:
        agent = self.staff.agents.get(agent_id)
        return agent is not None and work.weight <= agent.pool(work.pool).room

    def _choose(self, work: Work, at: Stance, now: float) -> tuple[Agent, int] | None:
        """The agent who gets the work and the route, by the queue's selection; own agents before overflow ones."""
        if not self.queues[work.queue_id].is_open:
            return None
        agents, pool, tried = self.staff.agents, work.pool, work.tried
        if at.only is not None:
            agent = agents.get(at.only)
            if agent is not None and agent.id not in work.tried and _fits(agent, work):
                return agent, work.queue_id
            return None
        weight, medium, waited = work.weight, work.medium, max(0.0, now - work.waiting_since)
        for route in at.routes:
            queue = self.queues.get(route)
            if queue is None or not queue.is_open:
                continue
            # Who is free is there (_fits asks that too), and has some room, which may be too little.
            suitable = self.staff.able(route, at.need) & self.staff.free(route, pool)
            fitting = [
                agent
                for agent in map(agents.__getitem__, suitable - tried if tried else suitable)
                if weight <= agent.pool(pool).room and medium in agent.media and waited >= agent.rows[route].delay
            ]
            if len(fitting) == 1:
                return fitting[0], route
            if fitting:
                return min(fitting, key=lambda one: agent_score(one, queue.selection, pool)), route
        return None

    def _decision(self, work: Work, spot: _Spot, found: tuple[Agent, int], now: float) -> Decision:
        agent, route = found
        queue = self.queues[work.queue_id]
        acceptance = queue.acceptance[work.pool]
        expires_at = now + queue.timeout(work.medium) if acceptance is Acceptance.OFFER else None
        return Decision(work, agent, route, spot.stance, spot.key, acceptance, expires_at)

    def _settle(self, decision: Decision, now: float) -> None:
        work, agent = decision.work, decision.agent
        self.drop_work(work.id)
        self.staff.update(agent.given(work.pool, work.weight, now))

    def _is_exhausted(self, work: Work, at: Stance, now: float) -> bool:
        """Whether somebody could take the work, had they not been tried already."""
        if not work.tried:
            return False
        return self._choose(replace(work, tried=frozenset()), at, now) is not None

    def _reset(self, work: Work, now: float) -> Reset:
        queue = self.queues[work.queue_id]
        rested = replace(work, tried=frozenset(), round=work.round + 1, not_before=now + back_off(work.round))
        self.put_work(rested)
        return Reset(rested, bool(queue.overflows) and work.offers >= queue.max_offers)


def _fits(agent: Agent, work: Work) -> bool:
    return (
        agent.presence is Presence.AVAILABLE
        and not agent.absent
        and work.medium in agent.media
        and work.weight <= agent.pool(work.pool).room
    )
