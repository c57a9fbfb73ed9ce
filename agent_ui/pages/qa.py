"""Quality: its addresses, its front page with what needs attention, and the list of complaints."""

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages import qa_complaints, qa_evaluations, qa_scorecards
from agent_ui.pages.qa_words import customer_name, words_of
from agent_ui.shell import page
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import locale_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from contact_center.reports.definitions import wilson
from tickets.numbers import number_of
from tickets.quality import reads
from tickets.quality.complaint_stages import Stage

EVALUATE = Permission.EVALUATE
COMPLAINTS = Permission.MANAGE_COMPLAINTS


def routes() -> list[Route]:
    """/qa and everything below it; agents read the evaluations of their own work."""
    complaint, evaluation = "/qa/complaints/{complaint_id:int}", "/qa/evaluations/{evaluation_id:int}"
    return [
        Route("/qa", signed_in(index, COMPLAINTS)),
        Route(complaint, signed_in(qa_complaints.show, COMPLAINTS)),
        Route(complaint, signed_in(qa_complaints.save, COMPLAINTS), methods=["POST"]),
        Route(f"{complaint}/move", signed_in(qa_complaints.move, COMPLAINTS), methods=["POST"]),
        Route("/qa/evaluations", signed_in(qa_evaluations.index)),
        Route("/qa/evaluations", signed_in(qa_evaluations.start, EVALUATE), methods=["POST"]),
        Route("/qa/candidates", signed_in(qa_evaluations.candidates, EVALUATE)),
        Route(evaluation, signed_in(qa_evaluations.show)),
        Route(evaluation, signed_in(qa_evaluations.save, EVALUATE), methods=["POST"]),
        Route("/qa/scorecards", signed_in(qa_scorecards.index, EVALUATE)),
        Route("/qa/scorecards/new", signed_in(qa_scorecards.new, EVALUATE), methods=["GET", "POST"]),
        Route("/qa/scorecards/{scorecard_id:int}", signed_in(qa_scorecards.edit, EVALUATE), methods=["GET", "POST"]),
        Route(
            "/qa/scorecards/{scorecard_id:int}/active", signed_in(qa_scorecards.set_active, EVALUATE), methods=["POST"]
        ),
    ]


async def index(request: Request) -> Response:
    """The figures, and the complaints of a stage (`?stage=`) or of the reader (`?mine=1`)."""
    asked = request.query_params
    stage = asked.get("stage", "open")
    stage = stage if stage in {known.value for known in Stage} else "open"
    owner_id = request.state.person.id if asked.get("mine") else None
    loaded = await services(request).db.read(_load, stage, owner_id)
    return await page(
        request,
        "qa/complaints.html",
        here="qa",
        tab="complaints",
        stage=stage,
        mine=owner_id is not None,
        stages=[known.value for known in Stage],
        number_of=number_of,
        customer_name=customer_name,
        now=utcnow(),
        words=words_of(await locale_of(request)),
        **loaded,
    )


def _load(tx: Connection, stage: str, owner_id: int | None) -> dict[str, Any]:
    figures = reads.figures(tx, now=utcnow())
    return {
        "figures": figures,
        "csat": wilson(figures.satisfied, figures.answers),
        "counts": reads.stage_counts(tx),
        "rows": reads.complaints(tx, stage=stage, owner_id=owner_id),
    }
