"""Service-level clocks: the rules one by one, then against an interval model that shares no code with them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickets.hours import Calendar, Window, add_business, always_open, business_between, office_hours
from tickets.sla import (
    BadPolicy,
    Book,
    Clock,
    Fact,
    FactKind,
    Metric,
    Policy,
    SlaState,
    Terms,
    apply,
    at_risk,
    change_terms,
    default_policy,
    due_at,
    left,
    overall,
    policy_data,
    policy_from,
    state,
    used,
    warn_at,
)
from tickets.sla_explain import Phase, Stage, explain
from tickets.states import APART_STATUSES, Priority, Status

MINUTE, HOUR = 60, 3600
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
TERMS = Terms(default_policy(), always_open())
LUNCH = Calendar("UTC", ((Window(540, 720), Window(780, 1020)),) * 5 + ((),) * 2)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run(*facts: tuple[float, FactKind, str], priority: Priority = Priority.HIGH, terms: Terms = TERMS) -> Book:
    entries = [Fact(at(minutes), kind, value) for minutes, kind, value in facts]
    return reduce(lambda book, fact: apply(book, fact, terms), entries, Book(priority))


def clock(book: Book, metric: Metric) -> Clock:
    return next(entry for entry in reversed(book.clocks) if entry.metric is metric)


OPENED = (0, FactKind.OPENED, "")
WROTE = (0, FactKind.CUSTOMER_WROTE, "")


def status(minutes: float, value: Status) -> tuple[float, FactKind, str]:
    return (minutes, FactKind.STATUS, value.value)


def test_a_first_answer_in_time_keeps_the_promise() -> None:
    book = run(OPENED, WROTE, (59, FactKind.ANSWERED, ""))
    first = clock(book, Metric.FIRST_RESPONSE)
    assert state(first, TERMS.calendar, at(500)) is SlaState.MET
    assert used(first, TERMS.calendar, at(500)) == 59 * MINUTE


def test_a_late_first_answer_is_a_breach_at_the_due_moment() -> None:
    book = run(OPENED, WROTE, (61, FactKind.ANSWERED, ""))
    first = clock(book, Metric.FIRST_RESPONSE)
    assert state(first, TERMS.calendar, at(61)) is SlaState.BREACHED
    assert first.breached_at == at(60)


def test_first_response_never_pauses() -> None:
    book = run(OPENED, WROTE, status(10, Status.PENDING), status(50, Status.OPEN))
    assert due_at(clock(book, Metric.FIRST_RESPONSE), TERMS.calendar) == at(60)


def test_next_response_starts_at_the_first_unanswered_message() -> None:
    book = run(
        OPENED,
        WROTE,
        (10, FactKind.ANSWERED, ""),
        (100, FactKind.CUSTOMER_WROTE, ""),
        (130, FactKind.CUSTOMER_WROTE, ""),
    )
    waiting = clock(book, Metric.NEXT_RESPONSE)
    assert (waiting.started_at, due_at(waiting, TERMS.calendar)) == (at(100), at(160))
    answered = apply(book, Fact(at(140), FactKind.ANSWERED), TERMS)
    assert clock(answered, Metric.NEXT_RESPONSE).ended_at == at(140)
    assert [entry.metric for entry in book.clocks].count(Metric.NEXT_RESPONSE) == 1


def test_a_conversation_we_began_owes_no_first_response() -> None:
    book = run(OPENED, (0, FactKind.ANSWERED, ""), (30, FactKind.CUSTOMER_WROTE, ""))
    assert [entry.metric for entry in book.clocks] == [Metric.RESOLUTION, Metric.NEXT_RESPONSE]


@pytest.mark.parametrize(
    ("waiting", "due"), [(Status.PENDING, 240 + 100), (Status.ON_HOLD, 240), (Status.SNOOZED, 240)]
)
def test_resolution_pauses_in_pending_only(waiting: Status, due: float) -> None:
    book = run(OPENED, status(20, waiting), status(120, Status.OPEN))
    assert due_at(clock(book, Metric.RESOLUTION), TERMS.calendar) == at(due)


def test_a_policy_may_pause_on_hold_as_well() -> None:
    policy = replace(default_policy(), pauses=frozenset({Status.PENDING, Status.ON_HOLD}))
    book = run(OPENED, status(20, Status.ON_HOLD), terms=Terms(policy, always_open()))
    resolution = clock(book, Metric.RESOLUTION)
    assert due_at(resolution, TERMS.calendar) is None
    assert used(resolution, TERMS.calendar, at(900)) == 20 * MINUTE


def test_reopening_goes_on_where_the_resolution_stopped() -> None:
    book = run(OPENED, status(100, Status.RESOLVED), status(1000, Status.OPEN))
    resolution = clock(book, Metric.RESOLUTION)
    assert state(resolution, TERMS.calendar, at(1000)) is SlaState.PENDING
    assert due_at(resolution, TERMS.calendar) == at(1000 + 140)


def test_a_priority_changed_while_resolved_holds_after_reopening() -> None:
    book = run(
        OPENED,
        status(100, Status.RESOLVED),
        (200, FactKind.PRIORITY, "low"),
        status(1000, Status.OPEN),
    )
    assert clock(book, Metric.RESOLUTION).target == 72 * HOUR


def test_a_breach_stays_a_breach_after_reopening() -> None:
    book = run(OPENED, status(300, Status.RESOLVED), status(1000, Status.OPEN), status(1001, Status.RESOLVED))
    assert state(clock(book, Metric.RESOLUTION), TERMS.calendar, at(2000)) is SlaState.BREACHED


def test_resolving_without_an_answer_drops_the_response_clock() -> None:
    book = run(OPENED, WROTE, status(10, Status.RESOLVED))
    assert clock(book, Metric.FIRST_RESPONSE).dropped_at == at(10)
    assert overall(book.clocks, TERMS.calendar, at(900)) is SlaState.MET


def test_spam_was_never_owed_anything_and_starts_nothing() -> None:
    book = run(OPENED, WROTE, status(61, Status.SPAM), (70, FactKind.CUSTOMER_WROTE, ""))
    assert [(one.metric, one.breached_at, one.dropped_at) for one in book.clocks] == [
        (Metric.RESOLUTION, None, at(61)),
        (Metric.FIRST_RESPONSE, None, at(61)),
    ]


def test_a_higher_priority_counts_from_the_start_and_breaches_now_at_the_earliest() -> None:
    book = run(OPENED, WROTE, (20, FactKind.PRIORITY, "urgent"))
    assert due_at(clock(book, Metric.FIRST_RESPONSE), TERMS.calendar) == at(30)
    late = run(OPENED, WROTE, (45, FactKind.PRIORITY, "urgent"))
    assert clock(late, Metric.FIRST_RESPONSE).breached_at == at(45)


def test_lowering_the_priority_does_not_wash_a_breach_away() -> None:
    book = run(OPENED, WROTE, (61, FactKind.PRIORITY, "low"))
    assert state(clock(book, Metric.FIRST_RESPONSE), TERMS.calendar, at(62)) is SlaState.BREACHED


def test_at_risk_means_less_than_a_quarter_left_and_warns_at_that_moment() -> None:
    first = clock(run(OPENED, WROTE), Metric.FIRST_RESPONSE)
    assert warn_at(first, TERMS.calendar) == at(45)
    assert not at_risk(first, TERMS.calendar, at(45))
    assert at_risk(first, TERMS.calendar, at(46))
    assert not at_risk(first, TERMS.calendar, at(61))


def test_lunch_does_not_count() -> None:
    terms = Terms(default_policy(), LUNCH)
    book = run(OPENED, (160, FactKind.CUSTOMER_WROTE, ""), terms=terms)  # 11:40
    assert due_at(clock(book, Metric.FIRST_RESPONSE), LUNCH) == at(280)  # 13:40


def test_merged_away_owes_nothing() -> None:
    book = run(OPENED, WROTE, (10, FactKind.DROPPED, ""))
    assert all(entry.dropped_at == at(10) for entry in book.clocks)
    assert all(due_at(entry, TERMS.calendar) is None for entry in book.clocks)


def test_a_transfer_keeps_what_was_used_and_counts_on_in_the_new_hours() -> None:
    book = run(OPENED, WROTE)
    moved = change_terms(book, TERMS, Terms(default_policy(), LUNCH), at(150))  # 11:30, 150 min used
    resolution = clock(moved, Metric.RESOLUTION)
    assert left(resolution, LUNCH, at(150)) == 90 * MINUTE
    assert due_at(resolution, LUNCH) == at(300)  # 30 min before lunch, 60 after it


def test_without_a_target_nothing_is_ever_due() -> None:
    book = run(OPENED, WROTE, terms=Terms(Policy({}), always_open()))
    assert [due_at(entry, always_open()) for entry in book.clocks] == [None, None]
    assert overall(book.clocks, always_open(), at(10_000)) is SlaState.PENDING


def test_met_and_breached_together_are_partially_met() -> None:
    book = run(OPENED, WROTE, (61, FactKind.ANSWERED, ""), status(70, Status.RESOLVED))
    assert overall(book.clocks, TERMS.calendar, at(70)) is SlaState.PARTIALLY_MET


def test_a_breach_is_explained_by_who_held_the_ticket() -> None:
    book = run(OPENED, WROTE, (90, FactKind.ANSWERED, ""))
    stages = [
        Stage(at(0), Phase.WAITING, "Support"),
        Stage(at(40), Phase.OWNED, "Support", "An"),
        Stage(at(60), Phase.WAITING, "Tier 2"),
        Stage(at(75), Phase.OWNED, "Tier 2", "Bình"),
    ]
    found = explain(clock(book, Metric.FIRST_RESPONSE), TERMS.calendar, stages, at(500))
    assert (found.used, found.over) == (90 * MINUTE, 30 * MINUTE)
    assert found.heaviest_first()[0] == (Phase.WAITING, "Support", "", 40 * MINUTE)
    assert [share.seconds / MINUTE for share in found.shares] == [40, 20, 15, 15]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"targets": {"vip": {}}},
        {"targets": {"high": {"first_reply": 60}}},
        {"targets": {"high": {"resolution": 0}}},
        {"targets": {}, "pauses": ["open"]},
        {"targets": []},
    ],
)
def test_unreadable_targets_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadPolicy):
        policy_from(data)


def test_the_stored_form_of_a_policy_reads_back() -> None:
    assert policy_from(policy_data(default_policy())) == default_policy()


# --- the interval model ------------------------------------------------------------------------------------------

steps = st.lists(
    st.tuples(
        st.integers(1, 900),
        st.one_of(
            st.just((FactKind.CUSTOMER_WROTE, "")),
            st.just((FactKind.ANSWERED, "")),
            st.sampled_from([s for s in Status if s is not Status.NEW and s not in APART_STATUSES]).map(
                lambda s: (FactKind.STATUS, s.value)
            ),
            st.sampled_from(list(Priority)).map(lambda p: (FactKind.PRIORITY, p.value)),
        ),
    ),
    max_size=14,
)
all_hours = st.sampled_from([always_open(), LUNCH, office_hours("Asia/Ho_Chi_Minh"), office_hours("Europe/Berlin")])


def facts_of(drawn: list[tuple[int, tuple[FactKind, str]]]) -> list[Fact]:
    facts, minutes = [Fact(START, FactKind.OPENED), Fact(START, FactKind.CUSTOMER_WROTE)], 0
    for gap, (kind, value) in drawn:
        minutes += gap
        facts.append(Fact(at(minutes), kind, value))
    return facts


def active_spans(facts: list[Fact], end: datetime) -> list[tuple[datetime, datetime]]:
    """When a resolution clock counts: outside pending, resolved and closed."""
    edges = [(START, "new"), *((fact.at, fact.value) for fact in facts if fact.kind is FactKind.STATUS), (end, "")]
    stopped = {"pending", "resolved", "closed"}
    return [(a, b) for (a, name), (b, _) in pairwise(edges) if name not in stopped]


def breach_by_model(facts: list[Fact], calendar: Calendar, end: datetime) -> datetime | None:
    """A breach is where use passes the target, or where a new target falls below what is used."""
    spans = active_spans(facts, end)
    changes = [(START, "high"), *((fact.at, fact.value) for fact in facts if fact.kind is FactKind.PRIORITY)]

    def used_until(moment: datetime) -> float:
        return round(sum(business_between(calendar, a, min(b, moment)) for a, b in spans if a < moment), 6)

    def resolved_at(moment: datetime) -> bool:
        names = [fact.value for fact in facts if fact.kind is FactKind.STATUS and fact.at <= moment]
        return bool(names) and names[-1] in {"resolved", "closed"}

    target = float(default_policy().target(Priority.HIGH, Metric.RESOLUTION) or 0)
    moments = sorted({fact.at for fact in facts} | {end})
    for since, until in pairwise(moments):
        if not resolved_at(since):
            priority = [value for moment, value in changes if moment <= since][-1]
            target = float(default_policy().target(Priority(priority), Metric.RESOLUTION) or 0)
        if used_until(since) > target and not resolved_at(since):
            return since
        if used_until(until) > target:
            return add_business(calendar, since, target - used_until(since))
    return None


@given(steps, all_hours)
def test_applying_facts_one_by_one_equals_recomputing_from_the_intervals(
    drawn: list[tuple[int, tuple[FactKind, str]]], calendar: Calendar
) -> None:
    facts = facts_of(drawn)
    terms = Terms(default_policy(), calendar)
    book = reduce(lambda so_far, fact: apply(so_far, fact, terms), facts, Book(Priority.HIGH))
    resolution = clock(book, Metric.RESOLUTION)
    now = facts[-1].at + timedelta(minutes=7)
    by_model = sum(business_between(calendar, a, b) for a, b in active_spans(facts, now))
    assert used(resolution, calendar, now) == pytest.approx(by_model, abs=1e-5)
    late = state(resolution, calendar, now) is SlaState.BREACHED
    assert late == (breach_by_model(facts, calendar, now) is not None)


@given(steps, all_hours)
def test_due_means_that_exactly_the_target_is_used(
    drawn: list[tuple[int, tuple[FactKind, str]]], calendar: Calendar
) -> None:
    terms = Terms(default_policy(), calendar)
    book = reduce(lambda so_far, fact: apply(so_far, fact, terms), facts_of(drawn), Book(Priority.HIGH))
    for entry in book.clocks:
        due, warning = due_at(entry, calendar), warn_at(entry, calendar)
        if due is not None and entry.breached_at is None:
            assert warning is not None
            assert warning <= due
            assert used(entry, calendar, due) == entry.target
            assert state(entry, calendar, due) is SlaState.PENDING
            assert state(entry, calendar, due + timedelta(days=4)) is SlaState.BREACHED


@given(steps, all_hours, st.integers(0, 14))
def test_changing_to_the_same_terms_changes_nothing(
    drawn: list[tuple[int, tuple[FactKind, str]]], calendar: Calendar, where: int
) -> None:
    terms = Terms(default_policy(), calendar)
    plain = changed = Book(Priority.HIGH)
    for number, fact in enumerate(facts_of(drawn)):
        plain, changed = apply(plain, fact, terms), apply(changed, fact, terms)
        if number == where:
            changed = change_terms(changed, terms, terms, fact.at)
    now = facts_of(drawn)[-1].at + timedelta(minutes=9)
    for one, other in zip(plain.clocks, changed.clocks, strict=True):
        assert used(one, calendar, now) == used(other, calendar, now)
        assert due_at(one, calendar) == due_at(other, calendar)
        assert state(one, calendar, now) is state(other, calendar, now)


@given(steps, all_hours, st.lists(st.integers(1, 4000), max_size=5, unique=True))
def test_the_shares_of_an_explanation_add_up(
    drawn: list[tuple[int, tuple[FactKind, str]]], calendar: Calendar, cuts: list[int]
) -> None:
    terms = Terms(default_policy(), calendar)
    book = reduce(lambda so_far, fact: apply(so_far, fact, terms), facts_of(drawn), Book(Priority.HIGH))
    stages = [Stage(START, Phase.WAITING, "Support")]
    stages += [Stage(at(cut), Phase.OWNED, "Support", f"agent {cut}") for cut in sorted(cuts)]
    now = facts_of(drawn)[-1].at + timedelta(minutes=5)
    for entry in book.clocks:
        found = explain(entry, calendar, stages, now)
        assert sum(share.seconds for share in found.shares) == pytest.approx(found.used, abs=1e-3)
