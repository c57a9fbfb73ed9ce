"""Scores an evaluation by its scorecard: sections, weights, not applicable, automatic fail. Pure and exact.

section = Σ(weight · score) / Σ weight over the answered questions; total = Σ(section weight · section) /
Σ section weight over sections with at least one scored question; any automatic fail makes the final score 0
and keeps the raw one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = int | float | str | Decimal | Fraction


class Option(BaseModel):
    """One possible answer: what it is called, how much of the question it earns, whether it fails everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    label: Annotated[str, Field(min_length=1, max_length=120)]
    score: Annotated[Decimal, Field(ge=0, le=1)]
    auto_fail: bool = False


class Question(BaseModel):
    """One question of a section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    text: Annotated[str, Field(min_length=1, max_length=300)]
    help: Annotated[str, Field(max_length=600)] = ""
    weight: Annotated[Decimal, Field(gt=0, le=1000)] = Decimal(1)
    allow_na: bool = True
    options: Annotated[tuple[Option, ...], Field(min_length=2, max_length=10)]

    def option(self, key: str) -> Option | None:
        """The option with this key."""
        return next((option for option in self.options if option.key == key), None)


class Section(BaseModel):
    """Questions that are weighed together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    weight: Annotated[Decimal, Field(gt=0, le=1000)]
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=40)]


class Definition(BaseModel):
    """What a version of a scorecard asks; stored as JSON and never changed once it was used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=20)]
    pass_mark: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(80)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        for keys, what in (
            ([section.key for section in self.sections], "section"),
            ([question.key for section in self.sections for question in section.questions], "question"),
        ):
            if len(keys) != len(set(keys)):
                raise ValueError(f"every {what} needs a key of its own")
        for question in self.questions:
            keys = [option.key for option in question.options]
            if len(keys) != len(set(keys)) or NOT_APPLICABLE in keys:
                raise ValueError(f"the answers of “{question.text}” need keys of their own, none called “na”")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in their order."""
        return tuple(question for section in self.sections for question in section.questions)


NOT_APPLICABLE = "na"


class Verdict(StrEnum):
    """How an evaluation ended."""

    PASSED = "passed"
    FAILED = "failed"
    AUTO_FAILED = "auto_failed"
    NOTHING_SCORED = "nothing_scored"


@dataclass(frozen=True)
class Mark:
    """One answered question: its score from 0 to 1 (None = not applicable) and its weight."""

    score: Fraction | None
    weight: Fraction = Fraction(1)
    auto_fail: bool = False


@dataclass(frozen=True)
class Score:
    """Percentages with two decimals, rounded half up; None where nothing was scored."""

    sections: tuple[Decimal | None, ...]
    raw: Decimal | None
    final: Decimal | None
    auto_failed: bool


def exact(value: Share) -> Fraction:
    """The number as it was written: 0.6 is 3/5, not its nearest binary fraction."""
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def mark(score: Share | None, weight: Share = 1, *, auto_fail: bool = False) -> Mark:
    """Build a mark from plain numbers; refuses a score outside 0…1 and a weight that is not positive."""
    share, size = None if score is None else exact(score), exact(weight)
    if share is not None and not 0 <= share <= 1:
        raise ValueError("a score lies between 0 and 1")
    if size <= 0:
        raise ValueError("a weight is greater than 0")
    return Mark(share, size, auto_fail)


def total(sections: Sequence[Sequence[Mark]], weights: Sequence[Share]) -> Score:
    """The score of marks grouped in sections with these section weights."""
    parts = [_section(marks) for marks in sections]
    scored = [(exact(weight), part) for weight, part in zip(weights, parts, strict=True) if part is not None]
    raw = sum((w * p for w, p in scored), Fraction(0)) / sum(w for w, _ in scored) if scored else None
    failed = any(m.auto_fail for marks in sections for m in marks)
    percent = tuple(None if part is None else _percent(part) for part in parts)
    raw_percent = None if raw is None else _percent(raw)
    return Score(percent, raw_percent, Decimal("0.00") if failed else raw_percent, failed)


def score_answers(definition: Definition, answers: Mapping[str, str]) -> Score:
    """Score chosen option keys (or `na`) by question key; unanswered questions count as not applicable."""
    marks = [
        [_answered(question, answers.get(question.key, NOT_APPLICABLE)) for question in section.questions]
        for section in definition.sections
    ]
    return total(marks, [section.weight for section in definition.sections])


def missing(definition: Definition, answers: Mapping[str, str]) -> list[str]:
    """What keeps an evaluation from being finished, one sentence each."""
    problems = []
    for question in definition.questions:
        chosen = answers.get(question.key)
        if not chosen:
            problems.append(f"Answer “{question.text}”.")
        elif chosen == NOT_APPLICABLE and not question.allow_na:
            problems.append(f"“{question.text}” cannot be left as not applicable.")
        elif chosen != NOT_APPLICABLE and question.option(chosen) is None:
            problems.append(f"Choose one of the listed answers to “{question.text}”.")
    return problems


def verdict(definition: Definition, score: Score) -> Verdict:
    """Passed, failed, failed automatically, or nothing to judge."""
    if score.auto_failed:
        return Verdict.AUTO_FAILED
    if score.final is None:
        return Verdict.NOTHING_SCORED
    return Verdict.PASSED if score.final >= definition.pass_mark else Verdict.FAILED


def _answered(question: Question, key: str) -> Mark:
    option = question.option(key)
    if option is None:
        return Mark(None, exact(question.weight))
    return mark(option.score, question.weight, auto_fail=option.auto_fail)


def _section(marks: Sequence[Mark]) -> Fraction | None:
    scored = [(m.weight, m.score) for m in marks if m.score is not None]
    if not scored:
        return None
    return sum((w * s for w, s in scored), Fraction(0)) / sum(w for w, _ in scored)


def _percent(share: Fraction) -> Decimal:
    value = share * 100
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)
