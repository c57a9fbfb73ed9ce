"""Blocks of the customer panel that search: they load by themselves, with their own empty and error states."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.views import Line
from contact_center.core.services import services
from knowledge_base import suggest
from tickets.models import Ticket
from tickets.numbers import id_of, number_of
from tickets.states import DONE_STATUSES

MOST = 3
DONE = sorted(status.value for status in DONE_STATUSES)


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


def _similar(tx: Connection, ticket_id: int) -> Any:
    topic = select(Ticket.topic_id).where(Ticket.id == ticket_id).scalar_subquery()
    customer = select(Ticket.customer_id).where(Ticket.id == ticket_id).scalar_subquery()
    return tx.execute(
        select(Ticket.id, Ticket.subject, Ticket.resolved_at)
        .where(Ticket.topic_id == topic, Ticket.status.in_(DONE), Ticket.customer_id != customer)
        .order_by(Ticket.id.desc())
        .limit(MOST)
    ).all()
