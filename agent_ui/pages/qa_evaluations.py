"""Evaluations: the list, what could be evaluated, and the form whose score the server computes at every answer."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui.forms import Form, read_form
from agent_ui.pages.qa_words import words_of
from agent_ui.shell import fragment, page
from contact_center.accounts.permissions import Permission, may, require
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, NotFound
from contact_center.core.services import services
from contact_center.reports.definitions import wilson
from tickets.numbers import number_of
from tickets.quality import evaluations, reads, scorecard_versions
from tickets.quality.evaluations import EvaluationState, Unfinished
from tickets.quality.scorecards import NOT_APPLICABLE, missing, score_answers, verdict

CANDIDATES_WITHIN = timedelta(days=14)


async def index(request: Request) -> Response:
    """All finished evaluations and one's own drafts; agents see what was said of their own work."""
    person = request.state.person
    evaluates = may(person.role, Permission.EVALUATE)
    agent_id = None if evaluates else person.id
    rows, figures = await services(request).db.read(_list, person.id, agent_id)
    return await page(
        request,
        "qa/evaluations.html" if evaluates else "qa/my_evaluations.html",
        here="qa",
        tab="evaluations",
        rows=rows,
        figures=figures,
        csat=wilson(figures.satisfied, figures.answers),
        number_of=number_of,
        words=words_of(await locale_of(request)),
    )


def _list(tx: Connection, viewer_id: int, agent_id: int | None) -> tuple[list[Any], reads.Figures]:
    return reads.evaluations(tx, viewer_id=viewer_id, agent_id=agent_id), reads.figures(tx, now=utcnow())


async def candidates(request: Request) -> Response:
    """Assignments that nobody has looked at yet, those with trouble first."""
    loaded = await services(request).db.read(_candidates, request.state.person.id)
    return await page(
        request,
        "qa/candidates.html",
        here="qa",
        tab="candidates",
        days=CANDIDATES_WITHIN.days,
        number_of=number_of,
        **loaded,
    )


def _candidates(tx: Connection, viewer_id: int) -> dict[str, Any]:
    figures = reads.figures(tx, now=utcnow())
    return {
        "rows": reads.candidates(tx, viewer_id=viewer_id, since=utcnow() - CANDIDATES_WITHIN),
        "cards": [card for card in reads.scorecards(tx) if card.active],
        "figures": figures,
        "csat": wilson(figures.satisfied, figures.answers),
    }


async def start(request: Request) -> Response:
    """Begin an evaluation, or go on with the one that was begun."""
    form = await read_form(request)
    assignment_id = form.reference("assignment_id", required=True) or 0
    scorecard_id = form.reference("scorecard_id", required=True) or 0
    evaluator_id = request.state.person.id
    evaluation_id = await services(request).db.write(
        evaluations.start, assignment_id, scorecard_id, evaluator_id=evaluator_id, now=utcnow()
    )
    return RedirectResponse(f"/qa/evaluations/{evaluation_id}", 303)


async def show(request: Request) -> Response:
    """The form, or the finished evaluation."""
    return await _page(request)


async def save(request: Request) -> Response:
    """Keep the answers; htmx gets the new score, `do=finish` closes the form."""
    evaluation_id = request.path_params["evaluation_id"]
    form = await read_form(request)
    db, evaluator_id = services(request).db, request.state.person.id
    answers = {name.removeprefix("a."): value for name, value in form.values.items() if name.startswith("a.")}
    comments = {name.removeprefix("c."): value for name, value in form.values.items() if name.startswith("c.")}
    await db.write(
        evaluations.save,
        evaluation_id,
        answers=answers,
        comments=comments,
        comment=form.values.get("comment", ""),
        evaluator_id=evaluator_id,
        now=utcnow(),
    )
    if "hx-request" in request.headers:
        loaded = await db.read(load, evaluation_id, request.state.person)
        return await fragment(request, "qa/score.html", words=words_of(form.locale), **loaded)
    if form.values.get("do") == "finish":
        try:
            await db.write(evaluations.finish, evaluation_id, evaluator_id=evaluator_id, now=utcnow())
        except Unfinished as error:
            form.refuse(error)
            return await _page(request, form, status=422)
        return RedirectResponse("/qa/evaluations", 303)
    return RedirectResponse(f"/qa/evaluations/{evaluation_id}", 303)


def load(tx: Connection, evaluation_id: int, person: Person) -> dict[str, Any]:
    """The evaluation with its answers and score; for its evaluator, and once it is finished for the agent too."""
    row = reads.evaluation(tx, evaluation_id)
    if row is None:
        raise NotFound("There is no such evaluation.")
    finished = row.state == EvaluationState.FINISHED.value
    if row.agent_id == person.id:
        if not finished:
            raise Forbidden("This evaluation is not finished yet.")
    else:
        require(person.role, Permission.EVALUATE)
    version = scorecard_versions.version(tx, row.scorecard_version_id)
    answers, comments = evaluations.answers_of(tx, evaluation_id)
    score = score_answers(version.definition, answers)
    return {
        "evaluation": row,
        "card": version,
        "answers": answers,
        "comments": comments,
        "score": score,
        "verdict": verdict(version.definition, score),
        "open_questions": len(missing(version.definition, answers)),
        "editable": not finished and row.evaluator_id == person.id,
        "messages": reads.conversation(tx, row.ticket_id),
    }


async def _page(request: Request, form: Form | None = None, *, status: int = 200) -> Response:
    loaded = await services(request).db.read(load, request.path_params["evaluation_id"], request.state.person)
    return await page(
        request,
        "qa/evaluation.html",
        here="qa",
        status=status,
        form=form,
        na=NOT_APPLICABLE,
        number=number_of(loaded["evaluation"].ticket_id),
        words=words_of(await locale_of(request)),
        **loaded,
    )
