"""Writing macros: one's own, a team's, everybody's; on a page of its own and, for administrators, in their area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui import automation_words, shell
from agent_ui.automation_words import Names, Told, told
from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, done_text, go
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts.models import Team
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.automations import actions, macros, placeholders
from contact_center.automations.actions import FOR_MACROS, Action
from contact_center.automations.macros import ALL, Listed, Wanted
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid
from contact_center.core.services import services


def routes() -> list[Route]:
    """/macros and one macro; /admin/macros is the same under administration."""
    return [
        Route(f"{base}{path}", signed_in(endpoint, permission), methods=list(methods))
        for base, permission in (("/macros", Permission.VIEW_TICKETS), ("/admin/macros", Permission.ADMINISTER))
        for path, endpoint, methods in (
            ("", index, ("GET",)),
            ("/new", edit, ("GET", "POST")),
            ("/{macro_id:int}", edit, ("GET", "POST")),
            ("/{macro_id:int}/delete", remove, ("POST",)),
        )
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """A macro in the list: with what it does in words, and whether the reader may change it."""

    macro: Listed
    does: Sequence[Told]
    mine: bool


async def index(request: Request) -> Response:
    """What one may use, with what it does and how often it was used."""
    person = await person_of(request)
    _ = translate(await locale_of(request))
    found, known = await services(request).db.read(_read, person)
    lines = [
        Line(one, [told(act, known, _) for act in one.actions], macros.may_write(one.scope, person.id, person.role))
        for one in found
    ]
    return await _page(request, "macros.html", lines=lines, may_add=_may_add(person))


def _read(tx: Connection, person: Person) -> tuple[Sequence[Listed], Names]:
    return macros.of(tx, person.id, person.role), automation_words.names(tx)


def _may_add(person: Person) -> bool:
    return may(person.role, Permission.HANDLE) or may(person.role, Permission.SHARE_MACROS)


async def edit(request: Request) -> Response:
    """A new macro, or one that exists."""
    person, db = await person_of(request), services(request).db
    macro_id = request.path_params.get("macro_id")
    if not _may_add(person):
        raise Forbidden("Your role ({role}) does not allow this. Ask an administrator.", role=person.role.value)
    kept = await db.read(macros.access, macro_id, person.id, person.role) if macro_id is not None else None
    if request.method == "GET":
        return await _show(request, kept, blank(await locale_of(request), stored(kept, person)), _rows(kept))
    form = await read_form(request)
    rows = posted_actions(form)
    wanted = read_wanted(form, rows)
    if wanted is not None:
        rights: dict[str, Any] = {"user_id": person.id, "role": person.role, "now": utcnow()}
        doing = (
            db.write(macros.create, wanted, **rights)
            if macro_id is None
            else db.write(macros.change, macro_id, wanted, **rights)
        )
        await form.attempt(doing, name="name")
    if form.ok:
        return go(_base(request), "saved" if macro_id else "created")
    return await _show(request, kept, form, rows)


async def remove(request: Request) -> Response:
    """Delete a macro."""
    person = await person_of(request)
    await services(request).db.write(
        macros.remove, request.path_params["macro_id"], user_id=person.id, role=person.role, now=utcnow()
    )
    return go(_base(request), "removed")


def stored(kept: Listed | None, person: Person) -> dict[str, str]:
    """A macro as the values of its form; a new one belongs to who writes it, if they can use it."""
    if kept is None:
        own = may(person.role, Permission.HANDLE)
        return {"scope": f"user:{person.id}" if own else ALL}
    return {"name": kept.name, "scope": kept.scope, "requires_identity": "1" if kept.requires_identity else ""}


def _rows(kept: Listed | None) -> list[dict[str, str]]:
    return actions.write(kept.actions) if kept else [{"do": actions.Do.DRAFT.value, "value": ""}]


def posted_actions(form: Form) -> list[dict[str, str]]:
    """The rows of the posted form, as they were typed."""
    pairs = zip(form.several("a_do"), form.several("a_value"), strict=False)
    return [{"do": kind, "value": value.replace("\r\n", "\n")} for kind, value in pairs]


def read_actions(form: Form, rows: list[dict[str, str]], allowed: Sequence[actions.Do]) -> tuple[Action, ...]:
    """The same, checked; what is wrong becomes a mistake of the form."""
    try:
        return actions.read(rows, allowed=allowed)
    except Invalid as error:
        form.refuse(error, "actions")
        return ()


def read_wanted(form: Form, rows: list[dict[str, str]]) -> Wanted | None:
    """The macro that was posted; None if something is wrong with it."""
    name = " ".join(form.text("name", required=True, longest=macros.LONGEST_NAME).split())
    kind, _, number = form.text("scope").partition(":")
    if not (kind == ALL and not number) and not (kind in ("team", "user") and number.isdecimal()):
        form.one_of("scope", [])
    does = read_actions(form, rows, FOR_MACROS)
    return Wanted(name, form.text("scope"), does, form.flag("requires_identity")) if form.ok else None


def _choices(tx: Connection, person: Person, locale: str) -> tuple[list[Choice], Mapping[str, list[Choice]]]:
    """Whose a macro can be, and the values of its actions."""
    _ = translate(locale)
    scopes = [Choice(f"user:{person.id}", _("Only for me"))] if may(person.role, Permission.HANDLE) else []
    if may(person.role, Permission.SHARE_MACROS):
        teams = tx.execute(select(Team.id, Team.name).order_by(Team.name))
        scopes += [Choice(ALL, _("For everybody"))]
        scopes += [Choice(f"team:{row.id}", _("For the team %(name)s", name=row.name)) for row in teams]
    return scopes, automation_words.choices(tx, FOR_MACROS, _)


async def _show(request: Request, kept: Listed | None, form: Form, rows: list[dict[str, str]]) -> Response:
    person, locale = await person_of(request), await locale_of(request)
    _ = translate(locale)
    scopes, values = await services(request).db.read(_choices, person, locale)
    writes = kept is None or macros.may_write(kept.scope, person.id, person.role)
    return await _page(
        request,
        "macro.html",
        status=200 if form.ok else 422,
        macro=kept,
        form=form,
        writes=writes,
        rows=rows,
        scopes=scopes,
        kinds=[Choice(kind.value, _(word)) for kind, word in automation_words.DOES.items()],
        values=values,
        placeholders=placeholders.NAMES,
    )


def _base(request: Request) -> str:
    return "/admin/macros" if request.url.path.startswith("/admin") else "/macros"


async def _page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    values["base"] = _base(request)
    if request.url.path.startswith("/admin"):
        return await admin_page(request, template, "macros", status=status, **values)
    said = done_text(request, await locale_of(request))
    return await shell.page(
        request, f"admin/{template}", here="inbox", status=status, sections=[], section="", done=said, **values
    )
