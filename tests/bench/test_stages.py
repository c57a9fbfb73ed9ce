"""Every stage from its preparation to its verdict, small: on real processes, PostgreSQL and Redis."""

import pytest

from bench.__main__ import STAGES
from bench.stage import TINY, Result, run
from tests import databases
from tests.contracts.test_bus import require_redis

pytestmark = [pytest.mark.postgres, pytest.mark.redis]


async def measured(goal: str) -> list[Result]:
    await require_redis()
    async with STAGES[goal](TINY) as stage:
        return await run(stage, TINY)


@pytest.fixture(scope="module", autouse=True)
def _postgres() -> None:
    databases.require_postgres()


@pytest.mark.long
@pytest.mark.parametrize("goal", ["G1", "G2", "G4", "G10"])
async def test_a_stage_measures_both_sides(goal: str) -> None:
    for found in await measured(goal):
        assert found.goal == goal
        assert found.value > 0
        assert found.limit is not None
        assert min(found.limit, found.subject, found.cpu_subject_us) > 0
        assert found.rounds == TINY.rounds - 1


@pytest.mark.long
async def test_the_list_is_filled_once_and_kept() -> None:
    (first,), (second,) = await measured("G12"), await measured("G12")
    assert first.notes == second.notes == {"tickets": 5_000}
    assert min(first.value, second.value) > 1


@pytest.mark.long
@pytest.mark.parametrize("goal", ["G8", "G9", "G9A", "STORY", "STORY-PG"])
async def test_a_stage_with_a_whole_floor_measures_what_people_see(goal: str) -> None:
    for found in await measured(goal):
        assert found.goal == goal
        assert found.subject >= 0
        assert found.cpu_subject_us > 0
