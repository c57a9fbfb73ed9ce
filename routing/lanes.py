"""Lanes: waiting work that looks the same to every agent, so that a whole backlog is judged by its first item."""

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush

from routing.facts import Need
from routing.pools import Medium, PoolName, pool_of
from routing.ranking import WorkKey

Door = tuple[int, float]
"""Through which agents see a lane: (queue id, delay of their profile row), or (agent id, ONLY) for one agent."""
ONLY = -1.0
LaneKey = tuple[int, Medium, int, Need]
"""Home queue, medium, weight, need."""
SLACK = 64


class Lane:
    """A heap of work keys with lazy removal; `able` is the live set of agents with row and skills."""

    __slots__ = ("able", "door", "heap", "home", "key", "medium", "members", "pool", "weight")

    def __init__(self, door: Door, key: LaneKey, able: set[int]) -> None:
        self.door = door
        self.key = key
        self.home, self.medium, self.weight, _ = key
        self.pool: PoolName = pool_of(self.medium)
        self.able = able
        self.heap: list[WorkKey] = []
        self.members: dict[int, WorkKey] = {}

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


class Lanes:
    """All lanes that hold something, by the door through which agents see them."""

    def __init__(self) -> None:
        self._doors: dict[Door, dict[LaneKey, Lane]] = {}

    def behind(self, door: Door) -> Iterable[Lane]:
        """The lanes behind one door."""
        lanes = self._doors.get(door)
        return lanes.values() if lanes else ()

    def add(self, door: Door, lane_key: LaneKey, able: set[int], key: WorkKey) -> Lane:
        """Put work into its lane, which is made when it is the first."""
        lanes = self._doors.setdefault(door, {})
        lane = lanes.get(lane_key)
        if lane is None:
            lane = lanes[lane_key] = Lane(door, lane_key, able)
        lane.add(key)
        return lane

    def remove(self, lane: Lane, work_id: int) -> None:
        """Take work out; an empty lane goes away."""
        lane.remove(work_id)
        if not lane.members:
            lanes = self._doors[lane.door]
            lanes.pop(lane.key, None)
            if not lanes:
                del self._doors[lane.door]

    def __iter__(self) -> Iterator[Lane]:
        for lanes in self._doors.values():
            yield from lanes.values()
