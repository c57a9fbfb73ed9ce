"""What the days ahead bring: weekdays, growth, holes, holidays, and days on which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.workforce.forecast import forecast, intervals
from routing.workforce.history import PastCall

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)


def day_of(day: date, per_hour: int, hours: range = range(9, 17), handle: float = 100) -> list[PastCall]:
    """So many calls an hour, evenly."""
    found = []
    for hour in hours:
        begin = datetime.combine(day, time(hour), BERLIN).astimezone(UTC).timestamp()
        found += [PastCall(day, begin + at * 3600 / per_hour, 5, handle, answered=True) for at in range(per_hour)]
    return found


def days(number: int, per_hour: int = 40, first: date = MONDAY, **changed: int) -> list[PastCall]:
    """Weekdays as usual and quiet Saturdays; `changed` by ordinal of the day, as d3=200."""
    calls = []
    for at in range(number):
        day = first + timedelta(days=at)
        usual = per_hour if day.weekday() < 5 else per_hour // 4 if day.weekday() == 5 else 0
        calls += day_of(day, changed.get(f"d{at}", usual)) if changed.get(f"d{at}", usual) else []
    return calls


def totals(calls: list[PastCall], number: int = 7, **options: object) -> list[float]:
    found = forecast(calls, zone=BERLIN, days=number, **options)  # type: ignore[arg-type]
    sums: dict[date, float] = {}
    for slot in found.slots:
        sums[slot.start.date()] = sums.get(slot.start.date(), 0.0) + slot.contacts
    return [round(sums[day], 1) for day in sorted(sums)]


def test_a_steady_month_goes_on_by_weekday_and_hour() -> None:
    found = forecast(days(27), zone=BERLIN, days=2)
    by_start = {slot.start.isoformat(): slot for slot in found.slots}
    assert by_start["2026-03-30T09:00:00+02:00"].contacts == pytest.approx(10, rel=0.05)
    assert by_start["2026-03-30T08:45:00+02:00"].contacts == 0
    slot = by_start["2026-03-30T10:15:00+02:00"]
    assert slot.low < slot.contacts < slot.high
    assert slot.aht == 100
    assert found.errors is not None
    assert (found.errors.days, round(found.errors.wape, 2)) == (6, 0.0)


def test_a_hole_in_the_log_and_a_surge_hardly_change_what_follows() -> None:
    steady = totals(days(28), number=6)
    # The log ends on a Saturday: a Sunday without calls comes next.
    assert steady == pytest.approx([0, *[320] * 5], rel=0.01)
    assert totals(days(28, d8=1, d9=1), number=6) == pytest.approx(steady, rel=0.05)
    assert totals(days(28, d8=400), number=6) == pytest.approx(steady, rel=0.3)


def test_growth_goes_on_for_a_while() -> None:
    growing = {f"d{at}": 40 + at for at in range(28) if (MONDAY + timedelta(days=at)).weekday() < 5}
    last = 8 * (40 + 28)
    assert last * 0.85 < totals(days(28, **growing), number=2)[1] < last * 1.15


def test_a_holiday_is_empty_unless_holidays_were_seen() -> None:
    ahead, seen = date(2026, 4, 3), date(2026, 3, 13)
    calm = days(28)
    assert totals(calm, holidays={ahead})[5] == 0
    quiet = days(28, d11=10)
    both = totals(quiet, holidays={seen, ahead})
    assert both[5] == pytest.approx(80, rel=0.05)
    assert both[4] == pytest.approx(320, rel=0.02)


def test_days_on_which_the_clocks_change_have_their_own_length() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert [len(intervals(day, BERLIN, 900)) for day in (spring, autumn, MONDAY)] == [92, 100, 96]
    night = [call for at in range(21) for call in day_of(date(2026, 10, 4) + timedelta(days=at), 4, range(24))]
    found = forecast(night, zone=BERLIN, days=2)
    sunday = [slot for slot in found.slots if slot.start.date() == autumn]
    assert len(sunday) == 100
    assert [slot.contacts for slot in sunday] == pytest.approx([1.0] * 100, rel=0.01)
    over = [call for at in range(9) for call in day_of(date(2026, 3, 23) + timedelta(days=at), 4, range(3, 24))]
    assert all(slot.contacts >= 0 for slot in forecast(over, zone=BERLIN, days=7).slots)


def test_little_history_gives_a_forecast_without_an_error_and_none_gives_nothing() -> None:
    short = forecast(days(5), zone=BERLIN, days=1)
    assert short.errors is None
    assert len(short.slots) == 96
    assert forecast([], zone=BERLIN, days=3).slots == ()


def test_who_left_in_the_menu_is_nobody_to_answer() -> None:
    left = [PastCall(MONDAY, call.queued_at, 0, 0, answered=False, left_menu=True) for call in day_of(MONDAY, 40)]
    assert totals(days(14) + left) == totals(days(14))
