"""Text that people search (one fold function for both databases), and short forms of what they write."""

import unicodedata

# NFD does not take these apart, people type them without the stroke.
_LETTERS = str.maketrans(
    {"đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ß": "ss", "ı": "i", "æ": "ae", "Æ": "ae"}
)

MOST_FOLDED = 20_000
# "Dear Grace," says nothing in a list.
LONGEST_GREETING = 40
GREETING_ENDS = (",", "!", ":")


class _Folded(dict[int, str]):
    """Each character without marks and in lower case, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        marked = unicodedata.normalize("NFKD", chr(code).translate(_LETTERS))
        plain = "".join(c for c in marked if not unicodedata.combining(c)).casefold()
        # A text of every character there is must not stay in memory.
        if len(self) < MOST_FOLDED:
            self[code] = plain
        return plain


_FOLDED = _Folded()


def fold(value: str) -> str:
    """Lower case without diacritics: "Đổi trả" → "doi tra". Idempotent."""
    if value.isascii():
        return value.lower()
    # Marks go away one by one, so that characters can be folded apart; only what is left may join again.
    return unicodedata.normalize("NFC", value.translate(_FOLDED))


def first_line(value: str, length: int) -> str:
    """The first line with something on it, at most `length` characters, cut at a word with an ellipsis."""
    return _cut(next((" ".join(part.split()) for part in value.splitlines() if part.strip()), ""), length)


def gist(value: str, length: int) -> str:
    """What somebody says, on one line of at most `length` characters: all lines after the greeting."""
    # Far more than fits: nobody's long mail costs more than its beginning.
    lines = [" ".join(part.split()) for part in value[: length * 8].splitlines() if part.strip()]
    if len(lines) > 1 and len(lines[0]) <= LONGEST_GREETING and lines[0].endswith(GREETING_ENDS):
        lines = lines[1:]
    return _cut(" ".join(lines), length)


def _cut(line: str, length: int) -> str:
    if len(line) <= length:
        return line
    cut = line[: length - 1].rsplit(" ", 1)[0].rstrip(",;:- ")
    return (cut or line[: length - 1]) + "…"
