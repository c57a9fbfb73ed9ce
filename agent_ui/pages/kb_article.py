"""One article for those who write: its text, state, revisions, and the evidence it was learned from."""

import difflib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui.shell import page
from contact_center.accounts.permissions import Permission, may
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from knowledge_base import articles, library
from knowledge_base.articles import ArticleState
from knowledge_base.markdown import to_html
from tickets.numbers import number_of


@dataclass(frozen=True)
class Shown:
    """An article in one language with everything the page tells of it."""

    row: Any
    languages: tuple[str, ...]
    tags: list[str]
    revisions: list[Any]
    evidence: list[Any]
    cases: list[Any]
    comments: list[Any]

    @property
    def waiting(self) -> int | None:
        """The number of a revision that readers do not see yet."""
        newest = self.revisions[0].number if self.revisions else 0
        return newest if newest > self.row.revision else None


def load(tx: Connection, article_id: int, locale: str) -> Shown:
    """The article in that language, else in its first; NotFound if there is none."""
    texts = library.texts(tx, article_id)
    if not texts:
        raise NotFound("There is no such article.")
    row = next((text for text in texts if text.locale == locale), texts[0])
    return Shown(
        row=row,
        languages=tuple(text.locale for text in texts),
        tags=library.tags_of(tx, article_id),
        revisions=library.revisions(tx, article_id, row.locale),
        evidence=library.evidence(tx, article_id),
        cases=library.related_cases(tx, article_id),
        comments=library.comments(tx, article_id),
    )


async def show(request: Request) -> Response:
    """The article as readers see it, and beside it where it came from and what happened to it."""
    article_id = request.path_params["article_id"]
    shown = await services(request).db.read(load, article_id, request.query_params.get("lang", ""))
    return await page(
        request,
        "kb/article.html",
        here="kb",
        shown=shown,
        article=shown.row,
        html=to_html(shown.row.body),
        missing=[code for code in LOCALES if code not in shown.languages],
        number_of=number_of,
        may_publish=may(request.state.person.role, Permission.PUBLISH_ARTICLES),
    )


async def set_state(request: Request) -> Response:
    """Publish, keep internal, schedule or archive."""
    form = await request.form()
    wanted = str(form.get("state", ""))
    if wanted not in {state.value for state in ArticleState}:
        raise Invalid("“{state}” is no state of an article.", field="state", state=wanted)
    moment = _moment(
        str(form.get("publish_at", "")), request.state.person.timezone or services(request).settings.timezone
    )
    article_id = request.path_params["article_id"]
    await services(request).db.write(
        articles.set_state, article_id, ArticleState(wanted), publish_at=moment, now=utcnow()
    )
    return RedirectResponse(f"/kb/articles/{article_id}", 303)


async def revision(request: Request) -> Response:
    """An older or a waiting text, compared with what readers see."""
    path = request.path_params
    shown = await services(request).db.read(load, path["article_id"], path["locale"])
    wanted = next((one for one in shown.revisions if one.number == path["number"]), None)
    if wanted is None or shown.row.locale != path["locale"]:
        raise NotFound("There is no such revision.")
    return await page(
        request,
        "kb/revision.html",
        here="kb",
        article=shown.row,
        revision=wanted,
        lines=difference(shown.row.body, wanted.body),
        may_publish=may(request.state.person.role, Permission.PUBLISH_ARTICLES),
    )


async def publish_revision(request: Request) -> Response:
    """Show this revision to readers."""
    path = request.path_params
    db = services(request).db
    await db.write(articles.publish_revision, path["article_id"], path["locale"], path["number"], now=utcnow())
    return RedirectResponse(f"/kb/articles/{path['article_id']}?lang={path['locale']}", 303)


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """The lines of two texts as (mark, line): "-" only before, "+" only after, " " in both."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [(line[0], line[2:]) for line in lines if line[0] != "?"]


def _moment(written: str, timezone: str) -> datetime | None:
    """The value of a `datetime-local` field in the person's zone."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
