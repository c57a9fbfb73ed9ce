"""Business calendars: when a queue is open, and how much open time lies between two moments."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
HORIZON_YEARS = 10
"""A calendar that does not open within this many years counts as never opening."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class BadCalendar(ValueError):
    """Hours that cannot be read; the text says what to correct."""


class Window(NamedTuple):
    """One opening of a day, in minutes after local midnight; `closes` is exclusive and at most 1440."""

    opens: int
    closes: int


Windows = tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Weekly windows (Monday first) in a time zone; `holidays` are closed, `special` days differ."""

    zone: str
    week: tuple[Windows, ...]
    holidays: frozenset[date] = frozenset()
    special: tuple[tuple[date, Windows], ...] = ()

    def __post_init__(self) -> None:
        _zone(self.zone)
        if len(self.week) != len(WEEKDAYS):
            raise BadCalendar("A week needs seven days, Monday first.")
        for windows in (*self.week, *(windows for _, windows in self.special)):
            _check_windows(windows)


def always_open(zone: str = "UTC") -> Calendar:
    """The calendar that never closes."""
    return Calendar(zone, ((Window(0, DAY_MINUTES),),) * 7)


def office_hours(zone: str = "UTC") -> Calendar:
    """Monday to Friday, 9 to 17: the default of service levels."""
    return Calendar(zone, ((Window(9 * 60, 17 * 60),),) * 5 + ((),) * 2)


def is_open(calendar: Calendar, now: datetime) -> bool:
    """Whether `now` lies in a window; the closing moment itself is closed."""
    at = _micros(now)
    year = _year(calendar, _utc_year(at))
    found = bisect_right(year.opens, at) - 1
    return found >= 0 and at < year.closes[found]


def next_open(calendar: Calendar, now: datetime) -> datetime | None:
    """`now` when open, else the next opening; None when the calendar never opens."""
    if is_open(calendar, now):
        return now
    at = _micros(now)
    first = _utc_year(at)
    for number in range(first, first + HORIZON_YEARS):
        year = _year(calendar, number)
        found = bisect_right(year.opens, at)
        if found < len(year.opens):
            return _moment(year.opens[found])
    return None


def add_business(calendar: Calendar, start: datetime, seconds: float) -> datetime | None:
    """The first moment with `seconds` of open time behind it since `start`; None when that never comes."""
    left = round(seconds * 1_000_000)
    if left < 0:
        raise ValueError("Business time only runs forward.")
    if left == 0:
        return start
    at = _micros(start)
    first = _utc_year(at)
    want = _year(calendar, first).open_until(at) + left
    for number in range(first, first + HORIZON_YEARS):
        year = _year(calendar, number)
        if want <= year.total:
            found = bisect_left(year.sums, want)
            return _moment(year.closes[found] - (year.sums[found] - want))
        want -= year.total
    return None


def business_between(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Open seconds from `start` to `end`, negative when `end` comes first."""
    a, b = _micros(start), _micros(end)
    if b < a:
        return -business_between(calendar, end, start)
    first, last = _utc_year(a), _utc_year(b)
    passed = _year(calendar, last).open_until(b) - _year(calendar, first).open_until(a)
    passed += sum(_year(calendar, number).total for number in range(first, last))
    return passed / 1_000_000


def calendar_from(data: Mapping[str, Any]) -> Calendar:
    """Read {"zone", "week": {"mon": [["09:00", "12:00"], …]}, "holidays": [day], "special": {day: […]}}.

    A window of the week that ends at or before its start runs past midnight into the next day.
    """
    try:
        week: list[list[Window]] = [[] for _ in WEEKDAYS]
        for name, spans in data["week"].items():
            day = WEEKDAYS.index(name)
            for window in _spans(spans):
                week[day].append(Window(window.opens, min(window.closes, DAY_MINUTES)))
                if window.closes > DAY_MINUTES:
                    week[(day + 1) % 7].append(Window(0, window.closes - DAY_MINUTES))
        special = data.get("special", {}).items()
        return Calendar(
            zone=data["zone"],
            week=tuple(_joined(windows) for windows in week),
            holidays=frozenset(date.fromisoformat(day) for day in data.get("holidays", ())),
            special=tuple(sorted((date.fromisoformat(day), _joined(_spans(spans))) for day, spans in special)),
        )
    except BadCalendar:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadCalendar(f"These hours cannot be read: {error}") from error


def calendar_data(calendar: Calendar) -> dict[str, Any]:
    """The stored form of a calendar, which `calendar_from` reads back unchanged."""
    return {
        "zone": calendar.zone,
        "week": {name: _texts(windows) for name, windows in zip(WEEKDAYS, calendar.week, strict=True) if windows},
        "holidays": sorted(day.isoformat() for day in calendar.holidays),
        "special": {day.isoformat(): _texts(windows) for day, windows in calendar.special},
    }


class _Year(NamedTuple):
    """Open spans of one UTC year in microseconds since 1970; `sums`: open time up to each span's end."""

    opens: list[int]
    closes: list[int]
    sums: list[int]
    total: int

    def open_until(self, at: int) -> int:
        """Open microseconds of this year before `at`."""
        found = bisect_right(self.opens, at) - 1
        if found < 0:
            return 0
        return self.sums[found] - max(0, self.closes[found] - at)


@lru_cache(maxsize=1024)
def _year(calendar: Calendar, number: int) -> _Year:
    """All sums of a year at once, so that any span of time costs two look-ups per year it touches."""
    starts, ends = (
        _micros(datetime(number, 1, 1, tzinfo=UTC)),
        _micros(datetime(number + 1, 1, 1, tzinfo=UTC)),
    )
    opens: list[int] = []
    closes: list[int] = []
    for opening, closing in _spans_of_days(calendar, date(number, 1, 1) - timedelta(days=2), 370):
        a, b = max(opening, starts), min(closing, ends)
        if a >= b:
            continue
        if closes and closes[-1] == a:
            closes[-1] = b
        else:
            opens.append(a)
            closes.append(b)
    sums: list[int] = []
    total = 0
    for a, b in zip(opens, closes, strict=True):
        total += b - a
        sums.append(total)
    return _Year(opens, closes, sums, total)


def _spans_of_days(calendar: Calendar, first: date, days: int) -> Iterator[tuple[int, int]]:
    zone = _zone(calendar.zone)
    special = dict(calendar.special)
    for number in range(days):
        day = first + timedelta(days=number)
        windows = special.get(day, () if day in calendar.holidays else calendar.week[day.weekday()])
        for window in windows:
            yield _instant(zone, day, window.opens), _instant(zone, day, window.closes)


def _instant(zone: ZoneInfo, day: date, minute: int) -> int:
    """The moment of a wall time: the first of two in autumn, the moment of the jump when skipped in spring.

    Both rules keep the order of wall times, so windows of a day never overlap.
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    at = wall.astimezone(UTC)
    if at.astimezone(zone) == wall:
        return _micros(at)
    low, high = _micros(wall.replace(fold=1)), _micros(at)
    while high - low > 1:
        middle = (low + high) // 2
        if _moment(middle).astimezone(zone) > wall:
            high = middle
        else:
            low = middle
    return high


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadCalendar(f"Unknown time zone: {name}") from error


def _check_windows(windows: Windows) -> None:
    end = 0
    for opens, closes in windows:
        if not end <= opens < closes <= DAY_MINUTES:
            raise BadCalendar("Windows of a day must follow each other without overlapping.")
        end = closes


def _joined(windows: Iterable[Window]) -> Windows:
    """Windows in order, touching ones made one."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and joined[-1].closes == window.opens:
            joined[-1] = Window(joined[-1].opens, window.closes)
        else:
            joined.append(window)
    return tuple(joined)


def _spans(spans: Iterable[tuple[str, str]]) -> Iterator[Window]:
    for start, end in spans:
        opens, closes = _minute(start), _minute(end)
        yield Window(opens, closes if closes > opens else closes + DAY_MINUTES)


def _minute(text: str) -> int:
    hour, _, minute = text.partition(":")
    value = int(hour) * 60 + int(minute or 0)
    if not (0 <= value <= DAY_MINUTES and 0 <= int(minute or 0) < 60):
        raise BadCalendar(f"Not a time of day: {text}")
    return value


def _texts(windows: Windows) -> list[list[str]]:
    return [[f"{minute // 60:02}:{minute % 60:02}" for minute in window] for window in windows]


def _micros(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError("A moment needs its time zone.")
    return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _utc_year(micros: int) -> int:
    return _moment(micros).year
