"""Which language a customer's text is in: Vietnamese (with or without its marks), English, or neither. Pure.

Every word speaks for what it looks like: a letter that only Vietnamese has, a word that one language uses all the
time, a syllable that Vietnamese could have, an English ending. The words that speak for two languages ("the" is
"thẻ" typed without its marks), names, numbers, addresses and code speak for none. The sum is divided by the square
root of how many spoke, because neighbouring words are not independent, and becomes a share against the belief that
it is none of them. Texts with too little to go by ("ok", "alo shop oi") or with too much of both stay unknown.
"""

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache

from contact_center.core.text import fold
from tickets.inbound import InboundMessage
from tickets.language_words import ENGLISH, OTHERS, SHARED, SILENT, SURNAMES, VIETNAMESE
from tickets.states import MessageKind

READ = 400
"""Characters that are read: a language shows at once."""
SURE = 0.9
"""The share from which on a language counts as known."""
FEWEST = 3
"""Words that must have spoken."""
MIXED = 1 / 3
"""The part of the lesser language from which on a text is in both."""
STRANGER = 0.8
"""How well a text must speak for a language before that is likelier than none."""

VI, EN, OTHER = "vi", "en", "other"
_STRONG = 1.0
_SPEAKERS = (VI, EN, OTHER)

Weights = tuple[float, float, float]
"""How much a word speaks for Vietnamese, English and another language."""
_SILENT: Weights = (0.0, 0.0, 0.0)
_MARKED: Weights = (4.0, -2.0, -1.0)
_SYLLABLE: Weights = (0.9, -0.6, -0.2)
_COMMON_VI: Weights = (2.2, -1.5, -0.7)
_COMMON_EN: Weights = (-1.5, 2.2, -1.2)
_COMMON_OTHER: Weights = (-1.5, -1.5, 2.4)
_FOREIGN_LETTER: Weights = (-2.0, -1.5, 2.5)
_ENGLISH_SHAPE: Weights = (-1.2, 1.1, -0.3)
_NO_SYLLABLE: Weights = (-0.9, 0.2, 0.2)
_SHARED: Weights = (0.15, 0.5, -0.1)

_NOISE = re.compile(r"[\d@#<>{}\\=]|://|^www\.|_")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Letters of no other language written in Latin ones; â, ê, ô, à, é and their like are French too.
_OURS = re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
_THEIRS = re.compile(r"[äöüßñçåøæëïîûœłśźżćńęőűşğıčěřšžþâàáãéêèíìòóôõúùýĩũ]")
_SENTENCE_ENDS = ".!?:;"
_ONSET = "(?:ngh?|nh|th|tr|ch|kh|ph|gh|gi|qu|[bcdghklmnpqrstvx])?"
_RIME = (
    "(?:a(?:ch?|i|m|n[gh]?|o|p|t|u|y)?|e(?:ch?|m|n[gh]?|o|p|t|u)?|i(?:a|ch?|e[cmnptu]|eng|m|nh?|p|t|u)?"
    "|o(?:ai?|a[cmnpty]|a[cn]h|ang|c|e[mnot]?|i|m|ng?|p|t)?"
    "|u(?:ang?|at|ay|a|c|en?h|e|ech|i|m|ng?|o[cimnptu]|ong|p|t|u|y(?:e[nt]|a|ch|nh?|t|u)?)?|y(?:e[mntu]|nh|t)?)"
)
_SHAPE = re.compile(f"{_ONSET}{_RIME}")
_SHORTENED = re.compile(r"n['’]t$|['’](?:s|m|re|ve|ll|d)$")
_ENGLISH_LOOK = re.compile(r".{3,}(?:ing|ed|ly|tion|ment|ness|able|ful|ss|ck|ght)$|.*(?:wh|sh|oo|ee|ck|ght|th.)")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a text is in: "vi", "en", or "" for another language or nothing that could be told; `share` from 0 to 1."""

    locale: str
    share: float


UNKNOWN = Spoken("", 0.0)


def spoken(text: str) -> Spoken:
    """The language of a text, with how sure that is; unknown below SURE."""
    weights = [one for one in _weights(text[:READ]) if one is not _SILENT]
    if len(weights) + weights.count(_MARKED) < FEWEST or _is_mixed(weights):
        return UNKNOWN
    calm = math.sqrt(max(1, sum(max(one) >= _STRONG for one in weights)))
    parts = [math.exp(min(sum(one[at] for one in weights) / calm, 50.0)) for at in range(len(_SPEAKERS))]
    total = sum(parts) + math.exp(STRANGER)
    best = max(range(len(parts)), key=parts.__getitem__)
    share = round(min(parts[best] / total, 0.999), 3)
    if _SPEAKERS[best] == OTHER or share < SURE:
        return Spoken("", share)
    return Spoken(_SPEAKERS[best], share)


def _is_mixed(weights: list[Weights]) -> bool:
    """Whether the lesser of our two languages has a good part of the words that are clearly of one."""
    ours = sum(one in (_MARKED, _COMMON_VI) for one in weights)
    theirs = weights.count(_COMMON_EN)
    return min(ours, theirs) >= max(MIXED * (ours + theirs), 1)


def _weights(text: str) -> list[Weights]:
    shouted = text.isupper()
    found = []
    for line in text.splitlines():
        begins = True
        for token in line.split():
            if _NOISE.search(token) is None:
                for word in _WORD.findall(token):
                    # A capital within a sentence begins a name.
                    is_name = word[0].isupper() and not begins and not shouted and len(word) > 1
                    found.append(_SILENT if is_name else _weight(word.lower()))
                    begins = False
            begins = begins or token[-1] in _SENTENCE_ENDS
    return found


@lru_cache(maxsize=20_000)
def _weight(word: str) -> Weights:
    if not word.isascii() and not _latin(word):
        return _FOREIGN_LETTER
    plain = fold(word)
    if _OURS.search(word) and _SHAPE.fullmatch(plain):
        return _SILENT if plain in SURNAMES else _MARKED
    if plain in SHARED:
        return _SHARED
    if plain in SILENT:
        return _SILENT
    if plain in VIETNAMESE:
        return _COMMON_VI
    if word in ENGLISH or _SHORTENED.search(word):
        return _COMMON_EN
    if word in OTHERS:
        return _COMMON_OTHER
    if plain in SURNAMES:
        return _SILENT
    fits = _SHAPE.fullmatch(plain) is not None
    if _THEIRS.search(word) and not fits:
        return _FOREIGN_LETTER
    if fits:
        return _SYLLABLE if len(plain) > 1 else _SILENT
    return _ENGLISH_SHAPE if _ENGLISH_LOOK.match(word) else _NO_SYLLABLE


def heard(inbound: InboundMessage) -> InboundMessage:
    """The message with the language of its own words, where they tell one; else with what its channel says."""
    if inbound.kind is not MessageKind.INBOUND or inbound.automated or inbound.locale_share is not None:
        return inbound
    found = spoken(f"{inbound.text[:READ]}\n{inbound.subject}")
    return replace(inbound, locale=found.locale, locale_share=found.share) if found.locale else inbound


def _latin(word: str) -> bool:
    return all(letter < "\u0250" or "\u1e00" <= letter <= "\u1eff" or "\u0300" <= letter <= "\u036f" for letter in word)
