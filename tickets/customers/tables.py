"""Tables out of files that people have: CSV in any encoding and separator, and Excel. Pure: bytes in, rows out."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import chardet
from python_calamine import CalamineError, CalamineWorkbook

LARGEST_FILE = 25 * 1024 * 1024
LARGEST_UNPACKED = 300 * 1024 * 1024
MOST_ROWS = 200_000
MOST_COLUMNS = 200
LONGEST_CELL = 10_000

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_LINES = 50


class BadTable(ValueError):
    """A file that holds no readable table; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line as trimmed text, as many as there are columns; `number` counts from 1 as in the file."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The named columns, and the lines below that hold anything. `read_as` tells how the file was understood."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    read_as: str


def read_table(data: bytes, filename: str) -> Table:
    """Read a .csv, .tsv, .txt, .xlsx, .xls or .ods file, told apart by its content; raises BadTable."""
    if len(data) > LARGEST_FILE:
        raise BadTable("The file is larger than 25 MB: split it.")
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        lines, read_as = _excel_lines(data), "Excel"
    else:
        lines, read_as = _csv_lines(data)
    filled = [(number, cells) for number, cells in enumerate(lines, 1) if any(cells)]
    if not filled:
        raise BadTable(f"{filename} holds no rows.")
    if len(filled) > MOST_ROWS + 1:
        raise BadTable(f"The file has more than {MOST_ROWS:,} rows: split it.")
    header = _trimmed(filled[0][1])
    if len(header) > MOST_COLUMNS:
        raise BadTable(f"The file has more than {MOST_COLUMNS} columns.")
    rows = tuple(Row(number, _fitted(cells, len(header))) for number, cells in filled[1:])
    return Table(header, rows, read_as)


def _csv_lines(data: bytes) -> tuple[list[tuple[str, ...]], str]:
    text, encoding = _decoded(data)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [tuple(_cell(value) for value in line) for line in reader]
    except csv.Error as error:
        raise BadTable(f"Line {reader.line_num} cannot be read: {error}") from error
    name = {"\t": "tab"}.get(separator, separator)
    return lines, f"{encoding}, separated by {name}"


def _decoded(data: bytes) -> tuple[str, str]:
    """UTF-8 where it fits, else what the bytes look like; no byte is refused."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        guess = chardet.detect(data)
        encoding = str(guess["encoding"] or "windows-1252") if (guess["confidence"] or 0) > 0.5 else "windows-1252"
        return data.decode(encoding, "replace"), encoding


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the most columns of an even number."""
    sample = text.splitlines()[:_SAMPLE_LINES]

    def score(separator: str) -> tuple[float, int]:
        widths = Counter(len(line) for line in csv.reader(sample, delimiter=separator) if line)
        width, lines = widths.most_common(1)[0] if widths else (1, 0)
        return (lines / max(1, widths.total()) if width > 1 else 0.0), width

    return max(_SEPARATORS, key=score)


def _excel_lines(data: bytes) -> list[tuple[str, ...]]:
    if data[:2] == b"PK":
        _refuse_bomb(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError) as error:
        raise BadTable(f"The workbook cannot be read: {error}") from error
    return [tuple(_cell(value) for value in row) for row in rows]


def _refuse_bomb(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise BadTable("The workbook is damaged.") from error
    if size > LARGEST_UNPACKED:
        raise BadTable("The workbook unpacks to more than 300 MB.")


def _cell(value: object) -> str:
    """A cell as the person saw it: 84912345678.0 is a phone number, not a float."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value).replace("\x00", "").strip()[:LONGEST_CELL]


def _trimmed(cells: Sequence[str]) -> tuple[str, ...]:
    """Without the empty columns at the end that spreadsheets carry along."""
    width = max(number for number, cell in enumerate(cells, 1) if cell)
    return tuple(cells[:width])


def _fitted(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple(cells[:width]) + ("",) * (width - len(cells))
