"""Cuts a message into sentences and puts sentences together again. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sentence:
    """One sentence; `number` is its place in the message (from 1), `line` the line it stood on, `bullet` its mark."""

    number: int
    line: int
    text: str
    bullet: str = ""


# A full stop after these ends no sentence.
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "no",
        "nr",
        "vs",
        "etc",
        "approx",
        "inc",
        "ltd",
        "e.g",
        "i.e",
        "tp",
        "q",
        "p",
        "ths",
    ]
)
_END = re.compile(r"(?<=[.!?…。！？])[\"”')\]]*\s+|(?<=[。！？])")
_BULLET = re.compile(r"^[ \t]*(?P<mark>[-*•–+]|\d{1,2}[.)]|(?:bước|step)[ \t]+\d{1,2}[:.])[ \t]+", re.I)
_QUOTE = re.compile(r"^[ \t]*(?:>|\|)")
_QUOTE_HEAD = re.compile(
    r"^[ \t]*(?:on .{4,120} wrote:|vào .{4,120} viết:|-{2,} ?(?:(?:original|forwarded) message|tin nhắn gốc).*)$",
    re.I,
)


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text in their order; a list item keeps its mark, quoted lines are left out."""
    found: list[Sentence] = []
    for at, line in enumerate(text.splitlines()):
        if _QUOTE_HEAD.match(line):
            break
        if _QUOTE.match(line) or not line.strip():
            continue
        bullet = _BULLET.match(line)
        mark = bullet["mark"] if bullet else ""
        for part in _split(line[bullet.end() :] if bullet else line):
            found.append(Sentence(len(found) + 1, at, part, mark))
            mark = ""
    return found


def _split(line: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for match in _END.finditer(line):
        before = line[start : match.start()].strip()
        last = before.rstrip(".").rsplit(" ", 1)[-1].lower()
        following = line[match.end() : match.end() + 1]
        if before.endswith(".") and (last in _ABBREVIATIONS or (following.islower() and len(last) < 4)):
            continue
        if before:
            parts.append(line[start : match.end()].strip())
        start = match.end()
    rest = line[start:].strip()
    return [*parts, rest] if rest else parts


def word_count(found: Sequence[Sentence]) -> int:
    """How many words the sentences have together."""
    return sum(len(sentence.text.split()) for sentence in found)


def rebuilt(found: Sequence[Sentence]) -> str:
    """The sentences as text again: list items on lines of their own, a blank line between other lines."""
    lines: list[str] = []
    last: Sentence | None = None
    for sentence in found:
        if last is not None and sentence.line == last.line and sentence.number > last.number and not sentence.bullet:
            lines[-1] = f"{lines[-1]} {sentence.text}"
        else:
            if last is not None and not (sentence.bullet and last.bullet):
                lines.append("")
            lines.append(f"{_mark(sentence.bullet)}{sentence.text}")
        if not sentence.bullet and last is not None and last.line == sentence.line:
            sentence = replace(sentence, bullet=last.bullet)
        last = sentence
    return "\n".join(lines)


def _mark(bullet: str) -> str:
    if not bullet:
        return ""
    digits = re.search(r"\d+", bullet)
    return f"{digits.group()}. " if digits else "- "
