"""Macros in a conversation: the list with what each would do here, and the click that runs one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import automation_words, conversation, entries, shell
from agent_ui.automation_words import Names, Told, told
from agent_ui.pages.commands import text, ticket_id
from agent_ui.pages.ticket import head_values, translate
from agent_ui.views import Ticket as TicketView
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.automations import doing, macros, placeholders
from contact_center.automations.doing import By
from contact_center.automations.macros import Listed
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from contact_center.core.text import fold
from tickets import identity_checks


@dataclass(frozen=True, slots=True)
class Offered:
    """A macro in the menu: what it does in this conversation, and why it cannot run, if so. `find`: folded words."""

    macro: Listed
    does: Sequence[Told]
    find: str
    blocked: bool
    missing: str
    # The client id of the next click.
    click: str


async def offer(request: Request) -> Response:
    """The list, loaded when the dialog opens."""
    person, _ = await person_of(request), translate(await locale_of(request))
    found = await services(request).db.read(_read, ticket_id(request), person, _, now=utcnow())
    return await shell.fragment(request, "parts/macros.html", number=request.path_params["number"], macros=found)


def _read(tx: Connection, ticket: int, person: Person, _: entries.Gettext, *, now: datetime) -> list[Offered]:
    usable = macros.of(tx, person.id)
    known = automation_words.names(tx) if usable else {}
    texts = doing.values_of(tx, ticket, person.name) if usable else {}
    proven = any(one.requires_identity for one in usable) and identity_checks.stands(tx, ticket, now)
    return [_offered(one, known, texts, proven, _) for one in usable]


def _offered(one: Listed, known: Names, texts: Mapping[str, str], proven: bool, _: entries.Gettext) -> Offered:
    does = [told(act, known, _) for act in one.actions]
    does = [replace(line, text=placeholders.fill(line.text, texts)) if line.text else line for line in does]
    missing = next((place for line in does if (place := placeholders.unfilled(line.text))), "")
    return Offered(
        one, does, fold(f"{one.name} {one.whose}"), one.requires_identity and not proven, missing, token_urlsafe(9)
    )


async def run(request: Request) -> Response:
    """Run a macro once per click; answers with what is new on the screen and the text for the composer."""
    person, locale = await person_of(request), await locale_of(request)
    ticket, client_id = ticket_id(request), await text(request, "client_id")
    if not client_id:
        raise Invalid("This is not one of the choices.", field="client_id")
    by = By(person.id, person.name, may(person.role, Permission.ASSIGN_OTHERS), client_id)
    held, now = services(request), utcnow()
    macro_id = request.path_params["macro_id"]
    ran = await held.db.write(macros.run, ticket, macro_id, by=by, role=person.role, now=now)
    after = ran.after_seq if ran else 0
    raw, view = await held.db.read(_after, ticket, after if ran else None, now=now)
    shown = entries.as_entries(raw, translate(locale)) if raw is not None else []
    head = held.templates.render(locale, "parts/ticket_head.html", **head_values(view))
    parts = [
        {"to": "timeline", "how": "append", "html": held.templates.render(locale, "parts/entry.html", entry=entry)}
        for entry in shown
        if entry.seq > after
    ]
    parts.append({"to": "thead", "how": "fill", "html": head})
    return JSONResponse({"parts": parts, "draft": ran.draft if ran else ""})


def _after(tx: Connection, ticket: int, seq: int | None, *, now: datetime) -> tuple[entries.Raw | None, TicketView]:
    raw = entries.after(tx, ticket, seq) if seq is not None else None
    return raw, conversation.head(tx, ticket, now=now)[0]
