"""From which internet address somebody wrote: only as a keyed hash, for thirty days, so that it can be blocked."""

import hashlib
import hmac
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.schema import Base, id_column
from contact_center.core.secrets import Vault
from contact_center.core.upsert import upsert
from tickets.blocks import Block, Scope

PURPOSE = "visitor-origins"
KEPT = timedelta(days=30)


class Origin(Base):
    """Where a visitor, or a form that became a ticket, came from last."""

    __tablename__ = "visitor_origins"

    id: Mapped[int] = id_column()
    # The visitor's contact point, or `ticket:<id>` for a form.
    who: Mapped[str] = mapped_column(unique=True)
    value: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(index=True)


_OF = select(Origin.value).where(Origin.who.in_(bindparam("who", expanding=True)), Origin.seen_at > bindparam("since"))


def origin_of(vault: Vault, address: str) -> str:
    """The keyed hash of an internet address; of IPv6 the network of one household. Empty for what is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        plain = str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.packed[:8].hex()
    else:
        plain = str(parsed)
    return hmac.new(vault.key(PURPOSE), plain.encode(), hashlib.sha256).hexdigest()


def of_form(ticket_id: int) -> str:
    """Who is remembered for a form that became a ticket."""
    return f"ticket:{ticket_id}"


def remember(tx: Connection, who: str, origin: str, *, now: datetime) -> None:
    """Somebody wrote from there; nothing for an address that nobody knows."""
    if origin:
        upsert(tx, Origin, key=["who"], values={"who": who, "value": origin, "seen_at": now})


def of(tx: Connection, *who: str, now: datetime) -> str:
    """Where they came from last; empty if that was too long ago."""
    return tx.execute(_OF, {"who": list(who), "since": now - KEPT}).scalars().first() or ""


def forget(tx: Connection, now: datetime) -> int:
    """Delete what is older than thirty days, and blocks of addresses that have ended; returns how many."""
    gone = tx.execute(delete(Origin).where(Origin.seen_at <= now - KEPT)).rowcount
    over = delete(Block).where(Block.scope == Scope.IP.value, Block.expires_at <= now)
    return gone + tx.execute(over).rowcount
