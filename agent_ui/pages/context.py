"""Blocks of the customer panel that search: they load by themselves, with their own empty and error states."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.views import Line
from contact_center.accounts.web import locale_of
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from knowledge_base import suggest
from tickets import lifecycle
from tickets.customers.duplicates import Hint, Suggestion
from tickets.customers.events import events_of
from tickets.customers.suggestions import possible_duplicates
from tickets.models import Customer, Ticket
from tickets.numbers import id_of, number_of
from tickets.states import RESTING_STATUSES

MOST = 3
MOST_ORDERS = 6
HINTS = {
    Hint.SAME_MAILBOX: mark("same mailbox"),
    Hint.MENTIONED_ADDRESS: mark("wrote this address in a message"),
    Hint.SAME_DIGITS: mark("same number"),
    Hint.SAME_NAME: mark("same name"),
    Hint.SAME_NAME_REORDERED: mark("same name"),
    Hint.SAME_LOCAL_PART: mark("same mailbox name"),
    Hint.SAME_COMPANY: mark("same company"),
}
DONE = sorted(status.value for status in RESTING_STATUSES)


async def articles(request: Request) -> Response:
    """The articles that fit what the customer says now."""
    found = await services(request).db.read(suggest.suggest, id_of(request.path_params["number"]), limit=MOST)
    lines = [Line("book-open", hit.title, f"/kb/articles/{hit.article_id}", hit.body[:120]) for hit in found]
    return await shell.fragment(request, "parts/suggested.html", lines=lines, kind="articles")


async def similar(request: Request) -> Response:
    """Conversations on the same topic that were solved last."""
    rows = await services(request).db.read(_similar, id_of(request.path_params["number"]))
    lines = [
        Line("circle-check", row.subject, f"/tickets/{number_of(row.id)}", f"#{number_of(row.id)}", row.resolved_at)
        for row in rows
    ]
    return await shell.fragment(request, "parts/suggested.html", lines=lines, kind="similar")


async def orders(request: Request) -> Response:
    """What other systems told about the customer, newest first."""
    rows = await services(request).db.read(_orders, id_of(request.path_params["number"]))
    lines = [Line("shopping-bag", row.title, row.url, _facts(row), row.occurred_at, row.state) for row in rows]
    return await shell.fragment(request, "parts/suggested.html", lines=lines, kind="orders")


async def duplicates(request: Request) -> Response:
    """Customers who may be the same person, each with its evidence."""
    locale = await locale_of(request)
    found = await services(request).db.read(_duplicates, id_of(request.path_params["number"]))
    lines = [
        Line(
            "users",
            name or gettext(locale, "Customer"),
            f"/customers/{suggestion.customer_id}",
            ", ".join(gettext(locale, HINTS[one.hint]) for one in suggestion.evidence if one.hint in HINTS),
        )
        for suggestion, name in found
    ]
    return await shell.fragment(request, "parts/suggested.html", lines=lines, kind="duplicates")


def _facts(row: Any) -> str:
    """The number of an order, unless its title names it, and its amount."""
    number = "" if row.external_id in row.title else row.external_id
    amount = f"{row.amount:,.2f} {row.currency}".replace(".00 ", " ") if row.amount is not None else ""
    return " · ".join(part for part in (number, amount) if part)


def _customer(tx: Connection, ticket_id: int) -> int:
    customer_id: int = lifecycle.access(tx, ticket_id).customer_id
    return customer_id


def _orders(tx: Connection, ticket_id: int) -> Any:
    return events_of(tx, _customer(tx, ticket_id), limit=MOST_ORDERS)


def _duplicates(tx: Connection, ticket_id: int) -> list[tuple[Suggestion, str]]:
    likely = [one for one in possible_duplicates(tx, _customer(tx, ticket_id)) if one.likely][:MOST]
    ids = [one.customer_id for one in likely]
    names = {row.id: row.name for row in tx.execute(select(Customer.id, Customer.name).where(Customer.id.in_(ids)))}
    return [(one, names.get(one.customer_id, "")) for one in likely]


def _similar(tx: Connection, ticket_id: int) -> Any:
    topic = select(Ticket.topic_id).where(Ticket.id == ticket_id).scalar_subquery()
    customer = select(Ticket.customer_id).where(Ticket.id == ticket_id).scalar_subquery()
    return tx.execute(
        select(Ticket.id, Ticket.subject, Ticket.resolved_at)
        .where(Ticket.topic_id == topic, Ticket.status.in_(DONE), Ticket.customer_id != customer)
        .order_by(Ticket.id.desc())
        .limit(MOST)
    ).all()
