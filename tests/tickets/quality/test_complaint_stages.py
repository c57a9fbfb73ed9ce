"""The table of a complaint's stages and its guards."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.quality.complaint_stages import (
    MOVES,
    ComplaintFacts,
    Decision,
    IllegalMove,
    Severity,
    Stage,
    check_move,
    checks,
    due_at,
    moves_from,
)

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
FRESH = ComplaintFacts(Stage.RECEIVED, NOW)
FULL = ComplaintFacts(
    Stage.RECEIVED,
    NOW,
    severity=Severity.LOW,
    owner_id=1,
    subject_agent_id=2,
    acknowledgement="mail 12",
    findings="the parcel was lost",
    decision=Decision.UPHELD,
    reasons="We lost it.",
    remedy="Money back",
    root_cause="carrier",
    communicated="mail 13",
)

facts = st.builds(
    ComplaintFacts,
    st.sampled_from(Stage),
    st.just(NOW),
    severity=st.none() | st.sampled_from(Severity),
    owner_id=st.none() | st.integers(1, 3),
    subject_agent_id=st.none() | st.integers(1, 3),
    acknowledgement=st.sampled_from(["", " ", "mail"]),
    findings=st.sampled_from(["", "lost"]),
    decision=st.none() | st.sampled_from(Decision),
    reasons=st.sampled_from(["", "because"]),
    remedy=st.sampled_from(["", "money"]),
    root_cause=st.sampled_from(["", "carrier"]),
    communicated=st.sampled_from(["", "mail"]),
)


def problems(complaint: ComplaintFacts, target: Stage, reason: str = "") -> tuple[str, ...]:
    with pytest.raises(IllegalMove) as caught:
        check_move(complaint, target, reason=reason)
    return caught.value.problems


@pytest.mark.parametrize("move", MOVES, ids=lambda m: f"{m.source}-{m.target}")
def test_every_move_of_the_table_is_allowed_when_all_is_known(move) -> None:
    assert check_move(replace(FULL, stage=move.source), move.target, reason="appeal") is move


def test_a_fresh_complaint_reaches_the_end_step_by_step() -> None:
    stage = Stage.RECEIVED
    for target in list(Stage)[1:]:
        stage = check_move(replace(FULL, stage=stage), target).target
    assert stage is Stage.CLOSED


def test_a_move_the_table_does_not_know_names_the_ones_it_does() -> None:
    with pytest.raises(IllegalMove) as caught:
        check_move(FULL, Stage.CLOSED)
    assert caught.value.detail == "A complaint that is received cannot become closed. Next is: acknowledged."


def test_assessing_needs_a_severity_and_an_owner() -> None:
    acknowledged = replace(FRESH, stage=Stage.ACKNOWLEDGED)
    assert problems(acknowledged, Stage.ASSESSED) == (
        "Choose a severity.",
        "Name an owner who answers for the complaint.",
    )


def test_nobody_judges_a_complaint_about_themselves() -> None:
    own = replace(FULL, stage=Stage.ACKNOWLEDGED, subject_agent_id=1)
    assert "nobody judges" in problems(own, Stage.ASSESSED)[0]


def test_only_low_severity_skips_the_investigation() -> None:
    serious = replace(FULL, stage=Stage.ASSESSED, severity=Severity.HIGH)
    assert "investigate first" in problems(serious, Stage.RESPONSE_PROPOSED)[0]


@pytest.mark.parametrize("decision", [Decision.UPHELD, Decision.PARTLY_UPHELD])
def test_an_upheld_complaint_cannot_close_without_a_remedy(decision: Decision) -> None:
    decided = replace(FULL, stage=Stage.DECISION_COMMUNICATED, decision=decision, remedy=" ")
    assert problems(decided, Stage.CLOSED) == ("Write the remedy: an upheld complaint needs one.",)


def test_a_complaint_that_was_not_upheld_closes_without_a_remedy() -> None:
    decided = replace(FULL, stage=Stage.DECISION_COMMUNICATED, decision=Decision.NOT_UPHELD, remedy="")
    assert check_move(decided, Stage.CLOSED)
    assert "root cause" in problems(replace(decided, root_cause=""), Stage.CLOSED)[0]


def test_going_back_needs_a_reason() -> None:
    closed = replace(FULL, stage=Stage.CLOSED)
    assert problems(closed, Stage.INVESTIGATING) == ("Give a reason for going back.",)
    assert check_move(closed, Stage.INVESTIGATING, reason="the customer appealed").back


@given(facts, st.sampled_from(Stage), st.sampled_from(["", "appeal"]))
def test_a_move_is_allowed_exactly_when_every_check_holds(
    complaint: ComplaintFacts, target: Stage, reason: str
) -> None:
    shown = checks(complaint, target, reason=reason)
    if shown and all(check.holds for check in shown):
        assert check_move(complaint, target, reason=reason).target is target
    else:
        with pytest.raises(IllegalMove):
            check_move(complaint, target, reason=reason)


@given(facts)
def test_no_stage_is_a_dead_end_and_a_decision_is_always_behind_the_end(complaint: ComplaintFacts) -> None:
    assert moves_from(complaint.stage)
    for target in (Stage.DECISION_COMMUNICATED, Stage.CLOSED):
        shown = checks(complaint, target)
        if shown and all(check.holds for check in shown):
            assert complaint.decision is not None


def test_the_next_promise_falls_due_sooner_for_severe_complaints() -> None:
    assert due_at(FRESH) == NOW + timedelta(days=2)
    assessed = replace(FRESH, stage=Stage.ASSESSED)
    dues = [due_at(replace(assessed, severity=severity)) for severity in Severity]
    assert dues == sorted(dues, reverse=True)  # type: ignore[type-var]
    assert due_at(replace(assessed, stage=Stage.CLOSED)) is None
