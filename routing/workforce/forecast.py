"""How many contacts come in each interval of the days ahead, from those of the past. Pure.

A day is its weekday's usual total, times a level that follows the last weeks (exponential smoothing with a trend that
dies away), shared out over the intervals as that weekday and, where it has few days, all days did. Holidays learn
from holidays, or are empty; days that a log misses teach nothing, and days far beyond what is usual teach at most
twice the usual. Intervals are told apart by the clock on the wall, so that a change of the clocks moves nobody.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import mean, median
from zoneinfo import ZoneInfo

from routing.workforce.history import PastCall

FOLLOWS = 0.25
"""How fast the level follows a day."""
TREND_FOLLOWS, DAMPED = 0.1, 0.9
"""How fast its trend follows the level, and what is left of a trend after a day."""
GAP, SURGE = 0.2, 2.0
"""Below this part of the usual a day is a hole in the log, above this multiple it is cut."""
IMAGINED_DAYS = 1.0
"""A weekday's shares begin as those of so many days of all kinds."""
IMAGINED_CALLS = 20.0
"""An interval's handle time begins as that of so many average contacts."""
LEAST_DAYS = 8
"""With fewer days nothing can be held out."""
# 80 of 100 intervals lie within so many deviations.
_EIGHTY = 1.2816

Counts = Mapping[date, Mapping[int, tuple[float, int]]]
"""Day → minute on the wall clock → contacts of an interval, and how many intervals of the day begin at that minute."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What an interval brings: `contacts`, in 8 of 10 intervals between `low` and `high`; `aht` in seconds."""

    start: datetime
    contacts: float
    low: float
    high: float
    aht: float


@dataclass(frozen=True, slots=True)
class Errors:
    """How far off the forecast was on the last days, which it was not shown: the sum of all misses / of all contacts.

    `naive` is what "the same as a week ago" would have missed, if there was a week before.
    """

    days: int
    wape: float
    wape_daily: float
    naive: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The intervals of the days ahead; `errors` is None where the history is too short to be tested."""

    slots: tuple[Slot, ...]
    errors: Errors | None


def intervals(day: date, zone: ZoneInfo, seconds: int) -> list[datetime]:
    """The starts of a day's intervals; a day of 23 hours has fewer, one of 25 more."""
    begin = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    number = math.ceil((end - begin).total_seconds() / seconds)
    return [(begin + timedelta(seconds=seconds * at)).astimezone(zone) for at in range(number)]


def forecast(
    calls: Iterable[PastCall],
    *,
    zone: ZoneInfo,
    days: int,
    interval: int = 900,
    holidays: Collection[date] = (),
) -> Forecast:
    """The `days` after the last one of the history, in intervals of `interval` seconds (a part of an hour)."""
    offered = [call for call in calls if not call.left_menu]
    counts = _counts(offered, zone, interval)
    past = sorted(counts)
    ahead = [past[-1] + timedelta(days=number) for number in range(1, days + 1)] if past else []
    if not past:
        return Forecast((), None)
    model = _Model(counts, past, frozenset(holidays))
    errors = _errors(counts, past, frozenset(holidays))
    spread = model.spread()
    handle = _handle_times(offered, zone, interval)
    slots = []
    for number, day in enumerate(ahead, 1):
        expected = model.day(day, number)
        for start in intervals(day, zone, interval):
            contacts = expected.get(_minute(start), 0.0)
            deviation = math.sqrt(contacts + (spread * contacts) ** 2)
            low, high = max(0.0, contacts - _EIGHTY * deviation), contacts + _EIGHTY * deviation
            slots.append(Slot(start, contacts, low, high, handle(_minute(start))))
    return Forecast(tuple(slots), errors)


def _minute(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _counts(calls: Sequence[PastCall], zone: ZoneInfo, interval: int) -> Counts:
    """Every day from the first to the last, with all its intervals; those without a contact are 0."""
    if not calls:
        return {}
    first, last = min(call.day for call in calls), max(call.day for call in calls)
    found: dict[date, dict[int, tuple[float, int]]] = {}
    for number in range((last - first).days + 1):
        day: dict[int, tuple[float, int]] = {}
        for start in intervals(first + timedelta(days=number), zone, interval):
            day[_minute(start)] = (0.0, day.get(_minute(start), (0.0, 0))[1] + 1)
        found[first + timedelta(days=number)] = day
    for call in calls:
        minute = _slot_of(call, zone, interval)
        day = found[call.day]
        contacts, times = day.get(minute, (0.0, 1))
        day[minute] = (contacts + 1, times)
    return found


def _slot_of(call: PastCall, zone: ZoneInfo, interval: int) -> int:
    at = datetime.fromtimestamp(call.queued_at, UTC).astimezone(zone)
    if at.date() != call.day:
        # It rang before midnight and reached the queue after it: the day is that of its ring.
        return (24 * 3600 - interval) // 60
    seconds = at.hour * 3600 + at.minute * 60 + at.second
    return seconds // interval * interval // 60


class _Model:
    """The usual week, its level and how each weekday spreads over the clock, learned from `past`."""

    def __init__(self, counts: Counts, past: Sequence[date], holidays: frozenset[date]) -> None:
        self.holidays = holidays
        totals = {day: sum(contacts for contacts, _ in counts[day].values()) for day in past}
        common = [day for day in past if day not in holidays]
        by_weekday: dict[int, list[float]] = defaultdict(list)
        for day in common:
            by_weekday[day.weekday()].append(totals[day])
        rough = {weekday: median(values) for weekday, values in by_weekday.items()}
        middle = median(rough.values()) if rough else 0.0
        taught = [day for day in common if _teaches(totals[day], rough[day.weekday()])]
        self.cut = {day: _cut(totals[day], rough[day.weekday()]) for day in taught}
        self.usual = {
            weekday: mean([self.cut[day] for day in taught if day.weekday() == weekday] or [value])
            for weekday, value in rough.items()
        }
        self.elsewhere = middle
        self.level, self.trend = self._smooth(taught)
        self.shares = {weekday: _shares(counts, taught, weekday) for weekday in range(7)}
        closed = [day for day in past if day in holidays and self._usual(day) > 0]
        self.holiday = mean([totals[day] / self._usual(day) for day in closed]) if closed else 0.0

    def _usual(self, day: date) -> float:
        return self.usual.get(day.weekday(), self.elsewhere)

    def _smooth(self, taught: Sequence[date]) -> tuple[float, float]:
        level, trend = 1.0, 0.0
        for day in taught:
            usual = self._usual(day)
            if usual <= 0:
                continue
            before = level
            level = FOLLOWS * (self.cut[day] / usual) + (1 - FOLLOWS) * (level + DAMPED * trend)
            trend = TREND_FOLLOWS * (level - before) + (1 - TREND_FOLLOWS) * DAMPED * trend
        return max(level, 0.0), trend

    def day(self, day: date, ahead: int) -> dict[int, float]:
        """The contacts of a day that lies `ahead` days after the last, by minute of the clock."""
        grown = self.level + self.trend * sum(DAMPED**step for step in range(1, ahead + 1))
        total = self._usual(day) * max(grown, 0.0)
        if day in self.holidays:
            total = self._usual(day) * self.holiday
        return {minute: total * part for minute, part in self.shares[day.weekday()].items()}

    def spread(self) -> float:
        """How far days lie from their usual total beyond chance, as a share of it."""
        misses = [
            ((total - self._usual(day)) ** 2 - self._usual(day)) / self._usual(day) ** 2
            for day, total in self.cut.items()
            if self._usual(day) > 0
        ]
        return math.sqrt(max(0.0, mean(misses))) if misses else 0.0


def _teaches(total: float, usual: float) -> bool:
    return total >= GAP * usual


def _cut(total: float, usual: float) -> float:
    return min(total, SURGE * usual) if usual > 0 else total


def _shares(counts: Counts, taught: Sequence[date], weekday: int) -> dict[int, float]:
    """Minute → its part of the day: of this weekday's days, and of IMAGINED_DAYS average ones."""
    own = _sums(counts, [day for day in taught if day.weekday() == weekday])
    every = _sums(counts, taught)
    own_total, total = sum(own.values()), sum(every.values())
    if not total:
        return {}
    days = len({day for day in taught if day.weekday() == weekday})
    weight = days / (days + IMAGINED_DAYS) if own_total else 0.0
    return {
        minute: weight * (own.get(minute, 0.0) / own_total if own_total else 0.0) + (1 - weight) * value / total
        for minute, value in every.items()
    }


def _sums(counts: Counts, days: Iterable[date]) -> dict[int, float]:
    """Minute → contacts over these days; what the clock showed twice counts half."""
    found: dict[int, float] = defaultdict(float)
    for day in days:
        for minute, (contacts, times) in counts[day].items():
            found[minute] += contacts / times
    return found


def _handle_times(calls: Sequence[PastCall], zone: ZoneInfo, interval: int) -> "_Handle":
    return _Handle([(_slot_of(call, zone, interval), call.handle) for call in calls if call.answered])


class _Handle:
    """The average handle time of an interval of the clock, drawn to the average of all where it has few contacts."""

    def __init__(self, handled: Sequence[tuple[int, float]]) -> None:
        self.usual = mean([seconds for _, seconds in handled]) if handled else 0.0
        self._sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for minute, seconds in handled:
            self._sums[minute][0] += seconds
            self._sums[minute][1] += 1

    def __call__(self, minute: int) -> float:
        seconds, number = self._sums.get(minute, (0.0, 0.0))
        return (seconds + IMAGINED_CALLS * self.usual) / (number + IMAGINED_CALLS)


def _errors(counts: Counts, past: Sequence[date], holidays: frozenset[date]) -> Errors | None:
    """Forecast the last week (of less than four weeks the last quarter) from what came before it."""
    if len(past) < LEAST_DAYS:
        return None
    held = 7 if len(past) >= 28 else max(1, len(past) // 4)
    before, after = past[:-held], past[-held:]
    model = _Model(counts, before, holidays)
    misses = daily = naive = total = 0.0
    for number, day in enumerate(after, 1):
        expected = model.day(day, number)
        earlier = counts.get(day - timedelta(days=7), {})
        came = sum(contacts for contacts, _ in counts[day].values())
        foreseen = 0.0
        for minute, (contacts, times) in counts[day].items():
            misses += abs(contacts - expected.get(minute, 0.0) * times)
            foreseen += expected.get(minute, 0.0) * times
            same, then = earlier.get(minute, (0.0, 1))
            naive += abs(contacts - same / then * times)
        daily += abs(came - foreseen)
        total += came
    if not total:
        return None
    week_before = past[0] <= after[0] - timedelta(days=7)
    return Errors(held, misses / total, daily / total, naive / total if week_before else None)
