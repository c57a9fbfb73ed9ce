"""Many conversations of a list at once: what is selected, what is to be changed, and what came of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_ui import rows, shell
from agent_ui.forms import Form, read_form
from agent_ui.pages.desk import targets_of
from agent_ui.pages.inbox import listing_of
from agent_ui.views import Choice
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.i18n import explain
from contact_center.core.services import services
from routing import bulk
from routing.bulk import AT_ONCE, MOST, Preview, Wish
from tickets.numbers import id_of, number_of
from tickets.states import Priority, Status

SPAM, NO_SPAM = "spam", "no_spam"


def routes() -> list[Route]:
    """Only those who handle work select."""
    return [
        Route("/inbox/numbers", signed_in(numbers, Permission.HANDLE), methods=["GET"]),
        Route("/inbox/bulk/look", signed_in(look, Permission.HANDLE), methods=["POST"]),
        Route("/inbox/bulk", signed_in(change, Permission.HANDLE), methods=["POST"]),
    ]


async def numbers(request: Request) -> Response:
    """The numbers of a whole view in its order; `more`: it holds more than one selection may."""
    person, listing = await person_of(request), listing_of(request)
    page = await services(request).db.read(rows.page, listing, user_id=person.id, now=utcnow(), limit=MOST)
    return JSONResponse({"numbers": [row.number for row in page.rows], "more": page.cursor is not None})


async def look(request: Request) -> Response:
    """The dialog's content: what is selected, and what can be changed about it."""
    person, ids = await person_of(request), _ids(await read_form(request), MOST)
    preview, queues, people = await services(request).db.read(_read, ids, person.id)
    return await shell.fragment(
        request,
        "parts/bulk.html",
        preview=preview,
        more=preview.total - len(preview.named),
        queues=queues,
        people=[one for one in people if one.value != str(person.id)],
        me=person.id,
        statuses=[status.value for status in bulk.STATUSES],
    )


def _read(tx: Connection, ids: Sequence[int], user_id: int) -> tuple[Preview, list[Choice], list[Choice]]:
    queues, people = targets_of(tx)
    return bulk.look(tx, ids, user_id), queues, people


async def change(request: Request) -> Response:
    """Change the next few of a selection, each by itself; says how many are done and which are not, and why."""
    person, locale, form = await person_of(request), await locale_of(request), await read_form(request)
    ids, wish = _ids(form, AT_ONCE), _wish(form)
    db = services(request).db
    await db.read(bulk.check, wish)
    rights = {"user_id": person.id, "force": may(person.role, Permission.ASSIGN_OTHERS)}
    why: dict[int, str] = {}
    for ticket_id in ids:
        try:
            await db.write(bulk.change, ticket_id, wish, now=utcnow(), **rights)
        except DomainError as error:
            why[ticket_id] = explain(locale, error)
    named = await db.read(bulk.names, list(why)) if why else {}
    refused = [_refusal(ticket_id, named.get(ticket_id), reason) for ticket_id, reason in why.items()]
    return JSONResponse({"done": len(ids) - len(why), "refused": refused})


def _refusal(ticket_id: int, named: bulk.Named | None, why: str) -> dict[str, Any]:
    number = number_of(ticket_id)
    return {"number": number, "customer": named.customer if named else "", "why": why}


def _ids(form: Form, most: int) -> list[int]:
    found = list(dict.fromkeys(id_of(number) for number in form.references("number")))
    if not found:
        raise Invalid("Select a conversation first.", field="number")
    if len(found) > most:
        raise Invalid("At most {most} conversations at once.", field="number", most=most)
    return found


def _wish(form: Form) -> Wish:
    """The posted changes; an empty field leaves things as they are."""
    status, priority, target = form.text("status"), form.text("priority"), form.text("queue").removeprefix("queue:")
    assignee = form.reference("assignee")
    try:
        wish = Wish(
            assignee_id=assignee,
            queue_id=int(target) if target else None,
            status=Status(status) if status and status not in (SPAM, NO_SPAM) else None,
            priority=Priority(priority) if priority else None,
            tag=form.text("tag", longest=50),
            spam={SPAM: True, NO_SPAM: False}.get(status),
        )
    except ValueError:
        raise Invalid("This is not one of the choices.") from None
    if not form.ok:
        raise Invalid("This is not one of the choices.", field=next(iter(form.errors)))
    return wish
