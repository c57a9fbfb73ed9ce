"""A floor in virtual time: contacts arrive, the real policy hands them out, and what people live through is counted.

Nothing here decides who gets what: that is `routing.policy.Floor`, the very one of the running engine. Agents accept
at once, as far as they are told to be there.
"""

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from routing.facts import Agent, Need, Queue, Row, Step, Work
from routing.policy import Floor
from routing.pools import WEIGHTS, Medium
from routing.states import Presence
from routing.steps import NEVER
from routing.workforce.erlang import Load
from tickets.states import Priority

# What happens at a moment, in this order: who goes home gets nothing more, and who becomes free may take what gives up
# or arrives at that very moment.
LEAVES, DONE, COMES, GIVES_UP, ARRIVES = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Contact:
    """One customer: when they come (seconds), how long they keep an agent, and how long they wait at most."""

    at: float
    handle: float
    patience: float = math.inf
    queue_id: int = 1
    medium: Medium = Medium.CALL
    priority: Priority = Priority.MEDIUM
    skills: Need = ()
    wishes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """When an agent is there, in seconds; who is talking when it ends finishes that contact."""

    agent_id: int
    begins: float
    ends: float


@dataclass(slots=True)
class Day:
    """What a simulated floor went through; times in seconds. `waits` are of those who were answered."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    in_time: int = 0
    waits: list[float] = field(default_factory=list)
    gave_up_after: list[float] = field(default_factory=list)
    busy: dict[int, float] = field(default_factory=dict)
    began_at: float = 0.0
    ended_at: float = 0.0
    # The seconds that agents were there, where they come and go by shifts.
    on_shift: float = 0.0

    @property
    def service_level(self) -> float:
        """Answered within the target / offered; 1 when nothing was offered."""
        return self.in_time / self.offered if self.offered else 1.0

    @property
    def abandonment(self) -> float:
        return self.abandoned / self.offered if self.offered else 0.0

    @property
    def asa(self) -> float:
        """The average wait of those who were answered."""
        return sum(self.waits) / len(self.waits) if self.waits else 0.0

    @property
    def mean_wait(self) -> float:
        """The average wait of everybody whose wait has an end: those who were answered or gave up."""
        ended = len(self.waits) + len(self.gave_up_after)
        return (sum(self.waits) + sum(self.gave_up_after)) / ended if ended else 0.0

    @property
    def mean_handle(self) -> float:
        return sum(self.busy.values()) / self.answered if self.answered else 0.0

    @property
    def occupancy(self) -> float:
        """How much of their time the agents were busy: of their shifts, else from the beginning to the last contact."""
        paid = self.on_shift or len(self.busy) * (self.ended_at - self.began_at)
        return sum(self.busy.values()) / paid if paid else 0.0

    def wait_of(self, share: float) -> float:
        """The wait that this share of the answered did not exceed."""
        ordered = sorted(self.waits)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def random_day(load: Load, seconds: float, seed: int, *, patience: float | None = None) -> Iterator[Contact]:
    """Contacts at random for so many seconds: the assumptions of Erlang C, and of A where people have patience."""
    draw = random.Random(seed)
    at = draw.expovariate(load.rate) if load.rate else NEVER
    while at < seconds:
        waits = draw.expovariate(1 / patience) if patience else NEVER
        yield Contact(at, draw.expovariate(1 / load.aht), waits)
        at += draw.expovariate(load.rate)


def one_team(agents: int) -> tuple[list[Queue], list[Agent]]:
    """One queue and so many agents who are there, serve it and know the same."""
    rows = {1: Row(1)}
    return [Queue(1, steps=(Step(),))], [Agent(one, Presence.AVAILABLE, rows=rows) for one in range(1, agents + 1)]


def play(
    queues: Iterable[Queue],
    agents: Iterable[Agent],
    contacts: Iterable[Contact],
    *,
    target: float,
    shifts: Iterable[Shift] = (),
    began_at: float = 0.0,
) -> Day:
    """Let contacts (in order of arrival) come in until the last one has ended; `target` in seconds.

    With `shifts` agents come and go, and begin as `agents` say. Work that nobody there may ever take ends unanswered
    with the day.
    """
    playing = _Play(queues, agents, contacts, target)
    playing.day.began_at = began_at
    playing.plan(shifts)
    return playing.run()


class _Play:
    def __init__(
        self, queues: Iterable[Queue], agents: Iterable[Agent], contacts: Iterable[Contact], target: float
    ) -> None:
        self.floor = Floor()
        for queue in queues:
            self.floor.put_queue(queue)
        self.day = Day()
        for agent in agents:
            self.floor.put_agent(agent)
            self.day.busy[agent.id] = 0.0
        self.contacts = iter(contacts)
        self.target = target
        # (moment, what happens, number of the contact, agent id).
        self.agenda: list[tuple[float, int, int, int]] = []
        self.served: dict[int, Work] = {}
        self.waiting: dict[int, Contact] = {}
        self.coming: Contact | None = None

    def plan(self, shifts: Iterable[Shift]) -> None:
        for shift in shifts:
            heappush(self.agenda, (shift.begins, COMES, 0, shift.agent_id))
            heappush(self.agenda, (shift.ends, LEAVES, 0, shift.agent_id))
            self.day.on_shift += shift.ends - shift.begins

    def run(self) -> Day:
        look_again = NEVER
        self._call_next()
        agenda = self.agenda
        while agenda or look_again < NEVER:
            now, kind = agenda[0][:2] if agenda and agenda[0][0] <= look_again else (look_again, DONE)
            # Who becomes free at the moment in which somebody gives up is in time for them.
            while agenda and agenda[0][:2] <= (now, kind):
                self._happen(heappop(agenda))
            look_again = self._hand_out(now)
        self.day.abandoned += len(self.waiting)
        return self.day

    def _call_next(self) -> None:
        """Contacts are taken from their source one at a time: a simulated year need not fit into memory."""
        self.coming = next(self.contacts, None)
        if self.coming is not None:
            self.day.offered += 1
            heappush(self.agenda, (self.coming.at, ARRIVES, self.day.offered, 0))

    def _happen(self, event: tuple[float, int, int, int]) -> None:
        at, kind, number, agent_id = event
        if kind == DONE:
            self._end(at, self.served.pop(number), self.floor.staff.agents[agent_id])
        elif kind == GIVES_UP:
            self._give_up(at, number)
        elif kind in (COMES, LEAVES):
            agent = self.floor.staff.agents[agent_id]
            presence = Presence.AVAILABLE if kind == COMES else Presence.OFFLINE
            self.floor.put_agent(replace(agent, presence=presence, free_since=at))
        else:
            assert self.coming is not None
            self._arrive(number, self.coming)
            self._call_next()

    def _end(self, at: float, work: Work, agent: Agent) -> None:
        """The agent has room again."""
        self.floor.put_agent(agent.relieved(work.pool, work.weight, at))
        self.day.ended_at = at

    def _give_up(self, at: float, number: int) -> None:
        contact = self.waiting.pop(number, None)
        if contact is None:
            return
        self.floor.drop_work(number)
        self.day.abandoned += 1
        self.day.gave_up_after.append(at - contact.at)

    def _arrive(self, number: int, contact: Contact) -> None:
        self.waiting[number] = contact
        self.floor.put_work(
            Work(
                number,
                contact.queue_id,
                contact.medium,
                WEIGHTS[contact.medium],
                contact.at,
                contact.at,
                priority=contact.priority,
                skills=contact.skills,
                wishes=contact.wishes,
            )
        )
        if contact.patience < NEVER:
            heappush(self.agenda, (contact.at + contact.patience, GIVES_UP, number, 0))

    def _hand_out(self, now: float) -> float:
        """Let the policy decide; when it wants to look again by the mere passing of time."""
        outcome = self.floor.decide(now)
        for decision in outcome.decisions:
            contact = self.waiting.pop(decision.work.id)
            wait = now - contact.at
            self.day.answered += 1
            self.day.in_time += wait <= self.target
            self.day.waits.append(wait)
            self.day.busy[decision.agent.id] += contact.handle
            self.served[decision.work.id] = decision.work
            heappush(self.agenda, (now + contact.handle, DONE, decision.work.id, decision.agent.id))
        return outcome.look_again_at
