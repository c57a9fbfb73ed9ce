"""Lanes: waiting work that looks the same to every agent, so that a whole backlog is judged by its first item."""

from collections.abc import Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush

from routing.facts import Agent, Need
from routing.pools import Medium, PoolName, pool_of
from routing.ranking import WorkKey, handicap

Door = tuple[int, float]
"""Through which agents see a lane: (queue id, delay of their profile row), or (agent id, ONLY) for one agent."""
ONLY = -1.0
LaneKey = tuple[int, Medium, int, Need]
"""Home queue, medium, weight, need."""
SLACK = 64
EMPTY_LANES = 4096


class Lane:
    """A heap of work keys with lazy removal, and the agents who see it."""

    __slots__ = ("door", "heap", "home", "key", "medium", "members", "need", "pool", "viewers", "weight")

    def __init__(self, door: Door, key: LaneKey) -> None:
        self.door = door
        self.key = key
        self.home, self.medium, self.weight, self.need = key
        self.pool: PoolName = pool_of(self.medium)
        self.heap: list[WorkKey] = []
        self.members: dict[int, WorkKey] = {}
        self.viewers: set[int] = set()

    def add(self, key: WorkKey) -> None:
        self.members[key[2]] = key
        heappush(self.heap, key)

    def remove(self, work_id: int) -> None:
        self.members.pop(work_id, None)
        if len(self.heap) > SLACK + 2 * len(self.members):
            self.heap = list(self.members.values())
            heapify(self.heap)

    def first(self) -> WorkKey | None:
        """The key of the work that comes first, None when nothing is left."""
        heap, members = self.heap, self.members
        while heap:
            key = heap[0]
            if members.get(key[2]) == key:
                return key
            heappop(heap)
        return None

    def is_seen_by(self, agent: Agent) -> bool:
        """Whether the agent's profile and skills suit the lane."""
        number, delay = self.door
        if delay == ONLY:
            return agent.id == number
        row = agent.rows.get(number)
        return row is not None and row.delay == delay and agent.knows(self.need)

    def handicap(self, agent: Agent) -> float:
        """How much younger the lane's work counts for this viewer."""
        number, delay = self.door
        return 0.0 if delay == ONLY else handicap(agent.rows[number], self.pool)


class Lanes:
    """All lanes, by door and by the agents who see them. Empty lanes stay until there are too many of them."""

    def __init__(self) -> None:
        self._doors: dict[Door, dict[LaneKey, Lane]] = {}
        self._views: dict[tuple[int, PoolName], dict[Lane, float]] = {}
        self._empty = 0

    def seen_by(self, agent_id: int, pool: PoolName) -> Collection[tuple[Lane, float]]:
        """The lanes of a pool that an agent sees, each with its handicap."""
        view = self._views.get((agent_id, pool))
        return view.items() if view else ()

    def add(self, door: Door, lane_key: LaneKey, able: Iterable[Agent], key: WorkKey) -> Lane:
        """Put work into its lane; the first one makes the lane, which those of `able` see that its door lets in."""
        lanes = self._doors.setdefault(door, {})
        lane = lanes.get(lane_key)
        if lane is None:
            lane = lanes[lane_key] = Lane(door, lane_key)
            for agent in able:
                self._show(lane, agent)
        elif not lane.members:
            self._empty -= 1
        lane.add(key)
        return lane

    def remove(self, lane: Lane, work_id: int) -> None:
        """Take work out of its lane."""
        lane.remove(work_id)
        if not lane.members:
            self._empty += 1
            if self._empty > EMPTY_LANES:
                self._prune()

    def review(self, agent: Agent, queue_ids: Iterable[int]) -> None:
        """Show an agent whose profile or skills changed the lanes that suit now."""
        for pool in PoolName:
            view = self._views.get((agent.id, pool), {})
            for lane in [one for one in view if one.door[1] != ONLY]:
                lane.viewers.discard(agent.id)
                del view[lane]
        for queue_id in queue_ids:
            for lane in self._doors.get((queue_id, agent.rows[queue_id].delay), {}).values():
                self._show(lane, agent)

    def __iter__(self) -> Iterator[Lane]:
        for lanes in self._doors.values():
            yield from lanes.values()

    def _show(self, lane: Lane, agent: Agent) -> None:
        if lane.is_seen_by(agent):
            lane.viewers.add(agent.id)
            self._views.setdefault((agent.id, lane.pool), {})[lane] = lane.handicap(agent)

    def _prune(self) -> None:
        for door, lanes in list(self._doors.items()):
            for lane in [one for one in lanes.values() if not one.members]:
                del lanes[lane.key]
                for agent_id in lane.viewers:
                    del self._views[agent_id, lane.pool][lane]
            if not lanes:
                del self._doors[door]
        self._empty = 0
