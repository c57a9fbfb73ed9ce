"""Writing an article: the form with its preview; saving shows it at once or keeps it waiting."""

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.kb_article import load
from agent_ui.shell import page
from agent_ui.views import Choice
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import LOCALES
from contact_center.core.services import services
from knowledge_base import articles
from knowledge_base.articles import LIVE, LONGEST_BODY, ArticleState, Content, Origin
from knowledge_base.help_center import LANGUAGES
from knowledge_base.markdown import to_html

LOCALE_CHOICES = tuple(Choice(code, LANGUAGES[code]) for code in LOCALES)


async def new(request: Request) -> Response:
    """A new article begins as a draft."""
    if request.method == "POST":
        form = await read_form(request)
        content = Content(form.values.get("title", ""), form.values.get("body", ""), form.values.get("locale", ""))
        origin = Origin(author_id=request.state.person.id)
        creating = services(request).db.write(articles.create, content, origin=origin, tags=_tags(form), now=utcnow())
        article_id = await form.attempt(creating)
        if form.ok:
            return RedirectResponse(f"/kb/articles/{article_id}", 303)
        return await _form(request, form, status=422)
    asked = request.query_params
    values = {"title": asked.get("title", "")[:200], "locale": await locale_of(request), "body": "", "tags": ""}
    return await _form(request, blank(await locale_of(request), values))


async def edit(request: Request) -> Response:
    """Change an article's text in one language, or add a language."""
    article_id = request.path_params["article_id"]
    shown = await services(request).db.read(load, article_id, request.query_params.get("lang", ""))
    wanted = request.query_params.get("lang", shown.row.locale)
    locale = wanted if wanted in LOCALES else shown.row.locale
    if request.method == "POST":
        form = await read_form(request)
        number = await form.attempt(services(request).db.write(_save, article_id, form, request.state.person))
        if form.ok and number is not None:
            return RedirectResponse(f"/kb/articles/{article_id}?lang={form.values.get('locale', locale)}", 303)
        return await _form(request, form, status=422, article=shown.row)
    newest = shown.revisions[0] if shown.row.locale == locale else None
    values = {
        "title": newest.title if newest else "",
        "body": newest.body if newest else "",
        "base": str(newest.number) if newest else "",
        "locale": locale,
        "tags": ", ".join(shown.tags),
        "note": "",
    }
    return await _form(request, blank(await locale_of(request), values), article=shown.row, original=shown.row)


async def preview(request: Request) -> Response:
    """The text as readers would see it, for htmx."""
    form = await request.form(max_part_size=4 * LONGEST_BODY)
    return HTMLResponse(to_html(str(form.get("body", ""))[:LONGEST_BODY]))


def _save(tx: Connection, article_id: int, form: Form, author: Person) -> int:
    """Save; whoever may not publish leaves what readers of a live article see as it is."""
    now = utcnow()
    base = form.values.get("base", "")
    content = Content(form.values.get("title", ""), form.values.get("body", ""), form.values.get("locale", ""))
    number = articles.edit(
        tx,
        article_id,
        content,
        author_id=author.id,
        base=int(base) if base.isdecimal() else None,
        note=form.values.get("note", ""),
        publish=form.values.get("how") == "publish" and may(author.role, Permission.PUBLISH_ARTICLES),
        now=now,
    )
    articles.set_tags(tx, article_id, _tags(form))
    return number


def _tags(form: Form) -> list[str]:
    return form.values.get("tags", "").split(",")


async def _form(
    request: Request, form: Form, *, status: int = 200, article: Any = None, original: Any = None
) -> Response:
    live = article is not None and ArticleState(article.state) in LIVE
    return await page(
        request,
        "kb/edit.html",
        here="kb",
        status=status,
        form=form,
        article=article,
        locales=LOCALE_CHOICES,
        live=live,
        original=original if original is not None and original.locale != form.values.get("locale") else None,
        preview=to_html(form.values.get("body", "")),
        may_publish=may(request.state.person.role, Permission.PUBLISH_ARTICLES),
    )
