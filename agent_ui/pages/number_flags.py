"""Flags of phone numbers, set in a conversation or on the customer's page; both are shown anew."""

from starlette.requests import Request
from starlette.responses import Response

from agent_ui.forms import read_form
from agent_ui.pages.admin import go
from agent_ui.pages.commands import anew, choice_of, run, text
from agent_ui.pages.customers_profile import render
from contact_center.accounts.web import person_of
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from tickets.customers import number_flags
from tickets.customers.number_flags import Flag


async def flag_in_ticket(request: Request) -> Response:
    """Several people use the number, or it has a new owner."""
    person = await person_of(request)
    flag = choice_of(Flag, await text(request, "flag"), "flag")
    note = await text(request, "note")
    point_id = request.path_params["point_id"]
    await run(request, number_flags.flag_in_ticket, point_id, flag, note=note, user_id=person.id)
    return anew(request)


async def unflag_in_ticket(request: Request) -> Response:
    """It is one person's number after all."""
    person = await person_of(request)
    await run(request, number_flags.unflag_in_ticket, request.path_params["point_id"], user_id=person.id)
    return anew(request)


async def flag(request: Request) -> Response:
    """The same on the customer's page."""
    form = await read_form(request)
    customer_id, point_id = request.path_params["customer_id"], request.path_params["point_id"]
    kind = choice_of(Flag, form.text("flag"), "flag")
    note = form.text("note", longest=number_flags.LONGEST_NOTE)
    if form.ok:
        values = {"note": note, "user_id": request.state.person.id, "now": utcnow()}
        await form.attempt(services(request).db.write(number_flags.flag, customer_id, point_id, kind, **values))
    return go(f"/customers/{customer_id}", "saved") if form.ok else await render(request, form)


async def unflag(request: Request) -> Response:
    """The flag is lifted on the customer's page."""
    form = await read_form(request)
    customer_id, point_id = request.path_params["customer_id"], request.path_params["point_id"]
    values = {"user_id": request.state.person.id, "now": utcnow()}
    await form.attempt(services(request).db.write(number_flags.unflag, customer_id, point_id, **values))
    return go(f"/customers/{customer_id}", "saved") if form.ok else await render(request, form)
