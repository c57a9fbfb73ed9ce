"""Phone numbers in one form, E.164, with the account's region for what is written locally (pure)."""

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

# Vietnam renumbered its 11-digit mobiles in 2018; address books still hold the old ones.
OLD_VIETNAMESE = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36", "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip
_OLD_VIETNAMESE = re.compile(r"\+840?(" + "|".join(OLD_VIETNAMESE) + r")(\d{7})")

# What networks write for a hidden caller, and the same words as Twilio dials them on a keypad.
_HIDDEN = frozenset(
    {"anonymous", "restricted", "private", "unknown", "unavailable", "blocked", "withheld", "hidden"}
)
_HIDDEN_KEYPAD = frozenset({"266696687", "7378742833", "2562533", "8566696", "86282452253"})
_WRITTEN = re.compile(r"[+0-9０-９٠-٩۰-۹().\-/\s\u00a0\u2010-\u2015\u202a-\u202e\u2060\u200e\u200f]+")
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+._-]{1,11}")


class Kind(StrEnum):
    """What sort of sender or caller an address is; only a number can be answered."""

    NUMBER = "number"
    SHORT_CODE = "short_code"
    ALPHANUMERIC = "alphanumeric"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a message or call: `address` is E.164, a short code, a sender name, or empty when hidden."""

    kind: Kind
    address: str


def to_e164(text: str, region: str) -> str | None:
    """A possible number as E.164, else None; `region` is two letters (VN) for numbers written without +."""
    written = text.strip().removeprefix("tel:").strip()
    if not _WRITTEN.fullmatch(written):
        return None
    number = _parse(written, region)
    if number is None:
        return None
    return _renumbered(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _parse(written: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The number as its region reads it, or as an international one whose + was left out (PBXs drop it)."""
    candidates = [written] if written.startswith("+") else [written, f"+{written}"]
    for candidate in candidates:
        try:
            number = phonenumbers.parse(candidate, region.upper() or None)
        except phonenumbers.NumberParseException:
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if phonenumbers.is_valid_number(number) or _OLD_VIETNAMESE.fullmatch(e164):
            return number
        if candidate.startswith("+") and written.startswith("+") and phonenumbers.is_possible_number(number):
            return number  # a carrier's own E.164: newer than the metadata, not wrong
    return None


def _renumbered(e164: str) -> str:
    old = _OLD_VIETNAMESE.fullmatch(e164)
    return f"+84{OLD_VIETNAMESE[old[1]]}{old[2]}" if old else e164


def identify(text: str, region: str) -> Party | None:
    """Who a carrier's From or To is; None when it is nothing of the sort."""
    written = text.strip()
    if not written or written.casefold() in _HIDDEN or written.removeprefix("+") in _HIDDEN_KEYPAD:
        return Party(Kind.HIDDEN, "")
    if e164 := to_e164(written, region):
        return Party(Kind.NUMBER, e164)
    if re.fullmatch(r"\+?[0-9]{3,8}", written):
        return Party(Kind.SHORT_CODE, written.removeprefix("+"))
    if _ALPHANUMERIC.fullmatch(written):
        return Party(Kind.ALPHANUMERIC, written)
    return None


def region_of(e164: str) -> str:
    """The two-letter region of a number, empty where it has none (satellite and free-phone numbers)."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(number)
    return region if region and len(region) == 2 and region.isalpha() else ""


def spoken(e164: str, region: str) -> str:
    """A number for people: as written at home when it is of that region, else international."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    national = region_of(e164) == region.upper()
    form = phonenumbers.PhoneNumberFormat.NATIONAL if national else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)
