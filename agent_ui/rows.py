"""The lists of conversations as the console shows them: built-in views with bounded counts, rows for templates."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from agent_ui.views import ListView, Row, SlaChip
from contact_center.core.errors import NotFound
from contact_center.core.i18n import mark
from tickets.counters import view_counts
from tickets.queries import Order, Page, TicketRow, View, filters_of, list_tickets
from tickets.states import DONE_STATUSES

PAGE = 50
# More than this is shown as this.
COUNT_LIMIT = 1_000

VIEWS: Mapping[str, str] = {
    View.MINE.value: mark("Mine"),
    View.UNASSIGNED.value: mark("Unassigned"),
    View.OPEN.value: mark("All open"),
    View.MINE_WAITING.value: mark("Mine, waiting"),
    View.LATE.value: mark("Late"),
    View.WAITING.value: mark("All waiting"),
    View.RESOLVED.value: mark("Resolved"),
}
OWN_VIEWS = frozenset({View.MINE, View.MINE_WAITING})
SORTS: Mapping[str, str] = {
    Order.WAITING.value: mark("Longest waiting"),
    Order.SLA.value: mark("SLA"),
    Order.NEWEST.value: mark("Newest"),
}


def chosen(view: str, sort: str) -> tuple[View, Order]:
    """The view and order of an address; NotFound if there is none such."""
    try:
        return View(view or View.MINE), Order(sort or Order.WAITING)
    except ValueError:
        raise NotFound("There is no such list.") from None


def read(
    tx: Connection, view: View, order: Order, *, user_id: int, now: datetime, cursor: str | None = None
) -> tuple[Page, dict[str, int]]:
    """A page of a view and the numbers beside all views: at most four statements."""
    page = list_tickets(tx, filters_of(view, user_id), user_id=user_id, now=now, order=order, cursor=cursor, limit=PAGE)
    return page, counts(tx, user_id=user_id, now=now)


def counts(tx: Connection, *, user_id: int, now: datetime) -> dict[str, int]:
    """How many tickets each view holds, at most COUNT_LIMIT, in one statement over the counters."""
    found = view_counts(tx, user_id, now=now)
    return {view: min(found[View(view)], COUNT_LIMIT) for view in VIEWS}


def shown(view: View, page: Page, now: datetime) -> tuple[Row, ...]:
    """Rows for the template. Unread counts are one person's, so only one's own views have them."""
    rows = (as_row(row, now) for row in page.rows)
    return tuple(rows if view in OWN_VIEWS else (replace(row, unread=0) for row in rows))


def views(words: dict[str, str], numbers: dict[str, int]) -> tuple[ListView, ...]:
    """The views with their names in the reader's language."""
    return tuple(ListView(view, words[view], numbers[view]) for view in VIEWS)


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
    if row.sla is None or row.status in DONE_STATUSES:
        return None
    at_risk = row.sla.warn_at is not None and row.sla.warn_at <= now
    state = "breached" if row.sla.breached or row.sla.due_at <= now else "at_risk" if at_risk else "pending"
    return SlaChip(row.sla.metric, state, row.sla.due_at, row.sla.warn_at)
