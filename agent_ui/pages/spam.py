"""Marking a conversation as spam and taking that back. Both show it anew: what can be written changes with it."""

from starlette.requests import Request
from starlette.responses import Response

from agent_ui.pages.commands import anew, run
from contact_center.accounts.web import person_of
from tickets import spam


async def mark(request: Request) -> Response:
    """No customer's matter."""
    person = await person_of(request)
    await run(request, spam.mark, user_id=person.id)
    return anew(request)


async def unmark(request: Request) -> Response:
    """A customer's matter after all."""
    person = await person_of(request)
    await run(request, spam.unmark, user_id=person.id)
    return anew(request)
