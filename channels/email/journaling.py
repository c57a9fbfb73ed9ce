"""Transaction 1 of every mail: the raw bytes are in the journal before anybody says "taken"."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from channels.email.headers import decoded
from channels.email.limits import header_size
from contact_center.core.files import INLINE_LIMIT, FileStore
from tickets import inbox
from tickets.inbox import RawItem
from tickets.states import Channel

_PEEK_BYTES = 20_000
TOO_LARGE = "the mail is larger than 60 MB"


def raw_item(files: FileStore, account_id: int, external_id: str, raw: bytes, *, history: bool = False) -> RawItem:
    """A mail as a journal item; large ones go to the file store first (blocking: call it in a thread)."""
    digest = files.put(raw) if len(raw) > INLINE_LIMIT else None
    return RawItem(
        channel=Channel.EMAIL,
        account_id=account_id,
        external_id=external_id,
        raw=None if digest else raw,
        raw_digest=digest,
        sender=_peek(raw, b"from")[:200],
        summary=_peek(raw, b"subject"),
        history=history,
    )


def store(tx: Connection, item: RawItem, *, now: datetime) -> int | None:
    """Journal a mail as `received`; None when this external id is there already."""
    return inbox.store(tx, item, now=now)


def store_all(tx: Connection, items: Sequence[tuple[RawItem, bool]], *, now: datetime) -> int:
    """Journal (mail, whether it is too large) pairs, too large ones as quarantined; how many were new."""
    return sum(
        (inbox.quarantine(tx, item, TOO_LARGE, now=now) if oversize else store(tx, item, now=now)) is not None
        for item, oversize in items
    )


def _peek(raw: bytes, name: bytes) -> str:
    """One field without parsing the mail: the journal shows it even for mails that cannot be read."""
    head = raw[: min(header_size(raw[:_PEEK_BYTES]) + 2, _PEEK_BYTES)].replace(b"\r\n", b"\n")
    value = b""
    for line in head.split(b"\n"):
        if value and line[:1] in (b" ", b"\t"):
            value += b" " + line.strip()
        elif value:
            break
        elif line[: len(name) + 1].lower() == name + b":":
            value = line[len(name) + 1 :].strip()
    return decoded(value.decode("ascii", "surrogateescape"))
