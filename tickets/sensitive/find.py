"""Finds card numbers, national ids and one-time codes in a text and masks them. Pure.

A number counts by its own arithmetic (issuer and check digit, province and year) or by the words beside it; words
that make it an order, a parcel or an account speak against it. Every run of digits is looked at once, with a bounded
piece of text on either side, so that the time grows with the length of the text and no faster.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contact_center.core.text import fold
from tickets.sensitive import cues


class Kind(StrEnum):
    """What can be found; each can be switched off."""

    CARD = "card"
    NATIONAL_ID = "national_id"
    CODE = "code"


ALL = frozenset(Kind)
# What stands where something was taken out. No digits, so that a masked text has nothing left to find.
PLACEHOLDERS: Mapping[str, Mapping[Kind, str]] = {
    "en": {Kind.CARD: "[card number]", Kind.NATIONAL_ID: "[id number]", Kind.CODE: "[one-time code]"},
    "vi": {Kind.CARD: "[số thẻ]", Kind.NATIONAL_ID: "[số giấy tờ]", Kind.CODE: "[mã dùng một lần]"},
}
_OURS = re.compile("|".join(re.escape(fold(word)) for words in PLACEHOLDERS.values() for word in words.values()))
_BEFORE, _AFTER = 48, 40
SHORTEST_ID = 9
SHORTEST_CARD = 13
LONGEST_CODE = 8
# How far back a web address is looked for in front of a number.
LONGEST_ADDRESS = 300
_ID_SHAPES = (*cues.CCCD_SHAPES, *cues.NINE_SHAPES)
# What may be an id without a word that says so.
_BARE_SHAPES = (*cues.CCCD_SHAPES, [3, 2, 4])
# Digits with at most two separators between them: spaces, dots, dashes, invisible marks of pasted text.
_RUN = re.compile(r"\d(?:(?:[ \t\u00a0\u2009\u202f\u200b\u2060\u00ad\-\u2010-\u2013]{1,2}|\.)?\d){2,}")
_NINO = re.compile(
    r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b", re.IGNORECASE
)
_GOOGLE = re.compile(r"\bG-\d{6}\b")
_PASSPORT = re.compile(r"\b[A-Z]{1,2}\d{6,8}\b", re.IGNORECASE)
_SSN = re.compile(r"(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
_EXPIRY = re.compile(r"[ ,]{1,2}((?:0[1-9]|1[0-2]) ?/ ?(?:20)?\d\d)\b")
_ANY_DIGIT = re.compile(r"\d")
_JOINED = re.compile(r"\d[-.]")
_YEAR = re.compile(r"19[5-9]\d|20[0-4]\d")
_GROUPS = re.compile(r"\d+")
_BARE_CODE = re.compile(r"(?<![\w+@#/])(?<!\d[ .,\-])\d{3}[ \u00a0\-]?\d{3}(?![\w@/])(?![ .,\-]\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """One finding: text[start:end]."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was found in it, and how many of each kind that were."""

    text: str
    found: Counter[Kind]


def mask(
    text: str,
    kinds: Collection[Kind] = ALL,
    *,
    locale: str | None = None,
    bare: bool = False,
    seen: Sequence[Span] | None = None,
) -> Masked:
    """Put a placeholder over everything that `find` finds, until it finds nothing more.

    `seen`: what `scan` has found in it before, so that it is not read once more.
    """
    words = PLACEHOLDERS.get(locale or "en", PLACEHOLDERS["en"])
    found: Counter[Kind] = Counter()
    spans = find(text, kinds, bare=bare) if seen is None else _apart(text, seen, kinds, bare=bare)
    # What was taken out may have stood between a number and its word: look again. Each round takes digits away.
    while spans:
        found.update(span.kind for span in spans)
        text = replaced(text, [(span.start, span.end, words[span.kind]) for span in spans])
        spans = find(text, kinds, bare=bare)
    return Masked(text, found)


def replaced(text: str, pieces: list[tuple[int, int, str]]) -> str:
    """The text with each (start, end) written anew; the pieces are in order and do not overlap."""
    out, at = [], 0
    for start, end, written in pieces:
        out += [text[at:start], written]
        at = end
    return "".join([*out, text[at:]])


def find(text: str, kinds: Collection[Kind] = ALL, *, bare: bool = False) -> list[Span]:
    """Everything sensitive, in order, without overlaps; with `bare` also six digits without a word beside them."""
    return _apart(text, scan(text), kinds, bare=bare)


def scan(text: str) -> list[Span]:
    """Everything of any kind, as it was met: for `mask`, which chooses and joins."""
    return list(_found(text)) if _ANY_DIGIT.search(text) else []


def _apart(text: str, spans: Sequence[Span], kinds: Collection[Kind], *, bare: bool) -> list[Span]:
    found = [span for span in spans if span.kind in kinds]
    if bare:
        found += bare_codes(text)
    found.sort(key=lambda span: (span.start, -span.end))
    apart: list[Span] = []
    for span in found:
        last = apart[-1] if apart else None
        if last and (span.start < last.end or (span.kind is last.kind and not text[last.end : span.start].strip())):
            apart[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            apart.append(span)
    return apart


def bare_codes(text: str) -> list[Span]:
    """Every six digits that stand alone ("482 913", "482-913"): while we wait for a code of ours, they are one."""
    return [Span(match.start(), match.end(), Kind.CODE) for match in _BARE_CODE.finditer(text)]


def _found(text: str) -> Iterator[Span]:
    codes, ids = _places(text)
    for run in _RUN.finditer(text):
        if _is_near(codes, run) or _may_count(text, run, _is_near(ids, run)):
            yield from _in_run(text, run)
    for match in _GOOGLE.finditer(text):
        yield Span(match.start(), match.end(), Kind.CODE)
    for match in _NINO.finditer(text):
        yield Span(match.start(), match.end(), Kind.NATIONAL_ID)
    for match in _PASSPORT.finditer(text):
        if cues.PASSPORT.search(_beside(text[max(0, match.start() - _BEFORE) : match.start()])):
            yield Span(match.start(), match.end(), Kind.NATIONAL_ID)


def _places(text: str) -> tuple[list[int], list[int]]:
    """Where words of codes and of national ids begin, in order: only beside them their numbers have to be read."""
    folded = fold(text)
    codes, ids = ([match.start() for match in words.finditer(folded)] for words in (cues.ANY_CODE, cues.ANY_ID))
    if len(folded) != len(text):
        # Letters that fold to two move what stands behind them: then such a word is near every number.
        everywhere = list(range(0, len(text) + 1, _BEFORE))
        codes, ids = codes and everywhere, ids and everywhere
    return codes, ids


def _is_near(places: list[int], run: re.Match[str]) -> bool:
    at = bisect_left(places, run.start() - _BEFORE)
    return at < len(places) and places[at] < run.end() + _AFTER


def _may_count(text: str, run: re.Match[str], told: bool) -> bool:
    """Whether the arithmetic of a run allows a card or an id; reading the words beside it takes ten times as long."""
    if run.end() - run.start() < SHORTEST_ID:
        return False
    groups = [(match.start() + run.start(), match.end() + run.start()) for match in _GROUPS.finditer(run.group())]
    shapes = _ID_SHAPES if told else _BARE_SHAPES
    if any([end - start for start, end in part] in shapes for part in _windows(groups, SHORTEST_ID, 12)):
        return True
    return any(luhn(_digits(text, part)) for part in _windows(groups, 13, 19))


def words_before(text: str, at: int) -> str:
    """The words right before a place, folded."""
    return _beside(text[max(0, at - _BEFORE) : at])


def _beside(text: str) -> str:
    """The words beside a number, without what we wrote there ourselves."""
    folded = fold(text)
    return _OURS.sub("[]", folded) if "[" in folded else folded


class _Beside:
    """The words on both sides of a run of digits; whether they name something else is asked once, if at all."""

    __slots__ = ("_other", "after", "before")

    def __init__(self, text: str, start: int, end: int) -> None:
        self.before, self.after = words_before(text, start), _beside(text[end : end + _AFTER])
        self._other: bool | None = None

    @property
    def other(self) -> bool:
        """Whether it is the number of something else."""
        if self._other is None:
            self._other = cues.OTHER_NUMBER.search(self.before) is not None
        return self._other

    @property
    def glued(self) -> bool:
        """Whether it is part of a word, a link or an amount that began before it."""
        # Two signs decide, and a line's end may stand behind them.
        return cues.GLUED_BEFORE.search(self.before[-3:]) is not None


def _in_run(text: str, run: re.Match[str]) -> Iterator[Span]:
    """What a run of digits holds: cards, then ids between them, else a code at its beginning."""
    start, end = run.span()
    beside = _Beside(text, start, end)
    groups = [(match.start() + start, match.end() + start) for match in _GROUPS.finditer(run.group())]
    found = list(_cards(text, groups, beside)) if end - start >= SHORTEST_CARD else []
    if not found and (beside.glued or cues.GLUED_AFTER.match(beside.after)):
        return
    if found:
        yield from _behind(text, found[-1], groups)
    for span in _national_ids(text, groups, beside) if end - start >= SHORTEST_ID else ():
        if all(span.end <= other.start or other.end <= span.start for other in found):
            found.append(span)
    yield from found
    first = groups[0]
    if found:
        return
    if first[1] - first[0] in (3, 4) and cues.CHECK_DIGITS.search(beside.before):
        yield Span(*first, Kind.CARD)
    else:
        yield from _code(text, groups, beside)


def _behind(text: str, card: Span, groups: list[tuple[int, int]]) -> Iterator[Span]:
    """A card's expiry and check digits, where they stand right behind it: "… 1111 12/27" or "… 1111 12 27 123"."""
    if expiry := _EXPIRY.match(text, card.end):
        yield Span(expiry.start(1), expiry.end(1), Kind.CARD)
    rest = [group for group in groups if group[0] >= card.end]
    if 0 < len(rest) <= 3 and all(end - start <= 4 for start, end in rest):
        yield Span(rest[0][0], rest[-1][1], Kind.CARD)


def _windows(groups: list[tuple[int, int]], low: int, high: int) -> Iterator[list[tuple[int, int]]]:
    """Neighbouring groups with `low` to `high` digits together, the longest first at each place."""
    for at in range(len(groups)):
        size, until = 0, at
        while until < len(groups) and size + groups[until][1] - groups[until][0] <= high:
            size += groups[until][1] - groups[until][0]
            until += 1
        while until > at and size >= low:
            yield groups[at:until]
            until -= 1
            size -= groups[until][1] - groups[until][0]


def _cards(text: str, groups: list[tuple[int, int]], beside: _Beside) -> Iterator[Span]:
    """Card numbers that begin and end with a group of the run."""
    if beside.glued and not _in_address(text, groups[0][0]):
        return
    told = cues.CARD.search(beside.before) is not None
    if not told and beside.other:
        return
    free = 0
    for part in _windows(groups, 13, 19):
        if part[0][0] >= free and _is_card(text, part, whole=len(part) == len(groups), told=told):
            free = part[-1][1]
            yield Span(part[0][0], free, Kind.CARD)


def _in_address(text: str, start: int) -> bool:
    """Whether a number is a part of its own in the path or the query of a web address."""
    line = text[max(0, start - LONGEST_ADDRESS) : start]
    return cues.ADDRESS_BEFORE.search(line) is not None


def _is_card(text: str, part: list[tuple[int, int]], *, whole: bool, told: bool) -> bool:
    digits, sizes = _digits(text, part), [end - start for start, end in part]
    # The check digit first: it is quick, and nine of ten fail.
    if not luhn(digits):
        return False
    lengths = next((lengths for prefix, lengths in cues.ISSUERS if prefix.match(digits)), ())
    if len(digits) not in lengths:
        return False
    # In the middle of a longer row of numbers chance finds a card in every tenth place: there the groups must fit too.
    shaped = sizes in cues.CARD_SHAPES
    if not whole and not shaped and len(sizes) > 1:
        return False
    # Articles carry 13 digits; Visa cards of that length are long gone.
    return len(digits) != 13 or told or shaped


def _digits(text: str, part: list[tuple[int, int]]) -> str:
    """The digits of groups as ASCII: people also write them in full width or in other scripts."""
    found = "".join([text[start:end] for start, end in part])
    return found if found.isascii() else "".join(str(int(char)) for char in found)


_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812)."""
    signs = digits.encode()
    # A sign stands for its digit with 48 added, so does the doubled one in the table.
    plain, doubled = signs[-1::-2], signs[-2::-2].translate(_DOUBLED)
    return (sum(plain) + sum(doubled) - 48 * len(signs)) % 10 == 0


def _national_ids(text: str, groups: list[tuple[int, int]], beside: _Beside) -> Iterator[Span]:
    told, other = cues.NATIONAL_ID.search(beside.before) is not None, beside.other
    free = 0
    for part in _windows(groups, 9, 12):
        if part[0][0] < free:
            continue
        first = part[0] == groups[0]
        if _is_national_id(text, part, told=told and first, other=other and first):
            free = part[-1][1]
            yield Span(part[0][0], free, Kind.NATIONAL_ID)


def _is_national_id(text: str, part: list[tuple[int, int]], *, told: bool, other: bool) -> bool:
    sizes = [end - start for start, end in part]
    if sizes in cues.CCCD_SHAPES:
        return told or (not other and _is_cccd(_digits(text, part)))
    if sizes in cues.NINE_SHAPES and told:
        return True
    begin, end = part[0][0], part[-1][1]
    alone = not _JOINED.fullmatch(text[max(0, begin - 2) : begin]) and not _JOINED.match(text[end : end + 2][::-1])
    return sizes == [3, 2, 4] and alone and not other and _SSN.fullmatch(text, begin, end) is not None


def _is_cccd(digits: str) -> bool:
    """Province, then a digit for century and sex, then the year of birth (Circular 59/2021/TT-BCA)."""
    return digits[:3] in cues.PROVINCES and (digits[3] in "01" or (digits[3] in "23" and int(digits[4:6]) <= 30))


def _code(text: str, groups: list[tuple[int, int]], beside: _Beside) -> Iterator[Span]:
    """A code of 4 to 8 digits beside a word for one: the run's first group, or its first two of one length."""
    if groups[0][1] - groups[0][0] > LONGEST_CODE:
        return
    before = beside.before
    told = cues.CODE_BEFORE.search(before) is not None
    if not told and "code" in before:
        told = cues.CODE_IS.search(before) is not None and cues.OTHER_CODE.search(before) is None
    told = told and not beside.other
    for part in (groups[:2], groups[:1]):
        size = sum(end - start for start, end in part)
        equal = len({end - start for start, end in part}) == 1
        if not 4 <= size <= LONGEST_CODE or not equal or (len(part) == 1 and _YEAR.fullmatch(text, *part[0])):
            continue
        if told or (len(part) == len(groups) and cues.CODE_AFTER.match(beside.after)):
            yield Span(part[0][0], part[-1][1], Kind.CODE)
            return
