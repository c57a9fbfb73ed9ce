"""What colleagues know of a phone number: a family shares it, it is a switchboard's, or it has a new owner.

A flag is a hint for people. It changes no matching; only "recycled" takes the number from its customer.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from contact_center.accounts import audit
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import emit
from tickets.customers.wrong_person import not_this_person
from tickets.lifecycle import access
from tickets.models import ContactPoint
from tickets.sensitive import masking
from tickets.states import ContactKind
from tickets.timeline import add_event

LONGEST_NOTE = 200


class Flag(StrEnum):
    """What is known of a number."""

    FAMILY = "family"
    SWITCHBOARD = "switchboard"
    RECYCLED = "recycled"


# Several people use these, so the number does not say who it is.
SHARED = frozenset({Flag.FAMILY.value, Flag.SWITCHBOARD.value})


@dataclass(frozen=True, slots=True)
class Mark:
    """A flag as it is shown: who set it, when, and what they wrote."""

    kind: str
    note: str
    by: str
    at: datetime


def mark_of(row: Row[Any]) -> Mark | None:
    """The flag of a contact point that was read with its `flagged_by`; None where there is none."""
    return Mark(row.flag, row.flag_note or "", row.flagged_by or "", row.flagged_at) if row.flag else None


def flag_in_ticket(
    tx: Connection, ticket_id: int, point_id: int, flag: Flag, *, note: str, user_id: int, now: datetime
) -> None:
    """Flag a number of the ticket's customer; a recycled one leaves them with this conversation."""
    ticket = access(tx, ticket_id, lock=True)
    point = _number(tx, ticket.customer_id, point_id)
    if flag is Flag.RECYCLED:
        if ticket.contact_point_id != point_id:
            raise Invalid("Only a conversation by this very number can tell that it has a new owner.", field="flag")
        not_this_person(tx, ticket_id, user_id=user_id, now=now)
    told = {"address": point.value, **_set(tx, point, flag, note, user_id=user_id, now=now)}
    add_event(tx, ticket_id, "number_flagged", told, now=now, user_id=user_id)


def unflag_in_ticket(tx: Connection, ticket_id: int, point_id: int, *, user_id: int, now: datetime) -> None:
    """Lift the flag of a number of the ticket's customer."""
    ticket = access(tx, ticket_id, lock=True)
    point = _number(tx, ticket.customer_id, point_id)
    _lift(tx, point, user_id=user_id, now=now)
    told = {"address": point.value, "flag": point.flag}
    add_event(tx, ticket_id, "number_unflagged", told, now=now, user_id=user_id)


def flag(
    tx: Connection, customer_id: int, point_id: int, flag: Flag, *, note: str, user_id: int, now: datetime
) -> None:
    """Flag a number on its customer's page, where nothing shows that it has a new owner."""
    point = _number(tx, customer_id, point_id)
    if flag is Flag.RECYCLED:
        raise Invalid("Only a conversation by this very number can tell that it has a new owner.", field="flag")
    _set(tx, point, flag, note, user_id=user_id, now=now)


def unflag(tx: Connection, customer_id: int, point_id: int, *, user_id: int, now: datetime) -> None:
    """Lift the flag of a customer's number."""
    _lift(tx, _number(tx, customer_id, point_id), user_id=user_id, now=now)


def _number(tx: Connection, customer_id: int, point_id: int) -> Row[Any]:
    point = tx.execute(select(ContactPoint.__table__).where(ContactPoint.id == point_id).with_for_update()).first()
    if point is None or point.customer_id != customer_id:
        raise Conflict("The number is not this customer's any more. Look at the page again.")
    if point.kind != ContactKind.PHONE.value:
        raise Invalid("Only phone numbers can be flagged.")
    return point


def _set(tx: Connection, point: Row[Any], flag: Flag, note: str, *, user_id: int, now: datetime) -> dict[str, str]:
    told = {"flag": flag.value, "note": masking.line(tx, " ".join(note.split())[:LONGEST_NOTE])}
    values = {"flag": flag.value, "flag_note": told["note"], "flagged_by_id": user_id, "flagged_at": now}
    _write(tx, point, values, now=now)
    audit.record(tx, "contact_point.flagged", f"contact_point:{point.id}", now=now, user_id=user_id, details=told)
    return told


def _lift(tx: Connection, point: Row[Any], *, user_id: int, now: datetime) -> None:
    if point.flag is None:
        raise Conflict("The number is not flagged, or somebody has lifted it already.")
    _write(tx, point, {"flag": None, "flag_note": None, "flagged_by_id": None, "flagged_at": None}, now=now)
    details = {"flag": point.flag}
    audit.record(tx, "contact_point.unflagged", f"contact_point:{point.id}", now=now, user_id=user_id, details=details)


def _write(tx: Connection, point: Row[Any], values: dict[str, Any], *, now: datetime) -> None:
    changed = update(ContactPoint).where(ContactPoint.id == point.id).values(**values)
    customer_id = tx.execute(changed.returning(ContactPoint.customer_id)).scalar_one()
    emit(tx, "customer.updated", {"customer_id": customer_id}, now=now)
