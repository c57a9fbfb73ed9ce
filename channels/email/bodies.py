"""The parts of a mail sorted into text, HTML and files."""

import binascii
import re
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.errors import MessageError
from email.generator import BytesGenerator
from email.message import Message
from email.policy import compat32
from io import BytesIO
from urllib.parse import unquote

from channels.email import limits, tnef, uuencoded
from channels.email.charsets import decode, with_unix_lines
from channels.email.headers import Headers, parameters, safe_filename
from channels.email.parsed import Attachment

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
# Words with blanks between them: a relay decoded the text and left the field that says base64.
_NO_BASE64 = re.compile(rb"\A\s*(?:[\x21-\x7e\x80-\xff]{1,40}[ \t]{1,2}){3}")
_CID = re.compile(r"cid:([^\"'\s>)]{1,250})", re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_EXTENSIONS = {
    "text/plain": "txt",
    "text/html": "html",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "message/rfc822": "eml",
    "application/vnd.ms-outlook": "msg",
    "message/delivery-status": "txt",
    "message/disposition-notification": "txt",
    "message/feedback-report": "txt",
    "text/rfc822-headers": "txt",
    "image/jpeg": "jpg",
    "image/jpg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "application/pgp-encrypted": "txt",
    "application/pgp-signature": "asc",
    "application/pkcs7-signature": "p7s",
    "application/x-pkcs7-signature": "p7s",
    "application/pkcs7-mime": "p7m",
    "application/x-pkcs7-mime": "p7m",
    "application/zip": "zip",
    "video/quicktime": "mov",
    "video/mp4": "mp4",
    "audio/mpeg": "mp3",
}
_STEMS = {
    "text/calendar": "invite",
    "text/vcard": "contact",
    "message/delivery-status": "delivery-status",
    "application/vnd.ms-outlook": "mail",
    "application/pkcs7-mime": "smime",
    "application/x-pkcs7-mime": "smime",
    "application/pkcs7-signature": "smime",
    "application/x-pkcs7-signature": "smime",
    "application/pgp-encrypted": "pgp-version",
    "application/pgp-signature": "signature",
}


class Part(Message):
    """A message whose payload can be had as it came: `get_payload` replaces what the declared charset does not hold."""

    _payload: object

    @property
    def stored(self) -> object:
        """The children as a list, or the undecoded text with 8-bit bytes as surrogates."""
        return self._payload


@dataclass(slots=True)
class Leaf:
    """One part without children: its fields, type, parameters and decoded bytes."""

    headers: Headers
    content_type: str
    charset: str
    filename: str
    disposition: str
    flowed: bool
    delsp: bool
    content: bytes
    embedded: Message | None = None
    container: str = ""

    @property
    def content_id(self) -> str:
        return self.headers.text("content-id").strip("<> ")


@dataclass(slots=True)
class Bodies:
    """What the walk over a mail found; `reports` are the machine-readable parts that bounces are read from."""

    text: str = ""
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    reports: list[Leaf] = field(default_factory=list)
    embedded: list[Message] = field(default_factory=list)
    content_types: set[str] = field(default_factory=set)


def read_bodies(message: Message) -> Bodies:
    """Sort every part of `message`; parts inside an attached message stay inside it."""
    found = Bodies()
    texts: list[str] = []
    htmls: list[str] = []
    for leaf in _leaves(message):
        found.content_types.add(leaf.content_type)
        if leaf.content_type.startswith("message/") or leaf.content_type == "text/rfc822-headers":
            found.reports.append(leaf)
        if leaf.embedded is not None:
            found.embedded.append(leaf.embedded)
        if _is_body(leaf, message):
            _take_body(leaf, found, texts, htmls)
        elif leaf.content_type in tnef.CONTENT_TYPES or leaf.filename.lower() == "winmail.dat":
            _take_tnef(leaf, found, texts, htmls)
        else:
            _take_file(leaf, found, htmls)
    found.text = "\n".join(text.strip("\n") for text in texts if text.strip()) if len(texts) > 1 else "".join(texts)
    found.html = "\n".join(htmls)
    found.attachments = _named(_marked_inline(found))
    return found


def _leaves(message: Message) -> list[Leaf]:
    leaves: list[Leaf] = []
    stack: list[tuple[Message, str]] = [(message, "")]
    while stack:
        part, container = stack.pop()
        payload = _stored(part)
        kind = part.get_content_type()
        if isinstance(payload, list) and kind != "message/rfc822" and not kind.startswith("message/"):
            stack.extend((child, kind) for child in reversed(payload) if isinstance(child, Message))
        else:
            leaves.append(_leaf(part, container))
    return leaves


def _stored(part: Message) -> object:
    return part.stored if isinstance(part, Part) else part.get_payload()


def _leaf(part: Message, container: str) -> Leaf:
    headers = Headers(part)
    declared, options = parameters(headers.raw("content-type"))
    disposition, place = parameters(headers.raw("content-disposition"))
    content_type = declared if _TYPE.fullmatch(declared) else _default_type(part, disposition)
    payload = _stored(part)
    embedded = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Message) else None
    if content_type.startswith("multipart/"):
        content_type = "text/plain"
    filename = safe_filename(place.get("filename") or options.get("name") or "")
    content = _content(part, headers)
    if content_type == "message/rfc822" and (embedded is None or not embedded.keys()):
        # RFC 2046 forbids an encoding here, Exchange writes base64 all the same.
        content = _base64(content.strip()) if "base64" in headers.raw("content-transfer-encoding").lower() else content
        embedded = _attached_mail(content)
    elif content_type == "application/octet-stream" and filename.lower().endswith(".eml"):
        embedded = _attached_mail(content)
    if content_type == "message/rfc822" and embedded is not None and not filename:
        subject = safe_filename(Headers(embedded).text("subject").replace("/", "-"))
        filename = f"{subject}.eml" if subject else ""
    return Leaf(
        headers,
        content_type,
        options.get("charset", ""),
        filename,
        disposition,
        options.get("format", "").lower() == "flowed",
        options.get("delsp", "").lower() == "yes",
        content,
        embedded,
        container,
    )


def _attached_mail(content: bytes) -> Message | None:
    """A mail that came as a file, unless it is too large, too deep or no mail."""
    try:
        limits.check(content)
    except limits.UnreadableMail:
        return None
    found = message_from_bytes(content, Part, policy=compat32)
    return found if "from" in found else None


def _default_type(part: Message, disposition: str) -> str:
    """The type of a part whose own declaration is missing or broken (RFC 2045: text, unless it is a file)."""
    found = part.get_content_type()
    if _TYPE.fullmatch(found):
        return found
    return "application/octet-stream" if disposition == "attachment" else "text/plain"


def _content(part: Message, headers: Headers) -> bytes:
    """The decoded bytes of a leaf; transfer encodings that do not hold leave the bytes as they came."""
    payload = _stored(part)
    if isinstance(payload, list):
        return b"\n\n".join(_serialised(child) for child in payload if isinstance(child, Message))
    data = str(payload or "").encode("ascii", "surrogateescape")
    encoding = headers.raw("content-transfer-encoding").strip().lower().strip("\"';")
    if encoding == "base64":
        return data if _NO_BASE64.search(data[:4096]) else _base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        text = data.decode("latin-1")
        _, files = uuencoded.extract(with_unix_lines(text))
        return files[0][1] if files else data
    return data


def _base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        cleaned = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        return binascii.a2b_base64(cleaned[: len(cleaned) - len(cleaned) % 4])


def _serialised(message: Message) -> bytes:
    out = BytesIO()
    try:
        BytesGenerator(out, mangle_from_=False, maxheaderlen=0).flatten(message)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError, MessageError):
        return out.getvalue()
    return out.getvalue()


def _is_body(leaf: Leaf, root: Message) -> bool:
    if leaf.content_type not in ("text/plain", "text/html", "text/enriched", "text/x-amp-html"):
        return False
    if not root.is_multipart():
        return not leaf.disposition.startswith("attachment")
    return leaf.disposition != "attachment" and not leaf.filename


def _take_body(leaf: Leaf, found: Bodies, texts: list[str], htmls: list[str]) -> None:
    if leaf.content_type == "text/x-amp-html":
        return
    if leaf.content_type == "text/html":
        meta = _META_CHARSET.search(leaf.content[:4096])
        label = leaf.charset or (meta[1].decode("ascii", "replace") if meta else "")
        htmls.append(with_unix_lines(decode(leaf.content, label)))
        return
    text = with_unix_lines(decode(leaf.content, leaf.charset))
    if leaf.flowed:
        text = unflowed(text, leaf.delsp)
    text, files = uuencoded.extract(text) if "\nbegin " in f"\n{text}" else (text, [])
    found.attachments += [Attachment(name, "application/octet-stream", content) for name, content in files]
    if texts and leaf.container == "multipart/alternative":
        return
    texts.append(text)


def _take_tnef(leaf: Leaf, found: Bodies, texts: list[str], htmls: list[str]) -> None:
    package = tnef.read(leaf.content)
    if package is None:
        _take_file(leaf, found, htmls)
        return
    for file in package.files:
        kind = file.content_type if _TYPE.fullmatch(file.content_type) else "application/octet-stream"
        found.attachments.append(
            Attachment(file.filename, kind, file.content, inline=False, content_id=file.content_id)
        )
    if package.text and not any(text.strip() for text in texts):
        texts.append(with_unix_lines(package.text))
    if package.html and not htmls:
        htmls.append(with_unix_lines(package.html))


def _take_file(leaf: Leaf, found: Bodies, htmls: list[str]) -> None:
    """Keep a file; a picture that Apple Mail put between two pieces of HTML is shown where it stood."""
    content_id = leaf.content_id
    placed = leaf.disposition == "inline" and leaf.content_type.startswith("image/")
    if placed and htmls and leaf.container == "multipart/mixed" and not content_id:
        content_id = f"part-{len(found.attachments) + 1}@inline"
        htmls.append(f'<div><img src="cid:{content_id}"></div>')
    found.attachments.append(Attachment(leaf.filename, leaf.content_type, leaf.content, placed, content_id))


def _marked_inline(found: Bodies) -> list[Attachment]:
    """Inline is what the HTML shows by its content id, and pictures the sender placed in the text."""
    shown = {unquote(cid).lower() for cid in _CID.findall(found.html)} if "cid:" in found.html.lower() else set()
    return [
        replace(file, inline=True) if file.content_id and file.content_id.lower() in shown else file
        for file in found.attachments
    ]


def _named(files: list[Attachment]) -> list[Attachment]:
    """Every file gets a name that says its kind, and no two files share one."""
    used: set[str] = set()
    named: list[Attachment] = []
    for file in files:
        extension = _EXTENSIONS.get(file.content_type, "bin")
        name = file.filename or f"{_STEMS.get(file.content_type, file.content_type.partition('/')[0])}.{extension}"
        stem, dot, end = name.rpartition(".")
        candidate, number = name, 1
        while candidate.lower() in used:
            candidate = f"{stem}-{number}.{end}" if dot else f"{name}-{number}"
            number += 1
        used.add(candidate.lower())
        named.append(replace(file, filename=candidate))
    return named


def unflowed(text: str, delsp: bool = False) -> str:
    """RFC 3676: lines that end in a space continue in the next one of the same quote depth."""
    out: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        soft = content.endswith(" ") and content != "-- "
        piece = content[:-1] if soft and delsp else content
        if open_depth == depth and content != "-- ":
            out[-1].append(piece)
        else:
            out.append([f"{'>' * depth} {piece}" if depth else piece])
        open_depth = depth if soft else -1
    return "\n".join("".join(pieces) for pieces in out)
