"""The engine of one process: keeps the floor in memory, decides on it, and makes its decisions true.

Any number may run, in any number of processes, without a leader: the floor is only a picture of the rows, a claim
decides, and whoever loses one looks again. Pokes name the rows that changed; once a second every version is compared,
so that a lost poke costs at most that second.
"""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.db import Database
from contact_center.core.loops import Loop
from routing import claims
from routing.explanation import explain_decision, explain_waiting
from routing.loading import load_agents, load_queues, load_works
from routing.models import AgentState, WorkItem
from routing.policy import Decision, Floor, Outcome
from routing.states import WorkItemState

SWEEP_SECONDS = 1.0
SHORTEST_PAUSE = 0.02
BATCH = 20
"""Decisions per transaction: others wait no longer than these for the rows."""

_VERSIONS = select(WorkItem.id, WorkItem.version).where(WorkItem.state == WorkItemState.QUEUED.value)
_AGENT_VERSIONS = select(AgentState.user_id, AgentState.version, AgentState.out_until)


@dataclass(slots=True)
class Marks:
    """Rows that may have changed since the floor last saw them."""

    works: set[int] = field(default_factory=set)
    agents: set[int] = field(default_factory=set)
    queues: bool = False
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.works or self.agents or self.queues or self.everything)

    def merge(self, other: "Marks") -> None:
        self.works |= other.works
        self.agents |= other.agents
        self.queues |= other.queues
        self.everything |= other.everything


@dataclass(frozen=True, slots=True)
class Done:
    """What one transaction did: decisions that became true, rows to look at again, whether and when."""

    decided: int
    lost: Marks
    again: bool
    look_again_at: float


class Engine:
    """A floor, the versions of the rows it shows, and what to look at again."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.id = uuid.uuid4().hex[:12]
        self.floor = Floor()
        self.loop = Loop("routing", self.step, SWEEP_SECONDS, frozenset({"routing", "queues"}))
        self._works: dict[int, int] = {}
        self._agents: dict[int, int] = {}
        self._marks = Marks(everything=True)
        self._touched = Marks()
        self._swept_at = 0.0
        self._look_again_at = 0.0

    def on_pokes(self, pokes: Sequence[Poke]) -> None:
        """Remember which rows changed (any process's writes end up here)."""
        for poke in pokes:
            if poke.topic == "routing" and self._concerns(poke.data):
                _add(self._marks.works, self._to_load(poke.data))
                for name in ("agent_id", "previous_agent_id", "user_id"):
                    _add(self._marks.agents, poke.data.get(name))
            elif poke.topic == "queues":
                # With its rules the work of a whole queue may have changed, more than a poke names.
                self._marks.everything = True

    def _concerns(self, data: Mapping[str, Any]) -> bool:
        """What this engine did itself it knows; an accepted offer leaves room and queues as they were."""
        accepted = data.get("event") == "offer.accepted" and data["work_item_id"] not in self._works
        return data.get("by_engine") != self.id and not accepted

    def _to_load(self, data: Mapping[str, Any]) -> int | None:
        """The work item to look at again: one that waits now, or that the floor still shows as waiting."""
        work_id: int | None = data.get("work_item_id")
        waits = data.get("state", WorkItemState.QUEUED.value) == WorkItemState.QUEUED.value
        return work_id if waits or work_id in self._works else None

    def resync(self) -> None:
        """Pokes may have been missed."""
        self._marks.everything = True

    async def step(self) -> bool:
        """Look at what changed and decide; True when there is more to decide at once."""
        if monotonic() - self._swept_at >= SWEEP_SECONDS:
            self._marks.everything = True
        marks, self._marks = self._marks, Marks()
        now = utcnow()
        if not marks and now.timestamp() < self._look_again_at:
            # Only its own decisions were heard of.
            self._pause(now)
            return False
        try:
            done = await self.db.write(self.decide, marks, now=now)
        except BaseException:
            self._marks.everything = True
            raise
        self._touched = Marks()
        self._marks.merge(done.lost)
        if marks.everything:
            self._swept_at = monotonic()
        self._look_again_at = 0.0 if done.again else done.look_again_at
        self._pause(now)
        return done.again

    def _pause(self, now: datetime) -> None:
        self.loop.interval = min(max(self._look_again_at - now.timestamp(), SHORTEST_PAUSE), SWEEP_SECONDS)

    def decide(self, tx: Connection, marks: Marks, *, now: datetime) -> Done:
        """One transaction: refresh the floor, rank in memory, claim, settle."""
        # A transaction that failed and runs again must not trust what it did to the floor the first time.
        marks.merge(self._touched)
        self._touched = Marks()
        self.refresh(tx, marks, now=now)
        records: dict[int, dict[str, Any]] = {}

        def witness(choice: Decision) -> None:
            records[choice.work.id] = explain_decision(self.floor, choice, now.timestamp())

        outcome = self.floor.decide(now.timestamp(), limit=BATCH, witness=witness)
        self._touched.works = {one.work.id for one in outcome.decisions} | {one.work.id for one in outcome.resets}
        self._touched.agents = {one.agent.id for one in outcome.decisions}
        lost = self._make_true(tx, outcome, records, now=now)
        again = len(outcome.decisions) == BATCH or bool(lost.works or lost.agents)
        return Done(len(outcome.decisions) - len(lost.works), lost, again, outcome.look_again_at)

    def _make_true(
        self, tx: Connection, outcome: Outcome, records: dict[int, dict[str, Any]], *, now: datetime
    ) -> Marks:
        """Write the outcome down; the marks are what somebody else changed first."""
        lost = Marks()
        choices = [(one, self._works.pop(one.work.id)) for one in outcome.decisions]
        won = claims.claim(tx, choices, now=now)
        winners = {one.choice.work.id for one in won}
        for choice, _ in choices:
            if choice.work.id not in winners:
                lost.works.add(choice.work.id)
                lost.agents.add(choice.agent.id)
        for one in won:
            claims.settle(tx, one, records[one.choice.work.id], by_engine=self.id, now=now)
            agent_id = one.choice.agent.id
            if one.agent_version != self._agents.get(agent_id, 0) + 1:
                lost.agents.add(agent_id)
            self._agents[agent_id] = one.agent_version
        for reset in outcome.resets:
            record = explain_waiting(self.floor, reset.work, now.timestamp())
            version = self._works[reset.work.id]
            if claims.let_rest(tx, reset, version, record, now=now):
                self._works[reset.work.id] = version + 1
            else:
                lost.works.add(reset.work.id)
        return lost

    def decide_all(self, tx: Connection, now: datetime) -> int:
        """Decide until nothing is left, in this transaction and at this moment, past or present; how many it were."""
        return self._decide_until_done(tx, Marks(everything=True), now)[0]

    def decide_marked(self, tx: Connection, now: datetime) -> float:
        """The same for what pokes have marked alone; returns the timestamp at which to look again without a poke."""
        marks, self._marks = self._marks, Marks()
        return self._decide_until_done(tx, marks, now)[1]

    def _decide_until_done(self, tx: Connection, marks: Marks, now: datetime) -> tuple[int, float]:
        decided = 0
        while True:
            done = self.decide(tx, marks, now=now)
            self._touched = Marks()
            decided += done.decided
            marks = done.lost
            if not done.again:
                return decided, done.look_again_at

    def refresh(self, tx: Connection, marks: Marks, *, now: datetime) -> None:
        """Bring the floor up to date with the rows that are marked, or with all whose version is another one."""
        if marks.queues or marks.everything:
            self._refresh_queues(tx, now)
        works, agents = set(marks.works), set(marks.agents)
        if marks.everything:
            works |= self._changed_works(tx)
            agents |= self._changed_agents(tx)
        self._refresh_agents(tx, agents, now)
        self._refresh_works(tx, works, now)

    def _refresh_queues(self, tx: Connection, now: datetime) -> None:
        queues = load_queues(tx, now=now)
        for queue in queues.values():
            self.floor.put_queue(queue)
        for queue_id in self.floor.queues.keys() - queues.keys():
            # Switched off: its work stays where it is until somebody moves it.
            self.floor.put_queue(replace(self.floor.queues[queue_id], is_open=False))

    def _refresh_agents(self, tx: Connection, ids: Collection[int], now: datetime) -> None:
        found = load_agents(tx, ids, now=now)
        for agent_id in ids:
            if agent_id in found:
                agent, self._agents[agent_id] = found[agent_id]
                self.floor.put_agent(agent)
                self.floor.wake_agent(agent_id)
            elif self._agents.pop(agent_id, None) is not None:
                self.floor.drop_agent(agent_id)

    def _refresh_works(self, tx: Connection, ids: Collection[int], now: datetime) -> None:
        found = load_works(tx, ids)
        if any(work.queue_id not in self.floor.queues for work, _ in found.values()):
            self._refresh_queues(tx, now)
        for work_id in ids:
            if work_id in found and found[work_id][0].queue_id in self.floor.queues:
                work, self._works[work_id] = found[work_id]
                self.floor.put_work(work)
            elif self._works.pop(work_id, None) is not None:
                self.floor.drop_work(work_id)

    def _changed_works(self, tx: Connection) -> set[int]:
        rows: Iterable[Any] = tx.execute(_VERSIONS)
        return _differences(self._works, {row.id: row.version for row in rows})

    def _changed_agents(self, tx: Connection) -> set[int]:
        rows = tx.execute(_AGENT_VERSIONS).all()
        changed = _differences(self._agents, {row.user_id: row.version for row in rows})
        # Somebody's absence ends by the clock alone.
        return changed | {row.user_id for row in rows if row.out_until is not None}


def _differences(seen: dict[int, int], stored: dict[int, int]) -> set[int]:
    """The ids that are new, gone, or of another version."""
    gone = seen.keys() - stored.keys()
    return {one for one, version in stored.items() if seen.get(one) != version} | gone


def _add(ids: set[int], value: int | None) -> None:
    if value is not None:
        ids.add(value)
