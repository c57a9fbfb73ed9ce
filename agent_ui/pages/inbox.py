"""The inbox: the list of a view and its further pages."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent_ui import own, rows, shell
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.i18n import words
from contact_center.core.services import services
from tickets.queries import Order, Page, View


async def inbox(request: Request) -> Response:
    """The list without an open conversation."""
    values = await list_values(request)
    state = await own.state(request)
    return await shell.page(request, "inbox.html", here="inbox", own=state, ticket=None, **values)


async def more_rows(request: Request) -> Response:
    """The next page of a view, for the end of the list."""
    return await shell.fragment(request, "parts/more_rows.html", **await list_values(request))


async def list_values(request: Request) -> dict[str, Any]:
    """What the list pane shows, by the query string of the request (view, sort, after)."""
    person = await person_of(request)
    asked = request.query_params
    view, order = rows.chosen(asked.get("view", ""), asked.get("sort", ""))
    now = utcnow()
    read = partial(rows.read, view=view, order=order, user_id=person.id, now=now, cursor=asked.get("after"))
    page, numbers = await services(request).db.read(read)
    held = rows.shown(view, page, now)
    return list_context(await locale_of(request), view, order, page, held, numbers, person.id)


def list_context(
    locale: str, view: View, order: Order, page: Page, held: tuple[Any, ...], numbers: dict[str, int], user_id: int
) -> dict[str, Any]:
    """The values of the list's templates; the first page and the live update share them."""
    more = f"/inbox/rows?view={view.value}&sort={order.value}&after={page.cursor}" if page.cursor else ""
    return {
        "rows": held,
        "next_page": more,
        "view": view.value,
        "sort": order.value,
        "sorts": words(locale, rows.SORTS),
        "views": rows.views(words(locale, rows.VIEWS), numbers),
        "list_topic": topic_of(view, order, user_id),
        "open_number": 0,
    }


def topic_of(view: View, order: Order, user_id: int) -> str:
    """The bus address of a list: one for all readers, but for one's own views."""
    shared = f"list:{view.value}:{order.value}"
    return f"{shared}:{user_id}" if view in rows.OWN_VIEWS else shared
