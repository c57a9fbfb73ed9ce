"""The supervisor board: the page, and the rows behind each of its numbers."""

from datetime import datetime

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages import board_detail, board_rows
from agent_ui.pages.admin import done_text
from agent_ui.pages.board_live import read_board, shown, topic_of
from agent_ui.shell import page
from agent_ui.views import Choice
from contact_center.accounts.models import Team
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import locale_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext
from contact_center.core.services import services
from contact_center.reports.floor import Board, Scope
from tickets.models import Queue


def routes() -> list[Route]:
    """/board, what lies behind its numbers, and what a supervisor does from it."""
    return [
        Route("/board", signed_in(show, Permission.VIEW_BOARD), methods=["GET"]),
        *board_rows.routes(),
        *board_detail.routes(),
    ]


def scope_from(request: Request) -> Scope:
    """The queue and team that the address asks for."""
    return Scope(_id(request.query_params.get("queue", "")), _id(request.query_params.get("team", "")))


def _id(raw: str) -> int | None:
    return int(raw) if raw.isdecimal() and len(raw) < 19 else None


async def show(request: Request) -> Response:
    """The whole board, rendered here; every push after that replaces what changed."""
    held = services(request)
    locale = await locale_of(request)
    scope = scope_from(request)
    board, queues, teams = await held.db.read(_read, scope, zone=held.settings.timezone, now=utcnow())
    return await page(
        request,
        "board/board.html",
        here="board",
        topic=topic_of(scope),
        queue=str(scope.queue_id or ""),
        team=str(scope.team_id or ""),
        queues=[Choice("", gettext(locale, "All queues")), *queues],
        teams=[Choice("", gettext(locale, "All teams")), *teams],
        done=done_text(request, locale),
        **shown(board, locale),
    )


def _read(tx: Connection, scope: Scope, *, zone: str, now: datetime) -> tuple[Board, list[Choice], list[Choice]]:
    queues = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    teams = tx.execute(select(Team.id, Team.name).order_by(Team.name))
    return (
        read_board(tx, scope, zone=zone, now=now),
        [Choice(str(row.id), row.name) for row in queues],
        [Choice(str(row.id), row.name) for row in teams],
    )
