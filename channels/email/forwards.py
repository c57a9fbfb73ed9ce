"""A mail that somebody passed on to us: who wrote the original, in the forms of Gmail, Outlook, Apple and others.

What says that a mail was passed on, strongest first: a line ("Forwarded message"), the subject ("Fwd: …"), a subject
that is the older one's with some word before it, or an older mail's head under a text that answers nothing.
The head is read by its labels' words; where a language or program is not known, by its shape.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.email.addresslist import addresses_in
from channels.email.attributions import attributions
from channels.email.labels import (
    ANSWER_SUBJECT,
    CC,
    FORWARD_SUBJECT,
    FROM,
    NORDIC_FROM,
    NORDIC_SUBJECT,
    OTHER,
    SENT,
    SUBJECT,
    TO,
    announces_forward,
    any_label,
    header_label,
    is_forward_line,
    is_original_line,
)
from channels.email.parsed import Forwarded, Mailbox
from channels.email.spoken_dates import spoken_date
from channels.email.visible import header_block_length

_MAX_LINES = 3_000
_MAX_LINE = 2_000
_MAX_RECIPIENTS = 50
_MAX_BLOCK = 14
# How many lines may stand between a marker and the head that it announces.
_REACH = 6
_MARKUP = re.compile(r"\*\*|__|[\[<]?mailto:|\]$")
_PREFIX = re.compile(r"^\s*[^\s:：]{1,16}(?:\s[^\s:：]{1,10})?\s?[:：]\s*(.+)$")
_AFTER_TIME = re.compile(r"^.*(?:\d|,|[ap]\.?m\.?|uhr|h)[\s,]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clues:
    """What the head of the mail says: the subject's word, and whether the mail answers another one."""

    forwards: bool
    answers: bool
    nordic: bool
    subject: str
    sender: str

    @property
    def core(self) -> str:
        """The subject without the word that a mail program put before it."""
        found = _PREFIX.match(self.subject)
        return (found[1] if found else self.subject).strip().rstrip("])").strip()


def clues(subject: str, sender: Mailbox, *, replies: bool) -> Clues:
    """Read the head; `replies` when it names a mail that it answers (programs name it in a forward too)."""
    forwards = FORWARD_SUBJECT.match(subject) is not None
    answers = not forwards and ANSWER_SUBJECT.match(subject) is not None
    return Clues(
        forwards,
        answers or (replies and not forwards and _PREFIX.match(subject) is None),
        NORDIC_SUBJECT.match(subject) is not None,
        subject,
        sender.address.lower(),
    )


def read_forward(found: Clues, bodies: Sequence[Sequence[str]]) -> Forwarded | None:
    """The original's head, from the first body (as lines) that shows one, best with an address."""
    without_address: Forwarded | None = None
    for lines in bodies:
        forwarded = _in_lines(lines[:_MAX_LINES], found)
        if forwarded is not None and forwarded.sender.address:
            return forwarded
        without_address = without_address or forwarded
    return without_address


def _in_lines(lines: Sequence[str], found: Clues) -> Forwarded | None:
    plain = [line.lstrip("> \t\xa0\u200e\u200f").rstrip() for line in lines]
    reach, marked = 0, False
    for position, line in enumerate(plain):
        if not line or len(line) > _MAX_LINE:
            continue
        # Under an answer a quoted marker is somebody else's forward.
        open_here = not (found.answers and lines[position].lstrip().startswith(">"))
        if open_here and is_forward_line(line):
            reach, marked = _REACH, True
        elif open_here and (announces_forward(line) or (not found.answers and is_original_line(line))):
            reach = _REACH
        elif reach or not found.answers or (found.nordic and NORDIC_FROM.match(line)):
            forwarded = _head_at(plain, position, found, reach)
            if forwarded is not None:
                return forwarded
            reach = max(0, reach - 1)
        elif header_block_length(plain, position) or (is_original_line(line) and not found.nordic):
            return None
    return _from_attribution(plain, found) if marked or found.forwards else None


def _head_at(plain: Sequence[str], position: int, found: Clues, reach: int) -> Forwarded | None:
    """The head of an older mail that starts in this line; by its shape only where something announces one."""
    length = header_block_length(plain, position)
    if length:
        return _from_block(plain[position : position + length])
    if reach or found.forwards:
        return _by_shape(plain[position : position + _MAX_BLOCK], found)
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
    return _forwarded(fields)


def _by_shape(block: Sequence[str], found: Clues) -> Forwarded | None:
    """A head in words that are not known: three fields, of which one is a day or the subject, another an address."""
    fields: dict[str, str] = {}
    rows = 0
    for line in block:
        label = any_label(line)
        if label is None:
            break
        rows += 1
        known = header_label(line)
        kind = known[0] if known else _kind_of(label[1], fields, found)
        if kind:
            fields.setdefault(kind, label[1])
    if rows < 3 or "@" not in fields.get(FROM, "") or not (SENT in fields or fields.get(SUBJECT) == found.core):
        return None
    forwarded = _forwarded(fields)
    return forwarded if forwarded.sender.address.lower() != found.sender else None


def _kind_of(value: str, fields: dict[str, str], found: Clues) -> str:
    """What a field with an unknown label is, by its value; every program names the sender before the recipients."""
    if "@" in value:
        return next((kind for kind in (FROM, TO, CC) if kind not in fields), OTHER)
    if value == found.core:
        return SUBJECT
    return SENT if spoken_date(value) else ""


def _from_attribution(plain: Sequence[str], found: Clues) -> Forwarded | None:
    """Programs that write no head put one line over the older mail: day, time, name and address."""
    spans = attributions(plain, lambda _: False, lambda _: False)
    for start in sorted(spans):
        line = " ".join(plain[start : start + spans[start]])
        addresses = addresses_in(line)
        if addresses:
            before = line[: line.find(addresses[0])]
            when = spoken_date(before)
            return Forwarded(Mailbox(_name(_AFTER_TIME.sub("", before)), addresses[0]), (), found.core, when)
    return None


def _forwarded(fields: dict[str, str]) -> Forwarded:
    to = tuple(box for box in map(_person, _split(fields.get(TO, ""))) if box.address or box.name)
    when: datetime | None = spoken_date(fields.get(SENT, ""))
    return Forwarded(_person(fields.get(FROM, "")), to[:_MAX_RECIPIENTS], fields.get(SUBJECT, "").strip("* "), when)


def _person(value: str) -> Mailbox:
    """`Anna Nguyen <anna@example.com>`, `Anna [mailto:anna@example.com]`, `"Anna" anna@…` and the like."""
    found = addresses_in(_MARKUP.sub(" ", value))
    address = found[0] if found else ""
    name = _name(value[: value.find(address)] if address else value)
    return Mailbox("" if name.lower() == address.lower() else name, address)


def _name(text: str) -> str:
    text = re.sub(r"[\[<(]\s*(?:mailto:)?\s*$", "", text.strip()).strip()
    return text.strip("*_ \t\xa0").strip("\"'“”„").strip("*_ <([")


def _split(value: str) -> list[str]:
    if ";" in value:
        return value.split(";")
    if value.count("@") > 1:
        return re.split(r",(?=[^,@]*@)", value)
    return [value]
