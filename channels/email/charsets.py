"""Bytes of a mail into clean text: the charset that was declared if it holds, else the one that is detected."""

import codecs
import re
import unicodedata

import chardet

_DETECT_BYTES = 32_768
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_ENDS = re.compile(r"\r\n?")

# Labels that mailers write and Python does not know, and supersets where senders name the subset.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "cp936": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "big5": "big5hkscs",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-6-i": "iso-8859-6",
    "utf8": "utf-8",
    "utf-8mb4": "utf-8",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-windows-1252": "cp1252",
    "iso-2022-jp-ms": "iso-2022-jp",
    "cp50220": "iso-2022-jp",
}
# Guesses rather than statements: detection decides whenever the bytes are not plain ASCII.
_VAGUE = {"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown", "unknown-8bit", "x-unknown", "default", "8bit"}
# Python codecs that no mail means; some of them take quadratic time.
_REFUSED = {"punycode", "idna", "unicode_escape", "unicode-escape", "raw_unicode_escape", "undefined"}
_ONE_BYTE = re.compile(r"^(?:cp|windows-)(?:125\d|874|1[12]\d\d)$|^iso-?8859-\d{1,2}$|^koi8|^mac-|^viscii$")
_TWO_BYTE = frozenset({"gb18030", "big5hkscs", "cp949", "cp932", "euc-jp", "euc_jp", "euc-tw", "hz"})
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_JIS_MODES = {b"\x1b$B": "double", b"\x1b$@": "double", b"\x1b(I": "kana", b"\x1b(B": "ascii", b"\x1b(J": "ascii"}
_JIS_ESCAPE = re.compile(rb"(\x1b\$[B@]|\x1b\([IBJ])")
# A broken character or two (a gateway cut the text) make UTF-8 no other charset.
_MOSTLY_UTF8 = 4


def decode(data: bytes, label: str = "") -> str:
    """Text for `data`; never raises, never returns NUL or a lone surrogate. Line ends stay as they are."""
    name = label.strip(" \t\"';").lower()
    if name in ("utf-8", "utf8") or name in _VAGUE:
        try:
            return without_controls(_unescaped(data).removeprefix("\ufeff"))
        except UnicodeDecodeError:
            pass
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return without_controls(data.decode(codec, "replace").lstrip("\ufeff"))
    text = _declared(data, name)
    return without_controls(text if text is not None else _detected(data, name))


def _unescaped(data: bytes) -> str:
    """UTF-8, or ISO-2022-JP that nobody declared: its escapes are ASCII and mean nothing in any other text."""
    if b"\x1b$" in data and data.isascii() and _JIS_ESCAPE.search(data):
        return _iso_2022_jp(data)
    return data.decode("utf-8")


def without_controls(text: str) -> str:
    """`text` with control characters dropped and lone surrogates replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub("", text)


def with_unix_lines(text: str) -> str:
    """`text` with every line end as LF."""
    return _LINE_ENDS.sub("\n", text)


def _declared(data: bytes, name: str) -> str | None:
    if name in _VAGUE or name in _REFUSED or len(name) > 40:
        return None
    codec = _ALIASES.get(name, name)
    try:
        if codec == "iso-2022-jp":
            return _iso_2022_jp(data)
        if _ONE_BYTE.match(codec) and not data.isascii():
            return _one_byte(data, codec)
        if codec in _TWO_BYTE and (text := _as_utf8(data)):
            return text
        return data.decode(codec)
    except (LookupError, UnicodeError, ValueError):
        return None


def _as_utf8(data: bytes) -> str:
    """Text that is UTF-8 whatever it declares: Chinese and Japanese bytes hold three-byte forms only by design."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if any(char > "\u0800" for char in text) else ""


def _one_byte(data: bytes, codec: str) -> str:
    """One-byte charsets fit any bytes, so mailers declare them wrongly: what holds as UTF-8 is UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        if codec != "cp1252":
            raise
        text = data.decode("latin-1")
    # Vietnamese Windows mail writes tone marks as combining characters.
    return unicodedata.normalize("NFC", text) if codec.endswith("1258") else text


def _detected(data: bytes, name: str) -> str:
    if text := _nearly_utf8(data):
        return text
    guess = chardet.detect(data[:_DETECT_BYTES])["encoding"] if data else None
    if (guess or "").lower().startswith("mac"):
        # Nobody sends the charsets of old Macs without saying so; Windows' share most of their letters.
        guess = "cp1251" if "cyr" in (guess or "").lower() else "cp1252"
    for candidate in (guess, _ALIASES.get(name, name), "cp1252"):
        if not candidate or candidate.lower() in _REFUSED:
            continue
        try:
            return data.decode(_ALIASES.get(candidate.lower(), candidate), "replace")
        except (LookupError, UnicodeError, ValueError):
            continue
    return data.decode("latin-1")


def _nearly_utf8(data: bytes) -> str:
    """Text where all but a few of the characters beyond ASCII are UTF-8; "" otherwise."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(not char.isascii() for char in text) - broken if broken else 0
    return text if broken and whole >= broken * _MOSTLY_UTF8 else ""


def _iso_2022_jp(data: bytes) -> str:
    """ISO-2022-JP with the vendor characters (circled digits …) that Python's own codec refuses."""
    try:
        return data.decode("iso2022_jp_ext")
    except UnicodeDecodeError:
        pass
    out: list[str] = []
    mode = "ascii"
    for piece in _JIS_ESCAPE.split(data):
        if piece in _JIS_MODES:
            mode = _JIS_MODES[piece]
        elif mode == "double":
            out.append(_jis_rows(piece))
        elif mode == "kana":
            out.append(bytes(byte | 0x80 for byte in piece).decode("cp932", "replace"))
        else:
            out.append(piece.decode("cp932", "replace"))
    return "".join(out)


def _jis_rows(data: bytes) -> str:
    """JIS X 0208 byte pairs by way of Shift_JIS, whose Windows form has the vendor rows."""
    shifted = bytearray()
    position = 0
    while position < len(data):
        first = data[position]
        if first < 0x21 or position + 1 >= len(data):
            shifted.append(first)
            position += 1
            continue
        second = data[position + 1]
        lead = (first - 0x21) // 2 + 0x81
        shifted.append(lead if lead <= 0x9F else lead + 0x40)
        if first % 2:
            shifted.append(second + (0x1F if second < 0x60 else 0x20))
        else:
            shifted.append((second + 0x7E) & 0xFF)
        position += 2
    return shifted.decode("cp932", "replace")
