"""Text that people search: one fold function for both databases."""

import unicodedata

# NFD does not take these apart, people type them without the stroke.
_LETTERS = str.maketrans(
    {"đ": "d", "Đ": "d", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ß": "ss", "ı": "i", "æ": "ae", "Æ": "ae"}
)


def fold(value: str) -> str:
    """Lower case without diacritics: "Đổi trả" → "doi tra". Idempotent."""
    marked = unicodedata.normalize("NFKD", value.translate(_LETTERS))
    plain = "".join(c for c in marked if not unicodedata.combining(c)).casefold()
    return unicodedata.normalize("NFC", plain)


def first_line(value: str, length: int) -> str:
    """The first line with something on it, at most `length` characters, cut at a word with an ellipsis."""
    line = next((" ".join(part.split()) for part in value.splitlines() if part.strip()), "")
    if len(line) <= length:
        return line
    cut = line[: length - 1].rsplit(" ", 1)[0].rstrip(",;:- ")
    return (cut or line[: length - 1]) + "…"
