"""Blocking the sender of the open conversation: what there is to block, and the command."""

from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.block_words import SCOPES, TERMS
from agent_ui.pages.commands import anew, choice_of, run, text, ticket_id
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import blocking, blocks
from tickets.blocking import Way
from tickets.blocks import LONGEST_REASON, Scope
from tickets.customers.identities import shown_phone


async def dialog(request: Request) -> Response:
    """The dialog's fields, loaded when it opens."""
    _ = translate(await locale_of(request))
    found = await services(request).db.read(blocking.ways, ticket_id(request), now=utcnow())
    return await shell.fragment(
        request,
        "parts/block_fields.html",
        ways=[(Choice(way.scope.value, _(SCOPES[way.scope.value]), shown(way)), way.everybody) for way in found],
        terms=[Choice(days, _(words)) for days, words in TERMS.items()],
        longest=LONGEST_REASON,
    )


def shown(way: Way) -> str:
    """What is blocked, as people read it."""
    match way.scope:
        case Scope.PHONE:
            return shown_phone(way.value)
        case Scope.HANDLE:
            return way.value.partition(":")[2]
        case _:
            return blocks.label(way.scope, way.value)


async def block(request: Request) -> Response:
    """Nothing of this sender makes a conversation from now on."""
    person = await person_of(request)
    scope = choice_of(Scope, await text(request, "scope"), "scope")
    days = await text(request, "days")
    if days not in TERMS:
        raise Invalid("This is not one of the choices.", field="days")
    await run(
        request,
        blocking.block_sender,
        scope,
        user_id=person.id,
        reason=await text(request, "reason"),
        days=int(days) if days else None,
        as_spam=bool(await text(request, "spam")),
    )
    return anew(request)
