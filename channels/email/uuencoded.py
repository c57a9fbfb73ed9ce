"""Files that old mailers put into the text as `begin 644 name … end`."""

import binascii
import re

from channels.email.headers import safe_filename

_BEGIN = re.compile(r"^begin(?:-base64)? [0-7]{3,4} (\S[^\n]{0,250})$", re.MULTILINE)
_MAX_FILES = 100


def extract(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """`text` without its uuencoded blocks, and (file name, content) of each block that decodes."""
    files: list[tuple[str, bytes]] = []
    kept: list[str] = []
    position = 0
    while len(files) < _MAX_FILES and (begin := _BEGIN.search(text, position)):
        end = text.find("\nend", begin.end())
        if end < 0:
            break
        content = content_of(text[begin.end() + 1 : end + 1])
        after = end + len("\nend")
        if content is None or (after < len(text) and text[after] not in "\n\r "):
            kept.append(text[position : begin.end()])
            position = begin.end()
            continue
        kept.append(text[position : begin.start()])
        files.append((safe_filename(begin[1]), content))
        position = after + 1
    return ("".join(kept) + text[position:] if files else text), files


def content_of(body: str) -> bytes | None:
    """The bytes of uuencoded lines; None when a line is not uuencoded. Broken line lengths are tolerated."""
    out = bytearray()
    for line in body.split("\n"):
        if not line or line == "`":
            continue
        try:
            out += binascii.a2b_uu(line.encode("ascii"))
        except (binascii.Error, UnicodeEncodeError):
            length = (((ord(line[0]) - 32) & 63) * 4 + 5) // 3
            try:
                out += binascii.a2b_uu(line[:length].encode("ascii"))
            except (binascii.Error, UnicodeEncodeError):
                return None
    return bytes(out)
