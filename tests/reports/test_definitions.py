"""The formulas of the floor: ratios, intervals, blended targets, and what an agent is doing."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, literal, select

from contact_center.core.db import Database
from contact_center.core.schema import UtcDateTime
from contact_center.reports.definitions import MEANINGS, NAMES, Counts, Metric, activity, blended_target, wilson
from contact_center.reports.sql import elapsed
from routing.states import Activity

numbers = st.integers(0, 500)
counts = st.builds(
    lambda answered, within, wait, abandoned, out: Counts(answered, min(within, answered), wait, abandoned, out),
    numbers,
    numbers,
    st.integers(0, 10_000).map(float),
    numbers,
    numbers,
)


@given(counts, counts)
def test_two_stretches_add_up_to_one(one: Counts, other: Counts) -> None:
    both = one + other
    assert both.offered == one.offered + other.offered
    assert both.wait == one.wait + other.wait


@given(counts)
def test_shares_stay_between_nothing_and_all(some: Counts) -> None:
    if some.offered == 0:
        assert some.service_level is None
        assert some.abandonment is None
    else:
        assert 0 <= (some.service_level or 0) <= 100
        assert 0 <= (some.abandonment or 0) <= 100


def test_a_wait_that_was_canceled_is_in_no_ratio() -> None:
    assert Counts().offered == 0
    assert Counts().asa is None


@given(st.integers(1, 1000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_its_share(case: tuple[int, int]) -> None:
    share = wilson(*case)
    assert share is not None
    assert 0 <= share.low <= share.percent + 1e-9
    assert share.percent - 1e-9 <= share.high <= 100


def test_the_interval_is_wilsons() -> None:
    share = wilson(8, 10)
    assert share is not None
    assert (round(share.low, 2), round(share.high, 2)) == (49.02, 94.33)
    assert wilson(0, 0) is None


def test_a_busy_queue_weighs_more_in_the_target_of_all() -> None:
    assert blended_target({1: 80, 2: 90}, {1: Counts(answered=30), 2: Counts(answered=10)}) == 82.5
    assert blended_target({1: 80, 2: 90}, {}) == 85
    assert blended_target({}, {}) is None


def test_a_contact_goes_before_an_offer_and_an_offer_before_wrap_up() -> None:
    assert activity(on_contact=1, incoming=1, wrapping=1) is Activity.ON_CONTACT
    assert activity(on_contact=0, incoming=1, wrapping=1) is Activity.INCOMING
    assert activity(on_contact=0, incoming=0, wrapping=2) is Activity.ACW
    assert activity(on_contact=0, incoming=0, wrapping=0) is Activity.IDLE


def test_every_number_says_what_it_means() -> None:
    assert set(NAMES) == set(MEANINGS) == set(Metric)
    # A bare percent sign would break the templates' translation.
    assert not any("%" in text for text in MEANINGS.values())


@pytest.mark.parametrize("span", [0.0, 0.5, 19.999, 20.0, 20.001, 86_399.25])
async def test_spans_are_the_same_on_both_databases(db: Database, now: datetime, span: float) -> None:
    def measure(tx: Connection) -> float:
        moment = UtcDateTime()
        later = literal(now + timedelta(seconds=span), moment)
        return tx.execute(select(elapsed(later, literal(now, moment)))).scalar_one()

    assert await db.read(measure) == pytest.approx(span, abs=0.0005)
