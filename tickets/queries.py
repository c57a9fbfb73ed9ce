"""Lists of tickets in three orders, by keyset pages. A page costs at most three statements, whatever the rows.

Orders by waiting and by SLA have two parts: the tickets that have that moment, soonest first, then all others, newest
first. Each part walks one index; a part over several statuses is a union of index walks, never a sort of a table.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    Subquery,
    and_,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from contact_center.accounts.models import User
from contact_center.core.errors import Invalid
from contact_center.core.schema import UtcDateTime
from tickets.customers.names import display_name
from tickets.filters import OPEN, Filters, Order
from tickets.models import ContactPoint, Customer, Message, Queue, Tag, Ticket, TicketRead, TicketTag
from tickets.numbers import number_of
from tickets.sla_models import SlaClock
from tickets.states import APART_STATUSES, RESTING_STATUSES, AuthorKind, ContactKind, Status

PAGE = 60
# A badge shows no more than this, and a long ticket costs no more than this.
MOST_UNREAD = 99


# fmt: off
_SHOWN = (
    "id", "subject", "preview", "status", "priority", "kind", "channel", "queue_id", "customer_id", "assignee_id",
    "created_at", "updated_at", "waiting_since", "snoozed_until", "sla_due_at",
)
# fmt: on


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
    """One page for `user_id` (0: unread by nobody); a cursor of another order raises Invalid."""
    part, after = _decoded(cursor, order) if cursor else (0, None)
    parts = _parts(order, filters)
    # One's own list looks the same to everybody but for whose it is.
    shape = filters if filters.assignee_id is None else replace(filters, assignee_id=0)
    values = {"assignee": filters.assignee_id, "reader": user_id, "now": now}
    found: list[tuple[int, Row[Any]]] = []
    while part < len(parts) and len(found) <= limit:
        statement = _statement(shape, parts[part], reader=bool(user_id), follows=after is not None)
        edge = {"edge_key": after[0], "edge_id": after[1]} if after else {}
        wanted = {"most": limit + 1 - len(found)}
        found.extend((part, row) for row in tx.execute(statement, {**values, **edge, **wanted}))
        part, after = part + 1, None
    shown = found[:limit]
    marks = _marks(tx, [row.id for _, row in shown if row.sla_due_at is not None])
    last_part, last = shown[-1] if shown else (0, None)
    following = _encoded(order, last, last_part) if last is not None and len(found) > limit else None
    return Page([_ticket_row(row, marks.get(row.id)) for _, row in shown], following)


# Messages of customers that lie unread on the user's own open tickets. Built once, as it runs often.
UNREAD_MESSAGES = (
    select(func.count())
    .select_from(Ticket)
    .join(Message, Message.ticket_id == Ticket.id)
    .outerjoin(TicketRead, and_(TicketRead.ticket_id == Ticket.id, TicketRead.user_id == bindparam("user")))
    .where(
        Ticket.assignee_id == bindparam("user"),
        Ticket.status.in_([status.value for status in OPEN]),
        Message.seq > func.coalesce(TicketRead.seq, 0),
        Message.author_kind == AuthorKind.CUSTOMER.value,
    )
)


def unread_messages(tx: Connection, user_id: int) -> int:
    """How many messages of customers wait for this user to read them."""
    return tx.execute(UNREAD_MESSAGES, {"user": user_id}).scalar_one()


def ids_up_to(filters: Filters, now: ColumnElement[datetime], most: int) -> Select[tuple[int]]:
    """At most `most` ids of matching tickets, for counts that are shown as "most or more"."""
    conditions = _conditions(filters, literal(filters.assignee_id), now)
    return _with_statuses(select(Ticket.id).where(*conditions), filters.statuses).limit(most)


@dataclass(frozen=True, slots=True)
class _Part:
    """One index walk: the moment it is sorted by, and whether rows must have or must lack one (names of columns)."""

    key: str
    descending: bool
    has: str = ""
    lacks: str = ""


def _parts(order: Order, filters: Filters) -> Sequence[_Part]:
    if filters.statuses and RESTING_STATUSES.issuperset(filters.statuses):
        # Nobody waits there and no clock runs: all orders are the same.
        order = Order.NEWEST
    match order:
        case Order.NEWEST:
            return (_Part("updated_at", True),)
        case Order.WAITING:
            return (
                _Part("waiting_since", False, has="waiting_since"),
                _Part("updated_at", True, lacks="waiting_since"),
            )
        case Order.SLA:
            return (_Part("sla_due_at", False, has="sla_due_at"), _Part("updated_at", True, lacks="sla_due_at"))


# Building a page's statement takes longer than running it. What is new each time stands in its parameters.
_ASSIGNEE, _NOW = bindparam("assignee", type_=BigInteger()), bindparam("now", type_=UtcDateTime())
_READER, _MOST = bindparam("reader", type_=BigInteger()), bindparam("most", type_=Integer())
_EDGE = tuple_(bindparam("edge_key", type_=UtcDateTime()), bindparam("edge_id", type_=BigInteger()))
_STATEMENTS = 256


@lru_cache(_STATEMENTS)
def _statement(filters: Filters, part: _Part, *, reader: bool, follows: bool) -> Select[Any]:
    """One part of a page; `reader`: with unread numbers, `follows`: after an edge."""
    return _rows(_walk(filters, part, follows), part, reader)


def _walk(filters: Filters, part: _Part, follows: bool) -> Subquery:
    """The ids and keys of a page, by as many index walks as there are statuses."""
    conditions = _conditions(filters, _ASSIGNEE, _NOW)
    if part.has:
        conditions.append(getattr(Ticket, part.has).is_not(None))
    if part.lacks:
        conditions.append(getattr(Ticket, part.lacks).is_(None))
    key = getattr(Ticket, part.key)
    if follows:
        here = tuple_(key, Ticket.id)
        conditions.append(here < _EDGE if part.descending else here > _EDGE)
    direction = (key.desc(), Ticket.id.desc()) if part.descending else (key, Ticket.id)
    walk = select(Ticket.id, key.label("key")).where(*conditions).order_by(*direction).limit(_MOST)
    narrow = filters.late or filters.tag or filters.customer_id is not None
    statuses = filters.statuses or (() if narrow else COUNTED)
    if part.has or len(statuses) < 2:
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


_APART = sorted(status.value for status in APART_STATUSES)
COUNTED = tuple(status for status in Status if status not in APART_STATUSES)


@cache
def _unread() -> ColumnElement[int]:
    """How many messages of the customer the reader has not read yet, counted up to `MOST_UNREAD`."""
    waiting = (
        select(Message.id)
        .where(
            Message.ticket_id == Ticket.id,
            Message.seq > func.coalesce(TicketRead.seq, 0),
            Message.author_kind == AuthorKind.CUSTOMER.value,
        )
        .limit(MOST_UNREAD)
        .correlate(Ticket, TicketRead)
        .subquery()
    )
    return select(func.count()).select_from(waiting).scalar_subquery()


def _rows(page: Subquery, part: _Part, reader: bool) -> Select[Any]:
    direction = (page.c.key.desc(), page.c.id.desc()) if part.descending else (page.c.key, page.c.id)
    rows = (
        select(
            *(getattr(Ticket, name) for name in _SHOWN),
            page.c.key,
            Queue.name.label("queue"),
            Customer.name.label("customer"),
            Customer.vip,
            ContactPoint.kind.label("point_kind"),
            ContactPoint.value.label("point_value"),
            User.name.label("assignee"),
            (_unread() if reader else literal(0)).label("unread"),
        )
        .join_from(page, Ticket, Ticket.id == page.c.id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .outerjoin(User, User.id == Ticket.assignee_id)
        .order_by(*direction)
        .limit(_MOST)
    )
    if not reader:
        return rows
    return rows.outerjoin(TicketRead, and_(TicketRead.ticket_id == Ticket.id, TicketRead.user_id == _READER))


def _conditions(
    filters: Filters, assignee: ColumnElement[Any], now: ColumnElement[datetime]
) -> list[ColumnElement[bool]]:
    """Everything but the status, which decides how the page is walked."""
    conditions: list[ColumnElement[bool]] = []
    if not filters.statuses and filters.customer_id is None:
        conditions.append(Ticket.status.not_in(_APART))
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
        conditions.append(Ticket.assignee_id == assignee)
    if filters.customer_id is not None:
        conditions.append(Ticket.customer_id == filters.customer_id)
    if filters.late:
        conditions.append(Ticket.sla_due_at < now)
    if filters.tag:
        tagged = select(TicketTag.ticket_id).join(Tag, Tag.id == TicketTag.tag_id).where(Tag.name == filters.tag)
        conditions.append(Ticket.id.in_(tagged))
    return conditions


_MARKS = (
    select(SlaClock.ticket_id, SlaClock.metric, SlaClock.due_at, SlaClock.warn_at, SlaClock.breached_at)
    .where(SlaClock.ticket_id.in_(bindparam("tickets", expanding=True)), SlaClock.due_at.is_not(None))
    .order_by(SlaClock.due_at.desc())
)


def _marks(tx: Connection, ticket_ids: Sequence[int]) -> dict[int, SlaMark]:
    """The clock that ends first, of each of these tickets."""
    if not ticket_ids:
        return {}
    rows = tx.execute(_MARKS, {"tickets": list(ticket_ids)}).all()
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
        row.unread,
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
