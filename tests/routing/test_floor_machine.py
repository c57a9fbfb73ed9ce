"""A whole floor in memory, driven at random: the fast policy against the plain one, and I1-I3, I5, I6, I8."""

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from routing.facts import Agent, Ordering, Overflow, Queue, Row, Selection, Step, Work
from routing.policy import Decision, Floor
from routing.pools import WEIGHTS, Medium
from routing.states import Presence
from tests.routing.floors import T0, naive_choice, naive_decide
from tickets.states import Priority

QUEUES = (1, 2, 3)
SKILLS = (1, 2, 3)
AGENTS = range(1, 6)

skills = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5), max_size=3)
steps = st.sampled_from(
    [
        (Step(),),
        (Step(20, level=3), Step()),
        (Step(10, agent=True), Step(20, level=2), Step(needs=((1, 2),))),
        (Step(30, agent=True),),
    ]
)
queue_options = st.fixed_dictionaries(
    {
        "selection": st.sampled_from(Selection),
        "ordering": st.sampled_from(Ordering),
        "credit": st.sampled_from([0.0, 30.0]),
        "strict": st.sampled_from([0, 0, 0, 1]),
        "steps": steps,
        "overflows": st.sampled_from([(), (Overflow(1, 25.0),), (Overflow(2, 40.0), Overflow(3, 60.0))]),
        "max_offers": st.sampled_from([1, 10]),
    }
)
rows = st.dictionaries(st.sampled_from(QUEUES), st.sampled_from([0.0, 15.0, 50.0]), max_size=3)


@dataclass
class Held:
    """Work in an agent's hands, offered until `expires_at` or owned."""

    work: Work
    agent_id: int
    expires_at: float | None


class FloorMachine(RuleBasedStateMachine):
    """The floor under test beside a plain model of everything that happened."""

    @initialize(options=st.lists(queue_options, min_size=3, max_size=3))
    def open_the_floor(self, options: list[dict]) -> None:
        self.now = T0
        self.floor = Floor()
        self.queues: dict[int, Queue] = {}
        for queue_id, option in zip(QUEUES, options, strict=True):
            self._put_queue(Queue(queue_id, **{**option, "overflows": _others(queue_id, option["overflows"])}))
        self.agents: dict[int, Agent] = {}
        self.waiting: dict[int, Work] = {}
        self.hands: dict[int, Held] = {}
        self.exits = 0
        self.enqueued: dict[int, float] = {}
        self.log: list[Decision] = []

    @rule(agent_id=st.sampled_from(AGENTS), rows=rows, skills=skills, capacity=st.sampled_from([50, 100]))
    def hire_or_retrain(self, agent_id: int, rows: dict, skills: dict, capacity: int) -> None:
        before = self.agents.get(agent_id, Agent(agent_id, Presence.AVAILABLE))
        self._put_agent(
            replace(
                before,
                rows={queue: Row(queue, delay=delay) for queue, delay in rows.items()},
                skills=skills,
                live=replace(before.live, capacity=capacity),
            )
        )
        self._decide()

    @rule(
        agent_id=st.sampled_from(AGENTS),
        presence=st.sampled_from(Presence),
        absent=st.sampled_from([False, False, True]),
        media=st.sampled_from([frozenset(Medium), frozenset({Medium.CHAT, Medium.MAIL})]),
    )
    def change_presence(self, agent_id: int, presence: Presence, absent: bool, media: frozenset[Medium]) -> None:
        if agent_id in self.agents:
            self._put_agent(
                replace(
                    self.agents[agent_id],
                    presence=presence,
                    absent=absent,
                    media=media,
                    free_since=self.now,
                )
            )
            self._decide()

    @rule(
        queue=st.sampled_from(QUEUES),
        medium=st.sampled_from([Medium.CALL, Medium.CHAT, Medium.MAIL]),
        priority=st.sampled_from(Priority),
        skills=st.sampled_from([(), (), ((1, 2),), ((2, 1), (3, 4))]),
        wishes=st.sampled_from([(), (1,), (2, 3)]),
        preferred=st.sampled_from([None, 1, 2]),
        patience=st.sampled_from([0.0, 45.0]),
    )
    def enqueue(self, queue: int, medium: Medium, priority: Priority, skills, wishes, preferred, patience) -> None:
        work_id = len(self.enqueued) + 1
        self.enqueued[work_id] = self.now
        self._put_work(
            Work(
                work_id,
                queue,
                medium,
                WEIGHTS[medium],
                self.now,
                self.now,
                priority,
                skills=skills,
                wishes=wishes,
                preferred_id=preferred,
                preferred_until=self.now + patience,
            )
        )
        self._decide()

    @rule(seconds=st.sampled_from([0.5, 5.0, 15.0, 30.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.now + seconds
        while (at := min(self._next_expiry(), self.look_again_at)) <= until:
            self.now = max(at, self.now)
            for held in [one for one in self.hands.values() if one.expires_at and one.expires_at <= self.now]:
                self._return(held, {"tried": held.work.tried | {held.agent_id}})
                self._put_agent(replace(self.agents[held.agent_id], presence=Presence.NOT_RESPONDING))
            self._decide()
        self.now = until
        self._decide()

    @precondition(lambda self: self._offered())
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self._offered()))
        held.expires_at = None

    @precondition(lambda self: self._offered())
    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self._offered()))
        self._return(held, {"tried": held.work.tried | {held.agent_id}})
        self._decide()

    @precondition(lambda self: self._owned())
    @rule(data=st.data(), queue=st.sampled_from(QUEUES))
    def transfer(self, data: st.DataObject, queue: int) -> None:
        held = data.draw(st.sampled_from(self._owned()))
        self._return(held, {"queue_id": queue, "waiting_since": self.now, "tried": frozenset(), "round": 0})
        self._decide()

    @precondition(lambda self: self._owned())
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self._owned()))
        del self.hands[held.work.id]
        self.exits += 1
        self._release(held)
        self._decide()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def customer_leaves(self, data: st.DataObject) -> None:
        work_id = data.draw(st.sampled_from(sorted(self.waiting)))
        del self.waiting[work_id]
        self.floor.drop_work(work_id)
        self.exits += 1

    @rule(queue_id=st.sampled_from(QUEUES))
    def open_or_close(self, queue_id: int) -> None:
        queue = self.queues[queue_id]
        self._put_queue(replace(queue, is_open=not queue.is_open))
        self._decide()

    @invariant()
    def pools_are_never_exceeded(self) -> None:
        held: Counter[int] = Counter()
        for one in self.hands.values():
            held[one.agent_id] += one.work.weight if one.work.pool == "live" else 0
        for agent in self.agents.values():
            assert agent.live.held == held[agent.id]

    @invariant()
    def offers_end_in_time(self) -> None:
        assert all(one.expires_at is None or one.expires_at > self.now for one in self.hands.values())

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.enqueued) == self.exits + len(self.waiting) + len(self.hands)

    @invariant()
    def age_never_resets(self) -> None:
        everything = [*self.waiting.values(), *(one.work for one in self.hands.values())]
        assert all(work.enqueued_at == self.enqueued[work.id] for work in everything)

    @invariant()
    def nobody_idles_while_work_waits(self) -> None:
        for work in self.waiting.values():
            assert naive_choice(work, self.agents, self.queues, self.now) is None

    look_again_at = float("inf")

    def _decide(self) -> None:
        expected, rested = naive_decide(self.waiting, self.agents, self.queues, self.now)
        outcome = self.floor.decide(self.now)
        assert {one.work.id: one.agent.id for one in outcome.decisions} == expected
        assert {one.work.id: one.work for one in outcome.resets} == rested
        assert outcome.look_again_at > self.now
        self.look_again_at = outcome.look_again_at
        self.waiting.update(rested)
        for one in outcome.decisions:
            work = self.waiting.pop(one.work.id)
            assert work.id not in self.hands, "I1: one offer at a time"
            agent = self.agents[one.agent.id]
            assert agent.pool(work.pool).room >= work.weight, "I2: never above the pool"
            self.agents[agent.id] = agent.given(work.pool, work.weight, self.now)
            self.hands[work.id] = Held(work, agent.id, one.expires_at)

    def _return(self, held: Held, changes: dict) -> None:
        del self.hands[held.work.id]
        self._release(held)
        self._put_work(replace(held.work, offers=held.work.offers + 1, **changes))

    def _release(self, held: Held) -> None:
        agent = self.agents[held.agent_id]
        back = agent.given(held.work.pool, -held.work.weight, agent.last_assigned_at)
        self._put_agent(replace(back, free_since=self.now))

    def _put_queue(self, queue: Queue) -> None:
        self.queues[queue.id] = queue
        self.floor.put_queue(queue)

    def _put_agent(self, agent: Agent) -> None:
        self.agents[agent.id] = agent
        self.floor.put_agent(agent)

    def _put_work(self, work: Work) -> None:
        self.waiting[work.id] = work
        self.floor.put_work(work)

    def _offered(self) -> list[Held]:
        return [one for _, one in sorted(self.hands.items()) if one.expires_at is not None]

    def _owned(self) -> list[Held]:
        return [one for _, one in sorted(self.hands.items()) if one.expires_at is None]

    def _next_expiry(self) -> float:
        return min((one.expires_at for one in self._offered() if one.expires_at), default=float("inf"))


def _others(queue_id: int, overflows: tuple[Overflow, ...]) -> tuple[Overflow, ...]:
    return tuple(one for one in overflows if one.queue_id != queue_id)


FloorMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestFloorMachine = FloorMachine.TestCase
