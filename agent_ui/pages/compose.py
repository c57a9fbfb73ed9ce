"""A conversation that a person here begins: first mail, SMS, call or visit."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.pages.commands import choice_of, text
from agent_ui.pages.inbox import list_values
from agent_ui.pages.ticket import translate
from agent_ui.views import Choice
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.i18n import explain
from contact_center.core.services import services
from tickets import replies
from tickets.customers.identities import BadAddress, normalise
from tickets.inbound import Address
from tickets.models import ChannelAccount, Queue
from tickets.numbers import number_of
from tickets.replies import Author, Opening
from tickets.states import Channel, ContactKind

DESK = Channel.DESK.value
KINDS = {Channel.EMAIL: ContactKind.EMAIL, Channel.SMS: ContactKind.PHONE, Channel.PHONE: ContactKind.PHONE}
FIELDS = ("channel", "to", "name", "queue", "subject", "text")


@dataclass(frozen=True, slots=True)
class Form:
    """What the dialog shows again after a refusal."""

    channels: list[Choice]
    queues: list[Choice]
    given: dict[str, str] = field(default_factory=dict)
    error: str = ""


async def show(request: Request) -> Response:
    """The dialog over the inbox; `to` and `name` may come from a customer's page."""
    given = {name: request.query_params.get(name, "") for name in FIELDS}
    return await _page(request, given)


async def create(request: Request) -> Response:
    """Open the conversation and go there."""
    person = await person_of(request)
    given = {name: await text(request, name) for name in FIELDS}
    author = Author(person.id, await text(request, "client_id") or None)
    try:
        opening = opening_of(given)
        ticket_id = await services(request).db.write(replies.open_, opening, author=author, now=utcnow())
    except DomainError as error:
        return await _page(request, given, error=explain(await locale_of(request), error), status=error.status)
    return RedirectResponse(f"/tickets/{number_of(ticket_id)}", 303)


def opening_of(given: dict[str, str]) -> Opening:
    """The form as an opening; mail and SMS are sent, a call or a visit is written down."""
    channel: Channel = choice_of(Channel, given["channel"], "channel")
    kind = KINDS.get(channel) or (ContactKind.EMAIL if "@" in given["to"] else ContactKind.PHONE)
    try:
        address = Address(kind, normalise(kind, given["to"]), given["name"])
    except BadAddress:
        raise Invalid("This is not an address that {channel} can use.", field="to", channel=channel.value) from None
    return Opening(
        subject=given["subject"],
        queue_id=choice_of(int, given["queue"], "queue"),
        channel=channel,
        to=address,
        text=given["text"],
        outbound=channel in (Channel.EMAIL, Channel.SMS),
    )


async def _page(request: Request, given: dict[str, str], *, error: str = "", status: int = 200) -> Response:
    locale = await locale_of(request)
    _ = translate(locale)
    names = {"email": _("E-mail"), "sms": _("SMS"), "phone": _("Phone call"), DESK: _("Visit or letter")}
    set_up, queues = await services(request).db.read(_choices)
    form = Form(
        [Choice(key, name) for key, name in names.items() if key in set_up or key in ("phone", DESK)],
        queues,
        given,
        error,
    )
    return await shell.page(
        request,
        "new_conversation.html",
        here="inbox",
        status=status,
        ticket=None,
        compose=form,
        **await list_values(request),
    )


def _choices(tx: Connection) -> tuple[set[str], list[Choice]]:
    channels = set(tx.execute(select(ChannelAccount.channel).where(ChannelAccount.enabled)).scalars())
    rows = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    return channels, [Choice(str(row.id), row.name) for row in rows]
