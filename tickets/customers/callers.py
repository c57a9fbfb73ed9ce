"""Whose number is calling, where that is not certain: who may it be, "it is this one", "nobody of these".

Nothing happens by itself. A choice merges the nameless caller into the chosen customer, which their page undoes.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    bindparam,
    cast,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from contact_center.accounts import audit
from contact_center.core.errors import Conflict
from tickets import lifecycle
from tickets.customers import contacts
from tickets.customers.caller_index import EVENT_TEXT, in_event, in_note
from tickets.customers.caller_match import REMEMBERED, Maybe, Place, Trace, candidates
from tickets.customers.events import CustomerEvent
from tickets.customers.merge import merge
from tickets.customers.wrong_person import NOT_THIS_PERSON, not_this_person
from tickets.models import ContactPoint, Customer, Message, Ticket
from tickets.states import ContactKind, MessageKind
from tickets.timeline import add_event

MOST_TRACES = 30
KNOWN, UNKNOWN = "caller_known", "caller_unknown"
WRITTEN_KINDS = (ContactKind.PHONE.value, ContactKind.HANDLE.value)

_other = aliased(ContactPoint)
_DISMISSED = (
    select(Message.id)
    .where(
        Message.ticket_id == Ticket.id,
        Message.kind == MessageKind.EVENT.value,
        Message.meta["name"].as_string() == UNKNOWN,
    )
    .exists()
)
_OTHERWISE = select(_other.id).where(_other.customer_id == Customer.id, _other.id != Ticket.contact_point_id).exists()
_CALLER = (
    select(
        Ticket.customer_id,
        ContactPoint.id.label("point_id"),
        ContactPoint.value,
        or_(Customer.name != "", _OTHERWISE).label("known"),
    )
    .join(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
    .join(Customer, Customer.id == Ticket.customer_id)
    .where(
        Ticket.id == bindparam("ticket"),
        ContactPoint.kind == ContactKind.PHONE.value,
        ContactPoint.customer_id == Ticket.customer_id,
        ~_DISMISSED,
    )
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose conversation it is by now, their number (E.164), and who else it may be; `known`: a person has it."""

    customer_id: int
    contact_point_id: int
    number: str
    known: bool
    maybe: tuple[Maybe, ...]


def caller(tx: Connection, ticket_id: int, *, region: str) -> Caller | None:
    """Who may be behind the number of a ticket; None: it has none, or somebody said "nobody of these". Two statements.

    A number of somebody known is asked about only where it was another customer's before.
    """
    row = tx.execute(_CALLER, {"ticket": ticket_id}).first()
    if row is None:
        return None
    asked = {"me": row.customer_id, "point": row.point_id, **_patterns(row.value)}
    traces_of = TRACES[tx.dialect.name == "postgresql"]
    found = tx.execute(_BEFORE if row.known else traces_of, asked)
    traces = [Trace(one.customer_id, one.name, Place(one.place), one.text) for one in found]
    maybe = tuple(candidates(row.value, traces, region=region))
    return Caller(row.customer_id, row.point_id, row.value, row.known, maybe)


def attach(tx: Connection, ticket_id: int, customer_id: int, *, region: str, user_id: int, now: datetime) -> str:
    """The number and this conversation are this customer's, who must be one of those shown; returns their name.

    Conflict when the page is old. Undone by undoing the merge on the customer's page.
    """
    lifecycle.access(tx, ticket_id, lock=True)
    found = caller(tx, ticket_id, region=region)
    chosen = next((one for one in found.maybe if one.customer_id == customer_id), None) if found else None
    if found is None or chosen is None:
        raise Conflict("Whose number this is has changed meanwhile. Look at the page again.")
    nameless = found.customer_id
    if found.known:
        nameless = not_this_person(tx, ticket_id, user_id=user_id, now=now)
    evidence = [one.sign.value for one in chosen.evidence]
    merge_id = merge(tx, customer_id, nameless, user_id=user_id, now=now, evidence=evidence)
    # It is known now whose number it is; an opt-out or a hard error stays.
    if contacts.suppression(tx, found.contact_point_id) == NOT_THIS_PERSON:
        contacts.lift(tx, found.contact_point_id)
    told = {"address": found.number, "customer": chosen.name}
    add_event(tx, ticket_id, KNOWN, told, now=now, user_id=user_id)
    details = {"customer_id": customer_id, "was": found.customer_id, "merge_id": merge_id}
    audit.record(tx, "caller.known", f"ticket:{ticket_id}", now=now, user_id=user_id, details=details)
    return chosen.name


def dismiss(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """Nobody of these: this conversation asks no more. Said twice, it is kept once."""
    lifecycle.access(tx, ticket_id, lock=True)
    if tx.execute(_CALLER, {"ticket": ticket_id}).first() is not None:
        add_event(tx, ticket_id, UNKNOWN, {}, now=now, user_id=user_id)
        audit.record(tx, "caller.unknown", f"ticket:{ticket_id}", now=now, user_id=user_id)


def _patterns(number: str) -> dict[str, str]:
    """The end of the number as it stands in an address, and as people space it out in a text."""
    end = number[-REMEMBERED:]
    return {"end": f"%{end}%", "spaced": f"%{'%'.join(end)}%"}


def _part(place: Place, text: Any, *where: ColumnElement[bool], of: Any = None, fenced: bool = False) -> Select[Any]:
    """One kind of trace, the newest customers first; `fenced`: by the index of its condition, whatever it costs."""
    statement = select(
        Customer.id.label("customer_id"),
        Customer.name,
        literal(place.value).label("place"),
        cast(text, Text).label("text"),
    )
    if of is not None:
        statement = statement.join(of, of.customer_id == Customer.id)
    others = (Customer.id != bindparam("me"), Customer.merged_into_id.is_(None))
    found = statement.where(*others, *where)
    if fenced:
        # Else a planner that knows no values walks through all customers by age and hopes for an early end.
        fence = found.offset(0).subquery()
        return select(select(fence).order_by(fence.c.customer_id.desc()).limit(MOST_TRACES).subquery())
    return select(found.order_by(Customer.id.desc()).limit(MOST_TRACES).subquery())


# A nameless record is nobody to choose.
_NAMED = Customer.name != ""
_BEFORE = _part(Place.TICKET, Customer.name, _NAMED, Ticket.contact_point_id == bindparam("point"), of=Ticket)
# The search column has the index; the address itself says whether it was that.
_FOUND = Customer.search.like(bindparam("end"))


def _traces(*, is_postgresql: bool) -> CompoundSelect[Any]:
    note, told = in_note(is_postgresql=is_postgresql), in_event(is_postgresql=is_postgresql)
    return union_all(
        _BEFORE,
        _part(
            Place.ADDRESS,
            ContactPoint.value,
            _FOUND,
            _NAMED,
            ContactPoint.kind.in_(WRITTEN_KINDS),
            ContactPoint.value.like(bindparam("end")),
            of=ContactPoint,
        ),
        _part(Place.ADDRESS, Customer.external_id, _FOUND, _NAMED, Customer.external_id.like(bindparam("end"))),
        _part(Place.TEXT, Customer.note, _NAMED, *note, fenced=is_postgresql),
        _part(Place.TEXT, EVENT_TEXT, _NAMED, *told, of=CustomerEvent, fenced=is_postgresql),
    )


# Built once; on PostgreSQL and elsewhere.
TRACES = {is_postgresql: _traces(is_postgresql=is_postgresql) for is_postgresql in (True, False)}
