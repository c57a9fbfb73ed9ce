"""Who gets a copy of a mail: everybody in the customer's last mail, what the composer's fields say, known addresses."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from agent_ui.conversation import Account
from channels.email.addresses import without_tag
from contact_center.core.errors import Invalid
from tickets.customers.identities import BadAddress, normalise_email
from tickets.models import ContactPoint
from tickets.states import Channel, ContactKind, MessageKind

MOST = 20
OFFERED = 8
_BETWEEN = re.compile(r"[,;\s]+")
# What LIKE takes for a wildcard.
_WILD = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


def reply_all(records: Iterable[Any], held: Iterable[Account], recipient: str) -> tuple[str, ...]:
    """From, To and Cc of the last mail that came in, without our own addresses and whom the answer goes to."""
    facts: Mapping[str, Any] = next((record.meta for record in reversed(tuple(records)) if _is_mail(record)), {})
    boxes = [facts.get("from") or {}, *(facts.get("to") or ()), *(facts.get("cc") or ())]
    ours = {address for account in held if account.channel == Channel.EMAIL.value for address in _addresses(account)}
    found = dict.fromkeys(address for box in boxes if (address := _clean(box)) is not None)
    return tuple(one for one in found if without_tag(one) not in ours and one != recipient.lower())[:MOST]


def read(text: str, *, field: str) -> tuple[str, ...]:
    """The addresses in a field, each once; Invalid for what is none, or for a crowd."""
    found: dict[str, None] = {}
    for part in filter(None, _BETWEEN.split(text.strip())):
        try:
            found[normalise_email(part)] = None
        except BadAddress:
            raise Invalid("“{address}” is no e-mail address.", field=field, address=part[:100]) from None
    if len(found) > MOST:
        raise Invalid("At most {most} people can get a copy.", field=field, most=MOST)
    return tuple(found)


_SUPPRESSED = (
    select(ContactPoint.value, ContactPoint.suppressed_reason)
    .where(
        ContactPoint.kind == ContactKind.EMAIL.value,
        ContactPoint.value.in_(bindparam("addresses", expanding=True)),
        ContactPoint.suppressed_at.is_not(None),
    )
    .limit(1)
)


def check(tx: Connection, addresses: Sequence[str]) -> None:
    """Raise Invalid where nothing may be sent to one of them any more."""
    row = tx.execute(_SUPPRESSED, {"addresses": addresses}).first() if addresses else None
    if row is not None:
        raise Invalid(
            "Nothing can be sent to {address}: {reason}.",
            field="cc",
            address=row.value,
            reason=row.suppressed_reason or "",
        )


def known(tx: Connection, begun: str) -> Sequence[Any]:
    """Addresses (value, name) that begin like this, to choose from."""
    begins = ContactPoint.value.like(begun.strip().lower().translate(_WILD) + "%", escape="\\")
    email = ContactPoint.kind == ContactKind.EMAIL.value
    wanted = select(ContactPoint.value, ContactPoint.name).where(email, begins, ContactPoint.suppressed_at.is_(None))
    return tx.execute(wanted.order_by(ContactPoint.value).limit(OFFERED)).all()


def _is_mail(record: Any) -> bool:
    return bool(
        record.kind == MessageKind.INBOUND.value and record.channel == Channel.EMAIL.value and not record.automatic
    )


def _addresses(account: Account) -> set[str]:
    aliases = account.settings.get("aliases") or ()
    return {without_tag(str(address).lower()) for address in (account.address, *aliases)}


def _clean(box: Mapping[str, Any]) -> str | None:
    try:
        return normalise_email(str(box.get("address") or ""))
    except BadAddress:
        return None
