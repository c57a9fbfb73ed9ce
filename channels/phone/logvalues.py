"""Cells of a call log as values: moments, lengths, outcomes, directions, in the ways exchanges write them (pure)."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from enum import StrEnum

from channels.phone.states import Direction
from contact_center.core.text import fold


class DateOrder(StrEnum):
    """How a log writes dates with numbers only."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


class Outcome(StrEnum):
    """What a log's word for the end of a call says; DERIVE means that the word does not tell."""

    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    BUSY = "busy"
    FAILED = "failed"
    DERIVE = "derive"
    NOT_A_CALL = "not a call"


def folded(text: str) -> str:
    """Lower-case words without marks or punctuation: `Kết thúc`, `end-time` and `endTime` compare plainly."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"[^\W_]+", fold(spaced)))


def _split(words: str) -> list[str]:
    return [word.strip() for word in words.split(",")]


def _words(table: dict[Outcome, str]) -> dict[str, Outcome]:
    return {word: outcome for outcome, words in table.items() for word in _split(words)}


OUTCOMES = _words(
    {
        Outcome.ANSWERED: "answered, answer, agent, completed, complete, connected, success, successful, ok, yes, y,"
        "true, in progress, handled, served, talk, accepted, received, beantwortet, angenommen, repondu, contestada,"
        "atendida, nghe may, da nghe, da tra loi, thanh cong, tra loi",
        Outcome.UNANSWERED: "no answer, noanswer, not answered, unanswered, missed, missed call, abandoned, abandon,"
        "lost, no, n, false, cancelled, canceled, cancel, originator cancel, no user response, timeout,"
        "allotted timeout,"
        "exitwithtimeout, exitempty, ring no answer, rna, voicemail, declined, rejected, call rejected, not accepted,"
        "verpasst, nicht beantwortet, manque, perdida, no contestada, nho, cuoc goi nho, goi nho, khong nghe may,"
        "khong tra loi, bo lo, tu choi",
        Outcome.BUSY: "busy, user busy, line busy, besetzt, occupe, ocupado, ban, may ban",
        Outcome.FAILED: "failed, failure, error, congestion, chanunavail, unallocated number, no route destination,"
        "invalid number format, normal temporary failure, network out of order, recovery on timer expire,"
        "subscriber absent, destination out of order, incompatible destination, service unavailable,"
        "exchange routing error, fehlgeschlagen, that bai, loi",
        Outcome.DERIVE: ", normal clearing, normal unspecified, hang, hangup, hung up, hang up, ended, terminated,"
        "finished, ket thuc, none, null",
        Outcome.NOT_A_CALL: "phantom, test, test call, dummy",
    }
)  # fmt: skip

_INWARD = "in, inbound, incoming, inward, received, eingehend, entrant, entrante, goi den, den, trunking terminating"
_OUTWARD = (
    "out, outbound, outgoing, outward, outbound api, outbound dial, dialed, dialled, placed, ausgehend, sortant,"
    "saliente, goi di, di, goi ra, trunking originating"
)
_INSIDE = "internal, local, extension, intern, noi bo"


# A call between two colleagues has no direction.
DIRECTIONS: dict[str, Direction | None] = {
    **dict.fromkeys(_split(_INWARD), Direction.IN),
    **dict.fromkeys(_split(_OUTWARD), Direction.OUT),
    **dict.fromkeys(_split(_INSIDE)),
}

NOBODY = frozenset({"", "none", "no", "null", "nan", "n a", "na", "no server", "no agent", "unknown", "khong"})

# Abbreviations that logs append to a local time, in hours from UTC; ambiguous ones (CST, IST) are left out.
ZONES = {"utc": 0, "gmt": 0, "z": 0, "wet": 0, "bst": 1, "cet": 1, "west": 1, "cest": 2, "eet": 2, "eest": 3,
         "msk": 3, "ict": 7, "jst": 9, "aest": 10, "est": -5, "edt": -4, "mst": -7, "mdt": -6, "pst": -8,
         "pdt": -7}  # fmt: skip

_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?P<zone>Z|[A-Za-z]{2,5}|[+-]\d{2}:?\d{2}))?"
_ISO = r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
_LOCAL = r"(?P<first>\d{1,2})[-/.](?P<second_>\d{1,2})[-/.](?P<year_>\d{4}|\d{2})"
_COMPACT = r"(?P<compact>\d{8}|\d{6})"
_DATE = rf"(?:{_ISO}|{_LOCAL}|{_COMPACT})"
_PATTERNS = [
    re.compile(rf"{_DATE}(?:(?:\s*,\s*|\s+|[Tt]){_TIME}{_ZONE})?"),
    re.compile(rf"{_TIME}{_ZONE}(?:\s*,\s*|\s+){_DATE}"),
    re.compile(_TIME),
]
_LOCAL_DATE = re.compile(rf"\s*{_LOCAL}\b")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2})(?:[.,]\d+)?")
_UNITS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(h|m|s)[a-z]*", re.IGNORECASE)
_SPELLED = {"gio": "h", "std": "h", "phut": "m", "giay": "s", "sek": "s"}


def guess_order(cells: Iterable[str]) -> tuple[DateOrder, bool]:
    """Whether dates like 3/4/2026 put the day first, and whether the cells prove it; AM and PM hint at the month."""
    american = False
    for cell in cells:
        if found := _LOCAL_DATE.match(cell):
            if int(found["first"]) > 12:
                return DateOrder.DAY_FIRST, True
            if int(found["second_"]) > 12:
                return DateOrder.MONTH_FIRST, True
            american = american or bool(re.search(r"\d\s*[AaPp]\.?[Mm]\b", cell))
    return (DateOrder.MONTH_FIRST if american else DateOrder.DAY_FIRST), False


def parse_moment(cell: str, order: DateOrder, zone: tzinfo) -> datetime | date | time | None:
    """An aware UTC moment, or only the date or only the time of day if the cell has no more; None if neither."""
    text = cell.strip()
    if re.fullmatch(r"\d{9,10}(?:\.\d+)?|\d{13}", text):
        seconds = float(text) / (1000 if len(text) == 13 else 1)
        return datetime.fromtimestamp(seconds, UTC)
    for pattern in _PATTERNS:
        if found := pattern.fullmatch(text):
            return _assemble(found.groupdict(), order, zone)
    if re.match(r"[A-Za-z]{3},|\d{1,2} [A-Za-z]{3}", text):
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError, OverflowError):
            return None
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    return None


def _assemble(parts: dict[str, str | None], order: DateOrder, zone: tzinfo) -> datetime | date | time | None:
    try:
        day = _day(parts, order)
        clock = _clock(parts)
        offset = _offset(parts.get("zone"), zone)
    except ValueError:
        return None
    if day is None or clock is None or offset is None:
        return None if offset is None else day or clock
    return datetime.combine(day, clock, offset).astimezone(UTC)


def _day(parts: dict[str, str | None], order: DateOrder) -> date | None:
    if parts.get("year"):
        return date(int(parts["year"] or 0), int(parts["month"] or 0), int(parts["day"] or 0))
    if compact := parts.get("compact"):
        year = int(compact[:-4])
        return date(_century(year) if len(compact) == 6 else year, int(compact[-4:-2]), int(compact[-2:]))
    if not parts.get("first"):
        return None
    first, second, year = int(parts["first"] or 0), int(parts["second_"] or 0), int(parts["year_"] or 0)
    day, month = (first, second) if order is DateOrder.DAY_FIRST else (second, first)
    return date(_century(year) if year < 100 else year, month, day)


def _century(year: int) -> int:
    return year + (1900 if year >= 70 else 2000)


def _clock(parts: dict[str, str | None]) -> time | None:
    if not parts.get("hour"):
        return None
    hour = int(parts["hour"] or 0)
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            raise ValueError("an hour of the twelve-hour clock")
        hour = hour % 12 + (12 if half in "pP" else 0)
    return time(hour, int(parts["minute"] or 0), int(parts.get("second") or 0))


def _offset(written: str | None, zone: tzinfo) -> tzinfo | None:
    """The zone a cell names, the log's own where it names none, None for one that we do not know."""
    if not written:
        return zone
    if written.lower() in ZONES:
        return timezone(timedelta(hours=ZONES[written.lower()]))
    digits = written.replace(":", "")
    if not re.fullmatch(r"[+-]\d{4}", digits):
        return None
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


def parse_seconds(cell: str) -> int | None:
    """A length in whole seconds: 83, 83.4, 1:23, 0:01:23, `1m 23s`, `2 phút`; None if it is none."""
    text = cell.strip()
    if re.fullmatch(r"\d{1,7}(?:[.,]\d+)?", text):
        return round(float(text.replace(",", ".")))
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds
    plain = " ".join(_SPELLED.get(word, word) for word in re.findall(r"[\d.,]+|[a-z]+", fold(text)))
    if not plain or _UNITS.sub("", plain).strip():
        return None
    sizes = {"h": 3600, "m": 60, "s": 1}
    return round(sum(float(n.replace(",", ".")) * sizes[unit.lower()] for n, unit in _UNITS.findall(plain)))
