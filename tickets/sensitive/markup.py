"""Masks the text of an HTML mail although its numbers may run through several elements. Pure."""

import html
import re
from collections.abc import Collection, Iterator
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


def mask_html(markup: str, kinds: Collection[Kind] = ALL, *, locale: str | None = None, bare: bool = False) -> str:
    """The same markup with a placeholder over everything sensitive that people would read; tags stay."""
    # Most mails hold nothing: taking the tags away costs a hundredth of looking at every character.
    seen = html.unescape(_ANY_TAG.sub(lambda tag: "" if _INLINE.match(tag.group()) else "\n", markup))
    if not find(seen, kinds, bare=bare):
        return markup
    words = PLACEHOLDERS.get(locale or "en", PLACEHOLDERS["en"])
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
