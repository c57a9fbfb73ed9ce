"""Customers: the list with its search and filters, a page at a time."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages import customers_change, customers_profile
from agent_ui.pages.customers_list import Show, Wanted, read_page
from agent_ui.shell import page, translator
from agent_ui.views import Choice
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets.states import Channel

SHOWN = {
    Show.CUSTOMERS: mark("Everybody but newsletters and spam"),
    Show.VIP: mark("VIPs only"),
    Show.APART: mark("Newsletters and spam only"),
}


def routes() -> list[Route]:
    """/customers, one customer, and what can be done to one."""
    return [
        Route("/customers", signed_in(index, Permission.VIEW_TICKETS), methods=["GET"]),
        *customers_profile.routes(),
        *customers_change.routes(),
    ]


async def index(request: Request) -> Response:
    """The list, searched and filtered as the address says."""
    held, wanted = services(request), Wanted.of(request.query_params)
    lines, older = await held.db.read(read_page, wanted, region=held.settings.region)
    _ = await translator(request)
    url = request.url.remove_query_params("before")
    return await page(
        request,
        "customers/list.html",
        here="customers",
        customers=lines,
        wanted=wanted,
        shown=[Choice(show.value, _(words)) for show, words in SHOWN.items()],
        channels=[channel.value for channel in Channel if channel is not Channel.DESK],
        newest=str(url) if wanted.edge else "",
        older=str(url.include_query_params(before=older)) if older else "",
    )
