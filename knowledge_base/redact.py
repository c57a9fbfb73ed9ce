"""Takes people out of a text: addresses, numbers, names and links become placeholders such as `[phone]`. Pure.

Recall comes first (a person reviews every draft), but amounts, dates, versions, private IPs and the company's own
addresses (`keep`) stay. Order of the rules is their precedence: an earlier span wins over an overlapping later one.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

import phonenumbers

from contact_center.core.text import fold
from knowledge_base import personal as p


class Personal(StrEnum):
    """What was taken out; the value is the placeholder's word."""

    EMAIL = "email"
    LINK = "link"
    CARD = "card number"
    BANK = "bank account"
    NATIONAL_ID = "id number"
    ORDER = "order number"
    PHONE = "phone"
    CODE = "code"
    BIRTH = "birth date"
    ADDRESS = "address"
    NAME = "name"
    HANDLE = "username"
    IP = "ip address"
    NUMBER = "number"


@dataclass(frozen=True)
class Redacted:
    """A text without personal data, and how many of each kind were replaced."""

    text: str
    found: Counter[Personal]


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: Personal


_REGIONS = ("VN", "US", "GB")
_SPELT_AT = re.compile(r"[(\[ ]at[)\] ]", re.I)


# The placeholders' words in Vietnamese texts.
VIETNAMESE: Mapping[Personal, str] = {
    Personal.EMAIL: "email",
    Personal.LINK: "liên kết",
    Personal.CARD: "số thẻ",
    Personal.BANK: "số tài khoản",
    Personal.NATIONAL_ID: "số giấy tờ",
    Personal.ORDER: "mã đơn",
    Personal.PHONE: "số điện thoại",
    Personal.CODE: "mã",
    Personal.BIRTH: "ngày sinh",
    Personal.ADDRESS: "địa chỉ",
    Personal.NAME: "tên",
    Personal.HANDLE: "tên đăng nhập",
    Personal.IP: "địa chỉ IP",
    Personal.NUMBER: "số",
}


def placeholder(kind: Personal, locale: str = "en") -> str:
    """What stands where something was taken out, e.g. `[phone]`."""
    return f"[{VIETNAMESE[kind] if locale == 'vi' else kind}]"


def redact(
    text: str,
    *,
    names: Iterable[str] = (),
    known: Iterable[str] = (),
    keep: Collection[str] = (),
    locale: str = "en",
) -> Redacted:
    """Replace personal data by placeholders.

    `names` are people of the case, `known` exact strings (order numbers), `keep` the company's own addresses and
    numbers, which stay as they are. The result is NFC.
    """
    text = unicodedata.normalize("NFC", text)
    kept = {_bare(value) for value in keep}
    spans: list[_Span] = []
    for span in _spans(text, tuple(names), tuple(known)):
        if _bare(text[span.start : span.end]) not in kept:
            spans = _joined(spans, span)
    spans.sort(key=lambda span: span.start)
    out, at = [], 0
    for span in spans:
        out += [text[at : span.start], placeholder(span.kind, locale)]
        at = span.end
    out.append(text[at:])
    return Redacted("".join(out), Counter(span.kind for span in spans))


def _joined(spans: list[_Span], new: _Span) -> list[_Span]:
    """Add a finding; where it overlaps earlier ones they grow around it, so that no end of a name sticks out."""
    touched = [span for span in spans if new.start < span.end and span.start < new.end]
    if not touched:
        return [*spans, new]
    start, end = min(new.start, *(s.start for s in touched)), max(new.end, *(s.end for s in touched))
    return [*(span for span in spans if span not in touched), _Span(start, end, touched[0].kind)]


def luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812)."""
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _spans(text: str, names: tuple[str, ...], known: tuple[str, ...]) -> Iterator[_Span]:
    """All findings, in the order of their precedence; most sentences have no digit and skip the rules for numbers."""
    digits = sum(c.isdigit() for c in text)
    if "@" in text or _SPELT_AT.search(text):
        yield from _matches(text, p.EMAIL, Personal.EMAIL)
        yield from _matches(text, p.SPELT_EMAIL, Personal.EMAIL)
    if "://" in text:
        yield from _matches(text, p.LINK, Personal.LINK, lambda m: bool(p.PRIVATE_LINK.search(m.group()[8:])))
    if ":" in text or "=" in text:
        yield from _matches(text, p.NAME_LINE, Personal.NAME)
        yield from _matches(text, p.ADDRESS_LINE, Personal.ADDRESS)
    if digits >= 6:
        yield from _long_numbers(text)
    yield from _matches(text, p.CODE, Personal.CODE)
    if digits:
        yield from _matches(text, p.ADDRESS_TOLD, Personal.ADDRESS)
        yield from _matches(text, p.SHORT_CODE, Personal.CODE)
        yield from _matches(text, p.CARD_PART, Personal.CARD)
        yield from _matches(text, p.PLATE, Personal.NUMBER)
        yield from _matches(text, p.BIRTH, Personal.BIRTH)
    if digits or known:
        yield from _orders(text, known)
    if digits:
        for pattern in p.ADDRESSES:
            yield from _matches(text, pattern, Personal.ADDRESS)
    else:
        yield from _matches(text, p.DISTRICTS, Personal.ADDRESS)
    if digits >= 6:
        yield from _phones(text)
    yield from _named(text, names)
    for pattern in (p.NAMED, p.ACCOUNT_HOLDER, p.HONORIFIC, p.INTRODUCED, p.GREETED):
        yield from _matches(text, pattern, Personal.NAME, lambda m: fold(m.group(1).split()[0]) not in p.NOT_NAMES)
    yield from _matches(text, p.HANDLE, Personal.HANDLE)
    if digits >= 4:
        yield from _matches(text, p.IP, Personal.IP, lambda m: _public_ip(m.group()))
        yield from _matches(text, p.LONG_NUMBER, Personal.NUMBER, lambda m: not _is_amount_or_date(text, m))


def _long_numbers(text: str) -> Iterator[_Span]:
    """Numbers of accounts, cards and people."""
    yield from _matches(text, p.BANK, Personal.BANK)
    yield from _matches(text, p.CARD, Personal.CARD, lambda m: luhn(re.sub(r"\D", "", m.group())))
    yield from _matches(text, p.IBAN, Personal.BANK, lambda m: _iban(m.group()))
    for pattern in (p.LABELLED_ID, p.SSN, p.CCCD):
        yield from _matches(text, pattern, Personal.NATIONAL_ID)


def _matches(
    text: str, pattern: re.Pattern[str], kind: Personal, accept: Callable[[re.Match[str]], bool] = lambda _: True
) -> Iterator[_Span]:
    """Matches of a pattern: its unnamed group where that took part, else the whole."""
    captures = pattern.groups > len(pattern.groupindex)
    for match in pattern.finditer(text):
        group = 1 if captures and match.group(1) else 0
        if accept(match):
            yield _Span(match.start(group), match.end(group), kind)


def _orders(text: str, known: tuple[str, ...]) -> Iterator[_Span]:
    """Labelled order numbers, and every other place where one of them is repeated."""
    found = [m for pattern in (p.ORDER, p.HASHED) for m in pattern.finditer(text)]
    for match in found:
        yield _Span(match.start(1), match.end(1), Personal.ORDER)
    tokens = {m.group(1) for m in found if len(m.group(1)) >= 4} | {k for k in known if k.strip()}
    yield from _matches(text, p.CARRIER, Personal.ORDER)
    for token in sorted(tokens, key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(token)}(?!\w)", text, re.I):
            yield _Span(match.start(), match.end(), Personal.ORDER)


def _phones(text: str) -> Iterator[_Span]:
    for region in _REGIONS:
        for found in phonenumbers.PhoneNumberMatcher(text, region):
            if not p.DATE.match(text, found.start):
                yield _Span(found.start, found.end, Personal.PHONE)
    yield from _matches(text, p.LABELLED_PHONE, Personal.PHONE)


def _named(text: str, names: tuple[str, ...]) -> Iterator[_Span]:
    """Names of known people: whole, in part, and with or without marks."""
    found = [(m.start(), m.end(), fold(m.group()), m.group()[0].isupper()) for m in p.WORD.finditer(text)]
    for name in names:
        parts = [fold(part) for part in p.WORD.findall(unicodedata.normalize("NFC", name))]
        at = 0
        while at < len(found):
            run = at
            while (
                run < len(found)
                and found[run][2] in parts
                and (run == at or _adjacent(text, found[run - 1], found[run]))
            ):
                run += 1
            if run > at and _is_name(text, found[at:run], parts):
                last = run
                while (
                    last < min(run + 2, len(found)) and found[last][3] and _follows(text, found[last - 1], found[last])
                ):
                    last += 1
                yield _Span(found[at][0], found[last - 1][1], Personal.NAME)
            at = max(run, at + 1)


def _adjacent(text: str, left: tuple[int, int, str, bool], right: tuple[int, int, str, bool]) -> bool:
    return text[left[1] : right[0]].strip(" .-") == "" and "\n" not in text[left[1] : right[0]]


def _follows(text: str, left: tuple[int, int, str, bool], right: tuple[int, int, str, bool]) -> bool:
    """Whether a capitalised word stands right behind, as the rest of a name does."""
    return text[left[1] : right[0]] == " " and right[2] not in p.NOT_NAMES


def _is_name(text: str, run: list[tuple[int, int, str, bool]], parts: list[str]) -> bool:
    capital = all(word[3] for word in run)
    if len(run) > 1:
        return capital or len(run) >= len(parts)
    if not capital or len(run[0][2]) < 2:
        return False
    before = text[: run[0][0]].rstrip(" \t")
    return run[0][2] not in p.ALSO_WORDS or not (not before or before[-1] in ".!?\n:•-–*")


def _public_ip(written: str) -> bool:
    try:
        return ip_address(written).is_global
    except ValueError:
        return False


def _iban(written: str) -> bool:
    bare = written.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    moved = bare[4:] + bare[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _is_amount_or_date(text: str, match: re.Match[str]) -> bool:
    written = match.group().strip()
    if p.DATE.match(text, match.start()):
        return True
    if p.AMOUNT.fullmatch(written) and not written.startswith("0"):
        return True
    return bool(p.CURRENCY_AFTER.match(text, match.end()) or p.CURRENCY_BEFORE.search(text[: match.start()]))


def _bare(value: str) -> str:
    return re.sub(r"[\s().-]", "", value).casefold().removeprefix("+")
