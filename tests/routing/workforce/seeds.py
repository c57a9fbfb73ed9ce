"""One seed of the comparison with theory, for a process of its own."""

import gc

from routing.workforce.erlang import Load
from routing.workforce.simulate import one_team, play, random_day

Figures = tuple[float, float, float, float]
"""Service level, ASA, abandonment, occupancy."""


def figures_of_seed(
    load: Load, agents: int, target: float, patience: float | None, contacts: int, seed: int
) -> Figures:
    """What one long random day on one team comes to."""
    # A million contacts make no cycles: nothing is gained by looking for them.
    gc.disable()
    day = play(*one_team(agents), random_day(load, contacts / load.rate, seed, patience=patience), target=target)
    return day.service_level, day.asa, day.abandonment, day.occupancy
