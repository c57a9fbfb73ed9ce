"""Senders whose messages make no conversation: an address, a domain, a number, a visitor, for a time or for good.

What a block stops lies in the journal as `suppressed` with its reason and can be released from there: a block never
loses anything, so what has no raw form to release passes. Calls are stopped before they are messages: they ring nobody
and are lines of the call ledger only (channels.phone.calls).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Index, Row, UniqueConstraint, and_, bindparam, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts import audit
from contact_center.accounts.models import User
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.schema import Base, UtcDateTime, id_column
from contact_center.core.upsert import upsert
from tickets.customers.identities import BadAddress, normalise, normalise_email, normalise_phone
from tickets.inbound import Address, InboundMessage
from tickets.models import ChannelAccount, JournalItem, refers_to
from tickets.states import Channel, ContactKind, JournalState, MessageKind

LONGEST_REASON = 200
# What the journal says; the block itself stands behind it.
REASON = "blocked: "
# What the journal says of an item that a person let through: no block stops it again.
RELEASED = "released"
# Mail providers for everybody: whoever blocks one of these blocks strangers.
PUBLIC = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "msn.com",
        "aol.com",
        "web.de",
        "t-online.de",
        "freenet.de",
        "mail.ru",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "qq.com",
        "163.com",
        "126.com",
        "sina.com",
        "naver.com",
        "orange.fr",
        "wanadoo.fr",
        "free.fr",
        "laposte.net",
        "libero.it",
        "seznam.cz",
        "wp.pl",
        "comcast.net",
        "vnn.vn",
        "zoho.com",
        "mail.com",
    ]
)
# The same under the endings of many countries: yahoo.com.vn, hotmail.fr, live.co.uk.
PUBLIC_NAMES = frozenset(["yahoo", "ymail", "hotmail", "outlook", "live", "gmx", "yandex"])


class Scope(StrEnum):
    """How wide a block is."""

    EMAIL = "email"
    DOMAIN = "domain"
    PHONE = "phone"
    HANDLE = "handle"
    VISITOR = "visitor"
    # The keyed hash of an internet address (tickets.origins).
    IP = "ip"


# An internet address soon is somebody else's.
LONGEST_IP = timedelta(days=30)
# What is shown of a visitor's key or a hashed address.
SHORT = 8


class Block(Base):
    """One blocked sender; lifting keeps the row and its count."""

    __tablename__ = "blocks"

    id: Mapped[int] = id_column()
    scope: Mapped[str]
    value: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    created_at: Mapped[datetime]
    # NULL: until somebody lifts it.
    expires_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    hits: Mapped[int] = mapped_column(default=0)
    last_hit_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("scope", "value"), Index("ix_blocks_created_at", "created_at"))


_IN_FORCE = and_(
    Block.lifted_at.is_(None),
    or_(Block.expires_at.is_(None), Block.expires_at > bindparam("now", type_=UtcDateTime())),
)
_FIND = (
    select(Block.id, Block.scope, Block.value)
    .where(
        or_(
            and_(Block.scope == bindparam("scope"), Block.value == bindparam("sender")),
            and_(Block.scope == Scope.IP.value, Block.value == bindparam("origin")),
            and_(Block.scope == Scope.DOMAIN.value, Block.value.in_(bindparam("domains", expanding=True))),
        ),
        _IN_FORCE,
    )
    .limit(1)
)
_COUNT = (
    update(Block)
    .where(Block.id == bindparam("block"))
    .values(hits=Block.hits + 1, last_hit_at=bindparam("now", type_=UtcDateTime()))
)


def find(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Row[int, str, str] | None:
    """The block in force that stops a message; None for one that nothing stops or that a person has released."""
    kept = (inbound.raw, inbound.raw_digest, inbound.journal_id, inbound.spare)
    releasable = any(one is not None for one in kept)
    if inbound.kind is MessageKind.CALL or not releasable:
        return None
    found = against(tx, inbound.sender, now=now, origin=inbound.origin)
    if found is None or _was_released(tx, inbound.journal_id):
        return None
    return found


def against(tx: Connection, sender: Address, *, now: datetime, origin: str = "") -> Row[int, str, str] | None:
    """The block in force against a sender, or the internet address they write from: id, scope, value."""
    domains = domains_of(sender.value) if sender.kind is ContactKind.EMAIL else []
    who = {"scope": sender.kind.value, "sender": sender.value, "origin": origin, "domains": domains or [""]}
    return tx.execute(_FIND, {**who, "now": now}).first()


def is_public(domain: str) -> bool:
    """Whether everybody may have an address in a domain."""
    return domain in PUBLIC or (domain.count(".") <= 2 and domain.partition(".")[0] in PUBLIC_NAMES)


def of_number(tx: Connection, number: str, *, now: datetime) -> str | None:
    """Why nobody is to speak with this number (E.164), None if it is not blocked; empty if nobody gave a reason."""
    query = select(Block.reason).where(Block.scope == Scope.PHONE.value, Block.value == number, _IN_FORCE)
    return tx.execute(query, {"now": now}).scalar_one_or_none()


def _was_released(tx: Connection, journal_id: int | None) -> bool:
    if journal_id is None:
        return False
    return tx.execute(select(JournalItem.reason).where(JournalItem.id == journal_id)).scalar_one_or_none() == RELEASED


def domains_of(address: str) -> list[str]:
    """The domain of an address and those above it: a@x.y.test → x.y.test, y.test."""
    parts = address.rpartition("@")[2].split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1)]


def count(tx: Connection, block_id: int, *, now: datetime) -> None:
    """A block has stopped one more message."""
    tx.execute(_COUNT, {"block": block_id, "now": now})


def add(
    tx: Connection,
    scope: Scope,
    raw: str,
    *,
    reason: str,
    user_id: int | None,
    now: datetime,
    expires_at: datetime | None = None,
    region: str = "VN",
) -> str:
    """Block a sender from now on; gives the value in its one spelling. Again: the new reason and end count.

    Invalid for what is no address of its kind, for one of our own and for a provider that everybody uses.
    """
    value = _normal(tx, scope, raw, region)
    if expires_at is not None and expires_at <= now:
        raise Invalid("Choose a moment in the future.", field="expires_at")
    if scope is Scope.IP and (expires_at is None or expires_at > now + LONGEST_IP):
        raise Invalid("An internet address is blocked for at most 30 days.", field="days")
    reason = " ".join(reason.split())[:LONGEST_REASON]
    values = {
        "scope": scope.value,
        "value": value,
        "reason": reason,
        "created_by_id": user_id,
        "created_at": now,
        "expires_at": expires_at,
        "lifted_at": None,
    }
    upsert(tx, Block, key=["scope", "value"], values=values)
    target = f"block:{label(scope, value)}"
    audit.record(tx, "block.added", target, now=now, user_id=user_id, details={"reason": reason})
    return value


def label(scope: str, value: str) -> str:
    """What is said of a blocked sender; of a visitor and a hashed address just enough to tell them apart."""
    return value[:SHORT] if scope in (Scope.VISITOR, Scope.IP) else value


def _normal(tx: Connection, scope: Scope, raw: str, region: str) -> str:
    if scope in (Scope.VISITOR, Scope.IP):
        return raw
    try:
        if scope is Scope.PHONE:
            return normalise_phone(raw, region)
        if scope is Scope.HANDLE:
            return normalise(ContactKind.HANDLE, raw)
        address = normalise_email(raw if scope is Scope.EMAIL else f"someone@{raw.strip().lstrip('@')}")
    except BadAddress as error:
        raise Invalid("This is not an address of that kind.", field="value") from error
    value = address if scope is Scope.EMAIL else address.rpartition("@")[2]
    if scope is Scope.DOMAIN and is_public(value):
        raise Invalid("Everybody has an address there. Block the one address instead.", field="value")
    ours = tx.execute(select(ChannelAccount.address).where(ChannelAccount.channel == Channel.EMAIL.value)).scalars()
    if any(value == own.lower() or (scope is Scope.DOMAIN and value in domains_of(own.lower())) for own in ours):
        raise Invalid("This is one of our own addresses.", field="value")
    return value


def lift(tx: Connection, block_id: int, *, user_id: int, now: datetime) -> None:
    """Take messages of this sender again; what lies in the journal stays there until somebody releases it."""
    statement = update(Block).where(Block.id == block_id, Block.lifted_at.is_(None)).values(lifted_at=now)
    row = tx.execute(statement.returning(Block.scope, Block.value)).first()
    if row is None:
        raise NotFound("This block was lifted already.")
    audit.record(tx, "block.lifted", f"block:{label(row.scope, row.value)}", now=now, user_id=user_id)


def in_force(tx: Connection, now: datetime, *, limit: int = 500) -> Sequence[Any]:
    """The blocks in force, newest first, each with the name of whoever set it (`by`)."""
    query = select(*Block.__table__.c, User.name.label("by")).outerjoin(User, User.id == Block.created_by_id)
    query = query.where(_IN_FORCE).order_by(Block.created_at.desc(), Block.id.desc()).limit(limit)
    return tx.execute(query, {"now": now}).all()


def is_blocked(row: Row[JournalItem]) -> bool:
    """Whether a journal item lies there because of a block."""
    return row.state == JournalState.SUPPRESSED.value and (row.reason or "").startswith(REASON)
