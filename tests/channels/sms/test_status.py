"""Delivery only moves forward, in whatever order the carrier's receipts come."""

from itertools import permutations

import pytest

from channels.sms.status import from_twilio
from tickets.states import Delivery, moves_forward


def after(state: Delivery, *words: str) -> Delivery:
    for word in words:
        reported = from_twilio(word)
        if reported and moves_forward(state, reported):
            state = reported
    return state


def test_every_order_of_the_same_receipts_ends_in_the_same_state() -> None:
    for order in permutations(["queued", "sent", "delivered", "read"]):
        assert after(Delivery.SENDING, *order) is Delivery.READ
    for order in permutations(["accepted", "sent", "undelivered"]):
        assert after(Delivery.SENDING, *order) is Delivery.FAILED


@pytest.mark.parametrize(("word", "state"), [("sent", "sent"), ("undelivered", "failed"), ("delivered", "delivered")])
def test_any_word_of_the_carrier_settles_an_uncertain_message(word: str, state: str) -> None:
    assert after(Delivery.UNCERTAIN, word) == state


def test_a_word_that_twilio_invents_later_changes_nothing() -> None:
    assert from_twilio("teleported") is None
    assert from_twilio(" Delivered ") is Delivery.DELIVERED
