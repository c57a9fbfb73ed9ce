"""Lists of tickets: filters, three orders, keyset pages. A page costs at most three statements, whatever the rows.

Orders by waiting and by SLA have two parts: the tickets that have that moment, soonest first, then all others, newest
first. Each part walks one index; a part over several statuses is a union of index walks, never a sort of a table.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    literal,
    select,
    tuple_,
    union_all,
)

from contact_center.accounts.models import User
from contact_center.core.errors import Invalid
from contact_center.core.schema import UtcDateTime
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Queue, Tag, Ticket, TicketRead, TicketTag
from tickets.numbers import number_of
from tickets.sla_models import SlaClock
from tickets.states import DONE_STATUSES, Channel, ContactKind, Kind, Priority, Status

PAGE = 60


class Order(StrEnum):
    """How a list is sorted."""

    WAITING = "waiting"  # the customer who has waited longest first
    SLA = "sla"  # the target that ends soonest first
    NEWEST = "newest"  # the last change first


class View(StrEnum):
    """The lists that everybody has."""

    MINE = "mine"
    MINE_WAITING = "mine_waiting"
    UNASSIGNED = "unassigned"
    OPEN = "open"
    WAITING = "waiting"
    LATE = "late"
    RESOLVED = "resolved"
    ALL = "all"


OPEN = (Status.NEW, Status.OPEN)
WAITING = (Status.PENDING, Status.ON_HOLD, Status.SNOOZED)
# fmt: off
_SHOWN = (
    "id", "subject", "preview", "status", "priority", "kind", "channel", "queue_id", "customer_id", "assignee_id",
    "created_at", "updated_at", "waiting_since", "snoozed_until", "seq", "sla_due_at",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Filters:
    """What a ticket must match; an empty part matches all. `late` wants a missed or broken target."""

    statuses: tuple[Status, ...] = ()
    queue_ids: tuple[int, ...] = ()
    channels: tuple[Channel, ...] = ()
    priorities: tuple[Priority, ...] = ()
    kinds: tuple[Kind, ...] = ()
    topic_ids: tuple[int, ...] = ()
    tag: str = ""
    assignee_id: int | None = None
    unassigned: bool = False
    customer_id: int | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class SlaMark:
    """The clock of a ticket that ends first."""

    metric: str
    due_at: datetime
    warn_at: datetime | None
    breached: bool


@dataclass(frozen=True, slots=True)
class TicketRow:
    """One ticket as lists show it."""

    ticket_id: int
    subject: str
    preview: str
    status: str
    priority: str
    kind: str
    channel: str
    queue_id: int
    queue: str
    customer_id: int
    customer: str
    vip: bool
    assignee_id: int | None
    assignee: str
    created_at: datetime
    updated_at: datetime
    waiting_since: datetime | None
    snoozed_until: datetime | None
    unread: int
    sla: SlaMark | None

    @property
    def number(self) -> int:
        """The public number."""
        return number_of(self.ticket_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order; `cursor` asks for what follows, None at the end."""

    rows: list[TicketRow] = field(default_factory=list)
    cursor: str | None = None


def filters_of(view: View, user_id: int) -> Filters:
    """What a built-in view holds for this user."""
    return {
        View.MINE: Filters(OPEN, assignee_id=user_id),
        View.MINE_WAITING: Filters(WAITING, assignee_id=user_id),
        View.UNASSIGNED: Filters(OPEN, unassigned=True),
        View.OPEN: Filters(OPEN),
        View.WAITING: Filters(WAITING),
        View.LATE: Filters(late=True),
        View.RESOLVED: Filters((Status.RESOLVED,)),
        View.ALL: Filters(),
    }[view]


def list_tickets(
    tx: Connection,
    filters: Filters,
    *,
    user_id: int,
    now: datetime,
    order: Order = Order.NEWEST,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Page:
    """One page for `user_id` (whose unread counts it shows); a cursor of another order raises Invalid."""
    part, after = _decoded(cursor, order) if cursor else (0, None)
    parts = _parts(order, filters)
    found: list[tuple[int, Row[Any]]] = []
    while part < len(parts) and len(found) <= limit:
        wanted = limit + 1 - len(found)
        page = _walk(filters, parts[part], after, now, wanted)
        found.extend((part, row) for row in tx.execute(_rows(page, parts[part], user_id, wanted)))
        part, after = part + 1, None
    shown = found[:limit]
    marks = _marks(tx, [row.id for _, row in shown if row.sla_due_at is not None])
    last_part, last = shown[-1] if shown else (0, None)
    following = _encoded(order, last, last_part) if last is not None and len(found) > limit else None
    return Page([_ticket_row(row, marks.get(row.id)) for _, row in shown], following)


def ids_up_to(filters: Filters, now: datetime, most: int) -> Select[tuple[int]]:
    """At most `most` ids of matching tickets, for counts that are shown as "most or more"."""
    return _with_statuses(select(Ticket.id).where(*_conditions(filters, now)), filters.statuses).limit(most)


@dataclass(frozen=True, slots=True)
class _Part:
    """One index walk: the moment it is sorted by, and whether rows must have or must lack `has`."""

    key: Any
    descending: bool
    has: Any = None
    lacks: Any = None


def _parts(order: Order, filters: Filters) -> Sequence[_Part]:
    if filters.statuses and DONE_STATUSES.issuperset(filters.statuses):
        # Nobody waits there and no clock runs: all orders are the same.
        order = Order.NEWEST
    match order:
        case Order.NEWEST:
            return (_Part(Ticket.updated_at, True),)
        case Order.WAITING:
            return (
                _Part(Ticket.waiting_since, False, has=Ticket.waiting_since),
                _Part(Ticket.updated_at, True, lacks=Ticket.waiting_since),
            )
        case Order.SLA:
            return (
                _Part(Ticket.sla_due_at, False, has=Ticket.sla_due_at),
                _Part(Ticket.updated_at, True, lacks=Ticket.sla_due_at),
            )


def _walk(filters: Filters, part: _Part, after: tuple[datetime, int] | None, now: datetime, limit: int) -> Subquery:
    """The ids and keys of a page, by as many index walks as there are statuses."""
    conditions = _conditions(filters, now)
    if part.has is not None:
        conditions.append(part.has.is_not(None))
    if part.lacks is not None:
        conditions.append(part.lacks.is_(None))
    if after is not None:
        edge, here = tuple_(literal(after[0], UtcDateTime()), literal(after[1])), tuple_(part.key, Ticket.id)
        conditions.append(here < edge if part.descending else here > edge)
    direction = (part.key.desc(), Ticket.id.desc()) if part.descending else (part.key, Ticket.id)
    walk = select(Ticket.id, part.key.label("key")).where(*conditions).order_by(*direction).limit(limit)
    narrow = filters.late or filters.tag or filters.customer_id is not None
    statuses = filters.statuses or (() if narrow else tuple(Status))
    if part.has is not None or len(statuses) < 2:
        # Few tickets have such a moment or match: one walk of their own index, statuses are checked on the way.
        return _with_statuses(walk, filters.statuses).subquery("page")
    walks = [_with_statuses(walk, (status,)).subquery() for status in statuses]
    return union_all(*(select(one.c.id, one.c.key) for one in walks)).subquery("page")


def _with_statuses(walk: Select[Any], statuses: Sequence[Status]) -> Select[Any]:
    match statuses:
        case []:
            return walk
        case [only]:
            return walk.where(Ticket.status == only.value)
        case _:
            return walk.where(Ticket.status.in_([status.value for status in statuses]))


def _rows(page: Subquery, part: _Part, user_id: int, limit: int) -> Select[Any]:
    direction = (page.c.key.desc(), page.c.id.desc()) if part.descending else (page.c.key, page.c.id)
    return (
        select(
            *(getattr(Ticket, name) for name in _SHOWN),
            page.c.key,
            Queue.name.label("queue"),
            Customer.name.label("customer"),
            Customer.vip,
            ContactPoint.kind.label("point_kind"),
            ContactPoint.value.label("point_value"),
            User.name.label("assignee"),
            TicketRead.seq.label("read_seq"),
        )
        .join_from(page, Ticket, Ticket.id == page.c.id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .outerjoin(TicketRead, and_(TicketRead.ticket_id == Ticket.id, TicketRead.user_id == user_id))
        .order_by(*direction)
        .limit(limit)
    )


def _conditions(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    """Everything but the status, which decides how the page is walked."""
    conditions: list[ColumnElement[bool]] = []
    for column, values in (
        (Ticket.queue_id, filters.queue_ids),
        (Ticket.channel, filters.channels),
        (Ticket.priority, filters.priorities),
        (Ticket.kind, filters.kinds),
        (Ticket.topic_id, filters.topic_ids),
    ):
        if len(values) == 1:
            conditions.append(column == values[0])
        elif values:
            conditions.append(column.in_(values))
    if filters.unassigned:
        conditions.append(Ticket.assignee_id.is_(None))
    elif filters.assignee_id is not None:
        conditions.append(Ticket.assignee_id == filters.assignee_id)
    if filters.customer_id is not None:
        conditions.append(Ticket.customer_id == filters.customer_id)
    if filters.late:
        conditions.append(Ticket.sla_due_at < now)
    if filters.tag:
        tagged = select(TicketTag.ticket_id).join(Tag, Tag.id == TicketTag.tag_id).where(Tag.name == filters.tag)
        conditions.append(Ticket.id.in_(tagged))
    return conditions


def _marks(tx: Connection, ticket_ids: Sequence[int]) -> dict[int, SlaMark]:
    """The clock that ends first, of each of these tickets."""
    if not ticket_ids:
        return {}
    rows = tx.execute(
        select(SlaClock.ticket_id, SlaClock.metric, SlaClock.due_at, SlaClock.warn_at, SlaClock.breached_at)
        .where(SlaClock.ticket_id.in_(ticket_ids), SlaClock.due_at.is_not(None))
        .order_by(SlaClock.due_at.desc())
    ).all()
    return {row.ticket_id: SlaMark(row.metric, row.due_at, row.warn_at, row.breached_at is not None) for row in rows}


def _ticket_row(row: Row[Any], mark: SlaMark | None) -> TicketRow:
    kind = ContactKind(row.point_kind) if row.point_kind else ContactKind.VISITOR
    customer = row.customer or display_name("", kind, row.point_value or "")
    return TicketRow(
        row.id,
        row.subject,
        row.preview,
        row.status,
        row.priority,
        row.kind,
        row.channel,
        row.queue_id,
        row.queue,
        row.customer_id,
        customer,
        row.vip,
        row.assignee_id,
        row.assignee or "",
        row.created_at,
        row.updated_at,
        row.waiting_since,
        row.snoozed_until,
        max(0, row.seq - (row.read_seq or 0)),
        mark,
    )


def _encoded(order: Order, row: Row[Any], part: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order.value, part, row.key.isoformat(), row.id])).decode()


def _decoded(cursor: str, order: Order) -> tuple[int, tuple[datetime, int]]:
    try:
        name, part, moment, ticket_id = orjson.loads(base64.urlsafe_b64decode(cursor))
        if name != order.value or part not in range(len(_parts(order, Filters()))):
            raise ValueError(name)
        return part, (datetime.fromisoformat(moment), int(ticket_id))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid("This page of the list no longer exists: start at its top.", field="cursor") from error
