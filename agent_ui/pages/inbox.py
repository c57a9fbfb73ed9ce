"""The inbox: the list of a view and its further pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import own, rows, shell
from agent_ui.rows import Listing
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError
from contact_center.core.i18n import words
from contact_center.core.services import services
from tickets import saved_views
from tickets.queries import Page
from tickets.saved_views import NamedView


@dataclass(frozen=True, slots=True)
class Pane:
    """What the list pane shows, as read in one transaction."""

    page: Page
    numbers: dict[str, int]
    saved: Sequence[NamedView]


async def inbox(request: Request) -> Response:
    """The list without an open conversation."""
    values = await list_values(request)
    state = await own.state(request)
    return await shell.page(request, "inbox.html", here="inbox", own=state, ticket=None, **values)


async def more_rows(request: Request) -> Response:
    """The next page of a view, for the end of the list."""
    person = await person_of(request)
    listing, now = listing_of(request), utcnow()
    page = await services(request).db.read(
        rows.page, listing, user_id=person.id, now=now, cursor=request.query_params.get("after")
    )
    return await shell.fragment(request, "parts/more_rows.html", **rows_context(listing, page, now))


def listing_of(request: Request) -> Listing:
    """The list that the query string names (view, sort)."""
    return rows.chosen(request.query_params.get("view", ""), request.query_params.get("sort", ""))


async def list_values(request: Request) -> dict[str, Any]:
    """What the list pane shows, by the query string of the request (view, sort, after)."""
    return await _values(request, listing_of(request))


async def values_beside(request: Request) -> dict[str, Any]:
    """The same beside a conversation, which is shown even if the list of its address is gone."""
    try:
        return await list_values(request)
    except DomainError:
        return await _values(request, rows.chosen("", ""))


async def _values(request: Request, listing: Listing) -> dict[str, Any]:
    person, locale, now = await person_of(request), await locale_of(request), utcnow()
    pane = await services(request).db.read(_pane, listing, person.id, now=now, cursor=request.query_params.get("after"))
    names = {rows.saved_key(view.id): view.name for view in pane.saved}
    return {
        **rows_context(listing, pane.page, now),
        "picks": may(person.role, Permission.HANDLE),
        "sorts": words(locale, rows.SORTS),
        "views": rows.views(words(locale, rows.VIEWS), pane.numbers),
        "saved": rows.saved(pane.saved),
        "list_name": names.get(listing.key, ""),
        "list_topic": listing.topic(person.id),
        "views_topic": f"views:{person.id}" if pane.saved else "",
    }


def _pane(tx: Connection, listing: Listing, user_id: int, *, now: datetime, cursor: str | None) -> Pane:
    page = rows.page(tx, listing, user_id=user_id, now=now, cursor=cursor)
    return Pane(page, rows.counts(tx, user_id=user_id, now=now), saved_views.views_for(tx, user_id, now=now))


def rows_context(listing: Listing, page: Page, now: datetime) -> dict[str, Any]:
    """The values of the rows' templates; the first page, further ones and the live update share them."""
    here = f"view={listing.key}&sort={listing.order.value}"
    return {
        "rows": rows.shown(page, now),
        "next_page": f"/inbox/rows?{here}&after={page.cursor}" if page.cursor else "",
        "view": listing.key,
        "sort": listing.order.value,
        "open_number": 0,
    }
