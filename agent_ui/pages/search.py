"""Search over conversations and customers; the number of a conversation leads straight to it."""

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.views import Row
from contact_center.core.services import services
from tickets.search import Found, TicketHit, search


async def show(request: Request) -> Response:
    """What was found; an exact "#123" is opened at once."""
    query = request.query_params.get("q", "").strip()
    found = await services(request).db.read(_search, query)
    exact = query.removeprefix("#")
    if query.startswith("#") and found.tickets and str(found.tickets[0].number) == exact:
        return RedirectResponse(f"/tickets/{exact}", 303)
    return await shell.page(
        request,
        "search.html",
        here="inbox",
        query=query,
        rows=[as_row(hit) for hit in found.tickets],
        customers=found.customers,
        view="search",
        open_number=0,
    )


def _search(tx: Connection, query: str) -> Found:
    return search(tx, query)


def as_row(hit: TicketHit) -> Row:
    """A hit as the lists show a ticket."""
    return Row(
        ticket_id=hit.ticket_id,
        number=hit.number,
        customer=hit.customer,
        subject=hit.subject,
        last_line=f"#{hit.number} · {hit.subject}",
        channel=hit.channel,
        status=hit.status,
        priority="medium",
        at=hit.updated_at,
    )
