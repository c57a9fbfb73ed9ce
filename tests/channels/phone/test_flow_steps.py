"""The plan's ways as values: nobody is kept in a circle, and every end has a name."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone.flow.plan import LIMITS, Consent, Option, Plan, Way, mistakes, plan_of, read, write
from channels.phone.flow.steps import Spot, Step, Told, advance, begin, may_record, offers_callback

QUEUE, OTHER = 1, 2
MENU = Plan(options=(Option("1", OTHER), Option("2", None, "vi")))


def told(digits: str = "", *, is_open: bool = True, **values: object) -> Told:
    return Told(is_open=lambda _: is_open, digits=digits, **values)  # type: ignore[arg-type]


def after(plan: Plan, *keys: str, **values: object) -> Spot:
    spot = begin(plan, QUEUE, told(**values))  # type: ignore[arg-type]
    for key in keys:
        spot = advance(plan, spot, told(key, **values))  # type: ignore[arg-type]
    return spot


def test_a_key_leads_to_its_queue_in_its_language() -> None:
    assert (after(MENU).step, after(MENU).said) == (Step.MENU, "greeting")
    assert (after(MENU, "1").queue_id, after(MENU, "1").locale) == (OTHER, "en")
    assert (after(MENU, "2").queue_id, after(MENU, "2").locale) == (QUEUE, "vi")


@pytest.mark.parametrize(
    ("way", "step", "outcome"),
    [(Way.QUEUE, Step.WAITING, ""), (Way.VOICEMAIL, Step.VOICEMAIL, ""), (Way.HANG_UP, Step.BYE, "no_choice")],
)
def test_no_key_and_wrong_keys_end_where_the_plan_says(way: Way, step: Step, outcome: str) -> None:
    quiet = after(replace(MENU, nothing=way), "", "", "")
    wrong = after(replace(MENU, wrong=way), "7", "8", "9")
    assert [(spot.step, spot.outcome) for spot in (quiet, wrong)] == [(step, outcome)] * 2


def test_hearing_it_again_counts_too() -> None:
    assert (after(MENU, "*").step, after(MENU, "*").said) == (Step.MENU, "")
    assert after(MENU, "*", "*", "*").step is not Step.MENU


def test_the_hours_are_those_of_the_chosen_queue() -> None:
    hours = replace(MENU, hours=True)
    spot = begin(hours, QUEUE, told())
    closed = advance(hours, spot, Told(is_open=lambda queue_id: queue_id != OTHER, digits="1"))
    opened = advance(hours, spot, Told(is_open=lambda queue_id: queue_id != OTHER, digits="2"))
    assert (closed.step, closed.said, opened.step) == (Step.VOICEMAIL, "closed", Step.WAITING)


@pytest.mark.parametrize(
    ("consent", "recorded"), [("announced", True), ("given", True), ("refused", False), ("", False)]
)
def test_only_who_was_told_or_agreed_is_recorded(consent: str, recorded: bool) -> None:
    assert may_record(Plan(record=True, consent=Consent.ASK), consent) is recorded
    assert not may_record(Plan(record=False), consent)


def test_a_call_back_is_offered_after_its_wait_and_to_whom_it_can_be_made() -> None:
    plan = Plan(callback_after=60)
    assert offers_callback(plan, told(waited_seconds=60))
    assert not offers_callback(plan, told(waited_seconds=59))
    assert not offers_callback(plan, told(waited_seconds=60, reachable=False))
    assert after(plan, "1", waited_seconds=59).step is Step.WAITING


@given(
    keys=st.lists(st.sampled_from(["", "1", "2", "7", "*"]), min_size=40, max_size=40),
    plan=st.builds(
        Plan,
        options=st.sampled_from([(), MENU.options]),
        nothing=st.sampled_from(Way),
        wrong=st.sampled_from(Way),
        record=st.booleans(),
        consent=st.sampled_from(Consent),
        refused=st.sampled_from([Way.QUEUE, Way.HANG_UP]),
        tries=st.sampled_from([1, 2, 3]),
        voicemail=st.booleans(),
        callback=st.booleans(),
    ),
    is_open=st.booleans(),
)
def test_whatever_is_pressed_a_caller_comes_out_again(keys: list[str], plan: Plan, is_open: bool) -> None:
    spot = begin(plan, QUEUE, told(is_open=is_open))
    for waited, key in enumerate(keys):
        spot = advance(plan, spot, told(key, is_open=is_open, waited_seconds=waited * plan.interval))
    assert spot.step is Step.BYE


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"options": (Option("1"), Option("1"))}, "digit_1"),
        ({"options": (Option("*"),)}, "digit_0"),
        ({"options": (Option("A"),)}, "digit_0"),
        ({"options": (Option("1", 99),)}, "queue_0"),
        ({"options": (Option("1", QUEUE, "xx"),)}, "locale_0"),
        ({"voicemail": False}, "closed"),
        ({"closed": Way.QUEUE}, "closed"),
        ({"refused": Way.VOICEMAIL}, "refused"),
        ({"record": True, "consent": Consent.NONE}, "consent"),
        ({"music": "http://shop.test/a.mp3"}, "music"),
        ({"greeting_audio": "https://shop.test/a b.mp3"}, "greeting_audio"),
        ({"tries": 4}, "tries"),
        ({"texts": {"greeting": {"vi": "a" * 801}}}, "greeting_vi"),
        *[({name: high + 1}, name) for name, (_, high) in LIMITS.items()],
    ],
)
def test_a_plan_that_would_strand_a_caller_is_refused_at_its_field(change: dict[str, object], field: str) -> None:
    assert mistakes(MENU, {QUEUE, OTHER}) == []
    assert field in [name for name, _ in mistakes(replace(MENU, **change), {QUEUE, OTHER})]  # type: ignore[arg-type]


def test_a_plan_is_stored_and_read_again_unless_it_is_switched_off() -> None:
    stored = write(MENU, enabled=True)
    assert plan_of({"plan": stored}) == MENU
    assert plan_of({"plan": write(MENU, enabled=False)}) is None
    assert plan_of({}) is None
    assert read({**stored, "of a newer version": 1}) == MENU
