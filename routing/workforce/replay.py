"""A call log through the real policy in virtual time: who would have waited how long. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import attrgetter

from routing.states import Presence
from routing.workforce.history import Figures, PastCall, shifts_of
from routing.workforce.simulate import Contact, Day, one_team, play


def contacts_of(calls: Sequence[PastCall], figures: Figures, seed: int) -> Iterator[Contact]:
    """The offered calls in the order of their arrival; talks and patience as far as the log knows them.

    Who gave up would have given up then; how long they would have talked is another call's talk, by lot. Who was
    answered would have waited on: longer by the patience of that log (patience forgets, so what is left is as long).
    """
    draw = random.Random(seed)
    # The lot falls alike however the log is ordered: file and ledger order the calls of one second differently.
    offered = sorted((one for one in calls if not one.left_menu), key=attrgetter("queued_at", "wait", "handle"))
    talks = [call.handle for call in offered if call.answered] or [0.0]
    for call in offered:
        handle = call.handle if call.answered else draw.choice(talks)
        patience = call.wait
        if call.answered:
            patience = call.wait + draw.expovariate(1 / figures.patience) if figures.patience else float("inf")
        yield Contact(call.queued_at, handle, patience)


def replay(
    calls: Sequence[PastCall], figures: Figures, *, target: float, agents: int | None = None, pause: float, seed: int
) -> tuple[int, Day]:
    """The number of agents and the day that they make of the log's calls.

    Those of the log at their times, one team; or `agents` who are there all along.
    """
    names, shifts = shifts_of(calls, pause)
    contacts = contacts_of(calls, figures, seed)
    if agents is not None:
        queues, team = one_team(agents)
        began = min((call.queued_at for call in calls), default=0.0)
        return agents, play(queues, team, contacts, target=target, began_at=began)
    queues, team = one_team(len(names))
    team = [replace(agent, presence=Presence.OFFLINE) for agent in team]
    return len(names), play(queues, team, contacts, target=target, shifts=shifts)
