"""Business calendars against a slow, obvious model, on the days that break calendars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickets.hours import (
    BadCalendar,
    Calendar,
    Window,
    add_business,
    always_open,
    business_between,
    calendar_data,
    calendar_from,
    is_open,
    next_open,
    office_hours,
)

HOUR = 3600
ZONES = (
    "UTC",
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
)
LUNCH = Calendar("Europe/Berlin", ((Window(540, 720), Window(780, 1020)),) * 5 + ((),) * 2)


def berlin(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).astimezone(UTC)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))
seconds = st.integers(0, 60 * 24 * HOUR)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
    return tuple(Window(a * 15, b * 15) for a, b in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
    return Calendar(
        draw(st.sampled_from(ZONES)),
        tuple(draw(windows()) for _ in range(7)),
        draw(st.frozensets(days, max_size=5)),
        tuple(sorted(draw(st.dictionaries(days, windows(), max_size=3)).items())),
    )


def test_lunch_is_not_business_time() -> None:
    monday = berlin(2026, 11, 23, 11, 30)
    assert add_business(LUNCH, monday, HOUR) == berlin(2026, 11, 23, 13, 30)
    assert not is_open(LUNCH, berlin(2026, 11, 23, 12, 0))
    assert is_open(LUNCH, berlin(2026, 11, 23, 13, 0))
    assert business_between(LUNCH, monday, berlin(2026, 11, 24, 9, 0)) == 4.5 * HOUR


def test_a_target_that_ends_with_the_day_is_due_at_closing_not_the_next_morning() -> None:
    assert add_business(LUNCH, berlin(2026, 11, 27, 16, 0), HOUR) == berlin(2026, 11, 27, 17, 0)
    assert add_business(LUNCH, berlin(2026, 11, 27, 16, 0), HOUR + 60) == berlin(2026, 11, 30, 9, 1)


def test_holidays_and_special_days_replace_the_week() -> None:
    calendar = Calendar(
        "Asia/Ho_Chi_Minh",
        office_hours().week,
        frozenset({date(2026, 2, 17)}),
        ((date(2026, 2, 16), (Window(540, 720),)),),
    )
    eve_noon = datetime(2026, 2, 16, 5, 0, tzinfo=UTC)
    assert not is_open(calendar, eve_noon)
    assert is_open(calendar, eve_noon - timedelta(minutes=1))
    assert next_open(calendar, eve_noon) == datetime(2026, 2, 18, 2, 0, tzinfo=UTC)


def test_a_spring_night_is_an_hour_shorter_and_an_autumn_night_an_hour_longer() -> None:
    nights = calendar_from({"zone": "Europe/Berlin", "week": {"sat": [["22:00", "06:00"]]}})
    assert business_between(nights, berlin(2026, 3, 28, 12), berlin(2026, 3, 29, 12)) == 7 * HOUR
    assert business_between(nights, berlin(2026, 10, 24, 12), berlin(2026, 10, 25, 12)) == 9 * HOUR
    assert business_between(nights, berlin(2026, 5, 2, 12), berlin(2026, 5, 3, 12)) == 8 * HOUR


def test_a_window_edge_inside_the_skipped_hour_moves_to_the_jump() -> None:
    jump = berlin(2026, 3, 29, 3, 0)
    opening = Calendar("Europe/Berlin", ((),) * 6 + ((Window(150, 240),),))
    assert next_open(opening, jump - timedelta(hours=3)) == jump
    assert business_between(opening, jump - timedelta(hours=3), jump + timedelta(hours=3)) == HOUR
    skipped = Calendar("Europe/Berlin", ((),) * 6 + ((Window(125, 175),),))
    assert business_between(skipped, jump - timedelta(hours=3), jump + timedelta(hours=3)) == 0


def test_the_repeated_hour_counts_once_per_passing() -> None:
    calendar = Calendar("Europe/Berlin", ((),) * 6 + ((Window(120, 180),),))
    assert business_between(calendar, berlin(2026, 10, 25, 0), berlin(2026, 10, 25, 12)) == 2 * HOUR
    until_half_past = Calendar("Europe/Berlin", ((),) * 6 + ((Window(60, 150), Window(150, 180)),))
    assert business_between(until_half_past, berlin(2026, 10, 25, 0), berlin(2026, 10, 25, 12)) == 3 * HOUR


def test_it_never_opens_without_windows() -> None:
    closed = Calendar("UTC", ((),) * 7)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert next_open(closed, now) is None
    assert add_business(closed, now, 1) is None
    assert add_business(closed, now, 0) == now


def test_decades_cost_no_more_than_a_few_years_of_sums() -> None:
    start = datetime(1990, 1, 1, tzinfo=UTC)
    weeks = (datetime(2060, 1, 5, tzinfo=UTC) - datetime(1990, 1, 1, tzinfo=UTC)).days // 7
    assert business_between(office_hours(), start, datetime(2060, 1, 5, tzinfo=UTC)) == weeks * 40 * HOUR


@given(moments, seconds)
def test_round_the_clock_equals_the_wall_clock(start: datetime, length: int) -> None:
    calendar = always_open("Europe/Berlin")
    assert add_business(calendar, start, length) == start + timedelta(seconds=length)
    assert business_between(calendar, start, start + timedelta(seconds=length)) == length
    assert is_open(calendar, start)


@given(calendars(), moments, seconds)
def test_adding_business_time_and_measuring_it_are_inverse(cal: Calendar, start: datetime, length: int) -> None:
    due = add_business(cal, start, length)
    if due is None:
        assert business_between(cal, start, start + timedelta(days=9 * 365)) < length
    else:
        assert business_between(cal, start, due) == length
        assert length == 0 or business_between(cal, start, due - timedelta(microseconds=1)) < length


@given(calendars(), moments, moments, moments)
def test_business_time_is_additive_and_antisymmetric(cal: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    parts = business_between(cal, a, b) + business_between(cal, b, c)
    assert parts == pytest.approx(business_between(cal, a, c), abs=1e-6)
    assert business_between(cal, a, b) == -business_between(cal, b, a)


@given(calendars(), moments, seconds, seconds)
def test_a_longer_target_is_never_due_earlier(cal: Calendar, start: datetime, one: int, other: int) -> None:
    short, long = add_business(cal, start, min(one, other)), add_business(cal, start, max(one, other))
    assert long is None or (short is not None and start <= short <= long)


@given(calendars(), moments)
def test_the_next_opening_is_open_and_nothing_before_it(cal: Calendar, now: datetime) -> None:
    opening = next_open(cal, now)
    if opening is not None:
        assert is_open(cal, opening)
        assert business_between(cal, now, opening) == 0
        assert (opening == now) == is_open(cal, now)


@settings(max_examples=40)
@given(calendars(), st.dates(date(2024, 1, 2), date(2028, 12, 20)))
def test_it_agrees_with_counting_quarter_hours_one_by_one(cal: Calendar, day: date) -> None:
    """Days that change the clock are left to the tests above: there the rule for edges is ours."""
    zone = ZoneInfo(cal.zone)
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    if (start + timedelta(days=1)).astimezone(UTC) - start.astimezone(UTC) != timedelta(days=1):
        return
    special = dict(cal.special)
    open_windows = special.get(day, () if day in cal.holidays else cal.week[day.weekday()])
    counted = 0
    for quarter in range(96):
        at = (start + timedelta(minutes=15 * quarter)).astimezone(UTC)
        in_window = any(window.opens <= quarter * 15 < window.closes for window in open_windows)
        assert is_open(cal, at) == in_window
        counted += 900 * in_window
    assert business_between(cal, start, start + timedelta(days=1)) == counted


@given(calendars())
def test_the_stored_form_reads_back_with_the_same_hours(cal: Calendar) -> None:
    again = calendar_from(calendar_data(cal))
    assert calendar_from(calendar_data(again)) == again
    start = datetime(2026, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=400)
    assert business_between(again, start, end) == business_between(cal, start, end)


@pytest.mark.parametrize(
    "data",
    [
        {"zone": "Mars/Olympus", "week": {}},
        {"zone": "UTC", "week": {"monday": [["09:00", "17:00"]]}},
        {"zone": "UTC", "week": {"mon": [["09:00", "25:00"]]}},
        {"zone": "UTC", "week": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}},
        {"zone": "UTC", "week": {"mon": [["09:75", "12:00"]]}},
        {"zone": "UTC", "week": {}, "holidays": ["soon"]},
        {"week": {}},
        {"zone": "UTC", "week": None},
    ],
)
def test_unreadable_hours_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(BadCalendar):
        calendar_from(data)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError):
        is_open(always_open(), datetime(2026, 1, 1))
