"""Delivery only moves forward, in whatever order receipts come."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.status import advance, from_twilio
from tickets.states import Delivery


@pytest.mark.parametrize(
    ("before", "reported", "after"),
    [
        ("sending", "sent", "sent"),
        ("sent", "delivered", "delivered"),
        ("sent", "failed", "failed"),
        ("delivered", "sent", "delivered"),
        ("delivered", "failed", "delivered"),
        ("delivered", "read", "read"),
        ("failed", "sent", "failed"),
        ("failed", "delivered", "delivered"),
        ("canceled", "sent", "canceled"),
        ("uncertain", "sent", "sent"),
        ("uncertain", "failed", "failed"),
        ("uncertain", "queued", "uncertain"),
        ("queued", "delivered", "delivered"),
    ],
)
def test_each_report_moves_forward_or_stays(before: str, reported: str, after: str) -> None:
    assert advance(Delivery(before), Delivery(reported)) == after


def test_every_order_of_the_same_receipts_ends_in_the_same_state() -> None:
    for order in permutations(["queued", "sent", "delivered", "read"]):
        state = Delivery.SENDING
        for word in order:
            reported = from_twilio(word)
            assert reported is not None
            state = advance(state, reported)
        assert state is Delivery.READ


@given(st.lists(st.sampled_from(list(Delivery)), max_size=20))
def test_no_state_is_ever_visited_twice(reports: list[Delivery]) -> None:
    state, seen = Delivery.QUEUED, [Delivery.QUEUED]
    for report in reports:
        after = advance(state, report)
        if after is not state:
            assert after not in seen
            seen.append(after)
            state = after


def test_a_word_that_twilio_invents_later_changes_nothing() -> None:
    assert from_twilio("teleported") is None
    assert from_twilio(" Delivered ") is Delivery.DELIVERED
