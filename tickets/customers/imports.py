"""Customers out of a table: which column means what, and what is wrong with each row, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from contact_center.core.text import fold
from tickets.customers.identities import BadAddress, normalise
from tickets.customers.names import clean_name
from tickets.customers.tables import Row, Table
from tickets.states import ContactKind

SAMPLE_ROWS = 100
TELLING_SHARE = 0.8


class Field(StrEnum):
    """What a column can mean; every other column becomes an attribute under its own name."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"
    COMPANY = "company"
    EXTERNAL_ID = "external_id"
    LOCALE = "locale"
    NOTE = "note"


# Folded headers in English and Vietnamese, the surest first: `identifier` wins over `id` when a file has both.
# fmt: off
HEADERS: Mapping[Field, tuple[str, ...]] = {
    Field.NAME: (
        "full name", "name", "customer name", "display name", "contact name", "ho va ten", "ho ten",
        "ten khach hang", "ten day du", "khach hang", "customer", "ten",
    ),
    Field.FIRST_NAME: ("first name", "firstname", "given name", "ten goi"),
    Field.LAST_NAME: ("last name", "lastname", "surname", "family name", "ho", "ho dem", "ho va ten dem"),
    Field.EMAIL: ("email", "e mail", "email address", "e mail address", "mail", "thu dien tu", "dia chi email"),
    Field.PHONE: (
        "phone", "phone number", "mobile", "mobile phone", "telephone", "tel", "cell", "sdt", "dien thoai",
        "so dien thoai", "di dong", "so di dong", "dt", "so dt",
    ),
    Field.COMPANY: ("company", "company name", "organization", "organisation", "cong ty", "ten cong ty", "to chuc"),
    Field.EXTERNAL_ID: ("external id", "customer id", "customer number", "ma khach hang", "ma kh", "identifier", "id"),
    Field.LOCALE: ("locale", "language", "ngon ngu"),
    Field.NOTE: ("note", "notes", "comment", "comments", "ghi chu"),
}
# fmt: on
SEVERAL = frozenset({Field.EMAIL, Field.PHONE})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; a `fatal` one keeps the row out, otherwise only the value is left out."""

    row: int
    column: str
    value: str
    text: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row that can become a customer: normalised addresses, `key` decides who it is when it comes again."""

    row: int
    name: str
    points: tuple[tuple[ContactKind, str], ...]
    company: str = ""
    external_id: str | None = None
    locale: str | None = None
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """The shop's id where there is one, else the first address."""
        if self.external_id:
            return ("external_id", self.external_id)
        kind, value = self.points[0]
        return (kind.value, value)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, and everything a person should know before it does."""

    columns: Mapping[str, Field | None]
    candidates: tuple[Candidate, ...]
    problems: tuple[Problem, ...]

    @property
    def rejected(self) -> int:
        """How many rows stay out."""
        return len({problem.row for problem in self.problems if problem.fatal})


def guess_columns(table: Table, chosen: Mapping[str, Field | None] | None = None) -> dict[int, Field | None]:
    """The meaning of each column by its header, else by its cells; `chosen` (by header) goes first."""
    chosen = chosen or {}
    guessed: dict[int, Field | None] = {
        number: chosen[name] for number, name in enumerate(table.header) if name in chosen
    }
    ranked = sorted(
        (rank, number, meaning)
        for number, name in enumerate(table.header)
        for meaning, rank in _ranks(name)
        if number not in guessed
    )
    for _, number, meaning in ranked:
        if number not in guessed and (meaning in SEVERAL or meaning not in guessed.values()):
            guessed[number] = meaning
    for number in range(len(table.header)):
        guessed.setdefault(number, _by_content(table, number))
    return dict(sorted(guessed.items()))


def plan_import(table: Table, columns: Mapping[int, Field | None], *, region: str = "VN") -> Plan:
    """Read every row; a later row of the same person is named and left out, an address of somebody else is dropped."""
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    seen: dict[tuple[str, str], int] = {}
    owners: dict[tuple[ContactKind, str], int] = {}
    for row in table.rows:
        candidate, found = _candidate(table, row, columns, region)
        problems.extend(found)
        if candidate is None:
            continue
        first = seen.setdefault(candidate.key, candidate.row)
        if first != candidate.row:
            problems.append(Problem(row.number, "", candidate.key[1], f"The same customer as row {first}.", fatal=True))
            continue
        taken = [(value, owners.setdefault((kind, value), row.number)) for kind, value in candidate.points]
        kept = tuple(point for point in candidate.points if owners[point] == row.number)
        lost = not kept and not candidate.external_id
        problems.extend(
            Problem(row.number, "", value, f"This address belongs to the customer of row {owner}.", fatal=lost)
            for value, owner in taken
            if owner != row.number
        )
        if not lost:
            candidates.append(replace(candidate, points=kept))
    names = {table.header[number] or f"column {number + 1}": meaning for number, meaning in columns.items()}
    return Plan(names, tuple(candidates), tuple(problems))


def _ranks(header: str) -> list[tuple[Field, int]]:
    """Fields whose known headers this one equals, also with a number behind (`Email 2`), with the header's rank."""
    words = " ".join("".join(sign if sign.isalnum() else " " for sign in fold(header)).split())
    bare = words.rstrip("0123456789 ")
    return [
        (meaning, names.index(word))
        for meaning, names in HEADERS.items()
        for word in dict.fromkeys((words, bare))
        if word in names
    ]


def _by_content(table: Table, number: int) -> Field | None:
    """An unnamed or unknown column that plainly holds e-mail addresses or international numbers."""
    cells = [row.cells[number] for row in table.rows[:SAMPLE_ROWS] if row.cells[number]]
    for meaning, kind, sign in ((Field.EMAIL, ContactKind.EMAIL, "@"), (Field.PHONE, ContactKind.PHONE, "+")):
        good = sum(1 for cell in cells if sign in cell and _point(kind, cell, "VN"))
        if cells and good >= TELLING_SHARE * len(cells):
            return meaning
    return None


def _point(kind: ContactKind, cell: str, region: str) -> str | None:
    try:
        return normalise(kind, cell, region=region)
    except BadAddress:
        return None


def _candidate(
    table: Table, row: Row, columns: Mapping[int, Field | None], region: str
) -> tuple[Candidate | None, list[Problem]]:
    problems: list[Problem] = []
    points: dict[tuple[ContactKind, str], None] = {}
    values: dict[Field, str] = {}
    attributes: dict[str, str] = {}
    for number, meaning in columns.items():
        cell, header = row.cells[number], table.header[number]
        if not cell:
            continue
        if meaning is None:
            attributes[header or f"column {number + 1}"] = cell
        elif meaning in SEVERAL:
            kind = ContactKind.EMAIL if meaning is Field.EMAIL else ContactKind.PHONE
            try:
                points[(kind, normalise(kind, cell, region=region))] = None
            except BadAddress as error:
                problems.append(Problem(row.number, header, cell, str(error)))
        else:
            values[meaning] = cell
    if not points and Field.EXTERNAL_ID not in values:
        problems.append(Problem(row.number, "", "", "No address and no customer id: nobody to recognise.", fatal=True))
        return None, problems
    return Candidate(
        row.number,
        _name(values),
        tuple(points),
        values.get(Field.COMPANY, ""),
        values.get(Field.EXTERNAL_ID),
        _locale(values.get(Field.LOCALE, "")),
        values.get(Field.NOTE, ""),
        attributes,
    ), problems


def _name(values: Mapping[Field, str]) -> str:
    """One name; with two columns the family name goes first when it has Vietnamese marks, as in Nguyễn Văn An."""
    if Field.NAME in values:
        return clean_name(values[Field.NAME])
    first, last = values.get(Field.FIRST_NAME, ""), values.get(Field.LAST_NAME, "")
    vietnamese = fold(first + last) != (first + last).casefold()
    parts: Sequence[str] = (last, first) if vietnamese else (first, last)
    return clean_name(" ".join(part for part in parts if part))


def _locale(text: str) -> str | None:
    known = {"vi": "vi", "vietnamese": "vi", "tieng viet": "vi", "en": "en", "english": "en", "tieng anh": "en"}
    word = fold(text).strip()
    return known.get(word) or known.get(word[:2])
