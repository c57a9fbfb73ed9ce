"""What a call is follows from its facts, in whatever order they arrive."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone.states import FINAL, CallState, Direction, Ending, Facts, state_of, talk_seconds

T0 = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RANG = Facts(rang_at=T0)
ANSWERED = Facts(answered_at=T0 + timedelta(seconds=12))


def ended(word: Ending) -> Facts:
    return Facts(ended_at=T0 + timedelta(seconds=90), ending=word)


@pytest.mark.parametrize(
    ("facts", "inward", "outward"),
    [
        ([], "ringing", "ringing"),
        ([RANG], "ringing", "ringing"),
        ([RANG, ANSWERED], "answered", "answered"),
        ([RANG, ANSWERED, ended(Ending.HUNG_UP)], "completed", "completed"),
        ([RANG, ANSWERED, ended(Ending.FAILED)], "completed", "completed"),
        ([RANG, ended(Ending.HUNG_UP)], "missed", "no_answer"),
        ([RANG, ended(Ending.CANCELED)], "missed", "no_answer"),
        ([RANG, ended(Ending.BUSY)], "missed", "busy"),
        ([RANG, ended(Ending.FAILED)], "missed", "failed"),
        ([ended(Ending.HUNG_UP)], "completed", "completed"),
        ([ended(Ending.NO_ANSWER)], "missed", "no_answer"),
    ],
)
def test_each_story_has_its_state_in_every_order(facts: list[Facts], inward: str, outward: str) -> None:
    for order in permutations(facts):
        told = Facts()
        for fact in order:
            told = told.merge(fact).merge(fact)
        assert state_of(told, Direction.IN) == inward
        assert state_of(told, Direction.OUT) == outward


def test_an_answer_told_after_the_end_turns_a_missed_call_into_a_completed_one() -> None:
    told = RANG.merge(ended(Ending.HUNG_UP))
    assert state_of(told, Direction.IN) is CallState.MISSED
    assert state_of(told.merge(ANSWERED), Direction.IN) is CallState.COMPLETED
    assert talk_seconds(told.merge(ANSWERED)) == 78
    assert talk_seconds(told) == 0


moments = st.none() | st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1), timezones=st.just(UTC))
some_facts = st.builds(Facts, moments, moments, moments, st.none() | st.sampled_from(Ending))


@given(st.lists(some_facts, max_size=5), st.randoms(), st.sampled_from(Direction))
def test_order_and_repetition_never_matter(told: list[Facts], random: "object", direction: Direction) -> None:
    def total(facts: list[Facts]) -> Facts:
        known = Facts()
        for fact in facts:
            known = known.merge(fact)
        return known

    shuffled = [*told, *told]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total(told) == total(shuffled)
    assert (state_of(total(told), direction) in FINAL) == (total(told).ending is not None)
