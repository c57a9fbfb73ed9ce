"""How a day of the shop goes: when its customers write, and who works when. Pure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
# Where the customers of a language live: half a day apart, so that the floor is never empty for long.
ZONES = {"vi": ZoneInfo("Asia/Ho_Chi_Minh"), "en": ZoneInfo("Europe/Dublin")}
# Share of a day's customers per hour of their own day, and of a week's per weekday, Monday first.
HOURS = (1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 7, 8, 9, 9, 8, 7, 6, 7, 7, 5, 3, 2)
WEEKDAYS = (1.2, 1.1, 1.05, 1.0, 1.05, 0.8, 0.75)

# Language of the site and hour of its day at which a shift begins, for each colleague in turn: two of them together,
# four shifts around the clock.
SHIFTS = (("vi", 6), ("vi", 6), ("vi", 13), ("vi", 13), ("en", 8), ("en", 8), ("en", 15), ("en", 15))
SHIFT = timedelta(hours=9)
LUNCH_AFTER = timedelta(hours=4)
LUNCH = timedelta(minutes=32)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's day; every moment is aware UTC."""

    user_id: int
    begin: datetime
    end: datetime
    lunch: datetime


def arrivals(rng: random.Random, begin: datetime, end: datetime, count: int) -> list[tuple[datetime, str]]:
    """When `count` customers write between two moments, and in which language; in no order."""
    slots = list(_slots(begin, end))
    weights = list(accumulate(weight for _, _, weight in slots))
    found = []
    for start, locale, _ in rng.choices(slots, cum_weights=weights, k=count):
        length = min(start + HOUR, end) - start
        found.append((start + length * rng.random(), locale))
    return found


def share(begin: datetime, end: datetime) -> float:
    """How much of an average week's customers write between two moments: the whole week is about 1."""
    whole = sum(HOURS) * sum(WEEKDAYS) * len(ZONES)
    return sum(weight for _, _, weight in _slots(begin, end)) / whole


def _slots(begin: datetime, end: datetime) -> Iterator[tuple[datetime, str, float]]:
    moment = begin
    while moment < end:
        length = min(HOUR, end - moment) / HOUR
        for locale, zone in ZONES.items():
            local = moment.astimezone(zone)
            yield moment, locale, HOURS[local.hour] * WEEKDAYS[local.weekday()] * length
        moment += HOUR


def shifts(agents: Sequence[int], begin: datetime, end: datetime) -> Iterator[Shift]:
    """The shifts that touch the time between two moments; `agents` in the order of the cast."""
    day = begin.date() - timedelta(days=2)
    while day <= end.date() + timedelta(days=1):
        for place, user_id in enumerate(agents):
            locale, hour = SHIFTS[place % len(SHIFTS)]
            start = datetime.combine(day, time(hour), ZONES[locale]).astimezone(UTC)
            if not _is_off(place, day) and start < end and start + SHIFT > begin:
                late = timedelta(minutes=(place * 7 + day.toordinal() * 13) % 9)
                lunch = start + LUNCH_AFTER + timedelta(minutes=(place * 11 + day.toordinal() * 7) % 25)
                yield Shift(user_id, start + late, start + SHIFT + late, lunch)
        day += timedelta(days=1)


def _is_off(place: int, day: date) -> bool:
    """Two days a week; the two of a shift never together."""
    return (day.weekday() - 3 * place) % 7 < 2
