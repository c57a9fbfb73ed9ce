"""Failed event handlers: what was tried and will be tried again, and what was given up until a person says so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.journal_words import handler_of
from agent_ui.pages.admin import admin_page, administer, go
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core import relay
from contact_center.core.clock import utcnow
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.services import services
from tickets.numbers import number_of

PAGE = 50


def routes() -> list[Route]:
    """/admin/failures and retry."""
    return [administer("/failures", index), administer("/failures/{failure_id:int}/retry", retry, "POST")]


def read_page(tx: Connection, before: int | None) -> Sequence[Row[*tuple[Any, ...]]]:
    """Failures before an id, newest first; one more than a page."""
    query = (
        select(
            HandlerFailure.id,
            HandlerFailure.handler,
            HandlerFailure.attempts,
            HandlerFailure.due_at,
            HandlerFailure.dead_at,
            HandlerFailure.error,
            EventRow.name.label("event"),
            EventRow.payload,
            EventRow.created_at,
        )
        .join(EventRow, EventRow.id == HandlerFailure.event_id)
        .order_by(HandlerFailure.id.desc())
        .limit(PAGE + 1)
    )
    return tx.execute(query if before is None else query.where(HandlerFailure.id < before)).all()


async def index(request: Request) -> Response:
    """The failures, a page at a time."""
    before = request.query_params.get("before", "")
    rows = await services(request).db.read(read_page, int(before) if before.isdecimal() and len(before) < 19 else None)
    locale = await locale_of(request)
    return await admin_page(
        request,
        "failures.html",
        "failures",
        failures=rows[:PAGE],
        words={row.id: handler_of(locale, row.handler) for row in rows},
        numbers={row.id: number_of(row.payload["ticket_id"]) for row in rows if row.payload.get("ticket_id")},
        most=relay.MAX_ATTEMPTS,
        newest="/admin/failures" if before else "",
        older=f"/admin/failures?before={rows[PAGE - 1].id}" if len(rows) > PAGE else "",
    )


async def retry(request: Request) -> Response:
    """Run a failed handler again, from its first attempt."""
    await read_form(request)
    failure_id = request.path_params["failure_id"]
    await services(request).db.write(retry_failure, failure_id, by=request.state.person.id, now=utcnow())
    return go("/admin/failures", "retried")


def retry_failure(tx: Connection, failure_id: int, *, by: int, now: datetime) -> None:
    """Make a failure due now, and audit it."""
    relay.retry_now(tx, failure_id, now)
    record(tx, "handler_failure.retried", f"handler_failure:{failure_id}", now=now, user_id=by)
