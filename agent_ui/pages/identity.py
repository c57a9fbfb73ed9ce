"""Confirming who the customer of a conversation is; each command is answered with its new head."""

from secrets import token_urlsafe

from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.pages.commands import choice_of, run, text, ticket_id
from agent_ui.pages.ticket import head, translate
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets import identity_asking, identity_checks, lifecycle
from tickets.customers.identities import shown_phone
from tickets.identity_asking import Refused
from tickets.identity_checks import Method
from tickets.identity_codes import Result
from tickets.states import Channel, ContactKind

TERMS = {15: mark("15 minutes"), 60: mark("1 hour"), 480: mark("8 hours"), 1440: mark("1 day")}
REFUSED = {
    Refused.NEW: mark("came with this conversation: it proves nothing"),
    Refused.CLAIMED: mark("only typed in a chat or a form: it proves nothing"),
    Refused.SHARED: mark("flagged: several people use it"),
    Refused.SUPPRESSED: mark("nothing can be sent to it"),
    Refused.NO_ACCOUNT: mark("no channel account can send to it"),
}
FAILED = {
    Result.WRONG: mark("This is not the code that was sent. Tries left: {left}"),
    Result.SPENT: mark("Too many wrong codes: send a new one."),
    Result.LATE: mark("This code has run out: send a new one."),
}


async def dialog(request: Request) -> Response:
    """The ways to make sure, loaded when the dialog opens."""
    _ = translate(await locale_of(request))
    db, ticket = services(request).db, ticket_id(request)
    ways = await db.read(identity_asking.ways, ticket)
    pending = await db.read(identity_asking.pending, ticket, now=utcnow())
    row = await db.read(lifecycle.access, ticket)
    return await shell.fragment(
        request,
        "parts/identity.html",
        number=request.path_params["number"],
        ways=[(way, shown(way.kind, way.value), _(REFUSED[way.refused]) if way.refused else "") for way in ways],
        claimed=any(way.refused is Refused.CLAIMED for way in ways),
        customer_id=row.customer_id,
        possible=any(way.refused is None for way in ways),
        pending=pending,
        pending_to=shown(pending.kind, pending.value) if pending else "",
        by_phone=row.channel == Channel.PHONE.value,
        terms=[Choice(str(minutes), _(words)) for minutes, words in TERMS.items()],
        client_id=token_urlsafe(9),
    )


def shown(kind: str, value: str) -> str:
    """An address as people read it."""
    return shown_phone(value) if kind == ContactKind.PHONE.value else value


async def ask(request: Request) -> Response:
    """A code goes to an address on file."""
    person = await person_of(request)
    point = choice_of(int, await text(request, "point"), "point")
    minutes = choice_of(int, await text(request, "minutes"), "minutes")
    client_id = await text(request, "client_id") or None
    await run(request, identity_asking.ask, point, minutes=minutes, user_id=person.id, client_id=client_id)
    return await head(request)


async def enter(request: Request) -> Response:
    """The customer has read the code out; a wrong one is counted before it is refused."""
    person = await person_of(request)
    typed = await text(request, "code")
    result, left = await services(request).db.write(
        identity_asking.enter, ticket_id(request), typed, user_id=person.id, now=utcnow()
    )
    if result is not Result.RIGHT:
        raise Invalid(FAILED[result], field="code", left=left)
    return await head(request)


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
