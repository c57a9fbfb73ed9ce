"""The knowledge base for those who write: lists by state, search, drafts learned from cases, gaps."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages import kb_article, kb_edit
from agent_ui.shell import page
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import signed_in
from contact_center.core.clock import utcnow
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from knowledge_base import library
from knowledge_base.articles import ArticleState
from knowledge_base.search import Audience, search

RESULTS = 30
GAPS_WITHIN = timedelta(days=30)
WRITE = Permission.WRITE_ARTICLES
PUBLISH = Permission.PUBLISH_ARTICLES


def routes() -> list[Route]:
    """/kb and everything below it."""
    one = "/kb/articles/{article_id:int}"
    return [
        Route("/kb", signed_in(index, WRITE)),
        Route("/kb/drafts", signed_in(drafts, WRITE)),
        Route("/kb/gaps", signed_in(gaps, WRITE)),
        Route("/kb/preview", signed_in(kb_edit.preview, WRITE), methods=["POST"]),
        Route("/kb/articles/new", signed_in(kb_edit.new, WRITE), methods=["GET", "POST"]),
        Route(one, signed_in(kb_article.show, WRITE)),
        Route(f"{one}/edit", signed_in(kb_edit.edit, WRITE), methods=["GET", "POST"]),
        Route(f"{one}/state", signed_in(kb_article.set_state, PUBLISH), methods=["POST"]),
        Route(f"{one}/revisions/{{locale}}/{{number:int}}", signed_in(kb_article.revision, WRITE)),
        Route(
            f"{one}/revisions/{{locale}}/{{number:int}}/publish",
            signed_in(kb_article.publish_revision, PUBLISH),
            methods=["POST"],
        ),
    ]


async def index(request: Request) -> Response:
    """Articles by state, or the results of `?q=`."""
    asked = request.query_params
    state = _state(asked.get("state", ""))
    locale = asked["locale"] if asked.get("locale") in LOCALES else None
    query = " ".join(asked.get("q", "").split())[:300]
    db = services(request).db
    if query:
        rows: Any = await db.read(search, query, audience=Audience.AUTHORS, locale=locale, limit=RESULTS)
        return await _page(request, "results.html", tab="", asked=query, rows=rows)
    rows = await db.read(library.list_articles, state=state, locale=locale, before=_before(asked.get("before", "")))
    older = f"{rows[-1].updated_at.isoformat()}~{rows[-1].id}" if len(rows) == library.PAGE else ""
    return await _page(request, "list.html", tab=state.value if state else "all", asked="", rows=rows, older=older)


async def drafts(request: Request) -> Response:
    """Drafts that cases taught, those asked most often first."""
    rows = await services(request).db.read(library.waiting_drafts)
    return await _page(request, "drafts.html", tab="drafts", asked="", rows=rows)


async def gaps(request: Request) -> Response:
    """What readers searched for without a result."""
    rows = await services(request).db.read(library.gaps, utcnow() - GAPS_WITHIN)
    return await _page(request, "gaps.html", tab="gaps", asked="", rows=rows, days=GAPS_WITHIN.days)


async def _page(request: Request, template: str, **values: Any) -> Response:
    counts, learned = await services(request).db.read(_counts)
    return await page(request, f"kb/{template}", here="kb", counts=counts, learned=learned, **values)


def _counts(tx: Connection) -> tuple[dict[str, int], int]:
    return library.state_counts(tx), library.waiting_count(tx)


def _state(wanted: str) -> ArticleState | None:
    try:
        return ArticleState(wanted)
    except ValueError:
        return None


def _before(cursor: str) -> tuple[datetime, int] | None:
    """The last row of the page before, as `moment~id`."""
    moment, _, last_id = cursor.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, int(last_id)) if at.tzinfo and last_id.isdecimal() else None
