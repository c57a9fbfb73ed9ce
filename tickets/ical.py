"""Holidays out of an iCalendar file (RFC 5545): whole-day events and their yearly repetitions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_FOLD = re.compile(r"\r?\n[ \t]")
_ESCAPE = re.compile(r"\\([\\;,nN])")
LONGEST_EVENT_DAYS = 31


@dataclass(frozen=True, slots=True)
class Holiday:
    """One closed day with the name its calendar gives it."""

    day: date
    name: str


@dataclass(frozen=True, slots=True)
class Holidays:
    """What a file holds between two years, and the names of events left out because they are not days."""

    days: tuple[Holiday, ...]
    skipped: tuple[str, ...]


def parse_holidays(text: str, first_year: int, last_year: int) -> Holidays:
    """Days of `text` from `first_year` to `last_year`; timed, canceled and odd events are skipped."""
    days: set[tuple[date, str]] = set()
    skipped: list[str] = []
    for event in _events(text):
        name = _plain(event.get("SUMMARY", ("", ""))[1])
        found = _days(event, first_year, last_year)
        if found is None:
            skipped.append(name)
        else:
            days.update((day, name) for day in found)
    return Holidays(tuple(Holiday(day, name) for day, name in sorted(days)), tuple(skipped))


def _events(text: str) -> Iterator[dict[str, tuple[str, str]]]:
    """Each VEVENT as {name: (parameters, value)}; nested components (alarms) are passed over."""
    event: dict[str, tuple[str, str]] | None = None
    inside = 0
    for line in _FOLD.sub("", text).splitlines():
        head, _, value = line.partition(":")
        name, _, parameters = head.upper().partition(";")
        if name == "BEGIN" and value.strip().upper() == "VEVENT":
            event, inside = {}, 0
        elif event is None:
            continue
        elif name == "END" and value.strip().upper() == "VEVENT":
            yield event
            event = None
        elif name in ("BEGIN", "END"):
            inside += 1 if name == "BEGIN" else -1
        elif not inside:
            event.setdefault(name, (parameters, value.strip()))


def _days(event: dict[str, tuple[str, str]], first_year: int, last_year: int) -> set[date] | None:
    start = _day(event.get("DTSTART"))
    if start is None or event.get("STATUS", ("", ""))[1].upper() == "CANCELLED":
        return None
    rule = dict(part.partition("=")[::2] for part in event.get("RRULE", ("", ""))[1].upper().split(";") if part)
    end = _day(event.get("DTEND")) or start + timedelta(days=1)
    length = max(1, (end - start).days)
    if length > LONGEST_EVENT_DAYS or (rule and not _is_plain_yearly(rule)):
        return None
    starts = _repeated(start, rule, last_year) if rule else [start]
    days = {first + timedelta(days=number) for first in starts for number in range(length)}
    return {day for day in days if first_year <= day.year <= last_year}


def _is_plain_yearly(rule: dict[str, str]) -> bool:
    """Whether the rule is "this date every n years", unlike "the last Monday of May"."""
    numbers = all(rule.get(key, "1").isdigit() for key in ("INTERVAL", "COUNT"))
    known = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY"}
    single = all("," not in rule.get(key, "") for key in ("BYMONTH", "BYMONTHDAY"))
    return rule.get("FREQ") == "YEARLY" and numbers and single and rule.keys() <= known


def _repeated(start: date, rule: dict[str, str], last_year: int) -> list[date]:
    step = max(1, int(rule.get("INTERVAL", "1")))
    count = int(rule["COUNT"]) if "COUNT" in rule else None
    until = _iso_day(rule.get("UNTIL", ""))
    starts: list[date] = []
    for year in range(start.year, last_year + 1, step):
        try:
            day = start.replace(year=year)
        except ValueError:  # 29 February exists in leap years only
            continue
        if (count is not None and len(starts) >= count) or (until is not None and day > until):
            break
        starts.append(day)
    return starts


def _day(entry: tuple[str, str] | None) -> date | None:
    """A whole day; None for a time of day."""
    if entry is None or "T" in entry[1].upper():
        return None
    return _iso_day(entry[1])


def _iso_day(text: str) -> date | None:
    digits = text[:8]
    if len(digits) != 8 or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
