"""A call log as a file: read whatever exchange wrote it into calls and refused rows with their reasons (pure)."""

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

import chardet

from channels.phone.columns import Field, Layout, guess
from channels.phone.logvalues import (
    DIRECTIONS,
    NOBODY,
    OUTCOMES,
    DateOrder,
    Outcome,
    folded,
    guess_order,
    parse_moment,
    parse_seconds,
)
from channels.phone.states import Direction, Ending, Facts
from contact_center.core.schema import clean_text

LONGEST_FIELD = 1_000_000
LONGEST_CALL = 24 * 3600
HEADER_WITHIN = 10  # exports put a title or two above the header
LATE = 23  # from this hour on, a midnight in a column of times is tomorrow's and not a missing value

ENDINGS = {
    Outcome.ANSWERED: Ending.HUNG_UP,
    Outcome.UNANSWERED: Ending.NO_ANSWER,
    Outcome.BUSY: Ending.BUSY,
    Outcome.FAILED: Ending.FAILED,
}


class BadLog(ValueError):
    """The file as a whole is no call log; the text says why, for people."""


class BadRow(ValueError):
    """One row cannot be taken; the text says why, for people, and `at` when it was, where the row tells."""

    def __init__(self, reason: str, at: datetime | None = None) -> None:
        super().__init__(reason)
        self.at = at


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One finished call: `key` is the same for the same row of the same log, whatever file it comes in."""

    row: int
    key: str
    call_id: str
    direction: Direction
    caller: str
    called: str
    caller_name: str
    agent: str
    queue: str
    facts: Facts
    wait_seconds: int
    talk_seconds: int
    # Hung up in the menu, before anybody was asked for.
    left_menu: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken; `row` counts from 1 with the header, as a spreadsheet shows it."""

    row: int
    reason: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallLog:
    """A file read: what each column was taken for, the calls, the refused rows, and what was assumed."""

    layout: Layout
    headers: Mapping[Field, str]
    calls: Sequence[LoggedCall]
    refusals: Sequence[Refusal]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a file: the zone of its times, the day of times without a date, which numbers are ours."""

    zone: tzinfo
    now: datetime
    day: date | None = None
    own_numbers: frozenset[str] = frozenset()
    order: DateOrder = DateOrder.DAY_FIRST
    columns: Mapping[Field, int] = field(default_factory=dict)


def read_log(raw: bytes, *, zone: tzinfo, now: datetime, day: date | None, own_numbers: frozenset[str]) -> CallLog:
    """Every row as a call or a refusal; raises BadLog when the file is no call log."""
    rows = _rows(_decode(raw))
    skipped, layout = _find_layout(rows)
    body = rows[skipped + layout.has_header :]
    stamps = [
        _at(row, layout.columns[at]) for at in (Field.DATE, Field.START) if at in layout.columns for _, row in body
    ]
    order, proven = guess_order(stamps)
    reading = Reading(zone, now, day, own_numbers, order, layout.columns)
    calls: list[LoggedCall] = []
    refusals: list[Refusal] = []
    width = max(layout.columns.values()) + 1
    for number, row in body:
        try:
            calls.append(_call(number, row, reading, width))
        except BadRow as error:
            refusals.append(Refusal(number, str(error), error.at))
    warnings = []
    if not proven and any(re.match(r"\s*\d{1,2}[-/.]\d{1,2}[-/.]", stamp) for stamp in stamps):
        warnings.append(f"Dates were read with the {order}; no row proves it.")
    if day and Field.DATE not in layout.columns and any(":" in stamp[:3] for stamp in stamps):
        warnings.append(f"The log has no dates: every call was put on {day.isoformat()}.")
    header = rows[skipped][1] if layout.has_header else []
    names = {at: clean_text(_at(header, column)) or f"column {column + 1}" for at, column in layout.columns.items()}
    return CallLog(layout, names, calls, refusals, warnings)


def day_in_name(name: str) -> date | None:
    """The day a file's name tells: calls-2026-11-22.csv, cdr_20261122.csv."""
    for year, month, day in re.findall(r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)(?!\d)", name):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def _decode(raw: bytes) -> str:
    """The text of a file: by its mark, as UTF-8, else by the charset that its bytes look like."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        found = chardet.detect(raw[:200_000])["encoding"] or "cp1252"
    try:
        return raw.decode(found, "replace")
    except LookupError:
        return raw.decode("cp1252", "replace")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """The rows that hold anything, with their number in the file, split at the delimiter that splits most alike."""
    csv.field_size_limit(LONGEST_FIELD)
    hint = re.match(r"sep=(.)\r?\n", text)
    delimiter = hint[1] if hint else _delimiter(text)
    try:
        found = list(enumerate(csv.reader(io.StringIO(text[hint.end() :] if hint else text), delimiter=delimiter), 1))
    except csv.Error as error:
        raise BadLog(f"The file is no table: {error}.") from error
    return [(number + bool(hint), row) for number, row in found if any(cell.strip() for cell in row)]


def _delimiter(text: str) -> str:
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def score(delimiter: str) -> tuple[int, int]:
        widths = [line.count(delimiter) for line in lines]
        usual = max(set(widths), key=widths.count, default=0)
        return (widths.count(usual) if usual else 0, usual)

    return max(",;\t|", key=score)


def _find_layout(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, Layout]:
    """How many rows stand above the header, and the layout; raises BadLog."""
    if not rows:
        raise BadLog("The file is empty.")
    for skipped in range(min(HEADER_WITHIN, len(rows))):
        if layout := guess([row for _, row in rows[skipped : skipped + 300]]):
            return skipped, layout
    raise BadLog("No column with the time of the call was found. The first row should name the columns.")


def _at(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _call(number: int, row: Sequence[str], reading: Reading, width: int) -> LoggedCall:
    """One row as a call; raises BadRow."""
    if len(row) < width:
        raise BadRow("The row is cut off: it has too few columns.")
    cells = {at: clean_text(_at(row, column)) for at, column in reading.columns.items()}
    word = OUTCOMES.get(folded(cells.get(Field.OUTCOME, "")))
    start = _start(cells, reading)
    if word is Outcome.NOT_A_CALL:
        raise BadRow("The log itself marks this as no call.", start)
    direction = _direction(cells, reading)
    talk = _length(cells, Field.TALK)
    answered_at = _later(cells, Field.ANSWERED, start, reading)
    answered = _was_answered(cells, word, talk, answered_at)
    duration, wait = _length(cells, Field.DURATION), _length(cells, Field.WAIT)
    ended_at = _later(cells, Field.ENDED, start, reading)
    if answered:
        if talk is None and answered_at and ended_at:
            talk = max(0, round((ended_at - answered_at).total_seconds()))
        elif talk is None:
            talk = max(0, (duration or 0) - (wait or 0))
        answered_at = answered_at or _answer_before(start, ended_at, talk, wait, duration)
        ended_at = ended_at or answered_at + timedelta(seconds=talk)
    else:
        answered_at, talk = None, 0
        left = [_later(cells, at, start, reading) for at in (Field.LEFT_QUEUE, Field.LEFT_MENU)]
        ended_at = ended_at or left[0] or left[1] or start + timedelta(seconds=duration or wait or 0)
    ended_at = max(ended_at, answered_at or start)
    queued = _later(cells, Field.QUEUED, start, reading)
    left_menu = Field.QUEUED in cells and queued is None and not answered and not wait
    if wait is None:
        wait = 0 if left_menu else max(0, round(((answered_at or ended_at) - (queued or start)).total_seconds()))
    ending = Ending.HUNG_UP if answered else ENDINGS.get(word or Outcome.UNANSWERED, Ending.NO_ANSWER)
    caller, called = _numbers(cells, direction)
    return LoggedCall(
        row=number,
        key=row_key(cells),
        call_id=cells.get(Field.CALL_ID, "")[:250],
        direction=direction,
        caller=caller,
        called=called,
        caller_name=_name(cells, Field.CALLER_NAME),
        agent=_name(cells, Field.AGENT),
        queue=_name(cells, Field.QUEUE),
        facts=Facts(rang_at=start, answered_at=answered_at, ended_at=ended_at, ending=ending),
        wait_seconds=wait,
        talk_seconds=talk,
        left_menu=left_menu,
    )


def row_key(cells: Mapping[Field, str]) -> str:
    """A digest of what the row says, independent of the order of columns and of what we do not read."""
    text = "\x1f".join(f"{at}={cells[at]}" for at in sorted(cells) if cells[at])
    return hashlib.sha256(text.encode()).hexdigest()


def _answer_before(start: datetime, ended: datetime | None, talk: int, wait: int | None, total: int | None) -> datetime:
    """When a call was answered if the log tells only lengths."""
    if wait is not None:
        return start + timedelta(seconds=wait)
    if ended:
        return max(start, ended - timedelta(seconds=talk))
    return start + timedelta(seconds=max(0, (total or talk) - talk))


def _start(cells: Mapping[Field, str], reading: Reading) -> datetime:
    """When the call began; raises BadRow if that is missing, unreadable or still to come."""
    told = [cells.get(at, "") for at in (Field.START, Field.DATE)]
    found = [parse_moment(cell, reading.order, reading.zone) for cell in told]
    start = next((moment for moment in found if isinstance(moment, datetime)), None)
    if start is None:
        clock = next((moment for moment in found if isinstance(moment, time)), None)
        day = next((moment for moment in found if isinstance(moment, date)), None) or reading.day
        if clock is None:
            raise BadRow(
                f"The time {' '.join(told).strip()[:40]!r} is not understood." if any(told) else "It has no time."
            )
        if day is None:
            raise BadRow("It has a time but no date.")
        start = datetime.combine(day, clock, reading.zone)
    if start > reading.now + timedelta(days=1):
        raise BadRow("It lies in the future.")
    return start.astimezone(reading.now.tzinfo)


def _later(cells: Mapping[Field, str], at: Field, start: datetime, reading: Reading) -> datetime | None:
    """A later moment of the same call; a bare time belongs to the start's day or, past midnight, to the next."""
    found = parse_moment(cells.get(at, ""), reading.order, reading.zone)
    if isinstance(found, datetime):
        return max(found, start) if found > start - timedelta(minutes=1) else None
    if not isinstance(found, time):
        return None
    local = start.astimezone(reading.zone)
    if found == time(0) and local.hour < LATE:
        return None
    moment = datetime.combine(local.date(), found, reading.zone)
    if moment < local - timedelta(hours=12):
        moment += timedelta(days=1)
    return max(moment.astimezone(start.tzinfo), start)


def _length(cells: Mapping[Field, str], at: Field) -> int | None:
    if not cells.get(at):
        return None
    seconds = parse_seconds(cells[at])
    if seconds is None:
        raise BadRow(f"The length {cells[at][:40]!r} is not understood.")
    if seconds > LONGEST_CALL:
        raise BadRow("It is longer than a day.")
    return seconds


def _was_answered(
    cells: Mapping[Field, str], word: Outcome | None, talk: int | None, answered_at: datetime | None
) -> bool:
    """Whether somebody spoke with the caller, by the log's word or, where that does not tell, by its times."""
    if word is None and cells.get(Field.OUTCOME):
        if talk is None and answered_at is None:
            raise BadRow(f"The outcome {cells[Field.OUTCOME][:40]!r} is not understood.")
        return bool(talk)
    if word in (None, Outcome.DERIVE):
        if cells.get(Field.AGENT) and not _name(cells, Field.AGENT):
            return False  # the log says that nobody took it: a second of service was the machine's
        if talk is None and answered_at is None and Field.TALK not in cells and Field.ANSWERED not in cells:
            return bool(_length(cells, Field.DURATION))
        return bool(talk) or (answered_at is not None and talk is None)
    return word is Outcome.ANSWERED


def _direction(cells: Mapping[Field, str], reading: Reading) -> Direction:
    """Who called: as the log says, else by whose number it is, else a short extension calling out is us."""
    if cells.get(Field.DIRECTION):
        found = DIRECTIONS.get(folded(cells[Field.DIRECTION]), Direction.IN)
        if found is None:
            raise BadRow("It is an internal call.")
        return found
    caller, called = (re.sub(r"[^\d+]", "", cells.get(at, "")) for at in (Field.CALLER, Field.CALLED))
    if caller and caller in reading.own_numbers:
        return Direction.OUT
    if 0 < len(caller) <= 5 and len(called) > 6:
        return Direction.OUT
    if 0 < len(caller) <= 5 and 0 < len(called) <= 5:
        raise BadRow("It is an internal call.")
    return Direction.IN


def _numbers(cells: Mapping[Field, str], direction: Direction) -> tuple[str, str]:
    caller, called = cells.get(Field.CALLER, ""), cells.get(Field.CALLED, "")
    customer = cells.get(Field.CUSTOMER_NUMBER, "")
    if direction is Direction.IN:
        return (caller or customer)[:80], called[:80]
    return caller[:80], (called or customer)[:80]


def _name(cells: Mapping[Field, str], at: Field) -> str:
    """A name; Asterisk writes `"Name" <number>`, and logs write NO_SERVER or N/A for nobody."""
    name = re.sub(r"\s*<[^>]*>\s*$", "", cells.get(at, "")).strip().strip('"').strip()
    return "" if folded(name) in NOBODY else name[:200]
