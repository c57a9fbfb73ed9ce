"""The public help center: its front page, search, articles and feedback. Server-rendered, works without scripts."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from contact_center.accounts import limits
from contact_center.accounts.web import locale_of
from contact_center.core.assets import Assets
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from contact_center.core.web import client_address
from knowledge_base import library
from knowledge_base.markdown import excerpt, to_html
from knowledge_base.search import Audience, Found, remember, search
from tickets.models import ChannelAccount
from tickets.states import Channel

FOLDER = Path(__file__).parent
STATIC = Assets(FOLDER / "static", "/help/static")
TEMPLATES = FOLDER / "templates"
LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
READER_COOKIE = "cc_reader"
LONGEST_QUERY = 300
RESULTS = 12
RELATED = 4
HOUR = timedelta(hours=1)
# An office of readers behind one address stays below these.
SEARCHES_PER_HOUR = 300
VOICES_PER_HOUR = 60


def routes() -> list[BaseRoute]:
    """The public pages."""
    return [
        Mount("/help/static", STATIC),
        Route("/help", home),
        Route("/help/{slug}", article),
        Route("/help/{slug}/feedback", feedback, methods=["POST"]),
    ]


async def page(request: Request, template: str, /, *, status: int = 200, **values: Any) -> Response:
    """A public page in the reader's language; a language chosen by `?lang=` is remembered."""
    locale = values.pop("locale", None) or await language(request)
    write_to = await services(request).db.read(_mailbox)
    known = {
        "languages": LANGUAGES,
        "css": STATIC.url("help.css"),
        "path": request.url.path,
        "query": "",
        "write_to": write_to,
    }
    html = services(request).templates.render(locale, template, **{**known, **values})
    response = HTMLResponse(html, status_code=status)
    if request.query_params.get("lang") in LOCALES:
        response.set_cookie("cc_locale", locale, max_age=31_536_000, samesite="lax", path="/")
    return response


def _mailbox(tx: Connection) -> str:
    """The address that customers write to, or "" without one."""
    return tx.execute(_MAILBOX).scalar_one_or_none() or ""


_MAILBOX = (
    select(ChannelAccount.address)
    .where(ChannelAccount.channel == Channel.EMAIL.value, ChannelAccount.enabled)
    .order_by(ChannelAccount.id)
    .limit(1)
)


async def language(request: Request) -> str:
    """The language asked for in the address, else the reader's."""
    wanted = request.query_params.get("lang", "")
    return wanted if wanted in LOCALES else await locale_of(request)


async def home(request: Request) -> Response:
    """The front page, or the results of `?q=`."""
    query = " ".join(request.query_params.get("q", "").split())[:LONGEST_QUERY]
    if query:
        return await _results(request, query)
    locale = await language(request)
    shown = await services(request).db.read(_front, locale)
    return await page(request, "help/home.html", locale=locale, **shown)


def _front(tx: Connection, locale: str) -> Mapping[str, Any]:
    return {"groups": library.by_tag(tx, locale), "popular": library.popular(tx, locale)}


async def _results(request: Request, query: str) -> Response:
    locale = await language(request)
    db = services(request).db
    found, elsewhere = await db.read(_search, query, locale)
    await db.write(_remember, _reader_address(request), query, locale, found)
    return await page(
        request, "help/results.html", locale=locale, query=query, found=found, elsewhere=elsewhere, excerpt=excerpt
    )


def _search(tx: Connection, query: str, locale: str) -> tuple[list[Found], list[Found]]:
    """The results in the reader's language, and where there are few, those in others."""
    found = search(tx, query, audience=Audience.CUSTOMERS, locale=locale, limit=RESULTS)
    if len(found) >= RELATED:
        return found, []
    known = {hit.article_id for hit in found}
    others = search(tx, query, audience=Audience.CUSTOMERS, limit=RELATED + len(known))
    return found, [hit for hit in others if hit.article_id not in known][:RELATED]


def _remember(tx: Connection, address: str, query: str, locale: str, found: list[Found]) -> None:
    """Note the search, but not the thousandth one of a robot."""
    now = utcnow()
    if limits.count(tx, f"help.search:{address}", window=HOUR, now=now) <= SEARCHES_PER_HOUR:
        remember(tx, query, locale=locale, place="help", found=found, now=now)


def _reader_address(request: Request) -> str:
    return client_address(request, services(request).settings.trusted_proxies)


async def article(request: Request) -> Response:
    """One article."""
    slug = request.path_params["slug"]
    db = services(request).db
    row, other_languages, related = await db.read(_article, slug)
    wanted = request.query_params.get("lang", "")
    if wanted in other_languages and wanted != row.locale:
        response: Response = RedirectResponse(f"/help/{other_languages[wanted]}", 303)
        response.set_cookie("cc_locale", wanted, max_age=31_536_000, samesite="lax", path="/")
        return response
    await db.write(library.record_view, row.id)
    return await page(
        request,
        "help/article.html",
        locale=row.locale if row.locale in LOCALES else None,
        article=row,
        html=to_html(row.body),
        slugs=other_languages,
        related=related,
        thanks=request.query_params.get("thanks", ""),
    )


def _article(tx: Connection, slug: str) -> tuple[Any, dict[str, str], list[Found]]:
    row = library.published(tx, slug)
    found = search(tx, row.title, audience=Audience.CUSTOMERS, locale=row.locale, limit=RELATED + 1)
    related = [hit for hit in found if hit.article_id != row.id][:RELATED]
    return row, library.translations(tx, row.id), related


async def feedback(request: Request) -> Response:
    """Keep whether the article helped, once per reader; then show the article again with thanks."""
    slug = request.path_params["slug"]
    form = await request.form()
    answer = str(form.get("helpful", ""))
    if answer not in ("yes", "no"):
        raise NotFound("Say whether the article helped.")
    reader = request.cookies.get(READER_COOKIE) or secrets.token_urlsafe(16)
    told = (slug, reader, answer == "yes", str(form.get("comment", "")))
    await services(request).db.write(_feedback, *told, address=_reader_address(request))
    response = RedirectResponse(f"/help/{slug}?thanks={answer}#feedback", 303)
    response.set_cookie(READER_COOKIE, reader, max_age=31_536_000, samesite="lax", httponly=True, path="/help")
    return response


def _feedback(tx: Connection, slug: str, reader: str, helpful: bool, comment: str, *, address: str) -> None:
    limits.enforce(tx, f"help.feedback:{address}", limit=VOICES_PER_HOUR, window=HOUR, now=utcnow())
    row = library.published(tx, slug)
    digest = hashlib.sha256(reader.encode()).hexdigest()[:32]
    library.give_feedback(tx, row.id, digest, helpful, locale=row.locale, now=utcnow(), comment=comment)
