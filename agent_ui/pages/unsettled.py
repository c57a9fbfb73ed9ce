"""What became of a message that nobody knows the fate of: said by one click, and the list of those that wait for it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_ui.pages.admin import done_text, go
from agent_ui.pages.commands import choice_of, text
from agent_ui.shell import page
from channels import unsettled
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from contact_center.core.text import first_line
from tickets.customers.identities import shown_phone
from tickets.numbers import number_of
from tickets.states import ContactKind

PAGE = 50
SAID = ("no", "yes")


def routes() -> list[Route]:
    """/board/unsettled, and what is said of one of its messages."""
    return [
        Route("/board/unsettled", signed_in(show, Permission.VIEW_BOARD), methods=["GET"]),
        Route("/board/unsettled/{message_id:int}", signed_in(from_list, Permission.HANDLE), methods=["POST"]),
    ]


async def settle(request: Request) -> Response:
    """Somebody in the conversation says what became of one."""
    await _settle(request)
    return JSONResponse({"settled": True})


async def from_list(request: Request) -> Response:
    """A supervisor says it on the list."""
    await _settle(request)
    return go("/board/unsettled", "saved")


async def _settle(request: Request) -> None:
    person = await person_of(request)
    said: int = choice_of(SAID.index, await text(request, "sent"), "sent")
    message_id = request.path_params["message_id"]
    await services(request).db.write(unsettled.settle, message_id, sent=bool(said), user_id=person.id, now=utcnow())


async def show(request: Request) -> Response:
    """Messages of which nobody knows whether they left, newest first."""
    before = request.query_params.get("before", "")
    below = int(before) if before.isdecimal() and len(before) < 19 else None
    rows = await services(request).db.read(_read, below, utcnow())
    return await page(
        request,
        "board/unsettled.html",
        here="board",
        rows=rows[:PAGE],
        newest="/board/unsettled" if before else "",
        older=f"/board/unsettled?before={rows[PAGE - 1]['id']}" if len(rows) > PAGE else "",
        may_say=may((await person_of(request)).role, Permission.HANDLE),
        done=done_text(request, await locale_of(request)),
    )


def _read(tx: Connection, before: int | None, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            **row._mapping,
            "number": number_of(row.ticket_id),
            "text": first_line(row.text, 160),
            "to": shown_phone(row.to) if row.kind == ContactKind.PHONE.value else row.to or "",
        }
        for row in unsettled.waiting(tx, now, before=before, most=PAGE + 1)
    ]
