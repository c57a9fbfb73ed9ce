"""Confirming who the customer of a conversation is; each command is answered with its new head."""

from starlette.requests import Request
from starlette.responses import Response

from agent_ui.pages.commands import choice_of, run, text
from agent_ui.pages.ticket import head
from contact_center.accounts.web import person_of
from tickets import identity_checks
from tickets.identity_checks import Method


async def confirm(request: Request) -> Response:
    """A colleague has made sure."""
    person = await person_of(request)
    method = choice_of(Method, await text(request, "method"), "method")
    minutes = choice_of(int, await text(request, "minutes"), "minutes")
    note = await text(request, "note")
    await run(request, identity_checks.confirm, method, minutes=minutes, note=note, user_id=person.id)
    return await head(request)


async def withdraw(request: Request) -> Response:
    """It does not hold after all."""
    person = await person_of(request)
    await run(request, identity_checks.withdraw, user_id=person.id)
    return await head(request)
