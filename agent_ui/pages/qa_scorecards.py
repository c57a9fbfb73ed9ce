"""Scorecards: the list, and a form for their sections and questions that works without scripts."""

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui.forms import Form, blank, read_form
from agent_ui.shell import page
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from contact_center.reports.definitions import wilson
from tickets.quality import reads, scorecard_versions
from tickets.quality.scorecards import Definition, Question

# The kinds of answers a question can have: (key, label, score, fails everything).
KINDS = {
    "yes_no": (mark("Yes, no"), [("yes", "Yes", "1", False), ("no", "No", "0", False)]),
    "partly": (
        mark("Yes, partly, no"),
        [("yes", "Yes", "1", False), ("partly", "Partly", "0.5", False), ("no", "No", "0", False)],
    ),
    "must": (
        mark("Must: no fails everything"),
        [("yes", "Yes", "1", False), ("no", "No: fails the evaluation", "0", True)],
    ),
    "scale": (
        mark("1 to 5"),
        [(f"s{n}", str(n), f"{(n - 1) / 4}", False) for n in range(1, 6)],
    ),
}
MOST_SECTIONS, MOST_QUESTIONS = 20, 40


async def index(request: Request) -> Response:
    """All scorecards."""
    rows, figures = await services(request).db.read(_list)
    return await page(
        request,
        "qa/scorecards.html",
        here="qa",
        tab="scorecards",
        rows=rows,
        figures=figures,
        csat=wilson(figures.satisfied, figures.answers),
    )


def _list(tx: Connection) -> tuple[list[Any], reads.Figures]:
    return reads.scorecards(tx), reads.figures(tx, now=utcnow())


async def new(request: Request) -> Response:
    """A new scorecard."""
    if request.method == "GET":
        draft = {"pass_mark": "80", "s0.title": "", "s0.weight": "100", "s0.q0.text": "", "s0.q0.weight": "1"}
        return await _form(request, blank(await locale_of(request), draft))
    form = await read_form(request)
    if not _grow(form):
        definition = await form.attempt(_parsed(form))
        if definition is not None:
            creating = services(request).db.write(
                scorecard_versions.create,
                form.values.get("name", ""),
                definition,
                description=form.values.get("description", ""),
                user_id=request.state.person.id,
                now=utcnow(),
            )
            await form.attempt(creating)
        if form.ok:
            return RedirectResponse("/qa/scorecards", 303)
    return await _form(request, form, status=200 if form.ok else 422)


async def edit(request: Request) -> Response:
    """Change the questions: finished evaluations keep the version they were made with."""
    scorecard_id = request.path_params["scorecard_id"]
    db = services(request).db
    version = await db.read(scorecard_versions.current, scorecard_id)
    if request.method == "GET":
        return await _form(request, blank(await locale_of(request), _values(version.definition)), version=version)
    form = await read_form(request)
    if not _grow(form):
        definition = await form.attempt(_parsed(form))
        if definition is not None:
            person_id = request.state.person.id
            await form.attempt(
                db.write(scorecard_versions.revise, scorecard_id, definition, user_id=person_id, now=utcnow())
            )
        if form.ok:
            return RedirectResponse("/qa/scorecards", 303)
    return await _form(request, form, version=version, status=200 if form.ok else 422)


async def set_active(request: Request) -> Response:
    """Offer it for new evaluations, or no longer."""
    form = await request.form()
    await services(request).db.write(
        scorecard_versions.set_active, request.path_params["scorecard_id"], form.get("active") == "1"
    )
    return RedirectResponse("/qa/scorecards", 303)


def _grow(form: Form) -> bool:
    """Add or remove a part, as the pressed button says; True if the form is to be shown again."""
    what, _, where = form.values.get("do", "").partition(":")
    if what == "add-section":
        place = _sections(form)
        form.values |= {f"s{place}.title": "", f"s{place}.weight": "10"}
        form.values |= {f"s{place}.q0.text": "", f"s{place}.q0.weight": "1", f"s{place}.q0.na": "1"}
    elif what == "add-question" and where.isdecimal():
        place = _questions(form, int(where))
        form.values |= {f"s{where}.q{place}.text": "", f"s{where}.q{place}.weight": "1", f"s{where}.q{place}.na": "1"}
    return what in ("add-section", "add-question")


def _sections(form: Form) -> int:
    return next(n for n in range(MOST_SECTIONS + 1) if f"s{n}.title" not in form.values)


def _questions(form: Form, section: int) -> int:
    return next(n for n in range(MOST_QUESTIONS + 1) if f"s{section}.q{n}.text" not in form.values)


async def _parsed(form: Form) -> Definition:
    """The definition behind the fields; empty questions and sections are left out."""
    sections = []
    for s in range(_sections(form)):
        questions = [
            _question(form, s, q) for q in range(_questions(form, s)) if form.text(f"s{s}.q{q}.text", longest=300)
        ]
        title = form.text(f"s{s}.title")
        if questions or title:
            weight = form.number(f"s{s}.weight", 1, 1000)
            sections.append({"key": f"s{s}", "title": title or "–", "weight": weight, "questions": questions})
    if not any(section["questions"] for section in sections):
        form.fail("", mark("Write at least one question."))
    return scorecard_versions.parse(
        {
            "sections": [section for section in sections if section["questions"]] or sections,
            "pass_mark": form.number("pass_mark", 0, 100),
        }
    )


def _question(form: Form, s: int, q: int) -> dict[str, Any]:
    name = f"s{s}.q{q}"
    kind = form.values.get(f"{name}.kind", "yes_no")
    answers = KINDS.get(kind, KINDS["yes_no"])[1]
    return {
        "key": form.values.get(f"{name}.key") or f"s{s}_q{q}",
        "text": form.text(f"{name}.text", longest=300),
        "help": form.text(f"{name}.help", longest=600),
        "weight": form.number(f"{name}.weight", 1, 1000, default=1),
        "allow_na": form.flag(f"{name}.na"),
        "options": [
            {"key": k, "label": label, "score": score, "auto_fail": fatal} for k, label, score, fatal in answers
        ],
    }


def _values(definition: Definition) -> dict[str, str]:
    """The fields of a definition."""
    values = {"pass_mark": f"{definition.pass_mark.normalize():f}"}
    for s, section in enumerate(definition.sections):
        values |= {f"s{s}.title": section.title, f"s{s}.weight": f"{section.weight.normalize():f}"}
        for q, question in enumerate(section.questions):
            name = f"s{s}.q{q}"
            values |= {
                f"{name}.key": question.key,
                f"{name}.text": question.text,
                f"{name}.help": question.help,
                f"{name}.weight": f"{question.weight.normalize():f}",
                f"{name}.kind": _kind(question),
            }
            if question.allow_na:
                values[f"{name}.na"] = "1"
    return values


def _kind(question: Question) -> str:
    keys = [option.key for option in question.options]
    fatal = any(option.auto_fail for option in question.options)
    return next(
        (
            kind
            for kind, (_, answers) in KINDS.items()
            if [answer[0] for answer in answers] == keys and any(answer[3] for answer in answers) == fatal
        ),
        "yes_no",
    )


async def _form(request: Request, form: Form, *, version: Any = None, status: int = 200) -> Response:
    return await page(
        request,
        "qa/scorecard.html",
        here="qa",
        status=status,
        form=form,
        version=version,
        sections=[(s, list(range(_questions(form, s)))) for s in range(_sections(form))],
        kinds=[Choice(key, gettext(form.locale, label)) for key, (label, _) in KINDS.items()],
    )
