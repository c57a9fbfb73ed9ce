"""WhatsApp in a conversation: how long free text may be sent, and the templates for the time after."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import conversation, shell
from agent_ui.pages.commands import choice_of, run, text, ticket_id
from agent_ui.pages.settings import undo_of
from agent_ui.pages.ticket import head, translate
from agent_ui.pages.writing import via_of
from agent_ui.views import Choice, Via
from channels.sms import templates
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import lifecycle, replies
from tickets.replies import Author
from tickets.states import Channel


@dataclass(frozen=True, slots=True)
class Offered:
    """The templates to choose from, and the chosen one: its words, and place -> example."""

    choices: list[Choice]
    template_id: int = 0
    body: str = ""
    places: tuple[tuple[str, str], ...] = ()


async def windows_of(request: Request) -> Response:
    """The lines that say how long, for every number of the customer."""
    vias = await services(request).db.read(vias_of, ticket_id(request))
    return await shell.fragment(request, "parts/windows.html", vias=vias)


def vias_of(tx: Connection, ticket: int) -> tuple[Via, ...]:
    """The ways to answer now."""
    now = utcnow()
    _, row = conversation.head(tx, ticket, now=now)
    points, held = conversation.contact_points(tx, row.customer_id), conversation.accounts(tx)
    return conversation.vias(row, points, held, conversation.free_until(tx, row, points, held, now=now))


async def offer(request: Request) -> Response:
    """The inside of the dialog: which template, its places, and how it will read."""
    chosen = request.query_params.get("template", "")
    offered = await services(request).db.read(_offered, ticket_id(request), int(chosen) if chosen.isdecimal() else 0)
    return await shell.fragment(
        request,
        "parts/templates.html",
        offered=offered,
        number=request.path_params["number"],
        client_id=secrets.token_urlsafe(9),
    )


def _offered(tx: Connection, ticket: int, chosen: int) -> Offered:
    _, row = conversation.head(tx, ticket, now=utcnow())
    sender = conversation.senders(row, conversation.accounts(tx)).get(Channel.WHATSAPP.value)
    return offered_of(tx, sender.id, row.customer_locale or row.locale or "", chosen) if sender else Offered([])


def offered_of(tx: Connection, account_id: int, locale: str, chosen: int) -> Offered:
    """The approved templates of an account, those in the customer's language first; `chosen` is open, or the first."""
    found = templates.usable(tx, account_id, locale)
    if not found:
        return Offered([])
    choices = [Choice(str(one.id), one.name, one.language) for one in found]
    shown = next((one for one in found if one.id == chosen), found[0])
    return Offered(choices, shown.id, shown.body, tuple(shown.variables.items()))


async def send(request: Request) -> Response:
    """Send a template with its values."""
    person, form = await person_of(request), await request.form()
    template_id: int = choice_of(int, await text(request, "template"), "template")
    channel, point = via_of(await text(request, "via"))
    if channel is not Channel.WHATSAPP or point is None:
        raise Invalid("Choose WhatsApp as the way to answer.", field="via")
    values = {name[2:]: str(value) for name, value in form.items() if name.startswith("v_")}
    author = Author(person.id, await text(request, "client_id") or None)
    await run(request, _send, template_id, values, point, author=author, undo=undo_of(person))
    _ = translate(await locale_of(request))
    return await head(request, say=_("Template sent"))


def _send(
    tx: Connection,
    ticket: int,
    template_id: int,
    values: Mapping[str, str],
    point: int,
    *,
    author: Author,
    undo: timedelta,
    now: datetime,
) -> None:
    row = lifecycle.access(tx, ticket, lock=True)
    sender = conversation.senders(row, conversation.accounts(tx)).get(Channel.WHATSAPP.value)
    if sender is None:
        raise Invalid("No {channel} account is set up to send from.", field="via", channel=Channel.WHATSAPP.value)
    answer = templates.answer_of(tx, sender.id, template_id, values, contact_point_id=point)
    replies.reply(tx, ticket, replace(answer, undo=undo), author=author, now=now)
