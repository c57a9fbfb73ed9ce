"""The customer's side of a survey: a page behind an unguessable link, answered once."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import LOCALES, explain, words
from contact_center.core.services import services
from knowledge_base.help_center import language, page
from tickets.models import Ticket
from tickets.numbers import number_of
from tickets.quality import surveys


def routes() -> list[Route]:
    """The page, and its form."""
    return [
        Route("/survey/{token}", show, methods=["GET"]),
        Route("/survey/{token}", answer, methods=["POST"]),
    ]


async def show(request: Request) -> Response:
    """The question; or thanks, once it was answered. Looking never answers: mail scanners follow links too."""
    survey, subject = await services(request).db.read(_survey, request.path_params["token"])
    chosen = request.query_params.get("rating", "")
    return await _page(request, survey, subject, rating=int(chosen) if chosen in {"1", "2", "3", "4", "5"} else 0)


async def answer(request: Request) -> Response:
    """Take the answer; the same form sent twice is one answer."""
    token = request.path_params["token"]
    form = await request.form()
    given = str(form.get("rating", ""))
    comment = str(form.get("comment", ""))
    rating = int(given) if given in {"1", "2", "3", "4", "5"} else 0
    db = services(request).db
    try:
        complain = form.get("complain") is not None
        await db.write(surveys.answer, token, rating, comment=comment, complain=complain, now=utcnow())
    except Invalid as error:
        survey, subject = await db.read(_survey, token)
        wrong = explain(await _locale(request, survey), error)
        return await _page(request, survey, subject, status=422, comment=comment, wrong=wrong)
    return RedirectResponse(f"/survey/{token}", 303)


def _survey(tx: Connection, token: str) -> tuple[Any, str]:
    survey = surveys.by_token(tx, token, now=utcnow())
    subject = tx.execute(select(Ticket.subject).where(Ticket.id == survey.ticket_id)).scalar_one()
    return survey, subject


async def _locale(request: Request, survey: Any) -> str:
    """The language of the conversation, unless the customer chooses another."""
    return await language(request) if request.query_params.get("lang") in LOCALES else str(survey.locale)


async def _page(
    request: Request,
    survey: Any,
    subject: str,
    *,
    status: int = 200,
    rating: int = 0,
    comment: str = "",
    wrong: str = "",
) -> Response:
    locale = await _locale(request, survey)
    return await page(
        request,
        "help/survey.html",
        status=status,
        locale=locale,
        words={value: words(locale, {"": text})[""] for value, text in surveys.RATINGS.items()},
        number=number_of(survey.ticket_id),
        subject=subject,
        answered=survey.rating,
        rating=rating,
        comment=comment,
        wrong=wrong,
    )
