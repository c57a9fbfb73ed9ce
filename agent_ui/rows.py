"""The lists of conversations as the console shows them: built-in and saved views, set filters, rows for templates."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from agent_ui.views import ListView, Row, SlaChip
from contact_center.core.errors import NotFound
from contact_center.core.i18n import mark
from tickets import saved_views
from tickets.counters import view_counts
from tickets.filters import Order, View, filters_of
from tickets.queries import PAGE, Page, TicketRow, list_tickets
from tickets.saved_views import NamedView
from tickets.states import RESTING_STATUSES

# More than this is shown as this.
COUNT_LIMIT = 1_000
FILTERED = "f."

VIEWS: Mapping[str, str] = {
    View.MINE.value: mark("Mine"),
    View.UNASSIGNED.value: mark("Unassigned"),
    View.OPEN.value: mark("All open"),
    View.MINE_WAITING.value: mark("Mine, waiting"),
    View.LATE.value: mark("Late"),
    View.WAITING.value: mark("All waiting"),
    View.RESOLVED.value: mark("Resolved"),
    View.SPAM.value: mark("Spam"),
    View.NEWSLETTERS.value: mark("Newsletters"),
}
OWN_VIEWS = frozenset({View.MINE, View.MINE_WAITING})
SORTS: Mapping[str, str] = {
    Order.WAITING.value: mark("Longest waiting"),
    Order.SLA.value: mark("SLA"),
    Order.NEWEST.value: mark("Newest"),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Which list is looked at: a built-in view, a saved one (`s12`), or filters that somebody has set (`f.…`)."""

    key: str
    order: Order
    view: View | None = None
    saved_id: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """Whether it is one reader's, with their unread numbers."""
        return self.view is None or self.view in OWN_VIEWS

    def topic(self, user_id: int) -> str:
        """The bus address: one for all readers, but for one's own lists."""
        shared = f"list:{self.key}:{self.order.value}"
        return f"{shared}:{user_id}" if self.own else shared


def chosen(key: str, sort: str) -> Listing:
    """The list of an address; NotFound if there is none such."""
    try:
        order = Order(sort or Order.WAITING)
        if key.startswith(FILTERED):
            return Listing(key, order, filters=_decoded(key.removeprefix(FILTERED)))
        if key[:1] == "s" and key[1:].isdecimal():
            return Listing(key, order, saved_id=int(key[1:]))
        return Listing(key or View.MINE.value, order, view=View(key or View.MINE))
    except ValueError:
        raise NotFound("There is no such list.") from None


def key_of(filters: Mapping[str, Any]) -> str:
    """Set filters (in their stored form) as the key of a list."""
    return FILTERED + base64.urlsafe_b64encode(orjson.dumps(dict(filters))).decode().rstrip("=")


def _decoded(text: str) -> Mapping[str, Any]:
    found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


def page(
    tx: Connection, listing: Listing, *, user_id: int, now: datetime, cursor: str | None = None, limit: int = PAGE
) -> Page:
    """One page of a list: at most three statements, one more for a saved view."""
    if listing.view is not None:
        filters = filters_of(listing.view, user_id)
    elif listing.saved_id is not None:
        filters = saved_views.find(tx, listing.saved_id, user_id).filters
    else:
        filters = saved_views.filters_from(listing.filters, user_id)
    # Unread counts are one person's, so only one's own lists have them.
    reader = user_id if listing.own else 0
    return list_tickets(tx, filters, user_id=reader, now=now, order=listing.order, cursor=cursor, limit=limit)


def counts(tx: Connection, *, user_id: int, now: datetime) -> dict[str, int]:
    """How many tickets each built-in view holds, at most COUNT_LIMIT, in one statement over the counters."""
    found = view_counts(tx, user_id, now=now)
    return {view: min(found[View(view)], COUNT_LIMIT) for view in VIEWS}


def saved_counts(saved: Iterable[NamedView]) -> dict[str, int]:
    """The same for saved views."""
    return {saved_key(view.id): view.tickets for view in saved}


def saved_key(view_id: int) -> str:
    return f"s{view_id}"


def shown(page: Page, now: datetime) -> tuple[Row, ...]:
    """Rows for the template."""
    return tuple(as_row(row, now) for row in page.rows)


def views(words: Mapping[str, str], numbers: Mapping[str, int]) -> tuple[ListView, ...]:
    """The built-in views with their names in the reader's language."""
    return tuple(ListView(view, words[view], numbers[view]) for view in VIEWS)


def saved(found: Iterable[NamedView]) -> tuple[ListView, ...]:
    """The saved views."""
    return tuple(ListView(saved_key(view.id), view.name, view.tickets, view.shared, view.order.value) for view in found)


def as_row(row: TicketRow, now: datetime) -> Row:
    """What the template shows of a ticket."""
    return Row(
        ticket_id=row.ticket_id,
        number=row.number,
        customer=row.customer,
        subject=row.subject,
        last_line=row.preview,
        channel=row.channel,
        status=row.status,
        priority=row.priority,
        at=row.updated_at,
        waiting_since=row.waiting_since,
        assignee=row.assignee,
        unread=row.unread,
        sla=_chip(row, now),
    )


def _chip(row: TicketRow, now: datetime) -> SlaChip | None:
    if row.sla is None or row.status in RESTING_STATUSES:
        return None
    at_risk = row.sla.warn_at is not None and row.sla.warn_at <= now
    state = "breached" if row.sla.breached or row.sla.due_at <= now else "at_risk" if at_risk else "pending"
    return SlaChip(row.sla.metric, state, row.sla.due_at, row.sla.warn_at)
