"""Heads that servers broke on the way: lines that lost their fold, a foreign first line, lone CR line ends."""

import re

_FIELD = re.compile(rb"^[!-9;-~]{1,76}:")
_KNOWN = re.compile(
    rb"^(?:from|to|subject|date|content-type|mime-version|message-id|received|reply-to)[ \t]{0,3}:", re.IGNORECASE
)
_LOOSE_COLON = re.compile(rb"^([!-9;-~]{1,76})[ \t]{1,3}:", re.MULTILINE)
_BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")


def repaired(raw: bytes) -> bytes:
    """`raw` without leading empty lines or BOM, one kind of line end, and one unbroken head."""
    raw = raw.lstrip(b"\r\n").removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw and b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    found = _BLANK.search(raw)
    head = raw[: found.start()] if found else raw
    body = raw[len(head) :]
    # "Subject : x" was allowed once (RFC 822); Python's parser takes it for the first line of the text.
    head = _LOOSE_COLON.sub(rb"\1:", head)
    raw = head + body
    lines = head.split(b"\n")
    broken = [position for position, line in enumerate(lines) if not _is_head_line(line, position)]
    # A body that follows without an empty line has no fields after its first line: leave it alone.
    if not broken or not any(_KNOWN.match(line) for line in lines[broken[0] + 1 :]):
        return raw
    for position in broken:
        lines[position] = b" " + lines[position] if position else b"X-First-Line: " + lines[position]
    return b"\n".join(lines) + body


def _is_head_line(line: bytes, position: int) -> bool:
    return line[:1] in (b" ", b"\t") or _FIELD.match(line) is not None or (position == 0 and line.startswith(b"From "))
