"""Header fields of a mail, decoded without trusting them: RFC 2047, RFC 2231, raw 8-bit, broken words."""

import base64
import binascii
import re
import unicodedata
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_to_bytes

from channels.email.charsets import decode, without_controls

_MAX_VALUE = 64_000
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_FOLD = re.compile(r"[\r\n\t\v\f\x85\u2028\u2029]+ *")
_Q_ESCAPE = re.compile(rb"=([0-9a-fA-F]{2})")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,900})>")
_BARE_ID = re.compile(r"[^\s<>,;@]{1,200}@[^\s<>,;@]{1,255}")
# They turn the letters after them around, so that "inv[U+202E]fdp.exe" is read as a PDF.
_DIRECTIONS = dict.fromkeys([0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_ZONE_NAME = re.compile(r"\s*\([^()]*\)\s*$")


class Headers:
    """The fields of one part by lower-case name; values are text without line ends."""

    def __init__(self, message: Message) -> None:
        self._raw: dict[str, list[str]] = {}
        for name, value in message.raw_items():
            self._raw.setdefault(name.strip().lower(), []).append(str(value)[:_MAX_VALUE])

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def raw(self, name: str) -> str:
        """The first field of that name, undecoded (8-bit bytes as surrogates); empty when absent."""
        values = self._raw.get(name)
        return values[0] if values else ""

    def raw_all(self, name: str) -> list[str]:
        return self._raw.get(name, [])

    def text(self, name: str) -> str:
        """The first field of that name, decoded to one line of text; empty when absent."""
        return decoded(self.raw(name))

    def names(self) -> list[str]:
        return list(self._raw)

    def message_ids(self, name: str) -> tuple[str, ...]:
        """Every message id in all fields of that name, without angle brackets, in order, once each."""
        found: dict[str, None] = {}
        for value in self._raw.get(name, ()):
            line = _one_line(_with_bytes_decoded(value))
            ids = _MESSAGE_ID.findall(line) or _BARE_ID.findall(line)
            found.update(dict.fromkeys(ids))
        return tuple(found)

    def date(self, name: str) -> datetime | None:
        """The date of a field as aware UTC; None when absent or not a date."""
        return parsed_date(self.raw(name))


def decoded(value: str) -> str:
    """A header value as one line of clean text: encoded words and raw 8-bit bytes decoded."""
    if "=?" not in value:
        return _one_line(_with_bytes_decoded(value)).strip()
    line = _FOLD.sub(" ", value)
    out: list[str] = []
    end = 0
    run: list[tuple[str, bytes]] = []
    for match in _ENCODED_WORD.finditer(line):
        between = line[end : match.start()]
        charset = match[1].partition("*")[0].lower()
        if run and between.strip():
            out.append(_words(run))
            run = []
        if between.strip():
            out.append(_with_bytes_decoded(between))
        elif between and not run:
            out.append(" ")
        run.append((charset, _word_bytes(match[2], match[3])))
        end = match.end()
    out.append(_words(run))
    out.append(_with_bytes_decoded(line[end:]))
    return _one_line("".join(out)).strip()


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A structured value as (main value in lower case, decoded parameters): RFC 2231, RFC 2047 and raw."""
    pieces = _split_parameters(_FOLD.sub(" ", value))
    main, _, rest = pieces[0].strip().partition(" ")
    if rest:
        # "text/plain charset=x": the semicolon is missing.
        pieces.insert(1, rest)
    plain: dict[str, str] = {}
    parts: dict[str, list[tuple[int, bool, str]]] = {}
    for piece in pieces[1:]:
        name, equals, content = piece.partition("=")
        name = name.strip().lower()
        if not equals or not name:
            continue
        content = _unquoted(content.strip())
        base, star, rest = name.partition("*")
        if not star:
            plain.setdefault(name, decoded(content))
            continue
        number = rest.rstrip("*")
        index = int(number) if number.isdecimal() and len(number) < 5 else 0
        parts.setdefault(base, []).append((index, name.endswith("*"), content))
    for base, found in parts.items():
        plain[base] = _extended(sorted(found, key=lambda part: part[0]))
    return main.lower(), plain


def parsed_date(value: str) -> datetime | None:
    """An RFC 5322 date in any of the forms mailers write, as aware UTC; None when it is none."""
    text = _ZONE_NAME.sub("", _one_line(_with_bytes_decoded(value)).strip())[:100]
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return _iso_date(text)


def _iso_date(text: str) -> datetime | None:
    """`2026-11-02T09:15:00Z`, which scripts write; only a whole one, with its zone."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def safe_filename(name: str) -> str:
    """A file's name without folders, control characters or surprises; at most 150 characters."""
    name = unicodedata.normalize("NFC", _one_line(without_controls(name)).translate(_DIRECTIONS))
    name = re.split(r"[/\\]", name)[-1].strip(" .\t\"'<>|:*?")
    if len(name) <= 150:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: 149 - len(extension)]}.{extension}" if dot and len(extension) <= 10 else name[:150]


def _one_line(text: str) -> str:
    return without_controls(_FOLD.sub(" ", text))


def _with_bytes_decoded(text: str) -> str:
    """Raw 8-bit header bytes (surrogates after Python's parser) in the charset they look like."""
    if text.isascii() and "\x1b$" not in text:
        return text
    try:
        return decode(text.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return text


def _word_bytes(encoding: str, payload: str) -> bytes:
    data = payload.encode("ascii", "surrogateescape") if _encodable(payload) else payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return _Q_ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), data.replace(b"_", b" "))
    cleaned = _NOT_BASE64.sub(b"", data)
    cleaned = cleaned[: len(cleaned) - 1] if len(cleaned) % 4 == 1 else cleaned
    try:
        return base64.b64decode(cleaned + b"=" * (-len(cleaned) % 4))
    except binascii.Error:
        return data


def _encodable(text: str) -> bool:
    return all(ord(char) < 128 or 0xDC80 <= ord(char) <= 0xDCFF for char in text)


def _words(run: list[tuple[str, bytes]]) -> str:
    """Neighbouring words of one charset are one run of bytes: mailers cut characters in two."""
    out: list[str] = []
    position = 0
    while position < len(run):
        charset = run[position][0]
        data = b""
        while position < len(run) and run[position][0] == charset:
            data += run[position][1]
            position += 1
        out.append(decode(data, charset))
    return "".join(out)


def _split_parameters(value: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    quoted = False
    escaped = False
    for position, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\" and quoted:
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            pieces.append(value[start:position])
            start = position + 1
    pieces.append(value[start:])
    return pieces


def _unquoted(content: str) -> str:
    if content.startswith('"'):
        end = content.rfind('"')
        inner = content[1:end] if end > 0 else content[1:]
        return re.sub(r"\\(.)", r"\1", inner) if '\\"' in inner or "\\\\" in inner else inner
    return content


def _extended(found: list[tuple[int, bool, str]]) -> str:
    charset = ""
    data = b""
    for position, (_, percent, content) in enumerate(found):
        raw = content
        if percent and position == 0 and raw.count("'") >= 2:
            charset, _, raw = raw.split("'", 2)
        payload = raw.encode("ascii", "surrogateescape") if _encodable(raw) else raw.encode("utf-8", "replace")
        data += unquote_to_bytes(payload) if percent else payload
    text = decode(data, charset)
    return decoded(text) if "=?" in text else _one_line(text).strip()
