"""Administration of topics: the contact reasons in two levels."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from agent_ui.views import Choice
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from tickets import topics
from tickets.models import Topic

AnyRow = Row[*tuple[Any, ...]]


def routes() -> list[Route]:
    """/admin/topics and what can be done to one."""
    return [
        administer("/topics", index, "GET", "POST"),
        administer("/topics/{topic_id:int}/name", rename, "POST"),
        administer("/topics/{topic_id:int}/active", set_active, "POST"),
    ]


def list_topics(tx: Connection) -> list[tuple[AnyRow, Sequence[AnyRow]]]:
    """The first level by name, each with what lies below it."""
    rows = tx.execute(select(Topic.id, Topic.parent_id, Topic.name, Topic.active).order_by(Topic.name)).all()
    return [(top, [row for row in rows if row.parent_id == top.id]) for top in rows if top.parent_id is None]


async def index(request: Request) -> Response:
    """All topics, and the form for one more."""
    held = services(request)
    form = await read_form(request) if request.method == "POST" else blank(await locale_of(request), {})
    if request.method == "POST":
        name, parent_id = form.text("name", required=True, longest=topics.LONGEST_NAME), form.reference("parent_id")
        if form.ok:
            adding = held.db.write(add, name, parent_id, by=request.state.person.id, now=utcnow())
            if await form.attempt(adding, name="name"):
                return go("/admin/topics", "added")
    return await _show(request, form)


async def _show(request: Request, form: Form) -> Response:
    found = await services(request).db.read(list_topics)
    none = Choice("", gettext(form.locale, mark("First level")))
    parents = [none, *(Choice(str(top.id), top.name) for top, _ in found if top.active)]
    status = 200 if form.ok else 422
    return await admin_page(request, "topics.html", "topics", status=status, topics=found, form=form, parents=parents)


def add(tx: Connection, name: str, parent_id: int | None, *, by: int, now: datetime) -> int:
    """Add a topic, and audit it."""
    topic_id = topics.create(tx, name, now=now, parent_id=parent_id)
    record(tx, "topic.created", f"topic:{topic_id}", now=now, user_id=by, details={"name": name})
    return topic_id


async def rename(request: Request) -> Response:
    """Give a topic another name."""
    form = await read_form(request)
    topic_id = request.path_params["topic_id"]
    name = form.text("renamed", required=True, longest=topics.LONGEST_NAME)
    if form.ok:
        renaming = services(request).db.write(give_name, topic_id, name, by=request.state.person.id, now=utcnow())
        await form.attempt(renaming, name="")
    if form.ok:
        return go("/admin/topics", "saved")
    form.errors[""] = next(iter(form.errors.values()))
    return await _show(request, form)


async def set_active(request: Request) -> Response:
    """Offer a topic at wrap-up, or not any more."""
    active = (await read_form(request)).flag("active")
    topic_id = request.path_params["topic_id"]
    await services(request).db.write(offer, topic_id, active, by=request.state.person.id, now=utcnow())
    return go("/admin/topics", "saved")


def give_name(tx: Connection, topic_id: int, name: str, *, by: int, now: datetime) -> None:
    """Rename a topic, and audit it."""
    topics.rename(tx, topic_id, name, now=now)
    record(tx, "topic.renamed", f"topic:{topic_id}", now=now, user_id=by, details={"name": name})


def offer(tx: Connection, topic_id: int, active: bool, *, by: int, now: datetime) -> None:
    """Offer a topic at wrap-up or not, and audit it."""
    topics.set_active(tx, topic_id, active, now=now)
    record(tx, "topic.activated" if active else "topic.hidden", f"topic:{topic_id}", now=now, user_id=by)
