"""An outgoing mail as bytes: plain text and HTML, our ids and threading fields, and no way to inject a field."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from channels.base import Said
from channels.email import layout, markup, quoting
from channels.email.robots import OWN_HEADER
from channels.email.signature import Signature, is_signed
from channels.email.texts import unsubscribe_line

MAX_REFERENCES = 20
_POLICY = SMTP.clone(max_line_length=200)
# Everything that Python or a mail server takes for the end of a line, and what nobody can see.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_REPLY_PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|sv|vs|antw|res|odp|rif|ynt|回复|答复|trả lời)\s*(?:\[\d+\])?\s*[:：]\s*)+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class File:
    """An attached file with its bytes; `content_id` where the HTML shows it."""

    filename: str
    content_type: str
    content: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that stands in an outgoing mail."""

    message_id: str
    sender_name: str
    sender_address: str
    to_name: str
    to_address: str
    subject: str
    text: str
    date: datetime
    reply_to: str = ""
    cc: Sequence[str] = ()
    references: Sequence[str] = ()
    html: str | None = None
    # Left out where the words end with it.
    signature: Signature | None = None
    footer: str = ""
    # What was said before, newest first; quoted below everything else.
    history: Sequence[Said] = ()
    automatic: bool = False
    locale: str = "en"
    unsubscribe_url: str = ""
    files: Sequence[File] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def composed(letter: Letter) -> bytes:
    """The mail with CRLF line ends, ready for SMTP; raises ValueError for an address that is none."""
    message = EmailMessage(_POLICY)
    message["Message-ID"] = f"<{letter.message_id}>"
    message["Date"] = format_datetime(letter.date)
    message["From"] = _address(letter.sender_name, letter.sender_address)
    message["To"] = _address(letter.to_name, letter.to_address)
    if letter.cc:
        message["Cc"] = [_address("", address) for address in letter.cc]
    if letter.reply_to:
        message["Reply-To"] = _address(letter.sender_name, letter.reply_to)
    message["Subject"] = one_line(letter.subject)
    _add_threading(message, letter.references)
    if letter.automatic:
        message["Auto-Submitted"] = "auto-replied" if letter.references else "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message["Precedence"] = "bulk"
    if letter.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{one_line(letter.unsubscribe_url)}>"
        if letter.unsubscribe_url.startswith("https:"):
            # RFC 8058 knows no other: a mail program's one click goes over https or not at all.
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Content-Language"] = one_line(letter.locale)
    message[OWN_HEADER.title()] = "1"
    for name, value in letter.headers.items():
        message[name] = one_line(value)
    _add_content(message, letter)
    return message.as_bytes(policy=_POLICY)


def one_line(text: str) -> str:
    """Text for a header field: control characters and line ends become spaces."""
    return _CONTROLS.sub(" ", text).strip()[:900]


def reply_subject(subject: str, number: int) -> str:
    """`Re: subject [#number]` with exactly one of each."""
    plain = _REPLY_PREFIX.sub("", one_line(subject))
    plain = plain.replace(f"[#{number}]", "").strip()
    return f"Re: {plain} [#{number}]"


def plain_text(letter: Letter) -> str:
    """The text part: the words, the signature after `-- `, the footer, and what was said before."""
    parts = [letter.text.replace("\r\n", "\n").rstrip()]
    signature = _signature(letter)
    below = [words for words in (signature.text if signature else "", letter.footer, _unsubscribing(letter)) if words]
    if below:
        # Mail programs and our own reader fold what stands below these dashes.
        parts.append("-- \n" + "\n\n".join(below))
    if letter.history:
        parts.append(quoting.as_text(letter.history, letter.locale))
    return unicodedata.normalize("NFC", "\n\n".join(parts)) + "\n"


def html_text(letter: Letter) -> str:
    """The HTML part, with the same in the same order; our own reader knows signature and footer by their classes."""
    parts = [letter.html or markup.paragraphs(letter.text)]
    signature = _signature(letter)
    if signature is not None:
        parts.append(f'<div class="cc-signature">{signature.html}</div>')
    if letter.footer:
        parts.append(f'<p class="cc-footer">{markup.lines(letter.footer)}</p>')
    if letter.unsubscribe_url:
        parts.append(f'<p class="cc-footer">{markup.lines(_unsubscribing(letter))}</p>')
    parts.append(quoting.as_html(letter.history, letter.locale))
    return layout.page(letter.locale, "".join(parts))


def _signature(letter: Letter) -> Signature | None:
    found = letter.signature
    return found if found is not None and found.text and not is_signed(letter.text, found) else None


def _unsubscribing(letter: Letter) -> str:
    return unsubscribe_line(letter.locale, letter.unsubscribe_url) if letter.unsubscribe_url else ""


def _add_threading(message: EmailMessage, references: Sequence[str]) -> None:
    """In-Reply-To the last id; References the first and the latest ones, so that long threads stay short."""
    ids = [f"<{_CONTROLS.sub('', reference).strip('<> ')}>" for reference in references if reference.strip("<> ")]
    ids = [found for found in dict.fromkeys(ids) if " " not in found]
    if not ids:
        return
    message["In-Reply-To"] = ids[-1]
    kept = ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]
    message["References"] = " ".join(kept)


def _add_content(message: EmailMessage, letter: Letter) -> None:
    message.set_content(plain_text(letter), charset="utf-8", cte="quoted-printable")
    message.add_alternative(html_text(letter), subtype="html", charset="utf-8", cte="quoted-printable")
    related = [file for file in letter.files if file.content_id]
    html_part = message.get_payload()[-1]  # type: ignore[index]
    assert isinstance(html_part, EmailMessage)
    for file in related:
        kind, subtype = _type(file)
        html_part.add_related(
            file.content, kind, subtype, cid=f"<{one_line(file.content_id)}>", filename=one_line(file.filename)
        )
    for file in letter.files:
        if not file.content_id:
            kind, subtype = _type(file)
            message.add_attachment(file.content, kind, subtype, filename=one_line(file.filename))


def _type(file: File) -> tuple[str, str]:
    kind, _, subtype = file.content_type.partition("/")
    valid = re.fullmatch(r"[a-z0-9.+-]{1,60}", kind) and re.fullmatch(r"[a-z0-9.+-]{1,100}", subtype)
    # A message inside a message needs another encoding; a stranger's type may be anything.
    return (kind, subtype) if valid and kind not in ("message", "multipart") else ("application", "octet-stream")


def _address(name: str, address: str) -> Address:
    local, at, domain = one_line(address).rpartition("@")
    if not at or not local or not domain or " " in address.strip():
        raise ValueError(f"not an e-mail address: {address!r}")
    return Address(display_name=one_line(name), username=local, domain=domain)
