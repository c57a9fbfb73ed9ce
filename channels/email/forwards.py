"""A mail that somebody passed on to us: who wrote the original, in the forms of Gmail, Outlook, Apple and others."""

import re
from collections.abc import Sequence

from channels.email.addresslist import addresses_in, first_mailbox, mailboxes
from channels.email.headers import Headers
from channels.email.labels import (
    FORWARD_SUBJECT,
    FROM,
    NORDIC_FROM,
    NORDIC_SUBJECT,
    SENT,
    SUBJECT,
    TO,
    header_label,
    is_forward_line,
    is_original_line,
)
from channels.email.parsed import Forwarded, Mailbox
from channels.email.spoken_dates import spoken_date
from channels.email.visible import header_block_length

_MAX_LINES = 3_000
_MAX_LINE = 2_000
_MARKUP = re.compile(r"\*\*|__|[\[<]?mailto:|\]$")
_MARKER_STARTS = "-–—_=*"
_MAX_RECIPIENTS = 50


def read_forward(subject: str, bodies: Sequence[Sequence[str]], embedded: Headers | None) -> Forwarded | None:
    """The original's head, from the first body (as lines) that shows one; `embedded` is an attached mail's head."""
    says_so = FORWARD_SUBJECT.match(subject) is not None
    nordic = NORDIC_SUBJECT.match(subject) is not None
    best: Forwarded | None = None
    for lines in bodies:
        found = _in_lines(lines[:_MAX_LINES], says_so, nordic)
        if found is not None and found.sender.address:
            return found
        best = best or found
    if embedded is not None and says_so:
        return _from_headers(embedded)
    return best


def _in_lines(lines: Sequence[str], says_so: bool, nordic: bool) -> Forwarded | None:
    plain = [line.lstrip("> \t\xa0").rstrip() for line in lines]
    after_marker = 0
    for position, line in enumerate(plain):
        if not line or len(line) > _MAX_LINE:
            continue
        if is_forward_line(line) or (says_so and is_original_line(line)):
            after_marker = 6
        elif after_marker or says_so or (nordic and NORDIC_FROM.match(line)):
            after_marker = max(0, after_marker - 1)
            length = header_block_length(plain, position)
            if length:
                return _from_block(plain[position : position + length])
    return None


def _from_block(block: Sequence[str]) -> Forwarded:
    fields: dict[str, str] = {}
    kind = ""
    for line in block:
        label = header_label(line)
        if label is not None:
            kind = label[0]
            if kind not in fields:
                fields[kind] = label[1]
                continue
            kind = ""
        elif kind and line.strip():
            fields[kind] = f"{fields[kind]} {line.strip()}"[:4_000]
    return Forwarded(
        _person(fields.get(FROM, "")),
        tuple(box for box in map(_person, _split(fields.get(TO, ""))) if box.address or box.name)[:_MAX_RECIPIENTS],
        fields.get(SUBJECT, "").strip("* "),
        spoken_date(fields.get(SENT, "")),
    )


def _from_headers(head: Headers) -> Forwarded | None:
    sender = first_mailbox(head.raw("from"))
    if not sender.address:
        return None
    return Forwarded(sender, mailboxes(head.raw("to"))[:_MAX_RECIPIENTS], head.text("subject"), head.date("date"))


def _person(value: str) -> Mailbox:
    """`Anna Nguyen <anna@example.com>`, `Anna [mailto:anna@example.com]`, `"Anna" anna@…` and the like."""
    found = addresses_in(_MARKUP.sub(" ", value))
    address = found[0] if found else ""
    name = value
    if address:
        name = value[: value.find(address)]
    name = re.sub(r"[\[<(]\s*(?:mailto:)?\s*$", "", name.strip()).strip()
    name = name.strip("*_ \t\xa0").strip("\"'“”„").strip("*_ <([")
    return Mailbox("" if name.lower() == address.lower() else name, address)


def _split(value: str) -> list[str]:
    if ";" in value:
        return value.split(";")
    if value.count("@") > 1:
        return re.split(r",(?=[^,@]*@)", value)
    return [value]
