"""Contact points: whose address this is. The insert decides; nobody is merged here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from contact_center.core.text import fold
from contact_center.core.upsert import insert_once
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact point and the customer behind it."""

    contact_point_id: int
    customer_id: int
    created: bool = False


_FIND = select(ContactPoint.id, ContactPoint.customer_id).where(
    ContactPoint.kind == bindparam("kind"), ContactPoint.value == bindparam("value")
)
_INSERT_CUSTOMER = insert(Customer).returning(Customer.id)


def find(tx: Connection, address: Address) -> Contact | None:
    """The contact with exactly this normalised address."""
    row = tx.execute(_FIND, {"kind": address.kind.value, "value": address.value}).first()
    return Contact(row.id, row.customer_id) if row else None


def find_or_create(tx: Connection, address: Address, *, now: datetime, locale: str | None = None) -> Contact:
    """The contact with this address; a new customer if nobody has it. Safe when two messages arrive at once."""
    found = find(tx, address)
    if found is not None:
        return found
    customer_id = tx.execute(
        _INSERT_CUSTOMER,
        {
            "name": address.name.strip(),
            "search": search_text(address.name, address.value),
            "locale": locale,
            "attributes": {},
            "created_at": now,
        },
    ).scalar_one()
    contact_point_id = add(tx, customer_id, address, now=now)
    if contact_point_id is not None:
        return Contact(contact_point_id, customer_id, created=True)
    # Somebody else was first between our look and our insert: use theirs, leave no orphan.
    tx.execute(delete(Customer).where(Customer.id == customer_id))
    found = find(tx, address)
    assert found is not None
    return found


def add(tx: Connection, customer_id: int, address: Address, *, now: datetime) -> int | None:
    """Give a customer one more address; None if somebody has it already."""
    return insert_once(
        tx,
        ContactPoint,
        key=["kind", "value"],
        values={
            "customer_id": customer_id,
            "kind": address.kind.value,
            "value": address.value,
            "name": address.name.strip(),
            "verified_at": now if address.verified else None,
            "on_file_at": None if address.claimed else now,
            "created_at": now,
        },
    )


def verify(tx: Connection, customer_id: int, address: Address, *, now: datetime) -> None:
    """Note that this address of a customer is proven to be theirs."""
    tx.execute(
        update(ContactPoint)
        .where(
            ContactPoint.kind == address.kind.value,
            ContactPoint.value == address.value,
            ContactPoint.customer_id == customer_id,
            ContactPoint.verified_at.is_(None),
        )
        .values(verified_at=now, on_file_at=func.coalesce(ContactPoint.on_file_at, now))
    )


def put_on_file(tx: Connection, customer_id: int, address: Address, *, now: datetime) -> bool:
    """Note that an address of a customer which somebody had only typed is known to be theirs; whether it was one."""
    done = tx.execute(
        update(ContactPoint)
        .where(
            ContactPoint.kind == address.kind.value,
            ContactPoint.value == address.value,
            ContactPoint.customer_id == customer_id,
            ContactPoint.on_file_at.is_(None),
        )
        .values(on_file_at=now)
    )
    return done.rowcount > 0


def hand_over(tx: Connection, address: Address, customer_id: int, *, now: datetime) -> None:
    """Give an address that somebody only claimed to the customer who has proved that it is theirs."""
    tx.execute(
        update(ContactPoint)
        .where(
            ContactPoint.kind == address.kind.value,
            ContactPoint.value == address.value,
            ContactPoint.verified_at.is_(None),
        )
        .values(customer_id=customer_id, verified_at=now, on_file_at=now)
    )


def suppress(tx: Connection, contact_point_id: int, reason: str, *, now: datetime) -> None:
    """Send nothing more to this address; the reason is shown until someone lifts it."""
    tx.execute(
        update(ContactPoint)
        .where(ContactPoint.id == contact_point_id, ContactPoint.suppressed_at.is_(None))
        .values(suppressed_at=now, suppressed_reason=reason)
    )


def suppression(tx: Connection, contact_point_id: int) -> str | None:
    """Why nothing is sent to this address, if so."""
    return tx.execute(
        select(ContactPoint.suppressed_reason).where(ContactPoint.id == contact_point_id)
    ).scalar_one_or_none()


def lift(tx: Connection, contact_point_id: int) -> None:
    """Send to this address again."""
    tx.execute(
        update(ContactPoint)
        .where(ContactPoint.id == contact_point_id)
        .values(suppressed_at=None, suppressed_reason=None)
    )


def search_text(*parts: str) -> str:
    """What a customer is found by: folded name and addresses."""
    return " ".join(fold(part) for part in parts if part)
