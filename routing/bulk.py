"""One change for many conversations: each goes the ordinary way alone, so each says for itself what cannot be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, exists, func, select
from sqlalchemy import text as sql

from contact_center.accounts.models import User
from contact_center.core.errors import Invalid
from routing import handling
from routing.models import OPEN_WORK, WorkItem
from routing.pools import PoolName
from tickets import lifecycle, spam
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Queue, Ticket
from tickets.numbers import number_of
from tickets.states import ContactKind, Priority, Status

# A selection holds no more, and one request changes no more: the next asks for the next.
MOST = 500
AT_ONCE = 25
# So many are named before anything is done.
NAMED = 5
STATUSES = (Status.OPEN, Status.PENDING, Status.RESOLVED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be changed; an empty part stays as it is. `tag` is added to the tags that are there."""

    assignee_id: int | None = None
    queue_id: int | None = None
    status: Status | None = None
    priority: Priority | None = None
    tag: str = ""
    spam: bool | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """One conversation as it is called in a preview and in a result."""

    number: int
    customer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What is selected: how many there are, some by name, and what one should know before changing them."""

    total: int
    named: Sequence[Named]
    # Somebody else's work; chats and calls that go on; spam, which only "no spam" changes.
    others: int
    live: int
    apart: int


def check(tx: Connection, wish: Wish) -> None:
    """Invalid for a wish that is empty, contradicts itself or names what is not there."""
    rest = (wish.assignee_id, wish.queue_id, wish.status, wish.priority, wish.tag or None)
    if wish.spam is None and not any(part is not None for part in rest):
        raise Invalid("Choose what to change.")
    if wish.spam is not None and any(part is not None for part in rest):
        raise Invalid("Spam is marked by itself. Leave everything else as it is.", field="status")
    if wish.status is not None and wish.status not in STATUSES:
        raise Invalid("This is not one of the choices.", field="status")
    if (
        wish.queue_id is not None
        and not tx.execute(select(exists().where(Queue.id == wish.queue_id, Queue.active))).scalar()
    ):
        raise Invalid("There is no such queue.", field="queue")
    able = exists().where(User.id == wish.assignee_id, User.active, User.role.in_(("agent", "supervisor")))
    if wish.assignee_id is not None and not tx.execute(select(able)).scalar():
        raise Invalid("There is no such agent.", field="assignee")


def change(tx: Connection, ticket_id: int, wish: Wish, *, user_id: int, force: bool, now: datetime) -> None:
    """Do all of a wish to one conversation or, if a part is refused, nothing of it. Again changes nothing more.

    `force`: may take work from others, as those who assign.
    """
    if wish.spam is not None:
        use_case = spam.mark if wish.spam else spam.unmark
        use_case(tx, ticket_id, user_id=user_id, now=now)
        return
    # Work before the ticket: the order in which everything locks (routing.work).
    if wish.queue_id is not None and lifecycle.access(tx, ticket_id).queue_id != wish.queue_id:
        handling.transfer(tx, ticket_id, by_user_id=user_id, queue_id=wish.queue_id, now=now)
    if wish.assignee_id is not None and lifecycle.access(tx, ticket_id).assignee_id != wish.assignee_id:
        handling.give(tx, ticket_id, wish.assignee_id, by_user_id=user_id, force=force, now=now)
    if wish.priority is not None:
        lifecycle.set_fields(tx, ticket_id, user_id=user_id, now=now, priority=wish.priority)
    if wish.tag:
        lifecycle.add_tag(tx, ticket_id, wish.tag, user_id=user_id, now=now)
    if wish.status is not None:
        lifecycle.set_status(tx, ticket_id, wish.status, user_id=user_id, now=now)


def look(tx: Connection, ticket_ids: Sequence[int], user_id: int) -> Preview:
    """What a selection holds, in two statements; what is gone by now is not counted."""
    live = exists().where(WorkItem.ticket_id == Ticket.id, sql(OPEN_WORK), WorkItem.pool == PoolName.LIVE.value)
    elsewhere = (Ticket.assignee_id.is_not(None)) & (Ticket.assignee_id != user_id)
    chosen = Ticket.id.in_(ticket_ids)

    def how_many(condition: object) -> object:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)  # type: ignore[arg-type]

    counts = (how_many(elsewhere), how_many(live), how_many(Ticket.status == Status.SPAM.value))
    total, *rest = tx.execute(select(func.count(), *counts).select_from(Ticket).where(chosen)).one()  # type: ignore[call-overload]
    return Preview(total, list(names(tx, ticket_ids[:NAMED]).values()), *(int(one) for one in rest))


def names(tx: Connection, ticket_ids: Sequence[int]) -> dict[int, Named]:
    """What these conversations are called, in the order asked for."""
    rows = tx.execute(
        select(Ticket.id, Ticket.subject, Ticket.preview, Customer.name, ContactPoint.kind, ContactPoint.value)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .where(Ticket.id.in_(ticket_ids))
    )
    found = {
        row.id: Named(
            number_of(row.id),
            row.name or display_name("", ContactKind(row.kind or ContactKind.VISITOR), row.value or ""),
            row.subject or row.preview,
        )
        for row in rows
    }
    return {ticket_id: found[ticket_id] for ticket_id in ticket_ids if ticket_id in found}
