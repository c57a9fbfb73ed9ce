"""What is measured before a mail is parsed, so that no input costs more than it is worth."""

import re

MAX_BYTES = 60 * 1024 * 1024
MAX_HEADER_BYTES = 512 * 1024
MAX_PARTS = 1_000
MAX_DEPTH = 100

_BOUNDARY = re.compile(rb"boundary\s{0,20}=\s{0,20}(\"[^\"\r\n]{1,200}\"|[^\s;\"]{1,200})", re.IGNORECASE)
_NESTED = re.compile(rb"^content-type\s{0,5}:\s{0,200}message/", re.IGNORECASE | re.MULTILINE)
# A compound document of Microsoft's; see docs/decisions/0052.
_OUTLOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_END = re.compile(rb"\r?\n\r?\n|\r\r")


class UnreadableMail(Exception):
    """A mail that must not be parsed; the message is a sentence for people."""


def check(raw: bytes) -> None:
    """Raise UnreadableMail when `raw` is empty, too large, or has too many header bytes, parts or levels."""
    if not raw.strip(b" \r\n\t\0"):
        raise UnreadableMail("the mail is empty")
    if raw.startswith(_OUTLOOK):
        raise UnreadableMail("this is an Outlook file (.msg), no mail as it is sent: save it as .eml and try again")
    check_size(raw)
    check_header(raw)
    boundaries = _boundaries(raw)
    if boundaries and _separators(raw, set(boundaries)) > MAX_PARTS:
        raise UnreadableMail(f"the mail has more than {MAX_PARTS} parts")
    if len(boundaries) + len(_NESTED.findall(raw)) > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise UnreadableMail(f"the mail's parts are nested more than {MAX_DEPTH} levels deep")


def check_size(raw: bytes) -> None:
    """Raise UnreadableMail when the mail is larger than any mail may be."""
    if len(raw) > MAX_BYTES:
        raise UnreadableMail(f"the mail is larger than {MAX_BYTES // 1024 // 1024} MB")


def check_header(raw: bytes) -> None:
    """Raise UnreadableMail when the header alone is too large; costs little, however large the mail is."""
    if header_size(raw[: MAX_HEADER_BYTES + 4]) > MAX_HEADER_BYTES:
        raise UnreadableMail(f"the mail's header is larger than {MAX_HEADER_BYTES // 1024} kB")


def header_size(raw: bytes) -> int:
    """How many bytes stand before the first empty line."""
    start = len(raw) - len(raw.lstrip(b"\r\n"))
    end = _HEAD_END.search(raw, start)
    return (end.start() if end else len(raw)) - start


def _boundaries(raw: bytes) -> list[bytes]:
    return [found.strip(b'"') for found in _BOUNDARY.findall(raw)]


def _separators(raw: bytes, boundaries: set[bytes]) -> int:
    """Lines that open a part; cheap to bound first by every line that starts with two dashes."""
    if raw.count(b"\n--") + raw.count(b"\r--") <= MAX_PARTS:
        return 0
    count = 0
    for line in raw.replace(b"\r", b"\n").split(b"\n--"):
        if line.partition(b"\n")[0].rstrip() in boundaries:
            count += 1
            if count > MAX_PARTS:
                break
    return count


def _depth(raw: bytes) -> int:
    """The deepest nesting by one pass over the lines: a boundary that is declared opens a level."""
    stack: list[bytes] = []
    deepest = 0
    pending = 0
    for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"--") and stack:
            name = line[2:].rstrip()
            closing = name[:-2] if name.endswith(b"--") and name not in stack else b""
            if name in stack:
                del stack[stack.index(name) + 1 :]
                pending = 0
            elif closing in stack:
                del stack[stack.index(closing) :]
                pending = 0
            continue
        if _NESTED.match(line):
            pending += 1
        for found in _BOUNDARY.findall(line):
            stack.append(found.strip(b'"'))
        deepest = max(deepest, len(stack) + pending)
        if deepest > MAX_DEPTH:
            break
    return deepest
