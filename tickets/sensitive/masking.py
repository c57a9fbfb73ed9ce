"""Card numbers, ids and codes leave a message before it is written; its original is sealed beside it.

Which kinds, and for how long originals are kept, administrators choose. The public key lies in the database, so that
intake can seal without the secret; only who has the secret key can open (`showing`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert

from contact_center.core import installation
from contact_center.core.secrets import seal
from tickets.inbound import InboundMessage
from tickets.sensitive.find import ALL, Kind, Span, mask, scan
from tickets.sensitive.markup import mask_html
from tickets.sensitive.models import SealedOriginal
from tickets.states import MessageKind

RULES, KEY = "sensitive_rules", "sealing_key"
KEEP_DAYS = 30
MOST_DAYS = 3650
# Where a message's meta tells what was taken out of it: kind -> how many.
HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Rules:
    """What is masked, and how many days originals are kept (0: not at all)."""

    kinds: frozenset[Kind] = ALL
    keep_days: int = KEEP_DAYS


@dataclass(frozen=True, slots=True)
class Hidden:
    """What was taken out of a message, and its texts as they came."""

    found: Counter[Kind]
    original: Mapping[str, str]


def rules(tx: Connection) -> Rules:
    """What administrators chose, else everything for 30 days."""
    held = installation.read(tx, RULES)
    if held is None:
        return Rules()
    return Rules(frozenset(kind for kind in Kind if held["kinds"].get(kind.value, True)), held["keep_days"])


def set_rules(tx: Connection, wanted: Rules) -> None:
    """From now on; what was masked or not stays as it is."""
    kinds = {kind.value: kind in wanted.kinds for kind in Kind}
    installation.write(tx, RULES, {"kinds": kinds, "keep_days": wanted.keep_days})


def publish_key(tx: Connection, sealing_key: str) -> None:
    """Every process tells its public key when it starts; they all have the same secret."""
    held = installation.read(tx, KEY)
    if held is None or held["key"] != sealing_key:
        installation.write(tx, KEY, {"key": sealing_key})


def suspected(inbound: InboundMessage) -> bool:
    """Whether something may have to be masked; asks no database."""
    return _looked_at(inbound, _parts(inbound)) is not None


Seen = Mapping[str, Sequence[Span]]


def _parts(inbound: InboundMessage) -> dict[str, str]:
    return {"text": inbound.text, "subject": inbound.subject, "quoted": inbound.quoted}


def _looked_at(inbound: InboundMessage, parts: Mapping[str, str]) -> Seen | None:
    """What stands in each part, so that none is read twice; None where there is nothing at all."""
    if inbound.kind is MessageKind.CALL:
        # A sentence of our own about a call; its numbers are telephone numbers.
        return None
    seen = {name: scan(text) for name, text in parts.items()}
    if any(seen.values()) or (inbound.html is not None and mask_html(inbound.html) != inbound.html):
        return seen
    return None


def hide(
    tx: Connection, inbound: InboundMessage, *, awaiting_code: bool = False
) -> tuple[InboundMessage, Hidden | None]:
    """The message without what the rules name, and what that was; None when it stays as it is.

    `awaiting_code`: any six digits may be the code that we have sent to this customer.
    """
    parts = _parts(inbound)
    seen = _looked_at(inbound, parts)
    if seen is None and not awaiting_code:
        return inbound, None
    after, hidden = _hide(tx, parts, seen or {}, inbound.html, inbound.locale, bare=awaiting_code)
    if hidden is None:
        return inbound, None
    return replace(inbound, **after, meta={**inbound.meta, **mention(hidden)}), hidden


def hide_text(tx: Connection, text: str) -> tuple[str, Hidden | None]:
    """The same for what a colleague writes down."""
    seen = {"text": scan(text)}
    if not seen["text"]:
        return text, None
    after, hidden = _hide(tx, {"text": text}, seen, None, None)
    return after["text"] or "", hidden


def _hide(
    tx: Connection, parts: Mapping[str, str], seen: Seen, html: str | None, locale: str | None, *, bare: bool = False
) -> tuple[dict[str, Any], Hidden | None]:
    kinds = rules(tx).kinds
    masked = {name: mask(text, kinds, locale=locale, bare=bare, seen=seen.get(name)) for name, text in parts.items()}
    found = sum((one.found for one in masked.values()), Counter[Kind]())
    before: dict[str, str] = dict(parts)
    after: dict[str, Any] = {name: one.text for name, one in masked.items()}
    if html is not None:
        before["html"], after["html"] = html, mask_html(html, kinds, locale=locale, bare=bare)
        # The HTML mostly says what the text says, so it is not counted twice.
        if not found:
            found.update(kind for kind in kinds if mask_html(html, {kind}) != html)
    original = {name: text for name, text in before.items() if text != after[name]}
    return after, Hidden(found, original) if original else None


def mention(hidden: Hidden | None) -> dict[str, Any]:
    """What the message's meta says of it; nothing when nothing was taken out."""
    return {} if hidden is None else {HIDDEN: told(hidden)}


def told(hidden: Hidden) -> dict[str, int]:
    """What a screen says of it: kind -> how many."""
    return {kind.value: count for kind, count in sorted(hidden.found.items())}


def keep(tx: Connection, message_id: int, hidden: Hidden | None, *, now: datetime) -> None:
    """Seal the original beside its message, if there is one and it may be kept."""
    if hidden is None or rules(tx).keep_days == 0 or (key := installation.read(tx, KEY)) is None:
        return
    sealed = seal(key["key"], dict(hidden.original))
    values: dict[str, Any] = {"message_id": message_id, "found": told(hidden), "sealed": sealed, "created_at": now}
    tx.execute(insert(SealedOriginal), values)


def line(tx: Connection, text: str) -> str:
    """One line for a list, masked."""
    return hide_text(tx, text)[0]


def purge(tx: Connection, now: datetime) -> int:
    """Forget the originals that were kept long enough; the masked messages stay. Returns how many."""
    until = now - timedelta(days=rules(tx).keep_days)
    return tx.execute(delete(SealedOriginal).where(SealedOriginal.created_at < until)).rowcount
