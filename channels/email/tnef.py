"""Outlook's winmail.dat (TNEF): the files and the text inside; format from MS-OXTNEF and MS-OXCMAIL."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.charsets import decode
from channels.email.headers import safe_filename

CONTENT_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SIGNATURE = 0x223E9F78
_ATT_RENDER_DATA = 0x9002
_ATT_TITLE = 0x8010
_ATT_DATA = 0x800F
_ATT_ATTACHMENT = 0x9005
_ATT_BODY = 0x800C
_ATT_MESSAGE_PROPERTIES = 0x9003
_PID_LONG_FILENAME = 0x3707
_PID_FILENAME = 0x3704
_PID_DISPLAY_NAME = 0x3001
_PID_DATA = 0x3701
_PID_MIME_TAG = 0x370E
_PID_CONTENT_ID = 0x3712
_PID_BODY = 0x1000
_PID_HTML = 0x1013
_FIXED_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16, 0: 0, 1: 0}
_STRING8, _UNICODE, _OBJECT, _BINARY = 30, 31, 13, 258
_MAX_FILES = 500
_MAX_PROPERTIES = 5_000


@dataclass(slots=True)
class TnefFile:
    """One embedded file as far as its attributes have been read."""

    filename: str = ""
    content: bytes = b""
    content_type: str = ""
    content_id: str = ""


@dataclass(slots=True)
class Tnef:
    """What a winmail.dat holds; `text` and `html` are empty where the sender put them into the mail itself."""

    files: list[TnefFile] = field(default_factory=list)
    text: str = ""
    html: str = ""


def read(data: bytes) -> Tnef | None:
    """The content of a TNEF stream, as far as it is readable; None when it is none."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    found = Tnef()
    for attribute, content in _attributes(data):
        if attribute == _ATT_RENDER_DATA and len(found.files) < _MAX_FILES:
            found.files.append(TnefFile())
        elif attribute == _ATT_BODY:
            found.text = decode(content.rstrip(b"\0"))
        elif attribute == _ATT_MESSAGE_PROPERTIES:
            _read_message(found, content)
        elif found.files:
            _read_file(found.files[-1], attribute, content)
    found.files = [file for file in found.files if file.content]
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each attribute as (id, bytes): level 1 byte, id and type 4, length 4, content, checksum 2."""
    position = 6
    while position + 9 <= len(data):
        attribute = struct.unpack_from("<H", data, position + 1)[0]
        length = struct.unpack_from("<I", data, position + 5)[0]
        start = position + 9
        if length > len(data) - start:
            return
        yield attribute, data[start : start + length]
        position = start + length + 2


def _read_message(found: Tnef, content: bytes) -> None:
    for tag, value in _properties(content):
        if tag == _PID_BODY and not found.text:
            found.text = decode(value.rstrip(b"\0"))
        elif tag == _PID_HTML:
            found.html = decode(value.rstrip(b"\0"))


def _read_file(file: TnefFile, attribute: int, content: bytes) -> None:
    if attribute == _ATT_TITLE:
        file.filename = file.filename or safe_filename(decode(content.rstrip(b"\0")))
    elif attribute == _ATT_DATA:
        file.content = content
    elif attribute == _ATT_ATTACHMENT:
        for tag, value in _properties(content):
            text = decode(value.rstrip(b"\0")) if tag != _PID_DATA else ""
            if tag == _PID_LONG_FILENAME or (tag in (_PID_FILENAME, _PID_DISPLAY_NAME) and not file.filename):
                file.filename = safe_filename(text) or file.filename
            elif tag == _PID_MIME_TAG:
                file.content_type = text.lower()
            elif tag == _PID_CONTENT_ID:
                file.content_id = text.strip("<> ")
            elif tag == _PID_DATA and not file.content:
                # An embedded object starts with its 16-byte interface id.
                file.content = value


def _properties(content: bytes) -> Iterator[tuple[int, bytes]]:
    """MAPI properties as (id, first value as UTF-8 or bytes); stops quietly where the stream is broken."""
    try:
        yield from _unpacked_properties(content)
    except (struct.error, IndexError):
        return


def _unpacked_properties(content: bytes) -> Iterator[tuple[int, bytes]]:
    count = min(struct.unpack_from("<I", content)[0], _MAX_PROPERTIES)
    position = 4
    for _ in range(count):
        kind, tag = struct.unpack_from("<HH", content, position)
        position += 4
        if tag >= 0x8000:
            position = _after_name(content, position)
        multiple = bool(kind & 0x1000)
        kind &= 0x0FFF
        if kind in _FIXED_SIZES:
            values = struct.unpack_from("<I", content, position)[0] if multiple else 1
            start = position + (4 if multiple else 0)
            size = _FIXED_SIZES[kind]
            yield tag, content[start : start + size]
            position = start + size * values
        elif kind in (_STRING8, _UNICODE, _OBJECT, _BINARY):
            values = struct.unpack_from("<I", content, position)[0]
            position += 4
            for index in range(min(values, _MAX_PROPERTIES)):
                size = struct.unpack_from("<I", content, position)[0]
                value = content[position + 4 : position + 4 + size]
                position += 4 + size + (-size % 4)
                if index == 0:
                    yield tag, _as_bytes(kind, value)
        else:
            return


def _after_name(content: bytes, position: int) -> int:
    """Skip a named property's GUID and its number or name."""
    kind = struct.unpack_from("<I", content, position + 16)[0]
    if kind == 0:
        return position + 24
    size: int = struct.unpack_from("<I", content, position + 20)[0]
    return position + 24 + size + (-size % 4)


def _as_bytes(kind: int, value: bytes) -> bytes:
    if kind == _UNICODE:
        return value.decode("utf-16-le", "replace").encode("utf-8", "replace")
    if kind == _OBJECT:
        return value[16:]
    return value
