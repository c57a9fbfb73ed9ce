"""Dates as mail programs write them for people ("1. März 2026 um 10:15"), in the languages Babel knows."""

import re
from datetime import UTC, datetime
from functools import cache

from babel.dates import get_month_names

from channels.email.headers import parsed_date

_LOCALES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "nn", "fi", "pl", "cs", "sk", "ru", "uk", "bg"),
    *("hu", "tr", "el", "ro", "hr", "sr_Latn", "sr", "sl", "et", "lv", "lt", "id", "vi", "ar", "he", "th"),
)
_TIME = re.compile(
    r"(\d{1,2})(?:[:.h]|\s?[時시点]\s?)(\d{2})(?:[:.](\d{2}))?\s*([ap]\.?\s?m|SA|CH|上午|下午|오후)?", re.IGNORECASE
)
_LATE = ("p", "c", "下", "오")
_EARLY = ("a", "s", "上")
_ISO = re.compile(r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})")
_KOREAN = re.compile(r"(\d{4})년\s?(\d{1,2})월\s?(\d{1,2})")
_NUMERIC = re.compile(r"(\d{1,2})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{4}|\d{2})(?!\d)")
_VIETNAMESE = re.compile(r"(\d{1,2})\s(?:tháng|thg)\s(\d{1,2})[,.]?\s(?:năm\s)?(\d{4})", re.IGNORECASE)
_VIETNAMESE_NAMED = re.compile(
    r"(\d{1,2})\s(?:tháng|thg)\s([^\W\d_]{2,5}(?:\s(?:một|hai))?)[,.]?\s(\d{4})", re.IGNORECASE
)
_VIETNAMESE_MONTHS = ["giêng", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một", "mười hai"]
_DAY_THEN_WORD = re.compile(r"\b\d{1,2}\.?\s{1,3}(?:de\s)?([^\W\d_]{3,12}\.?)")
_WORD = re.compile(r"[^\W\d_]{3,}\.?")


def spoken_date(text: str) -> datetime | None:
    """Aware UTC for a date in prose (a missing zone counts as UTC); None where none is found."""
    text = text[:200].replace("\u202f", " ").replace("\xa0", " ")
    formal = parsed_date(text)
    if formal is not None and str(formal.year) in text:
        return formal
    day = _day(text)
    if day is None:
        return None
    hour, minute, second = _clock(text)
    try:
        return datetime(*day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _clock(text: str) -> tuple[int, int, int]:
    found = _TIME.search(text)
    if found is None:
        return 0, 0, 0
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[4] or "").lower() or ("p" if re.search(r"下午|오후", text) else "")
    if half.startswith(_LATE) and hour < 12:
        hour += 12
    elif half.startswith(_EARLY) and hour == 12:
        hour = 0
    return hour, minute, second


def _day(text: str) -> tuple[int, int, int] | None:
    found = _ISO.search(text) or _KOREAN.search(text)
    if found:
        return int(found[1]), int(found[2]), int(found[3])
    found = _VIETNAMESE.search(text)
    if found:
        return int(found[3]), int(found[2]), int(found[1])
    found = _VIETNAMESE_NAMED.search(text)
    if found and found[2].lower() in _VIETNAMESE_MONTHS:
        return int(found[3]), _VIETNAMESE_MONTHS.index(found[2].lower()) + 1, int(found[1])
    found = _NUMERIC.search(text)
    if found:
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        american = second > 12 or ("/" in found[0] and re.search(r"\b[AP]M\b", text) is not None and first <= 12)
        day, month = (second, first) if american else (first, second)
        return (year + 2000 if year < 100 else year), month, day
    return _named_day(text)


def _named_day(text: str) -> tuple[int, int, int] | None:
    months = _months()
    # "mar. 3 févr.": the name after the day is the month, the one before it may be a weekday.
    words = [found[1] for found in _DAY_THEN_WORD.finditer(text)] + _WORD.findall(text)
    month = next((months[word] for word in map(_plain, words) if word in months), None)
    year = re.search(r"\b(?:19|20)\d{2}\b", text)
    if month is None or year is None:
        return None
    rest = _TIME.sub(" ", text.replace(year[0], " ", 1))
    day = re.search(r"(?<!\d)(\d{1,2})(?!\d)", rest)
    return (int(year[0]), month, int(day[1])) if day else None


def _plain(word: str) -> str:
    return word.rstrip(".").lower()


@cache
def _months() -> dict[str, int]:
    """Month names and their short forms in every known language."""
    names: dict[str, int] = {}
    for locale in _LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    plain = _plain(name)
                    if len(plain) > 2 and not plain.isdecimal():
                        names.setdefault(plain, number)
                        if locale == "he":
                            # "3 in February": the preposition is written onto the name.
                            names.setdefault(f"ב{plain}", number)
    return names
