"""A conversation that a person here begins: first mail, SMS, WhatsApp message, call or visit."""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.pages import first_message
from agent_ui.pages.commands import choice_of, text
from agent_ui.pages.first_message import FIELDS, SENT, First
from agent_ui.pages.inbox import list_values
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.i18n import explain
from contact_center.core.services import services
from tickets.customers.identities import BadAddress, normalise
from tickets.inbound import Address
from tickets.models import ChannelAccount, Queue
from tickets.numbers import number_of
from tickets.opening import AlreadyOpen, Opening
from tickets.replies import Author
from tickets.states import Channel

DESK = Channel.DESK.value


@dataclass(frozen=True, slots=True)
class Form:
    """What the dialog shows again after a refusal; `running` is the number of a conversation that is open already."""

    channels: list[Choice]
    queues: list[Choice]
    error: str = ""
    running: int = 0


async def show(request: Request) -> Response:
    """The dialog over the inbox; `to` and `name` may come from a customer's page."""
    given = {name: request.query_params.get(name, "") for name in FIELDS}
    return await _page(request, given)


async def create(request: Request) -> Response:
    """Open the conversation and go there."""
    person = await person_of(request)
    given = await first_message.given_of(request)
    author = Author(person.id, await text(request, "client_id") or None)
    try:
        opening = opening_of(given)
        opened = first_message.open_with
        ticket_id = await services(request).db.write(opened, opening, given, author=author, now=utcnow())
    except DomainError as error:
        return await _page(request, given, error=error)
    return RedirectResponse(f"/tickets/{number_of(ticket_id)}", 303)


def opening_of(given: dict[str, str]) -> Opening:
    """The form as an opening; mail, SMS and WhatsApp messages are sent, a call or a visit is written down."""
    channel: Channel = choice_of(Channel, given.get("channel", ""), "channel")
    kind = first_message.kind_of(channel, given.get("to", ""))
    try:
        address = Address(kind, normalise(kind, given.get("to", "")), given.get("name", ""))
    except BadAddress:
        raise Invalid("This is not an address that {channel} can use.", field="to", channel=channel.value) from None
    return Opening(
        subject=given.get("subject", ""),
        queue_id=choice_of(int, given.get("queue", ""), "queue"),
        channel=channel,
        to=address,
        text=given.get("text", ""),
        outbound=channel in SENT,
    )


async def _page(request: Request, given: dict[str, str], *, error: DomainError | None = None) -> Response:
    locale = await locale_of(request)
    _ = translate(locale)
    names = {
        "email": _("E-mail"),
        "sms": _("SMS"),
        "whatsapp": _("WhatsApp"),
        "phone": _("Phone call"),
        DESK: _("Visit or letter"),
    }
    set_up, queues = await services(request).db.read(_choices)
    channels = [Choice(key, name) for key, name in names.items() if key in set_up or key in ("phone", DESK)]
    # What a browser shows as chosen where nothing is.
    chosen = {"channel": channels[0].value, "queue": queues[0].value if queues else ""}
    given = {**given, **{name: given.get(name) or value for name, value in chosen.items()}}
    first: First = await services(request).db.read(first_message.read, given, locale, now=utcnow())
    said = explain(locale, error) if error else ""
    running = number_of(error.ticket_id) if isinstance(error, AlreadyOpen) else 0
    return await shell.page(
        request,
        "new_conversation.html",
        here="inbox",
        status=error.status if error else 200,
        ticket=None,
        compose=Form(channels, queues, said, running),
        first=first,
        v=given,
        client_id=secrets.token_urlsafe(9),
        **await list_values(request),
    )


def _choices(tx: Connection) -> tuple[set[str], list[Choice]]:
    channels = set(tx.execute(select(ChannelAccount.channel).where(ChannelAccount.enabled)).scalars())
    rows = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    return channels, [Choice(str(row.id), row.name) for row in rows]
