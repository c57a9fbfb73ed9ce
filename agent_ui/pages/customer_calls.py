"""Calling a customer from their page: their number rings after one's own phone, in the matter they have open."""

import secrets

from starlette.requests import Request
from starlette.responses import Response

from agent_ui.forms import read_form
from agent_ui.pages.admin import go
from agent_ui.pages.customers_profile import render
from channels.phone import placing
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tickets.numbers import number_of
from tickets.replies import Author


async def call(request: Request) -> Response:
    """Call one of their numbers; leads to its conversation, or says on their page why not."""
    held = services(request)
    form = await read_form(request)
    author = Author(request.state.person.id, form.text("client_id", longest=60) or secrets.token_hex(8))
    point_id = request.path_params["point_id"]
    placed = await form.attempt(held.db.write(placing.place_to, held.vault, point_id, author=author, now=utcnow()))
    return await render(request, form) if placed is None else go(f"/tickets/{number_of(placed.ticket_id)}")
