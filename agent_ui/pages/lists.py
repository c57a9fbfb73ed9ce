"""Filters for the list, and saved views: made from filters, renamed, shared, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from agent_ui import rows, shell
from agent_ui.forms import read_form
from agent_ui.pages.inbox import listing_of
from agent_ui.pages.ticket import translate
from agent_ui.rows import Listing
from agent_ui.sentences import KINDS, PRIORITIES, STATUSES
from agent_ui.views import Choice
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import words
from contact_center.core.services import services
from tickets import saved_views
from tickets.filters import filters_of as built_in
from tickets.models import Queue
from tickets.saved_views import ME, filters_data
from tickets.states import Channel

# Field of the form -> part of the filters.
LISTS = {"status": "statuses", "channel": "channels", "priority": "priorities", "kind": "kinds", "queue": "queue_ids"}
NOBODY = "nobody"


def routes() -> list[Route]:
    """The dialog, what it leads to, and the page of saved views."""
    see = Permission.VIEW_TICKETS
    one = "/views/{view_id:int}"
    return [
        Route("/inbox/filters", signed_in(dialog, see), methods=["GET"]),
        Route("/inbox/filtered", signed_in(filtered, see), methods=["GET"]),
        Route("/views", signed_in(show, see), methods=["GET"]),
        Route("/views", signed_in(save, see), methods=["POST"]),
        Route(f"{one}/rename", signed_in(rename, see), methods=["POST"]),
        Route(f"{one}/share", signed_in(share, see), methods=["POST"]),
        Route(f"{one}/delete", signed_in(remove, see), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """One filter of the dialog with its choices; `chosen` are the values that are set."""

    name: str
    label: str
    choices: Sequence[Choice]
    chosen: frozenset[str]


def filters_of(form: FormData | QueryParams) -> dict[str, Any]:
    """The filters of the posted dialog in their stored form; Invalid for what no list understands."""
    found: dict[str, Any] = {}
    for field, part in LISTS.items():
        values = [value for value in form.getlist(field) if isinstance(value, str) and value]
        if values:
            found[part] = [int(value) if value.isdecimal() else value for value in values]
    who = str(form.get("who", ""))
    if who == NOBODY:
        found["unassigned"] = True
    elif who:
        found["assignee_id"] = ME if who == ME else _number(who)
    if str(form.get("tag", "")).strip():
        found["tag"] = str(form["tag"]).strip().lower()[:50]
    if form.get("late"):
        found["late"] = True
    saved_views.filters_from(found, 0)
    return found


def _number(raw: str) -> int:
    if not raw.isdecimal() or len(raw) > 18:
        raise Invalid("This is not one of the choices.", field="who")
    return int(raw)


async def filtered(request: Request) -> Response:
    """From the dialog to the list that it describes; without any filter to all conversations."""
    found = filters_of(request.query_params)
    sort = rows.chosen("", request.query_params.get("sort", "")).order.value
    return RedirectResponse(f"/inbox?view={rows.key_of(found) if found else 'all'}&sort={sort}", 303)


async def dialog(request: Request) -> Response:
    """The dialog's content, set to what the list shows now; loaded when it opens."""
    person, locale = await person_of(request), await locale_of(request)
    listing = listing_of(request)
    values, queues, people = await services(request).db.read(_read, listing, person.id)
    return await shell.fragment(
        request,
        "parts/filters.html",
        groups=_groups(values, queues, locale),
        who=NOBODY if values.get("unassigned") else str(values.get("assignee_id", "")),
        people=people,
        tag=values.get("tag", ""),
        late=bool(values.get("late")),
        sort=listing.order.value,
        may_share=may(person.role, Permission.ASSIGN_OTHERS),
    )


def _read(tx: Connection, listing: Listing, user_id: int) -> tuple[Mapping[str, Any], list[Choice], list[Choice]]:
    """The list's filters in their stored form, the queues and the people who own tickets."""
    values: Mapping[str, Any] = listing.filters
    if listing.view is not None:
        values = filters_data(built_in(listing.view, user_id))
    elif listing.saved_id is not None:
        values = filters_data(saved_views.find(tx, listing.saved_id, user_id).filters)
    if values.get("assignee_id") == user_id:
        values = {**values, "assignee_id": ME}
    queues = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    people = tx.execute(
        select(User.id, User.name).where(User.active, User.role.in_(("agent", "supervisor"))).order_by(User.name)
    )
    return (
        values,
        [Choice(str(row.id), row.name) for row in queues],
        [Choice(str(row.id), row.name) for row in people],
    )


def _groups(values: Mapping[str, Any], queues: list[Choice], locale: str) -> list[Group]:
    _ = translate(locale)
    channels = {
        "email": _("E-mail"),
        "chat": _("Chat"),
        "sms": _("SMS"),
        "whatsapp": _("WhatsApp"),
        "phone": _("Phone"),
        "messaging": _("Messaging app"),
        "desk": _("Visit or letter"),
    }

    def choices(names: Mapping[str, str]) -> list[Choice]:
        return [Choice(key, name) for key, name in names.items()]

    parts = (
        ("status", _("Status"), choices(words(locale, STATUSES))),
        ("channel", _("Channel"), [one for one in choices(channels) if one.value in set(Channel)]),
        ("priority", _("Priority"), choices(words(locale, PRIORITIES))),
        ("kind", _("Kind"), choices(words(locale, KINDS))),
        ("queue", _("Queue"), queues),
    )
    return [
        Group(name, label, options, frozenset(str(value) for value in values.get(LISTS[name], ())))
        for name, label, options in parts
    ]


async def show(request: Request) -> Response:
    """The saved views that the person sees, to change them."""
    return await _page(request)


async def _page(request: Request, *, error: str = "", about: int = 0, status: int = 200) -> Response:
    person = await person_of(request)
    found = await services(request).db.read(saved_views.views_for, person.id, now=utcnow())
    return await shell.page(
        request,
        "views.html",
        here="inbox",
        status=status,
        saved=found,
        may_share=may(person.role, Permission.ASSIGN_OTHERS),
        error=error,
        about=about,
    )


async def save(request: Request) -> Response:
    """Keep the dialog's filters under a name, and go to the new view."""
    person = await person_of(request)
    posted, form = await request.form(), await read_form(request)
    shared = form.flag("shared") and may(person.role, Permission.ASSIGN_OTHERS)
    order = rows.chosen("", form.text("sort")).order
    view_id = await form.attempt(
        services(request).db.write(
            saved_views.save,
            form.text("name"),
            filters_of(posted),
            user_id=person.id,
            now=utcnow(),
            order=order,
            shared=shared,
        )
    )
    if view_id is None:
        return await _page(request, error=next(iter(form.errors.values())), status=422)
    return RedirectResponse(f"/inbox?view={rows.saved_key(view_id)}&sort={order.value}", 303)


async def rename(request: Request) -> Response:
    """Another name."""
    person, form = await person_of(request), await read_form(request)
    view_id = request.path_params["view_id"]
    await form.attempt(services(request).db.write(saved_views.rename, view_id, form.text("name"), **_rights(person)))
    if not form.ok:
        return await _page(request, error=next(iter(form.errors.values())), about=view_id, status=422)
    return RedirectResponse("/views", 303)


async def share(request: Request) -> Response:
    """For everybody, or for oneself again."""
    person, form = await person_of(request), await read_form(request)
    await services(request).db.write(
        saved_views.share, request.path_params["view_id"], form.flag("shared"), **_rights(person)
    )
    return RedirectResponse("/views", 303)


async def remove(request: Request) -> Response:
    """Forget a view; its conversations stay where they are."""
    person = await person_of(request)
    await services(request).db.write(saved_views.remove, request.path_params["view_id"], **_rights(person))
    return RedirectResponse("/views", 303)


def _rights(person: Person) -> dict[str, Any]:
    return {"user_id": person.id, "may_share": may(person.role, Permission.ASSIGN_OTHERS)}
