"""The agents of the floor, indexed by what a decision asks: who serves a queue, who knows what, who has room."""

from routing.facts import Agent, Need
from routing.pools import PoolName
from routing.states import Presence

POOLS = tuple(PoolName)


class Staff:
    """Agents by id with three indices; `put` costs as much as what changed."""

    def __init__(self) -> None:
        self.agents: dict[int, Agent] = {}
        self._members: dict[int, set[int]] = {}
        self._delays: dict[int, tuple[float, ...]] = {}
        self._skilled: dict[tuple[int, int], set[int]] = {}
        self._able: dict[tuple[int, Need], set[int]] = {}
        self._free: dict[tuple[int, PoolName], set[int]] = {}

    def put(self, agent: Agent) -> list[int]:
        """Take in a new or changed agent; returns the queues whose set of delays changed."""
        before = self.agents.get(agent.id)
        self.agents[agent.id] = agent
        changed: list[int] = []
        if before is None or not same_profile(before, agent):
            changed = self._enroll(before, agent)
        self._mark_free(before, agent)
        return changed

    def update(self, agent: Agent) -> None:
        """The same for an agent whose profile and skills did not change."""
        before = self.agents[agent.id]
        self.agents[agent.id] = agent
        self._mark_free(before, agent)

    def drop(self, agent_id: int) -> list[int]:
        """Forget an agent; returns the queues whose set of delays changed."""
        before = self.agents.get(agent_id)
        if before is None:
            return []
        changed = self.put(Agent(agent_id))
        del self.agents[agent_id]
        return changed

    def delays(self, queue_id: int) -> tuple[float, ...]:
        """The distinct delays of the profile rows for this queue, ascending."""
        return self._delays.get(queue_id, ())

    def members(self, queue_id: int) -> set[int]:
        """Everybody with a profile row for this queue."""
        return self._members.get(queue_id, set())

    def able(self, queue_id: int, need: Need) -> set[int]:
        """Members of the queue who know what is needed: a live set, do not change it."""
        key = (queue_id, need)
        able = self._able.get(key)
        if able is None:
            able = set(self._members.get(queue_id, ()))
            for pair in need:
                able &= self._skilled.get(pair, _NOBODY)
            self._able[key] = able
        return able

    def free(self, queue_id: int, pool: PoolName) -> set[int]:
        """Members of the queue who are available and have any room: a live set, do not change it."""
        return self._free.get((queue_id, pool), _NOBODY)

    def _enroll(self, before: Agent | None, agent: Agent) -> list[int]:
        old = before.rows if before else {}
        for queue_id in old.keys() - agent.rows.keys():
            self._members[queue_id].discard(agent.id)
            for pool in POOLS:
                self._free.get((queue_id, pool), set()).discard(agent.id)
        for queue_id in agent.rows:
            self._members.setdefault(queue_id, set()).add(agent.id)
        self._grade(before, agent)
        touched = old.keys() | agent.rows.keys()
        for (queue_id, need), able in self._able.items():
            if queue_id in touched:
                if queue_id in agent.rows and agent.knows(need):
                    able.add(agent.id)
                else:
                    able.discard(agent.id)
        return [queue_id for queue_id in touched if self._count_delays(queue_id)]

    def _grade(self, before: Agent | None, agent: Agent) -> None:
        """Who has a skill at level 4 is listed for levels 1 to 4."""
        for skill, level in (before.skills if before else {}).items():
            for lower in range(1, level + 1):
                self._skilled[skill, lower].discard(agent.id)
        for skill, level in agent.skills.items():
            for lower in range(1, level + 1):
                self._skilled.setdefault((skill, lower), set()).add(agent.id)

    def _count_delays(self, queue_id: int) -> bool:
        delays = tuple(sorted({self.agents[one].rows[queue_id].delay for one in self._members[queue_id]}))
        changed = delays != self._delays.get(queue_id, ())
        self._delays[queue_id] = delays
        return changed

    def _mark_free(self, before: Agent | None, agent: Agent) -> None:
        present = agent.presence is Presence.AVAILABLE and not agent.absent
        as_before = before is not None and before.rows is agent.rows and before.presence is agent.presence
        as_before = as_before and before is not None and before.absent == agent.absent
        if before is None or not as_before or agent.live is not before.live:
            self._list(agent, PoolName.LIVE, free=present and agent.live.held < agent.live.capacity)
        if before is None or not as_before or agent.deferred is not before.deferred:
            self._list(agent, PoolName.DEFERRED, free=present and agent.deferred.held < agent.deferred.capacity)

    def _list(self, agent: Agent, pool: PoolName, *, free: bool) -> None:
        for queue_id in agent.rows:
            listed = self._free.setdefault((queue_id, pool), set())
            if free:
                listed.add(agent.id)
            else:
                listed.discard(agent.id)


_NOBODY: set[int] = set()


def same_profile(one: Agent, other: Agent) -> bool:
    """Whether both serve the same queues in the same way and know the same."""
    # The usual change (weights, presence) keeps the very same mappings: comparing those costs more than a decision.
    rows = one.rows is other.rows or one.rows == other.rows
    return rows and (one.skills is other.skills or one.skills == other.skills)
