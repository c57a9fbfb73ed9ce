"""Text as search and learning see it: folded words, stems, trigrams and shingles."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from contact_center.core.text import fold

# PostgreSQL refuses longer words than 2 KB; nobody searches for one of this length.
LONGEST_TERM = 40

# Letters and digits are split, so that "covid19", "covid-19" and "COVID 19" are the same two words.
_WORD = re.compile(r"[^\W\d_]+|\d+")
_APOSTROPHE = re.compile(r"(?<=\w)['’ʼ](?=\w)")
# Scripts written without spaces are indexed by pairs of characters.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def words(text: str) -> list[str]:
    """The folded words of a text in their order, without stemming."""
    found: list[str] = []
    for match in _WORD.finditer(_APOSTROPHE.sub("", fold(text))):
        word = match.group()
        found.extend(_pairs(word) if _UNSPACED.search(word) else [word])
    return found


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def stem(word: str) -> str:
    """Fold an English plural to its singular; every other word stays (no Vietnamese syllable ends in s)."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def terms(text: str) -> list[str]:
    """The words of a text as they are indexed and searched: folded, stemmed, at most LONGEST_TERM letters."""
    return [stem(word)[:LONGEST_TERM] for word in words(text)]


def trigrams(parts: Sequence[str]) -> Counter[str]:
    """Counted character trigrams of the words joined by spaces."""
    padded = f" {' '.join(parts)} "
    return Counter(padded[i : i + 3] for i in range(len(padded) - 2))


def similarity(a: Counter[str], b: Counter[str]) -> float:
    """Dice coefficient of two trigram counts, 0 to 1."""
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def shingles(parts: Sequence[str], size: int = 3) -> set[tuple[str, ...]]:
    """Every run of `size` words; a shorter text is one shingle."""
    if not parts:
        return set()
    return {tuple(parts[i : i + size]) for i in range(max(1, len(parts) - size + 1))}


def containment(part: Iterable[tuple[str, ...]], whole: set[tuple[str, ...]]) -> float:
    """How much of `part` is found in `whole`, 0 to 1."""
    own = set(part)
    return len(own & whole) / len(own) if own else 0.0
