"""What the author wrote himself, and what is quoted or signed: marked and kept, never deleted.

A text is cut into lines, each line gets a class, and the classes decide:
1. an attribution, header block or "original message" line opens the quoted part;
2. unquoted text after `>` lines is the author's (inline or bottom answer) and stays visible;
3. a signature is folded only at the end of the author's part.
When in doubt a line is the author's.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from channels.email.attributions import attributions
from channels.email.htmltext import Line, Mark
from channels.email.labels import (
    FROM,
    SENT,
    SUBJECT,
    TO,
    announces_forward,
    any_label,
    header_label,
    is_forward_line,
    is_mobile_signature,
    is_original_line,
)
from channels.email.own_words import is_disclaimer, speaks_to_us
from channels.email.spoken_dates import spoken_date

MAX_LINES = 20_000
_BLANK = " \t\xa0\u200b\u200c\u200d\u3000\ufeff"
_MAX_HEAD_LINE = 400
_MAX_SIGNATURE_LINES = 16
_MAX_SIGNATURE_CHARS = 1_500
# A line with several bars is a row of somebody's table.
_QUOTE = re.compile(r"^\s{0,3}(?:[>＞»]|\|(?:\s[^|]*|\s*)$)")
# Usenet and Emacs quote with the author's initials: "AB> text".
_INITIALS = re.compile(r"^\s{0,2}[^\W\d_]\w{0,14}>(?:\s|$)")
_CAPITALS = re.compile(r"^\s{0,2}[A-Z]{1,3}>(?:\s|$)")
_DELIMITER = re.compile(r"^\s*(?:[-–—_=*#~+.•ᐧ·]{1,}|ᐧ)\s*$")
_BARE_LINK = re.compile(r"^\s*<?(?:https?://|www\.)\S{1,150}>?\s*$", re.IGNORECASE)
_RULE = re.compile(r"^\s*(?:[-–—]{5,}|_{5,}|={5,}|\*{5,})\s*$")
_SIGNATURE_DASH = re.compile(r"^(?:--|—|––|– –)[ \xa0]?$")


class Kind(StrEnum):
    """The class of one line."""

    EMPTY = "e"
    TEXT = "t"
    QUOTE = "q"
    HEAD = "h"
    SIGNATURE = "s"
    DELIMITER = "d"


_DASHES = "-–—_*=#"
_ATTRIBUTES = re.compile(r"[\d@].{0,300}[:：]\s*$")
_CLOCK = re.compile(r"\d{1,2}[:.h時시点點]\s?\d{2}")
_DAY_AND_CLOCK = re.compile(r"\d{4}.{0,40}\d{1,2}[:.]\d{2}")
_MARKED = {
    Mark.QUOTE: Kind.QUOTE,
    Mark.INDENT: Kind.QUOTE,
    Mark.ATTRIBUTION: Kind.HEAD,
    Mark.SIGNATURE: Kind.SIGNATURE,
    Mark.CUT: Kind.EMPTY,
}


@dataclass(frozen=True, slots=True)
class Split:
    """A body in two: what the author wrote now, and everything that is older or a signature."""

    reply: str
    quoted: str


def split_text(text: str, *, continues: bool = True) -> Split:
    """The visible and the quoted part of a plain body with LF line ends."""
    return split_lines([Line(line) for line in text.split("\n")], continues=continues)


def split_lines(lines: list[Line], *, continues: bool = True) -> Split:
    """The visible and the quoted part of lines, with whatever a mail program marked on them.

    Where the head says that the mail neither answers nor passes on another one (`continues`), a quote without a
    line that says whose it is belongs to the author, and so does a text that would be hidden as a whole.
    """
    if len(lines) > MAX_LINES:
        rest = "\n".join(line.text for line in lines[MAX_LINES:])
        head = split_lines(lines[:MAX_LINES], continues=continues)
        return Split(head.reply, f"{head.quoted}\n{rest}".strip("\n"))
    kinds, embedded = _classify(lines, continues)
    texts = [line.text for line in lines if line.mark is not Mark.CUT]
    if embedded is None and Kind.HEAD not in kinds:
        _give_back_quotes(texts, kinds, [line.mark for line in lines if line.mark is not Mark.CUT], continues)
    if Kind.HEAD not in kinds and Kind.TEXT not in kinds:
        return Split(_trimmed(texts), "")
    hidden = _hidden(kinds, embedded)
    _fold_signature(texts, kinds, hidden)
    reply = _trimmed([text for text, hide in zip(texts, hidden, strict=True) if not hide])
    if not reply and not continues:
        return Split(_trimmed(texts), "")
    return Split(reply, _trimmed([text for text, hide in zip(texts, hidden, strict=True) if hide]))


def _classify(lines: list[Line], continues: bool) -> tuple[list[Kind], int | None]:
    """The class of every line, and where the first unmarked older mail starts (None: nowhere)."""
    cut: int | None = None
    texts: list[str] = []
    kinds: list[Kind] = []
    indents: list[int] = []
    for index, line in enumerate(lines):
        if line.mark is Mark.CUT:
            cut = len(texts) if cut is None and _head_follows(lines, index) else cut
            continue
        if line.mark is Mark.INDENT:
            indents.append(len(texts))
        texts.append(line.text)
        kinds.append(_kind(line.text, line.mark))
    _mark_initials(texts, kinds)
    _give_back_indents(texts, kinds, indents)
    found = attributions(
        texts,
        lambda position: kinds[position] is Kind.QUOTE,
        lambda position: _next_full(kinds, position) is Kind.QUOTE,
    )
    position = 0
    while position < len(texts) and (cut is None or position < cut):
        length = _opening_length(texts, kinds, position)
        if kinds[position] is Kind.HEAD and is_forward_line(texts[position]):
            # Gmail marks the head of a mail that is passed on as it marks the line above an answered one.
            return kinds, position
        if length:
            kinds[position : position + length] = [Kind.HEAD] * length
            return kinds, position
        length = found.get(position, 0) if kinds[position] is not Kind.QUOTE else 0
        if length and not continues and _is_told(texts, kinds, position, length):
            length = 0
        kinds[position : position + length] = [Kind.HEAD] * length
        if length and _opens_unmarked(texts, kinds, position, length):
            return kinds, position
        position += max(length, 1)
    return kinds, cut


def _give_back_quotes(texts: list[str], kinds: list[Kind], marks: list[Mark], continues: bool) -> None:
    """Without an attribution, `>` right below a line of the author's marks his answer, code, or a list."""
    for position, kind in enumerate(kinds):
        if kind is not Kind.QUOTE or marks[position] is not Mark.NONE:
            continue
        before = kinds[position - 1] if position else Kind.EMPTY
        theirs = before is Kind.QUOTE or any(_ATTRIBUTES.search(text) for text in texts[position : position + 2])
        if before is Kind.TEXT or not continues:
            kinds[position] = Kind.QUOTE if theirs else Kind.TEXT


def _head_follows(lines: list[Line], index: int) -> bool:
    """Whether an older mail's head stands below a rule of the mail program; Word draws such rules for everybody."""
    after = [line.text for line in lines[index + 1 : index + 12] if line.text.strip()][:2]
    if not after or header_label(after[0].lstrip("> ")) or is_original_line(after[0]):
        return bool(after)
    return len(after) > 1 and all(any_label(text.lstrip("> ")) for text in after)


def _give_back_indents(texts: list[str], kinds: list[Kind], indents: list[int]) -> None:
    """A block that no mail program signed is a quote below or with an attribution; else the author indented it."""
    for position in indents:
        if kinds[position] is not Kind.QUOTE:
            continue
        if position - 1 in indents:
            kinds[position] = kinds[position - 1] if kinds[position - 1] is Kind.TEXT else Kind.QUOTE
            continue
        before = next((text for text in reversed(texts[max(0, position - 3) : position]) if text.strip()), "")
        one, two, three = (text.lstrip("> ") for text in (*texts[position : position + 3], "", "")[:3])
        heads = (before, one, f"{one} {two}", f"{one} {two} {three}")
        if not any(_ATTRIBUTES.search(text) or header_label(text) for text in heads):
            kinds[position] = Kind.TEXT


def _is_told(texts: list[str], kinds: list[Kind], start: int, length: int) -> bool:
    """Whether a mail that answers nothing tells who wrote when: nobody's address, and no quote signs below."""
    after = _next_full(kinds, start + length)
    return after is Kind.TEXT and not any("@" in text for text in texts[start : start + length])


def _mark_initials(texts: list[str], kinds: list[Kind]) -> None:
    """Lines that share one "AB>" prefix are quoted; a single one may be the author's own."""
    prefixed: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        if ">" in text and kinds[position] is Kind.TEXT and _CAPITALS.match(text):
            prefixed.setdefault(text.strip().partition(">")[0], []).append(position)
    for positions in prefixed.values():
        for position in positions if len(positions) > 1 else ():
            kinds[position] = Kind.QUOTE


def _opens_unmarked(texts: list[str], kinds: list[Kind], start: int, length: int) -> bool:
    """Whether an attribution is followed by older text without quote signs; initials count as signs."""
    after = _next_index(kinds, start + length)
    if after is None or kinds[after] in (Kind.QUOTE, Kind.HEAD):
        return False
    if _INITIALS.match(texts[after]):
        kinds[after] = Kind.QUOTE
        return False
    # An attribution above everything stands over the author's own text: nothing else is there to read.
    return any(kind is Kind.TEXT for kind in kinds[:start])


def _kind(text: str, mark: Mark) -> Kind:
    # Both: each knows blanks that the other one does not.
    core = text.strip().strip(_BLANK)
    if not core:
        return Kind.EMPTY
    if mark is not Mark.NONE:
        return _MARKED[mark]
    if len(core) > 1 and core[0].isalnum():
        return Kind.TEXT
    if _QUOTE.match(text):
        return Kind.QUOTE
    return Kind.DELIMITER if _DELIMITER.match(text) else Kind.TEXT


def _opening_length(texts: list[str], kinds: list[Kind], position: int) -> int:
    """Lines of a head that opens an older mail without quote signs: header block or "original message"."""
    kind = kinds[position]
    text = texts[position]
    if kind is Kind.DELIMITER:
        return _announced_block(texts, kinds, position) if _RULE.match(text) else 0
    colon = ":" in text or "：" in text
    if kind is not Kind.TEXT or not (colon or text.lstrip()[0] in _DASHES):
        return 0
    if len(text) > _MAX_HEAD_LINE:
        return 0
    if is_original_line(text) or is_forward_line(text):
        return 0 if _goes_on(texts, position) else 1
    if announces_forward(text):
        return _announced_block(texts, kinds, position)
    length = header_block_length(texts, position) if colon else 0
    return length if length and _is_mails_head(texts[position : position + length]) else 0


def _goes_on(texts: list[str], position: int) -> bool:
    """Whether the next line continues a sentence: somebody tells what they saw in a mail of ours."""
    after = texts[position + 1].strip() if position + 1 < len(texts) else ""
    return after[:1].islower() and any_label(after) is None and "@" not in after


def _is_mails_head(block: list[str]) -> bool:
    """Whether a block that nothing announces was written by a mail program: a time, bold labels, or two addresses.

    "From: Hanoi, To: Hue, Date: 3 March, Subject: two seats" is a booking, and parcels have labels as well.
    """
    fields = dict(reversed([label for line in block if (label := header_label(line))]))
    bold = block[0].lstrip()[:1] == "*"
    sent = fields.get(SENT, "")
    if _CLOCK.search(sent) or bold or (SENT not in fields and any(map(_DAY_AND_CLOCK.search, block))):
        return True
    return spoken_date(sent) is not None and "@" in fields.get(FROM, "") and TO in fields


def _announced_block(texts: list[str], kinds: list[Kind], position: int) -> int:
    """Lines from one that announces an older mail to the end of its header block; 0 when none follows closely."""
    after = _next_index(kinds, position + 1)
    if after is None or after - position > 3:
        return 0
    block = header_block_length(texts, after)
    return after - position + block if block else 0


def header_block_length(texts: Sequence[str], start: int) -> int:
    """Lines of a `From: … Sent: … Subject: …` block in any known language that starts at `start`, else 0."""
    first = header_label(texts[start])
    if first is None or first[0] not in (FROM, SENT, SUBJECT, TO):
        return 0
    found = {first[0]}
    last = start
    misses = 0
    for position in range(start + 1, min(len(texts), start + 14)):
        label = header_label(texts[position])
        if label is not None:
            found.add(label[0])
            last = position
            misses = 0
            continue
        misses += 1
        # Long address lists wrap; some programs put an empty line between the fields.
        if misses > 1:
            break
    # "From: Hanoi, To: Hue, Date: Monday" is a booking; a mail has a subject or addresses.
    mail = SUBJECT in found or any("@" in text for text in texts[start : last + 1])
    complete = mail and FROM in found and len(found & {SENT, SUBJECT, TO}) >= 2
    return last - start + 1 if complete else 0


def _next_index(kinds: list[Kind], start: int) -> int | None:
    for position in range(start, len(kinds)):
        if kinds[position] is not Kind.EMPTY:
            return position
    return None


def _next_full(kinds: list[Kind], start: int) -> Kind | None:
    index = _next_index(kinds, start)
    return None if index is None else kinds[index]


def _hidden(kinds: list[Kind], embedded: int | None) -> list[bool]:
    """Which lines belong to older mails."""
    limit = len(kinds) if embedded is None else embedded
    hidden = [kind is Kind.HEAD or position >= limit for position, kind in enumerate(kinds)]
    own = [position for position, kind in enumerate(kinds[:limit]) if kind is Kind.TEXT]
    first, last = (own[0], own[-1]) if own else (limit, limit)
    for position, kind in enumerate(kinds):
        # Quotes between the author's own lines are what he answers to: they stay beside the answer.
        if kind is Kind.QUOTE and not first < position < last:
            hidden[position] = True
    return hidden


def _fold_signature(texts: list[str], kinds: list[Kind], hidden: list[bool]) -> None:
    """Hide the signature at the end of the author's part, and the lines of dashes around it."""
    own = [
        position for position, hide in enumerate(hidden) if not hide and kinds[position] not in (Kind.EMPTY, Kind.QUOTE)
    ]
    keep = _before_signature(texts, kinds, hidden, own)
    while keep and (kinds[keep[-1]] is Kind.DELIMITER or _is_mobile_line(texts, keep)):
        keep.pop()
    if not keep and not any(hidden) and Kind.TEXT in kinds:
        return
    start = keep[-1] + 1 if keep else (own[0] if own else len(hidden))
    for position in (*sorted(set(own) - set(keep)), *range(start, len(hidden))):
        hidden[position] = True


def _is_mobile_line(texts: list[str], keep: list[int]) -> bool:
    """`Sent from my iPhone`, or the link below such a line."""
    last = texts[keep[-1]][:200]
    if is_mobile_signature(last):
        return True
    return bool(len(keep) > 1 and _BARE_LINK.match(last) and is_mobile_signature(texts[keep[-2]][:200]))


def _before_signature(texts: list[str], kinds: list[Kind], hidden: list[bool], own: list[int]) -> list[int]:
    """The author's lines above the first line that opens a signature."""
    after_quote = False
    quote_seen = next((position for position, hide in enumerate(hidden) if hide), len(hidden))
    for index, position in enumerate(own):
        after_quote = position > quote_seen
        kind = kinds[position]
        if kind is Kind.SIGNATURE and _short_enough(texts, own[index:]):
            # What the mail program did not mark below it is the author's, or a gateway's.
            rest = own[index:]
            return own[:index] + [at for at in rest if kinds[at] is Kind.TEXT and not is_disclaimer(texts[at])]
        opens = False
        if kind is Kind.DELIMITER:
            opens = bool(_SIGNATURE_DASH.match(texts[position]) or (after_quote and _RULE.match(texts[position])))
        below = own[index + 1 :]
        if opens and _short_enough(texts, own[index:]) and not _goes_on_below(texts, below):
            return own[:index]
    return list(own)


def _goes_on_below(texts: list[str], below: list[int]) -> bool:
    return bool(below) and speaks_to_us(texts[below[0] : below[-1] + 1])


def _short_enough(texts: list[str], rest: list[int]) -> bool:
    return len(rest) <= _MAX_SIGNATURE_LINES and sum(len(texts[position]) for position in rest) <= _MAX_SIGNATURE_CHARS


def _trimmed(texts: list[str]) -> str:
    """Lines without the empty ones at both ends."""
    start, end = 0, len(texts)
    while start < end and not texts[start].strip().strip(_BLANK):
        start += 1
    while end > start and not texts[end - 1].strip().strip(_BLANK):
        end -= 1
    return "\n".join(text.rstrip() for text in texts[start:end])
