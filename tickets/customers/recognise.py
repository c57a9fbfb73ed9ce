"""Who an outside system means: by its customer id, else by an address. Nobody is merged on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from contact_center.core.errors import Invalid
from contact_center.core.text import fold
from contact_center.core.upsert import insert_once
from tickets.customers import contacts
from tickets.customers.names import clean_name, display_name, is_better
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind


@dataclass(frozen=True, slots=True)
class Person:
    """A customer as an outside system knows them; the addresses are normalised."""

    external_id: str | None
    points: tuple[tuple[ContactKind, str], ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The customer, whether they are new, and the addresses that turned out to be somebody else's."""

    customer_id: int
    created: bool
    taken: tuple[str, ...] = ()


def recognise(tx: Connection, person: Person, *, now: datetime) -> Recognised:
    """Find or create the customer; the system's id goes before any address, and an address never changes hands.

    An unknown id is given to the customer behind the first address, unless that one has an id already: then they
    are two people who share an address, and a new customer is made.
    """
    if not person.external_id and not person.points:
        raise Invalid("Say who it is: external_id, email or phone.", field="customer")
    customer_id = _by_external_id(tx, person.external_id)
    created = False
    if customer_id is None:
        customer_id = _by_address(tx, person)
    if customer_id is None:
        customer_id, created = _create(tx, person, now=now)
    taken = add_points(tx, customer_id, person.points, now=now)
    improve_name(tx, customer_id, person.name)
    refresh_search(tx, customer_id)
    return Recognised(customer_id, created, taken)


def survivor(tx: Connection, customer_id: int) -> int:
    """The customer, or the one they were merged into."""
    while True:
        into = tx.execute(select(Customer.merged_into_id).where(Customer.id == customer_id)).scalar_one_or_none()
        if into is None:
            return customer_id
        customer_id = into


def add_points(
    tx: Connection, customer_id: int, points: Sequence[tuple[ContactKind, str]], *, now: datetime
) -> tuple[str, ...]:
    """Give a customer addresses; those that others have are left with them and returned."""
    taken = []
    for kind, value in points:
        address = Address(kind, value)
        if contacts.add(tx, customer_id, address, now=now) is None:
            owner = contacts.find(tx, address)
            if owner is not None and owner.customer_id != customer_id:
                taken.append(value)
            else:
                contacts.put_on_file(tx, customer_id, address, now=now)
    return tuple(taken)


def improve_name(tx: Connection, customer_id: int, name: str) -> None:
    """Replace a makeshift name by a given one; a name that a person gave stays."""
    wanted = clean_name(name)
    if not wanted:
        return
    current = tx.execute(select(Customer.name).where(Customer.id == customer_id)).scalar_one()
    points = tx.execute(
        select(ContactPoint.kind, ContactPoint.value).where(ContactPoint.customer_id == customer_id)
    ).all()
    makeshift = tuple(display_name("", ContactKind(row.kind), row.value) for row in points)
    if is_better(wanted, current, makeshift):
        tx.execute(update(Customer).where(Customer.id == customer_id).values(name=wanted, version=Customer.version + 1))


def refresh_search(tx: Connection, customer_id: int) -> None:
    """Write again what the customer is found by: folded name, company, id and addresses."""
    customer = tx.execute(
        select(Customer.name, Customer.company, Customer.external_id, Customer.search).where(Customer.id == customer_id)
    ).one()
    values = tx.execute(
        select(ContactPoint.value)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind != ContactKind.VISITOR.value)
        .order_by(ContactPoint.id)
    ).scalars()
    search = contacts.search_text(customer.name, customer.company, customer.external_id or "", *values)
    if search != customer.search:
        tx.execute(update(Customer).where(Customer.id == customer_id).values(search=search))


def _by_external_id(tx: Connection, external_id: str | None) -> int | None:
    if not external_id:
        return None
    found = tx.execute(select(Customer.id).where(Customer.external_id == external_id)).scalar_one_or_none()
    return None if found is None else survivor(tx, found)


def _by_address(tx: Connection, person: Person) -> int | None:
    for kind, value in person.points:
        found = contacts.find(tx, Address(kind, value))
        if found is None:
            continue
        if not person.external_id:
            return found.customer_id
        given = tx.execute(
            update(Customer)
            .where(Customer.id == found.customer_id, Customer.external_id.is_(None))
            .values(external_id=person.external_id)
        )
        return found.customer_id if given.rowcount else None
    return None


def _create(tx: Connection, person: Person, *, now: datetime) -> tuple[int, bool]:
    name = clean_name(person.name)
    if person.external_id:
        values = {"name": name, "search": fold(name), "attributes": {}, "created_at": now}
        new_id = insert_once(tx, Customer, key=["external_id"], values={**values, "external_id": person.external_id})
        if new_id is not None:
            return new_id, True
        found = _by_external_id(tx, person.external_id)
        assert found is not None
        return found, False
    kind, value = person.points[0]
    contact = contacts.find_or_create(tx, Address(kind, value, name), now=now)
    return contact.customer_id, contact.created
