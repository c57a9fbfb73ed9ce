"""A number that turns out to be somebody else's: taken from the customer with the conversation, and not written to."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from contact_center.core.errors import Conflict, Invalid
from contact_center.core.events import emit
from contact_center.core.i18n import mark
from tickets.customers import contacts, last_contact
from tickets.customers.merge import referring
from tickets.customers.names import display_name
from tickets.customers.recognise import refresh_search
from tickets.lifecycle import access
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind
from tickets.timeline import add_event

NOT_THIS_PERSON = mark("The number belongs to somebody else.")


def not_this_person(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> int:
    """Detach the number of a conversation from its customer; returns the nameless customer who has it from now on.

    This conversation goes with the number; older ones stay, since the number may have been theirs then.
    Whoever writes from it later is the new customer, and a merge undoes a mistake.
    """
    ticket = access(tx, ticket_id, lock=True)
    point = _number(tx, ticket)
    stranger_id: int = tx.execute(
        insert(Customer).returning(Customer.id),
        {"name": "", "search": "", "locale": None, "attributes": {}, "created_at": now},
    ).scalar_one()
    tx.execute(update(ContactPoint).where(ContactPoint.id == point.id).values(customer_id=stranger_id, name=""))
    contacts.suppress(tx, point.id, NOT_THIS_PERSON, now=now)
    for table in referring():
        if "ticket_id" in table.c:
            mine = (table.c.ticket_id == ticket_id) & (table.c.customer_id == ticket.customer_id)
            tx.execute(table.update().where(mine).values(customer_id=stranger_id))
    for customer_id in (ticket.customer_id, stranger_id):
        refresh_search(tx, customer_id)
        emit(tx, "customer.updated", {"customer_id": customer_id}, now=now)
    told = {"address": point.value, "customer": _name_of(tx, ticket.customer_id, point), "was": ticket.customer_id}
    add_event(tx, ticket_id, "not_this_person", told, now=now, user_id=user_id, changes={"customer_id": stranger_id})
    last_contact.recount(tx, (ticket.customer_id, stranger_id))
    return stranger_id


def _number(tx: Connection, ticket: Row[Any]) -> Row[Any]:
    point = tx.execute(
        select(ContactPoint.__table__).where(ContactPoint.id == ticket.contact_point_id).with_for_update()
    ).first()
    if point is None or point.kind != ContactKind.PHONE.value:
        raise Invalid("This conversation has no phone number that could belong to somebody else.")
    if point.customer_id != ticket.customer_id:
        raise Conflict("The number is not this customer's any more. Look at the page again.")
    if not _is_known_otherwise(tx, ticket.customer_id, point.id):
        raise Invalid("Nothing but this number is known of the customer, so it cannot be somebody else's.")
    return point


def _is_known_otherwise(tx: Connection, customer_id: int, point_id: int) -> bool:
    if tx.execute(select(Customer.name).where(Customer.id == customer_id)).scalar_one():
        return True
    others = select(ContactPoint.id).where(ContactPoint.customer_id == customer_id, ContactPoint.id != point_id)
    return tx.execute(others.limit(1)).first() is not None


def _name_of(tx: Connection, customer_id: int, point: Row[Any]) -> str:
    name = tx.execute(select(Customer.name).where(Customer.id == customer_id)).scalar_one()
    return str(name or display_name("", ContactKind(point.kind), point.value))
