"""The widget's addresses: loader and scripts, the frame page, hours, files, the closed-hours form, the line."""

from datetime import timedelta
from functools import cache, partial

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from channels.chat import identity, invitations, mailing, parse, widgets
from channels.chat.asking import chosen, phone_of, regions_of
from channels.chat.assets import Asset, Assets, load_assets
from channels.chat.page import choose_locale, content_policy, frame_page, status
from channels.chat.socket import chat_socket
from channels.chat.tokens import Tokens
from channels.chat.uploads import download, upload
from channels.chat.widgets import Open
from contact_center.accounts import limits
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.i18n import gettext
from contact_center.core.services import services
from contact_center.core.web import client_address
from knowledge_base.search import Audience, search
from tickets.numbers import number_of
from tickets.origins import origin_of

log = structlog.get_logger()

FOR_EVER = "public, max-age=31536000, immutable"
SHORT = "public, max-age=300"
QUERY_CHARACTERS = 300
ARTICLES = 3
IDENTITIES = 120
IDENTITIES_WINDOW = timedelta(minutes=10)
# The loader and the scripts run in the pages of others; without this a page with COEP cannot load them.
SHARED = {"Cross-Origin-Resource-Policy": "cross-origin"}


def routes() -> list[BaseRoute]:
    """All of `/widget/…`."""
    return [
        Route("/widget/loader.js", loader),
        Route("/widget/static/{version}/{name}", asset),
        Route("/widget/{key}/frame", frame),
        Route("/widget/{key}/status", hours),
        Route("/widget/{key}/answers", answers),
        Route("/widget/{key}/articles", articles),
        Route("/widget/{key}/phone", phone),
        Route("/widget/{key}/files", upload, methods=["POST"]),
        Route("/widget/{key}/files/{id}", download),
        Route("/widget/{key}/offline", offline, methods=["POST"]),
        Route("/widget/{key}/identity", identify, methods=["POST"]),
        Route("/widget/{key}/invitations", report, methods=["POST"]),
        WebSocketRoute("/widget/{key}/ws", chat_socket),
    ]


@cache
def assets() -> Assets:
    return load_assets()


async def loader(request: Request) -> Response:
    """The one script that pages include; its address never changes, so browsers ask again after five minutes."""
    return _served(request, assets().files["loader.js"], SHORT)


async def asset(request: Request) -> Response:
    """A script or style; an old version's address gives today's content, uncached, until its page is gone."""
    found = assets().files.get(request.path_params["name"])
    if found is None:
        raise NotFound("There is no such file.")
    current = request.path_params["version"] == assets().version
    return _served(request, found, FOR_EVER if current else "no-store")


def _served(request: Request, found: Asset, caching: str) -> Response:
    headers = {"Cache-Control": caching, "ETag": found.etag, "Vary": "Accept-Encoding", **SHARED}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, headers=headers, media_type=found.type)
    return Response(found.plain, headers=headers, media_type=found.type)


async def _open(request: Request) -> Open:
    held = services(request)
    return await held.db.read(widgets.load, held.vault, request.path_params["key"], now=utcnow())


async def frame(request: Request) -> Response:
    """The page in the iframe, under a policy that lets only the widget's origins show it."""
    found = await _open(request)
    locale = choose_locale(request.query_params.get("locale") or request.headers.get("accept-language", ""))
    held = services(request)
    invited = await held.db.read(invitations.offered, found.account.id, locale, sender=found.widget.name)
    page = frame_page(
        found.widget,
        found.hours,
        locale=locale,
        theme=request.query_params.get("theme", ""),
        ticket=Tokens.of(held.vault).ticket(found.widget.key, now=utcnow()),
        assets=f"/widget/static/{assets().version}/",
        _=partial(gettext, locale),
        invitations=invited,
    )
    headers = {
        "Content-Security-Policy": content_policy(found.widget, f"{request.url.scheme}://{request.url.netloc}"),
        "Cache-Control": "no-store",
        **SHARED,
    }
    return Response(page, media_type="text/html", headers=headers)


async def hours(request: Request) -> Response:
    """Open or closed now, and a fresh ticket: what a page that was open for hours asks before it begins."""
    found = await _open(request)
    ticket = Tokens.of(services(request).vault).ticket(found.widget.key, now=utcnow())
    return JSONResponse(status(found.hours, ticket, found.widget.choices), headers={"Cache-Control": "no-store"})


async def answers(request: Request) -> Response:
    """Whether somebody can answer a chat now: what a browser asks at the moment when an invitation's rule fits."""
    found = await _open(request)
    able = await services(request).db.read(invitations.answered_now, found.account.queue_id, now=utcnow())
    return JSONResponse({"able": able}, headers={"Cache-Control": "no-store"})


async def articles(request: Request) -> Response:
    """What the help center says about the words that a customer is writing: at most three articles."""
    held = services(request)
    await _open(request)
    query = request.query_params.get("q", "")[:QUERY_CHARACTERS]
    locale = choose_locale(request.query_params.get("locale", ""))
    found = await held.db.read(search, query, audience=Audience.CUSTOMERS, locale=locale, limit=ARTICLES)
    told = [{"title": one.title, "url": f"/help/{one.slug}"} for one in found]
    return JSONResponse({"articles": told}, headers={"Cache-Control": "public, max-age=60"})


async def phone(request: Request) -> Response:
    """A typed number as the whole world dials it; 422 if nobody could."""
    found = await _open(request)
    home = str(found.account.settings.get("region") or services(request).settings.region)
    regions = regions_of(request.headers.get("accept-language", ""), home)
    number = phone_of(request.query_params.get("number", "")[: parse.PHONE_CHARACTERS], regions)
    return JSONResponse({"phone": number}, headers={"Cache-Control": "no-store"})


async def offline(request: Request) -> Response:
    """The closed-hours form; answers with the ticket's number."""
    held = services(request)
    found = await _open(request)
    try:
        form = parse.parse_offline(await request.body())
    except parse.BadFrame as error:
        raise Invalid("Name, address and message are needed.") from error
    if not Tokens.of(held.vault).ticket_fits(form.ticket, found.widget.key, now=utcnow()):
        raise Forbidden("This form is too old. Please load the page again.")
    if form.trap:
        log.info("chat.trapped", widget=found.widget.key)
        return JSONResponse({"number": None}, status_code=201)
    address = client_address(request, held.settings.trusted_proxies)
    receipt = await held.db.write(
        mailing.take_offline,
        found.account.id,
        found.account.queue_id,
        form,
        choice=chosen(found.widget.choices, form.choice),
        locale=choose_locale(form.locale),
        address=address,
        origin=origin_of(held.vault, address),
        now=utcnow(),
    )
    number = number_of(receipt.ticket_id) if receipt.ticket_id is not None else None
    return Response(orjson.dumps({"number": number}), status_code=201, media_type="application/json")


async def identify(request: Request) -> Response:
    """A website's token for a signed-in visitor; answers with what the browser says in its hello from now on."""
    held, now = services(request), utcnow()
    found = await _open(request)
    try:
        posted = parse.parse_identify(await request.body())
    except parse.BadFrame as error:
        raise Invalid("A token and a client_id are needed.") from error
    address = client_address(request, held.settings.trusted_proxies)
    limit = {"limit": IDENTITIES, "window": IDENTITIES_WINDOW}
    await held.db.write(limits.enforce, f"chat.identity:{address}", **limit, now=now)
    claims = identity.read_token(posted.token, found.keys, now=now)
    known = await held.db.write(identity.accept, found.account.id, claims, posted.client_id, now=now)
    ours = Tokens.of(held.vault).identity(found.widget.key, found.keys.generation, known, now=now)
    told = {"identity": ours, "subject": known.subject, "name": known.name, "email": known.email}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def report(request: Request) -> Response:
    """What became of the invitations in one browser, a few at a time; nothing hangs on it, so there is no answer."""
    held = services(request)
    found = await _open(request)
    try:
        counts = parse.parse_counts(await request.body())
    except parse.BadFrame as error:
        raise Invalid("Counts are needed.") from error
    address = client_address(request, held.settings.trusted_proxies)
    await held.db.write(invitations.count, found.account.id, counts, address=address, now=utcnow())
    return Response(status_code=204)
