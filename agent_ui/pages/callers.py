"""Who may be calling: the candidates on the offer card and on the call of a conversation, each with its evidence."""

from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.pages.commands import anew, choice_of, run, text, ticket_id
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from tickets.customers import callers
from tickets.customers.caller_match import Evidence, Sign
from tickets.customers.identities import shown_phone

SIGNS = {
    Sign.USED_BEFORE: mark("used this number before as %(detail)s"),
    Sign.OTHER_FORM: mark("same number in another form: %(detail)s / %(number)s"),
    Sign.WRITTEN: mark("number stands in their note or order"),
    Sign.SAME_END: mark("same last 7 digits: %(detail)s"),
}


async def panel(request: Request) -> Response:
    """The candidates; nothing where the caller is certain."""
    return await _shown(request, on_offer="offer" in request.query_params)


async def attach(request: Request) -> Response:
    """It is this one: the number and the conversation are theirs."""
    person = await person_of(request)
    chosen: int = choice_of(int, await text(request, "customer_id"), "customer_id")
    name = await services(request).db.write(
        callers.attach,
        ticket_id(request),
        chosen,
        region=services(request).settings.region,
        user_id=person.id,
        now=utcnow(),
    )
    # A ringing call is answered on the card where it rings; a conversation shows its new customer everywhere.
    return await _shown(request, name) if await text(request, "on_offer") else anew(request)


async def dismiss(request: Request) -> Response:
    """Nobody of these."""
    person = await person_of(request)
    await run(request, callers.dismiss, user_id=person.id)
    return await _shown(request)


async def _shown(request: Request, chosen: str = "", *, on_offer: bool = False) -> Response:
    locale = await locale_of(request)
    region = services(request).settings.region
    found = None if chosen else await services(request).db.read(callers.caller, ticket_id(request), region=region)
    people = []
    if found is not None:
        for one in found.maybe:
            why = ", ".join(_told(evidence, found.number, region, locale) for evidence in one.evidence)
            people.append((one, why))
    return await shell.fragment(
        request,
        "parts/callers.html",
        number=request.path_params["number"],
        people=people,
        chosen=chosen,
        on_offer=on_offer,
    )


def _told(evidence: Evidence, number: str, region: str, locale: str) -> str:
    detail = evidence.detail
    if evidence.sign is not Sign.USED_BEFORE:
        detail = shown_phone(detail, region)
    return gettext(locale, SIGNS[evidence.sign], detail=detail, number=number)
