"""Saved views: filters with a name and an order, for oneself or for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, literal, select, union_all, update
from sqlalchemy.orm import Mapped

from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.schema import Base, UtcDateTime, id_column
from tickets.filters import Filters, Order
from tickets.models import refers_to
from tickets.queries import ids_up_to
from tickets.states import Channel, Kind, Priority, Status

MOST_COUNTED = 1000
LONGEST_NAME = 80
ME = "me"


class SavedView(Base):
    """A list somebody has put together."""

    __tablename__ = "saved_views"

    id: Mapped[int] = id_column()
    name: Mapped[str]
    # NULL: shared with everybody.
    owner_id: Mapped[int | None] = refers_to("users.id", nullable=True)
    filters: Mapped[dict[str, Any]]
    sort: Mapped[str]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class NamedView:
    """A saved view ready to be listed for its reader; `tickets` stops at `MOST_COUNTED`."""

    id: int
    name: str
    shared: bool
    filters: Filters
    order: Order
    tickets: int = 0


def save(
    tx: Connection,
    name: str,
    filters: Mapping[str, Any],
    *,
    user_id: int,
    now: datetime,
    order: Order = Order.NEWEST,
    shared: bool = False,
) -> int:
    """Keep a view; `filters` in the form of `filters_data`, with assignee_id "me" for whoever looks."""
    wanted = " ".join(name.split())[:LONGEST_NAME]
    if not wanted:
        raise Invalid("Give the view a name.", field="name")
    filters_from(filters, user_id)
    view_id: int = tx.execute(
        insert(SavedView).returning(SavedView.id),
        {
            "name": wanted,
            "owner_id": None if shared else user_id,
            "filters": dict(filters),
            "sort": order.value,
            "created_at": now,
        },
    ).scalar_one()
    return view_id


def rename(tx: Connection, view_id: int, name: str, *, user_id: int, may_share: bool) -> None:
    """Another name; others' shared views only with `may_share`."""
    wanted = " ".join(name.split())[:LONGEST_NAME]
    if not wanted:
        raise Invalid("Give the view a name.", field="name")
    _own(tx, view_id, user_id, may_share=may_share)
    tx.execute(update(SavedView).where(SavedView.id == view_id).values(name=wanted))


def share(tx: Connection, view_id: int, shared: bool, *, user_id: int, may_share: bool) -> None:
    """Show a view to everybody, or keep it to oneself again; only with `may_share`."""
    if not may_share:
        raise Forbidden("Only supervisors share views.")
    _own(tx, view_id, user_id, may_share=True)
    tx.execute(update(SavedView).where(SavedView.id == view_id).values(owner_id=None if shared else user_id))


def find(tx: Connection, view_id: int, user_id: int) -> NamedView:
    """One view that its reader may see, without its number of tickets; NotFound for others' own ones."""
    row = tx.execute(
        select(SavedView.__table__).where(
            SavedView.id == view_id, (SavedView.owner_id == user_id) | SavedView.owner_id.is_(None)
        )
    ).first()
    if row is None:
        raise NotFound("There is no such view.")
    return _named(row, user_id)


def remove(tx: Connection, view_id: int, *, user_id: int, may_share: bool) -> None:
    """Forget a view."""
    _own(tx, view_id, user_id, may_share=may_share)
    tx.execute(delete(SavedView).where(SavedView.id == view_id))


_SEEN_BY = (
    select(SavedView.__table__)
    .where((SavedView.owner_id == bindparam("user", type_=BigInteger())) | SavedView.owner_id.is_(None))
    .order_by(SavedView.name, SavedView.id)
)


def views_for(tx: Connection, user_id: int, *, now: datetime) -> list[NamedView]:
    """The user's own and the shared views by name, each with its number of tickets: two statements for all."""
    rows = tx.execute(_SEEN_BY, {"user": user_id}).all()
    views = [_named(row, user_id) for row in rows]
    if not views:
        return []
    counts = union_all(
        *(
            select(literal(view.id).label("id"), select(func.count()).select_from(counted).scalar_subquery())
            for view in views
            for counted in [ids_up_to(view.filters, literal(now, UtcDateTime()), MOST_COUNTED).subquery()]
        )
    )
    tickets: dict[int, int] = {row[0]: row[1] for row in tx.execute(counts)}
    return [NamedView(view.id, view.name, view.shared, view.filters, view.order, tickets[view.id]) for view in views]


def _named(row: Any, user_id: int) -> NamedView:
    return NamedView(row.id, row.name, row.owner_id is None, filters_from(row.filters, user_id), Order(row.sort))


def filters_data(filters: Filters) -> dict[str, Any]:
    """The stored form: only what is set."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(filters).items() if value
    }


def filters_from(data: Mapping[str, Any], user_id: int) -> Filters:
    """Read the stored form for one reader; raises Invalid for what no list understands."""
    words: dict[str, Any] = {"statuses": Status, "channels": Channel, "priorities": Priority, "kinds": Kind}
    numbers = {"queue_ids", "topic_ids"}
    known = words.keys() | numbers | {"tag", "assignee_id", "unassigned", "customer_id", "late"}
    try:
        if not data.keys() <= known:
            raise ValueError(", ".join(sorted(data.keys() - known)))
        values: dict[str, Any] = dict(data)
        for name in words.keys() & data.keys():
            values[name] = tuple(words[name](word) for word in data[name])
        for name in numbers & data.keys():
            values[name] = tuple(int(number) for number in data[name])
        if data.get("assignee_id") == ME:
            values["assignee_id"] = user_id
        return Filters(**values)
    except (ValueError, TypeError) as error:
        raise Invalid("These filters cannot be used: {why}", field="filters", why=str(error)) from error


def _own(tx: Connection, view_id: int, user_id: int, *, may_share: bool) -> None:
    row: Sequence[int | None] | None = tx.execute(select(SavedView.owner_id).where(SavedView.id == view_id)).first()
    if row is None or row[0] not in (None, user_id):
        raise NotFound("There is no such view.")
    if row[0] is None and not may_share:
        raise Forbidden("This view is shared. Ask a supervisor to change it.")
