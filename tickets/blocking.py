"""Blocking the sender of a conversation from the conversation: what can be blocked there, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, select

from contact_center.core.errors import Invalid
from tickets import blocks, lifecycle, origins, spam
from tickets.blocks import Scope
from tickets.models import ContactPoint
from tickets.states import ContactKind
from tickets.timeline import add_event


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that can be blocked; `everybody`: strangers write from there too, so it cannot."""

    scope: Scope
    value: str
    everybody: bool = False


def ways(tx: Connection, ticket_id: int, *, now: datetime) -> Sequence[Way]:
    """What a conversation's sender can be blocked by, the narrowest first; nothing if they have no address."""
    ticket = lifecycle.access(tx, ticket_id)
    point = tx.execute(
        select(ContactPoint.kind, ContactPoint.value).where(ContactPoint.id == ticket.contact_point_id)
    ).first()
    origin = origins.of(tx, origins.of_form(ticket_id), point.value if point else "", now=now)
    return [*_by_address(point), *([Way(Scope.IP, origin)] if origin else [])]


def _by_address(point: Row[str, str] | None) -> Sequence[Way]:
    match point:
        case (ContactKind.EMAIL.value, address):
            domain = address.rpartition("@")[2]
            return [Way(Scope.EMAIL, address), Way(Scope.DOMAIN, domain, blocks.is_public(domain))]
        case (ContactKind.PHONE.value, number):
            return [Way(Scope.PHONE, number)]
        case (ContactKind.HANDLE.value, handle):
            return [Way(Scope.HANDLE, handle)]
        case (ContactKind.VISITOR.value, visitor):
            return [Way(Scope.VISITOR, visitor)]
        case _:
            return []


def block_sender(
    tx: Connection,
    ticket_id: int,
    scope: Scope,
    *,
    user_id: int,
    now: datetime,
    reason: str = "",
    days: int | None = None,
    as_spam: bool = False,
) -> None:
    """Block a conversation's sender for some days (None: until lifted), and mark the conversation if wished."""
    way = next((way for way in ways(tx, ticket_id, now=now) if way.scope is scope), None)
    if way is None:
        raise Invalid("This conversation's sender cannot be blocked by that.", field="scope")
    expires_at = now + timedelta(days=days) if days is not None else None
    value = blocks.add(tx, scope, way.value, reason=reason, user_id=user_id, now=now, expires_at=expires_at)
    told = {"scope": scope.value, "address": blocks.label(scope, value)}
    add_event(tx, ticket_id, "sender_blocked", told, now=now, user_id=user_id)
    if as_spam:
        spam.mark(tx, ticket_id, user_id=user_id, now=now)
