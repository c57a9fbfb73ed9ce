"""How many SMS a text costs: GSM-7 or UCS-2, counted as Twilio counts them (3GPP TS 23.038 and 23.040)."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SEGMENT_BITS = 1120  # 140 octets of user data
HEADER_BITS = 48  # the concatenation header that every part of a longer message carries

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # two septets each: an escape and the character
GSM = GSM_BASIC | GSM_EXTENDED

ZWJ = "\u200d"
_CONTROL = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
_MARK = frozenset({"Mn", "Me", "Mc"})
_EXTENDING = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")


class Encoding(StrEnum):
    """The two alphabets of SMS."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Measure:
    """What a text costs: `bits` of text, `total_bits` with headers, `room` characters left in the last segment.

    `characters` are septets in GSM-7 (an extended one counts two) and what a reader sees as one in UCS-2;
    `costly` are the distinct characters that force UCS-2, in order, for the hint beside the counter.
    """

    encoding: Encoding
    segments: int
    characters: int
    bits: int
    total_bits: int
    room: int
    costly: tuple[str, ...]


def measure(text: str) -> Measure:
    """Count a text's segments; an empty text is one empty segment."""
    costly = tuple(dict.fromkeys(char for char in text if char not in GSM))
    if costly:
        encoding, unit = Encoding.UCS2, 16
        pieces = [_utf16_units(cluster) for cluster in clusters(text)]
        characters = len(pieces)
    else:
        encoding, unit = Encoding.GSM7, 7
        pieces = [2 if char in GSM_EXTENDED else 1 for char in text]
        characters = sum(pieces)
    used = _pack(pieces, SEGMENT_BITS // unit)
    capacity = SEGMENT_BITS // unit
    if len(used) > 1:
        capacity = (SEGMENT_BITS - HEADER_BITS) // unit
    bits = sum(pieces) * unit
    headers = HEADER_BITS * len(used) if len(used) > 1 else 0
    return Measure(encoding, len(used), characters, bits, bits + headers, capacity - used[-1], costly)


def _pack(pieces: list[int], whole: int) -> list[int]:
    """Units used in each segment: one whole one, else as many with headers; no piece is cut in two."""
    if sum(pieces) <= whole:
        return [sum(pieces)]
    capacity = (SEGMENT_BITS - HEADER_BITS) * whole // SEGMENT_BITS
    used = [0]
    for size in pieces:
        for part in _cut(size, capacity):
            if used[-1] + part > capacity:
                used.append(0)
            used[-1] += part
    return used


def _cut(size: int, capacity: int) -> list[int]:
    """A piece that fits into no segment (a letter under a hundred marks) is sent in full segments."""
    return [size] if size <= capacity else [capacity] * (size // capacity) + [size % capacity]


def _utf16_units(text: str) -> int:
    return sum(2 if char > "\uffff" else 1 for char in text)


def clusters(text: str) -> Iterator[str]:
    """What a reader sees as single characters (UAX #29 without Prepend); CR and LF stay two, as they are sent."""
    start = 0
    flags = 0
    for index in range(1, len(text) + 1):
        if index < len(text):
            before, char = text[index - 1], text[index]
            flags = flags + 1 if _is_flag(before) else 0
            if _joined(text, index, before, char, flags):
                continue
        if start < index:
            yield text[start:index]
        start = index


def _joined(text: str, index: int, before: str, char: str, flags: int) -> bool:
    """Whether no boundary lies between two neighbours; `flags` counts the regional letters just before."""
    if unicodedata.category(before) in _CONTROL and before not in _EXTENDING and not _is_tag(before):
        return False
    if _extends(char):
        return True
    if before == ZWJ and _is_pictograph(char):
        return _is_pictograph(_base(text, index - 1))
    if _is_flag(char) and _is_flag(before):
        return flags % 2 == 1
    return _hangul_joined(before, char)


def _extends(char: str) -> bool:
    if char in _EXTENDING or "\U0001f3fb" <= char <= "\U0001f3ff" or _is_tag(char):
        return True
    return unicodedata.category(char) in _MARK


def _base(text: str, index: int) -> str:
    """The character that the marks before a joiner stand on."""
    while index > 0 and _extends(text[index]):
        index -= 1
    return text[index]


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _is_pictograph(char: str) -> bool:
    return char in "©®‼⁉™ℹ〰〽㊗㊙" or "\u2190" <= char <= "\u2bff" or "\U0001f000" <= char <= "\U0001faff"


def _hangul_joined(before: str, char: str) -> bool:
    """Korean syllables written as single letters belong together."""
    first, second = _hangul(before), _hangul(char)
    followers = {"L": ("L", "V", "LV", "LVT"), "LV": ("V", "T"), "V": ("V", "T"), "LVT": ("T",), "T": ("T",)}
    return second in followers.get(first, ())


def _hangul(char: str) -> str:
    if "\uac00" <= char <= "\ud7a3":
        return "LV" if (ord(char) - 0xAC00) % 28 == 0 else "LVT"
    if "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c":
        return "L"
    if "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6":
        return "V"
    return "T" if "\u11a8" <= char <= "\u11ff" or "\ud7cb" <= char <= "\ud7fb" else ""
