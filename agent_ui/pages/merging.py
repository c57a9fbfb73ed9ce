"""Merging conversations, making one a complaint, and telling that a number is somebody else's."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui.pages.commands import anew, run, text, ticket_id
from agent_ui.pages.ticket import head
from contact_center.accounts.web import person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import merging
from tickets.customers import wrong_person
from tickets.numbers import id_of
from tickets.quality import complaints
from tickets.quality.complaint_stages import Opener


async def merge(request: Request) -> Response:
    """Make this conversation a part of another one, and go there."""
    person = await person_of(request)
    into = (await text(request, "into")).lstrip("#")
    if not into.isdecimal():
        raise Invalid("This is not the number of a conversation.", field="into")
    await services(request).db.write(
        merging.merge, id_of(int(into)), ticket_id(request), user_id=person.id, now=utcnow()
    )
    url = f"/tickets/{into}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": url})
    return RedirectResponse(url, 303)


async def not_this_person(request: Request) -> Response:
    """Take the number of this conversation from its customer, and show both anew."""
    person = await person_of(request)
    await run(request, wrong_person.not_this_person, user_id=person.id)
    return anew(request)


async def complain(request: Request) -> Response:
    """Make the conversation a complaint, with what it is about."""
    person = await person_of(request)
    summary = await text(request, "summary")
    await run(request, complaints.open_, opener=Opener.AGENT, user_id=person.id, summary=summary)
    return await head(request)
