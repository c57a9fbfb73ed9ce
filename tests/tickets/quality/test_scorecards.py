"""The score of an evaluation: golden values, properties, and what an unfinished form lacks."""

import json
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tickets.quality.scorecards import (
    Definition,
    Mark,
    Score,
    Verdict,
    mark,
    missing,
    score_answers,
    total,
    verdict,
)

GOLDEN = Path(__file__).parents[4] / "shared" / "golden" / "quality.json"

fractions = st.fractions(0, 1, max_denominator=20)
marks = st.builds(Mark, st.none() | fractions, st.fractions(Fraction(1, 10), 10, max_denominator=10))
forms = st.lists(st.tuples(st.lists(marks, min_size=1, max_size=5), st.integers(1, 100)), min_size=1, max_size=5)


def golden() -> list[tuple[Any, ...]]:
    if not GOLDEN.exists() and not os.environ.get("CI"):
        return []
    data = json.loads(GOLDEN.read_text())
    return [(case["sections"], data["section_weights"], case["raw"], case["final"]) for case in data["cases"]]


def scored(form: list[tuple[list[Mark], int]]) -> Score:
    return total([m for m, _ in form], [w for _, w in form])


@pytest.mark.parametrize(("sections", "weights", "raw", "final"), golden())
def test_it_agrees_with_the_golden_values(sections: Any, weights: Any, raw: float, final: float) -> None:
    filled = [
        [mark(None if a.get("na") else a["score"], a["weight"], auto_fail=a.get("auto_fail", False)) for a in answers]
        for answers in sections
    ]
    result = total(filled, weights)
    assert (result.raw, result.final) == (Decimal(str(raw)), Decimal(str(final)))


def test_it_rounds_half_up_and_not_by_binary_fractions() -> None:
    assert total([[mark("0.66665")]], [1]).raw == Decimal("66.67")
    assert total([[mark(0.1), mark(0.2)]], [1]).raw == Decimal("15.00")


def test_nothing_applicable_gives_no_score() -> None:
    assert total([[mark(None)]], [10]) == Score((None,), None, None, False)


@pytest.mark.parametrize(("score", "weight"), [(1.1, 1), (-0.1, 1), (1, 0), (1, -1)])
def test_it_refuses_impossible_marks(score: float, weight: int) -> None:
    with pytest.raises(ValueError):
        mark(score, weight)


@given(forms)
def test_the_total_lies_between_the_worst_and_the_best_section(form: list[tuple[list[Mark], int]]) -> None:
    result = scored(form)
    parts = [part for part in result.sections if part is not None]
    assert (result.raw is None) == (not parts)
    if result.raw is not None:
        assert min(parts) <= result.raw <= max(parts)
        assert result.final == result.raw


@given(forms, st.integers(2, 9))
def test_only_the_ratio_of_weights_counts(form: list[tuple[list[Mark], int]], factor: int) -> None:
    assert scored([(m, w * factor) for m, w in form]) == scored(form)


@given(forms)
def test_an_answer_that_does_not_apply_changes_nothing(form: list[tuple[list[Mark], int]]) -> None:
    assert scored([([*m, Mark(None)], w) for m, w in form]) == scored(form)


@given(forms)
def test_an_automatic_fail_makes_zero_and_keeps_the_raw_score(form: list[tuple[list[Mark], int]]) -> None:
    failed = scored([([*m, Mark(None, auto_fail=True)], w) for m, w in form])
    assert failed.raw == scored(form).raw
    assert failed.final == 0
    assert failed.auto_failed


@given(forms, st.data())
def test_a_better_answer_never_lowers_the_score(form: list[tuple[list[Mark], int]], data: st.DataObject) -> None:
    section = data.draw(st.integers(0, len(form) - 1))
    better = [
        ([Mark(None if x.score is None else Fraction(1), x.weight) for x in m] if k == section else m, w)
        for k, (m, w) in enumerate(form)
    ]
    before, after = scored(form).raw, scored(better).raw
    assert (before is None) == (after is None)
    assert before is None or after is None or after >= before


def definition(**changes: Any) -> Definition:
    yes_no = [{"key": "yes", "label": "Yes", "score": 1}, {"key": "no", "label": "No", "score": 0}]
    fatal = [yes_no[0], {**yes_no[1], "auto_fail": True}]
    sections = [
        {
            "key": "opening",
            "title": "Opening",
            "weight": 20,
            "questions": [{"key": "greets", "text": "Greets", "options": yes_no}],
        },
        {
            "key": "rules",
            "title": "Rules",
            "weight": 80,
            "questions": [{"key": "verifies", "text": "Verifies", "options": fatal, "allow_na": False}],
        },
    ]
    return Definition.model_validate({"sections": sections, **changes})


def test_answers_are_scored_by_their_options() -> None:
    result = score_answers(definition(), {"greets": "no", "verifies": "yes"})
    assert (result.sections, result.final) == ((Decimal("0.00"), Decimal("100.00")), Decimal("80.00"))
    assert verdict(definition(), result) is Verdict.PASSED
    assert verdict(definition(pass_mark=81), result) is Verdict.FAILED


def test_an_automatic_fail_is_named_as_such() -> None:
    result = score_answers(definition(), {"greets": "yes", "verifies": "no"})
    assert (result.raw, result.final) == (Decimal("20.00"), Decimal("0.00"))
    assert verdict(definition(), result) is Verdict.AUTO_FAILED


def test_an_unfinished_form_says_what_is_missing() -> None:
    assert missing(definition(), {"greets": "na", "verifies": "yes"}) == []
    assert missing(definition(), {"verifies": "na"}) == [
        "Answer “Greets”.",
        "“Verifies” cannot be left as not applicable.",
    ]
    assert missing(definition(), {"greets": "maybe", "verifies": "yes"}) == [
        "Choose one of the listed answers to “Greets”."
    ]


def test_two_questions_with_one_key_are_refused() -> None:
    section = definition().sections[0].model_dump()
    with pytest.raises(ValidationError, match="key of its own"):
        Definition.model_validate({"sections": [section, {**section, "key": "again"}]})
