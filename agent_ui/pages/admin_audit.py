"""The audit log: who did what to what."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.audit_words import action_of, page_of
from agent_ui.pages.admin import admin_page, administer
from agent_ui.views import Choice
from contact_center.accounts.models import AuditEntry, User
from contact_center.accounts.web import locale_of
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services

PAGE = 100


def routes() -> list[Route]:
    """/admin/audit."""
    return [administer("/audit", index)]


def read_page(
    tx: Connection, *, user_id: int | None, action: str, before: int | None
) -> tuple[Sequence[Row[*tuple[Any, ...]]], list[Choice]]:
    """Entries by filter before an id, newest first (one more than a page), and who may be asked for."""
    query = (
        select(AuditEntry.__table__, User.name.label("user"))
        .outerjoin(User, User.id == AuditEntry.user_id)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE + 1)
    )
    if user_id is not None:
        query = query.where(AuditEntry.user_id == user_id)
    if action:
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    people = tx.execute(select(User.id, User.name).order_by(User.name))
    return tx.execute(query).all(), [Choice(str(row.id), row.name) for row in people]


async def index(request: Request) -> Response:
    """The log, filtered, a page at a time."""
    query = request.query_params
    user, action, before = query.get("user", ""), query.get("action", "").strip()[:60], query.get("before", "")
    user_id = int(user) if user.isdecimal() and len(user) < 19 else None
    rows, people = await services(request).db.read(
        read_page,
        user_id=user_id,
        action=action,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    address = str(request.url.include_query_params(user=user_id or "", action=action).remove_query_params("before"))
    older = request.url.include_query_params(before=rows[PAGE - 1].id) if len(rows) > PAGE else ""
    locale = await locale_of(request)
    everybody = Choice("", gettext(locale, mark("Everybody")))
    return await admin_page(
        request,
        "audit.html",
        "audit",
        entries=rows[:PAGE],
        words={row.action: action_of(locale, row.action) for row in rows},
        targets={row.target: page_of(row.target) for row in rows},
        people=[everybody, *people],
        user=user,
        action=action,
        newest=address if before else "",
        older=str(older),
    )
