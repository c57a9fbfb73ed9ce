"""Who is at the other end of a message or call: a number, a short code, a sender's name, or nobody we can see."""

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException

from tickets.customers.identities import WITHHELD, WITHHELD_WORDS, BadAddress, normalise_phone

_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+._-]{1,11}")  # the form networks allow (3GPP TS 23.040)
_SHORT_CODE = re.compile(r"\+?[0-9]{3,8}")
_LETTERS = re.compile(r"[^\W\d_]")


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
    """A number as E.164, else None; `region` is two letters (VN) for numbers written without +."""
    if _LETTERS.search(text.removeprefix("tel:")):
        return None  # 0903-CALL-NOW would be read by its keys
    try:
        return normalise_phone(text, region.upper())
    except BadAddress:
        return None


def identify(text: str, region: str) -> Party | None:
    """Who a carrier's From or To is; None when it is nothing of the sort."""
    written = text.strip()
    if not written or written.casefold() in WITHHELD_WORDS or f"+{written.removeprefix('+')}" in WITHHELD:
        return Party(Kind.HIDDEN, "")
    if e164 := to_e164(written, region):
        return Party(Kind.NUMBER, e164)
    if _SHORT_CODE.fullmatch(written):
        return Party(Kind.SHORT_CODE, written.removeprefix("+"))
    if _ALPHANUMERIC.fullmatch(written):
        return Party(Kind.ALPHANUMERIC, written)
    return None


def region_of(number: str) -> str:
    """The country (two letters) that a number of ours belongs to, `US` where it tells none."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except NumberParseException:
        return "US"
    return found if found and found.isalpha() else "US"
