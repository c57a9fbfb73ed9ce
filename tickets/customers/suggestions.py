"""Who may be the same person as a customer: candidates out of the database, weighed by `duplicates`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, or_, select

from contact_center.core.errors import NotFound
from contact_center.core.text import fold
from tickets.customers.duplicates import Profile, Suggestion, suggest
from tickets.customers.identities import BadAddress, normalise_email, normalise_phone
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import ContactKind, MessageKind

MOST_CANDIDATES = 50
MESSAGES_READ = 20
SHORTEST_PATTERN = 5

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE = re.compile(r"(?<![\w+])\+?\d[\d .()-]{7,16}\d(?!\w)")


def possible_duplicates(tx: Connection, customer_id: int, *, region: str = "VN") -> list[Suggestion]:
    """Customers who may be the same person, best first, each with its evidence; five statements."""
    own = tx.execute(select(Customer.__table__).where(Customer.id == customer_id)).first()
    if own is None:
        raise NotFound("There is no such customer.")
    points = _points(tx, [customer_id])[customer_id]
    mentioned = addresses_in(_texts(tx, customer_id), region=region)
    customer = Profile(own.id, own.name, own.company, own.external_id, tuple(points), mentioned)
    patterns = _patterns(customer)
    if not patterns:
        return []
    rows = tx.execute(
        select(Customer.id, Customer.name, Customer.company, Customer.external_id)
        .where(
            Customer.id != customer_id,
            Customer.merged_into_id.is_(None),
            or_(*(Customer.search.like(f"%{_escaped(pattern)}%", escape="\\") for pattern in patterns)),
        )
        .order_by(Customer.id.desc())
        .limit(MOST_CANDIDATES)
    ).all()
    others = _points(tx, [row.id for row in rows])
    profiles = [Profile(row.id, row.name, row.company, row.external_id, tuple(others[row.id])) for row in rows]
    return suggest(customer, profiles)


def addresses_in(texts: Iterable[str], *, region: str) -> frozenset[str]:
    """The e-mail addresses and phone numbers that people write in their messages, normalised."""
    found = set()
    for text in texts:
        for match in _EMAIL.findall(text):
            try:
                found.add(normalise_email(match))
            except BadAddress:
                continue
        for match in _PHONE.findall(text):
            try:
                found.add(normalise_phone(match, region))
            except BadAddress:
                continue
    return frozenset(found)


def _patterns(customer: Profile) -> list[str]:
    """Parts of the folded search column that a duplicate would share with this customer."""
    patterns = {fold(customer.name)} if len(customer.name.split()) > 1 else set()
    for kind, value in customer.points:
        if kind is ContactKind.EMAIL:
            patterns.add(value.rpartition("@")[0].partition("+")[0])
        elif kind is ContactKind.PHONE:
            patterns.add(value[-9:])
    patterns.update(fold(value) for value in customer.mentioned)
    return sorted(pattern for pattern in patterns if len(pattern) >= SHORTEST_PATTERN)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _texts(tx: Connection, customer_id: int) -> Sequence[str]:
    return (
        tx.execute(
            select(Message.text)
            .join(Ticket, Ticket.id == Message.ticket_id)
            .where(Ticket.customer_id == customer_id, Message.kind == MessageKind.INBOUND.value)
            .order_by(Message.id.desc())
            .limit(MESSAGES_READ)
        )
        .scalars()
        .all()
    )


def _points(tx: Connection, customer_ids: Sequence[int]) -> dict[int, list[tuple[ContactKind, str]]]:
    points: dict[int, list[tuple[ContactKind, str]]] = defaultdict(list)
    if customer_ids:
        for row in tx.execute(
            select(ContactPoint.customer_id, ContactPoint.kind, ContactPoint.value)
            .where(ContactPoint.customer_id.in_(customer_ids))
            .order_by(ContactPoint.id)
        ):
            points[row.customer_id].append((ContactKind(row.kind), row.value))
    return points
