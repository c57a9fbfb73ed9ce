"""Masks the text of an HTML mail although its numbers may run through several elements, and cards in links. Pure."""

import html
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from tickets.sensitive.find import ALL, PLACEHOLDERS, Kind, find, replaced

# Tags, with the quotes that may hold a ">"; character references; anything else.
_TAG = r"""<(?:"[^"<]*"|'[^'<]*'|[^<>"'])*>"""
_TOKEN = re.compile(_TAG + r"|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,30});|[^<&]+|[<&]", re.IGNORECASE)
# Elements within a line; every other one ends it, so that two cells of a table are not one number.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|em|font|i|ins|kbd|mark|s|small|span|strong|sub|sup|tt|u|wbr)\b",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(_TAG)
# So many digits in a row, however an address writes the blanks between them.
_MANY_DIGITS = re.compile(r"[0-9](?:(?:[-+._ ]|%[0-9a-fA-F]{2}|&(?:#\d{1,7}|\w{1,8});){0,2}[0-9]){12}")
_ATTRIBUTE = re.compile(
    r"""(?<=[\s"'/])(?P<name>[a-z][\w:.-]{0,40})\s{0,5}=\s{0,5}(?:"(?P<two>[^"<]*)"|'(?P<one>[^'<]*)'|(?P<bare>[^\s"'<>]+))""",
    re.IGNORECASE,
)
_WRITTEN = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,30});|%[0-9a-f]{2}|.", re.IGNORECASE | re.DOTALL)
_BETWEEN_PARTS = str.maketrans(dict.fromkeys("?&=/#;@", "|"))
_ADDRESSES = frozenset({"href", "src", "action", "cite", "background"})


@dataclass(frozen=True, slots=True)
class _Char:
    """One character that people see, and where it is written."""

    seen: str
    start: int
    end: int


def _chars(markup: str) -> Iterator[_Char]:
    for token in _TOKEN.finditer(markup):
        start, end, written = token.start(), token.end(), token.group()
        if written[0] == "<" and len(written) > 1:
            if not _INLINE.match(written):
                yield _Char("\n", start, start)
        elif written[0] == "&" and len(written) > 1:
            yield _Char(html.unescape(written)[:1] or " ", start, end)
        else:
            for at in range(start, end):
                yield _Char(markup[at], at, at + 1)


def _card_free(markup: str, words: Mapping[Kind, str]) -> str:
    """The same markup with no card number in an attribute: links carry what somebody typed into a form.

    Only cards: a code or an id in a link is mostly what makes it work. Pictures of the mail keep their names.
    """

    def value_of(found: re.Match[str]) -> str:
        kind = next(kind for kind in ("two", "one", "bare") if found[kind] is not None)
        value = found[kind]
        if value.lower().startswith(("cid:", "data:")) or not _MANY_DIGITS.search(value):
            return found[0]
        address = found["name"].lower() in _ADDRESSES
        word = words[Kind.CARD].replace(" ", "-") if address or kind == "bare" else words[Kind.CARD]
        at = found.start(kind) - found.start()
        return f"{found[0][:at]}{_without_cards(value, word)}{found[0][at + len(value) :]}"

    def tag_of(found: re.Match[str]) -> str:
        tag = found[0]
        return _ATTRIBUTE.sub(value_of, tag) if _MANY_DIGITS.search(tag) else tag

    return _ANY_TAG.sub(tag_of, markup)


def _without_cards(value: str, word: str) -> str:
    """An attribute's value with `word` over each card number, read as a browser reads it."""
    written = [(match.start(), match.end(), _read(match[0])) for match in _WRITTEN.finditer(value)]
    pieces: list[tuple[int, int, str]] = []
    # What stands between the parts of an address says nothing about the number in one of them.
    parts = "".join(seen for _, _, seen in written).translate(_BETWEEN_PARTS)
    for span in find(parts, {Kind.CARD}):
        pieces.append((written[span.start][0], written[span.end - 1][1], word))
    return replaced(value, pieces)


def _read(written: str) -> str:
    if written[0] == "&" and len(written) > 1:
        return html.unescape(written)[:1] or " "
    if written[0] == "%" and len(written) > 1:
        return chr(int(written[1:], 16))
    return " " if written == "+" else written


def mask_html(markup: str, kinds: Collection[Kind] = ALL, *, locale: str | None = None, bare: bool = False) -> str:
    """The same markup with a placeholder over everything sensitive that people would read, cards in links too."""
    words = PLACEHOLDERS.get(locale or "en", PLACEHOLDERS["en"])
    if Kind.CARD in kinds and _MANY_DIGITS.search(markup):
        markup = _card_free(markup, words)
    # Most mails hold nothing: taking the tags away costs a hundredth of looking at every character.
    seen = html.unescape(_ANY_TAG.sub(lambda tag: "" if _INLINE.match(tag.group()) else "\n", markup))
    if not find(seen, kinds, bare=bare):
        return markup
    while True:
        chars = list(_chars(markup))
        spans = find("".join(char.seen for char in chars), kinds, bare=bare)
        if not spans:
            return markup
        pieces: list[tuple[int, int, str]] = []
        for span in spans:
            inside = [char for char in chars[span.start : span.end] if char.end > char.start]
            # The word stands where the number began; what lies behind other tags only goes away.
            pieces.append((inside[0].start, inside[0].end, words[span.kind]))
            pieces += [(char.start, char.end, "") for char in inside[1:]]
        markup = replaced(markup, pieces)
