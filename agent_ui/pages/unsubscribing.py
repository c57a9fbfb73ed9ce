"""The customer's side of List-Unsubscribe: a page with a button, and the one click of a mail program (RFC 8058)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from channels.email.unsubscribing import PATH, Link, opened
from contact_center.core.clock import utcnow
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from knowledge_base.help_center import language, page
from tickets.customers import unsubscribes
from tickets.customers.unsubscribes import Source


def routes() -> list[Route]:
    """The page, and its button."""
    return [
        Route(PATH + "{token}", show, methods=["GET"]),
        Route(PATH + "{token}", stop, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """The question. Looking changes nothing: mail scanners follow links too."""
    return await _page(request, opened(services(request).vault, request.path_params["token"]), done=False)


async def stop(request: Request) -> Response:
    """At once, however often: mail programs post `List-Unsubscribe=One-Click` and may not be sent elsewhere."""
    held = services(request)
    link = opened(held.vault, request.path_params["token"])
    one_click = (await request.form()).get("List-Unsubscribe") == "One-Click"
    source = Source.ONE_CLICK if one_click else Source.PAGE
    await held.db.write(unsubscribes.stop, link.contact_point_id, link.what, source, now=utcnow())
    return await _page(request, link, done=True)


async def _page(request: Request, link: Link, *, done: bool) -> Response:
    wanted = request.query_params.get("lang") in LOCALES
    locale = await language(request) if wanted or link.locale not in LOCALES else link.locale
    return await page(request, "help/unsubscribe.html", locale=locale, done=done)
