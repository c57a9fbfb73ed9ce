"""Customers: the list with its search, a page at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages import customers_change, customers_profile
from agent_ui.shell import page
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core.services import services
from contact_center.core.text import fold
from tickets.customers.identities import BadAddress, normalise_phone, shown_email, shown_phone
from tickets.customers.names import display_name
from tickets.models import ContactPoint, Customer, Ticket
from tickets.states import OPEN_STATUSES, WAITING_STATUSES, ContactKind

PAGE = 50
MOST_WORDS = 6
LIVE = [status.value for status in OPEN_STATUSES | WAITING_STATUSES]


def routes() -> list[Route]:
    """/customers, one customer, and what can be done to one."""
    return [
        Route("/customers", signed_in(index, Permission.VIEW_TICKETS), methods=["GET"]),
        *customers_profile.routes(),
        *customers_change.routes(),
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """One customer in the list."""

    id: int
    name: str
    company: str
    vip: bool
    email: str
    phone: str
    tickets: int
    open_tickets: int
    last_at: datetime | None


def read_page(tx: Connection, wanted: str, *, before: int | None, region: str) -> tuple[Sequence[Line], int | None]:
    """Customers whose name or addresses hold every word, newest first; three statements."""
    query = (
        select(Customer.id, Customer.name, Customer.company, Customer.vip)
        .where(Customer.merged_into_id.is_(None))
        .order_by(Customer.id.desc())
        .limit(PAGE + 1)
    )
    for word in words_of(wanted, region):
        query = query.where(Customer.search.contains(word, autoescape=True))
    if before is not None:
        query = query.where(Customer.id < before)
    rows = tx.execute(query).all()
    shown = rows[:PAGE]
    ids = [row.id for row in shown]
    points = _points(tx, ids)
    counts = {
        row.customer_id: row
        for row in tx.execute(
            select(
                Ticket.customer_id,
                func.count().label("tickets"),
                func.sum(case((Ticket.status.in_(LIVE), 1), else_=0)).label("open_tickets"),
                func.max(Ticket.updated_at).label("last_at"),
            )
            .where(Ticket.customer_id.in_(ids))
            .group_by(Ticket.customer_id)
        )
    }
    lines = []
    for row in shown:
        own, counted = points[row.id], counts.get(row.id)
        first = next(iter(own.items()), None)
        lines.append(
            Line(
                id=row.id,
                name=row.name or (display_name("", first[0], first[1]) if first else f"#{row.id}"),
                company=row.company,
                vip=row.vip,
                email=shown_email(own[ContactKind.EMAIL]) if ContactKind.EMAIL in own else "",
                phone=shown_phone(own[ContactKind.PHONE], region) if ContactKind.PHONE in own else "",
                tickets=counted.tickets if counted else 0,
                open_tickets=counted.open_tickets if counted else 0,
                last_at=counted.last_at if counted else None,
            )
        )
    return lines, shown[-1].id if len(rows) > PAGE else None


def words_of(wanted: str, region: str) -> list[str]:
    """What to look for: a phone number in its stored spelling, else every folded word."""
    try:
        return [normalise_phone(wanted, region)] if wanted.strip() else []
    except BadAddress:
        return fold(wanted).split()[:MOST_WORDS]


def _points(tx: Connection, customer_ids: Sequence[int]) -> Mapping[int, dict[ContactKind, str]]:
    """The first address of each kind of each customer."""
    points: dict[int, dict[ContactKind, str]] = defaultdict(dict)
    rows = tx.execute(
        select(ContactPoint.customer_id, ContactPoint.kind, ContactPoint.value)
        .where(ContactPoint.customer_id.in_(customer_ids))
        .order_by(ContactPoint.id)
    )
    for row in rows:
        points[row.customer_id].setdefault(ContactKind(row.kind), row.value)
    return points


async def index(request: Request) -> Response:
    """The list, searched."""
    held = services(request)
    wanted, before = request.query_params.get("find", "").strip()[:200], request.query_params.get("before", "")
    lines, older = await held.db.read(
        read_page,
        wanted,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        region=held.settings.region,
    )
    url = request.url.remove_query_params("before")
    return await page(
        request,
        "customers/list.html",
        here="customers",
        customers=lines,
        wanted=wanted,
        newest=str(url) if before else "",
        older=str(url.include_query_params(before=older)) if older else "",
    )
