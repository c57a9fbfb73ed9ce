"""A customer as the desk sees and edits them: fields, addresses, and the numbers of their tickets."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contact_center.accounts import audit
from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from tickets.customers import contacts, on_file
from tickets.customers.identities import BadAddress, normalise, shown_email, shown_phone
from tickets.customers.names import clean_name, display_name
from tickets.customers.number_flags import Mark, mark_of
from tickets.customers.recognise import refresh_search, survivor
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import OPEN_STATUSES, WAITING_STATUSES, ContactKind

MOST_ATTRIBUTES = 50
LONGEST_NOTE = 5000
# What somebody may type without having it.
CLAIMABLE = frozenset({ContactKind.EMAIL, ContactKind.PHONE})


@dataclass(frozen=True, slots=True)
class Point:
    """One address; `shown` is how people write it."""

    id: int
    kind: ContactKind
    value: str
    shown: str
    verified: bool
    suppressed_reason: str | None
    flag: Mark | None = None
    # Somebody has only typed it: no code that proves who the customer is goes there.
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A customer with their addresses and how much there has been."""

    id: int
    name: str
    company: str
    locale: str | None
    vip: bool
    note: str
    external_id: str | None
    attributes: Mapping[str, Any]
    created_at: datetime
    version: int
    points: tuple[Point, ...]
    tickets: int
    open_tickets: int


def profile(tx: Connection, customer_id: int, *, region: str = "VN") -> Profile:
    """The customer, or whom they were merged into; three statements, one more where an address is only a claim."""
    row = _row(tx, customer_id)
    if row.merged_into_id is not None:
        row = _row(tx, survivor(tx, customer_id))
    rows = _points(tx, row.id)
    known = on_file.since(tx, row.id, [point for point in rows if point.kind in CLAIMABLE])
    points = tuple(_point(point, region, known) for point in rows)
    by_status = select(Ticket.status, func.count().label("tickets")).where(Ticket.customer_id == row.id)
    counts: dict[str, int] = {found[0]: found[1] for found in tx.execute(by_status.group_by(Ticket.status))}
    live = {status.value for status in OPEN_STATUSES | WAITING_STATUSES}
    first = points[0] if points else None
    return Profile(
        row.id,
        row.name or (display_name("", first.kind, first.value) if first else f"#{row.id}"),
        row.company,
        row.locale,
        row.vip,
        row.note,
        row.external_id,
        row.attributes,
        row.created_at,
        row.version,
        points,
        sum(counts.values()),
        sum(tickets for status, tickets in counts.items() if status in live),
    )


def change(
    tx: Connection, customer_id: int, values: Mapping[str, Any], *, version: int, user_id: int, now: datetime
) -> None:
    """Change name, company, locale, timezone, vip, note or attributes; Conflict when somebody changed them since."""
    allowed = {"name", "company", "locale", "timezone", "vip", "note", "attributes"}
    unknown = values.keys() - allowed
    if unknown:
        raise Invalid("These cannot be changed: {names}.", names=", ".join(sorted(unknown)))
    wanted = dict(values)
    if "name" in wanted:
        wanted["name"] = clean_name(wanted["name"])
        if not wanted["name"]:
            raise Invalid("Give a name of letters, not an address.", field="name")
    if len(wanted.get("note", "")) > LONGEST_NOTE:
        raise Invalid("The note is longer than {most} characters.", field="note", most=LONGEST_NOTE)
    if len(wanted.get("attributes", {})) > MOST_ATTRIBUTES:
        raise Invalid("A customer has at most {most} attributes.", field="attributes", most=MOST_ATTRIBUTES)
    done = tx.execute(
        update(Customer)
        .where(Customer.id == customer_id, Customer.version == version)
        .values(**wanted, version=Customer.version + 1)
    )
    if done.rowcount == 0:
        _row(tx, customer_id)
        raise Conflict("Somebody has changed this customer meanwhile. Look at the page again.")
    refresh_search(tx, customer_id)
    _announce(tx, customer_id, sorted(wanted), user_id, now=now)


def add_address(
    tx: Connection, customer_id: int, kind: ContactKind, raw: str, *, user_id: int, now: datetime, region: str = "VN"
) -> int:
    """Give the customer one more address; Conflict names the customer who has it."""
    try:
        address = Address(kind, normalise(kind, raw, region=region))
    except BadAddress as error:
        raise Invalid(str(error), field="address") from error
    _row(tx, customer_id)
    point_id = contacts.add(tx, customer_id, address, now=now)
    if point_id is None:
        owner = contacts.find(tx, address)
        if owner is not None and owner.customer_id == customer_id:
            contacts.put_on_file(tx, customer_id, address, now=now)
            return owner.contact_point_id
        raise Conflict("This address belongs to another customer. Merge them if they are one person.")
    refresh_search(tx, customer_id)
    _announce(tx, customer_id, ["addresses"], user_id, now=now)
    return point_id


def confirm_address(tx: Connection, point_id: int, *, user_id: int, now: datetime) -> None:
    """A colleague knows that an address which somebody only typed is the customer's; audited."""
    point = tx.execute(select(ContactPoint.__table__).where(ContactPoint.id == point_id)).first()
    if point is None:
        raise NotFound("There is no such address.")
    address = Address(ContactKind(point.kind), point.value)
    if not contacts.put_on_file(tx, point.customer_id, address, now=now):
        return
    told = {"kind": point.kind, "address": point.value}
    audit.record(
        tx, "customer.address_confirmed", f"customer:{point.customer_id}", now=now, user_id=user_id, details=told
    )
    _announce(tx, point.customer_id, ["addresses"], user_id, now=now)


def remove_address(tx: Connection, point_id: int, *, user_id: int, now: datetime) -> None:
    """Take away an address that nothing was sent to or came from; others stay, suppressed if they must rest."""
    point = tx.execute(select(ContactPoint.customer_id).where(ContactPoint.id == point_id)).first()
    if point is None:
        raise NotFound("There is no such address.")
    used = tx.execute(
        select(Ticket.id)
        .outerjoin(Message, Message.ticket_id == Ticket.id)
        .where(
            Ticket.customer_id == point.customer_id,
            (Ticket.contact_point_id == point_id) | (Message.contact_point_id == point_id),
        )
        .limit(1)
    ).first()
    if used is not None:
        raise Conflict("There are messages from or to this address. It stays as a part of their history.")
    tx.execute(ContactPoint.__table__.delete().where(ContactPoint.id == point_id))  # type: ignore[attr-defined]
    refresh_search(tx, point.customer_id)
    _announce(tx, point.customer_id, ["addresses"], user_id, now=now)


def _row(tx: Connection, customer_id: int) -> Row[Any]:
    row = tx.execute(select(Customer.__table__).where(Customer.id == customer_id)).first()
    if row is None:
        raise NotFound("There is no such customer.")
    return row


def _points(tx: Connection, customer_id: int) -> Sequence[Row[Any]]:
    return tx.execute(
        select(ContactPoint.__table__, User.name.label("flagged_by"))
        .outerjoin(User, User.id == ContactPoint.flagged_by_id)
        .where(ContactPoint.customer_id == customer_id)
        .order_by(ContactPoint.id)
    ).all()


def _point(row: Row[Any], region: str, known: Container[int]) -> Point:
    kind = ContactKind(row.kind)
    shown = {
        ContactKind.EMAIL: shown_email(row.value),
        ContactKind.PHONE: shown_phone(row.value, region),
        ContactKind.VISITOR: row.value,
        ContactKind.HANDLE: row.value.partition(":")[2],
    }[kind]
    return Point(
        row.id,
        kind,
        row.value,
        shown,
        row.verified_at is not None,
        row.suppressed_reason,
        mark_of(row),
        claimed=kind in CLAIMABLE and row.id not in known,
    )


def _announce(tx: Connection, customer_id: int, fields: Sequence[str], user_id: int, *, now: datetime) -> None:
    emit(
        tx,
        "customer.updated",
        {"customer_id": customer_id, "fields": list(fields), "by_user_id": user_id},
        now=now,
        topics=[f"customer:{customer_id}", "lists"],
    )
