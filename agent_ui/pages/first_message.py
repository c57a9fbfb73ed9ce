"""Whom a new conversation would reach, and what may be said first: free text, or WhatsApp's templates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import shell
from agent_ui.pages.commands import choice_of
from agent_ui.pages.whatsapp import Offered, offered_of
from channels.carrying import takes_answers
from channels.sms import templates
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import windows
from tickets.customers.identities import BadAddress, normalise
from tickets.models import ChannelAccount, ContactPoint, Customer
from tickets.numbers import number_of
from tickets.opening import THREADED, Opening, open_, open_thread
from tickets.replies import Author, first_account
from tickets.states import Channel, ContactKind

FIELDS = ("channel", "to", "name", "queue", "subject", "text", "template")
KINDS = {
    Channel.EMAIL: ContactKind.EMAIL,
    Channel.SMS: ContactKind.PHONE,
    Channel.WHATSAPP: ContactKind.PHONE,
    Channel.PHONE: ContactKind.PHONE,
}
SENT = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)
# What stands before the name of a template's place in the form.
PLACE = "v_"


@dataclass(frozen=True, slots=True)
class First:
    """The lower half of the dialog: who the address is, what stands in the way, and what may be said."""

    channel: str = ""
    bad: bool = False
    name: str = ""
    customer_id: int = 0
    suppressed: str = ""
    # The number of an open conversation with this address.
    running: int = 0
    free_until: datetime | None = None
    answers: bool = True
    offered: Offered | None = None


async def given_of(request: Request) -> dict[str, str]:
    """The fields of the form, with what is typed into the places of a template."""
    form = await request.form()
    typed = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    places = {name: value for name, value in typed.items() if name.startswith(PLACE)}
    return {**{name: typed.get(name, "") for name in FIELDS}, **places}


async def show(request: Request) -> Response:
    """The part of the dialog that depends on channel, recipient and queue."""
    given = await given_of(request)
    locale = await locale_of(request)
    first = await services(request).db.read(read, given, locale, now=utcnow())
    return await shell.fragment(request, "parts/first_message.html", first=first, v=given)


def kind_of(channel: Channel, address: str) -> ContactKind:
    """What sort of address somebody typed for a channel; what is written down only may be either."""
    return KINDS.get(channel) or (ContactKind.EMAIL if "@" in address else ContactKind.PHONE)


def read(tx: Connection, given: Mapping[str, str], locale: str, *, now: datetime) -> First:
    """What the form means now; at most seven statements."""
    try:
        channel = Channel(given.get("channel", ""))
    except ValueError:
        return First()
    first, person = First(channel=channel.value), None
    if given.get("to"):
        try:
            value = normalise(kind_of(channel, given["to"]), given["to"])
        except BadAddress:
            return replace(first, bad=True)
        person = _person(tx, kind_of(channel, given["to"]), value)
        if person is not None:
            suppressed = person.suppressed_reason if channel in SENT else ""
            first = replace(first, name=person.name, customer_id=person.customer_id, suppressed=suppressed or "")
    queue = given.get("queue", "")
    account_id = first_account(tx, channel, int(queue)) if channel in SENT and queue.isdecimal() else None
    if account_id is None:
        return first
    if person is not None and channel in THREADED:
        running = open_thread(tx, account_id, person.value)
        first = replace(first, running=number_of(running) if running else 0)
    if channel is Channel.SMS:
        account = tx.execute(
            select(ChannelAccount.address, ChannelAccount.settings).where(ChannelAccount.id == account_id)
        ).one()
        return replace(first, answers=takes_answers(channel, account.address, account.settings))
    if channel is Channel.WHATSAPP:
        return _by_whatsapp(tx, first, account_id, person, given, locale, now=now)
    return first


def _by_whatsapp(
    tx: Connection,
    first: First,
    account_id: int,
    person: Row[int, int, str, str | None, str, str | None] | None,
    given: Mapping[str, str],
    locale: str,
    *,
    now: datetime,
) -> First:
    until = windows.open_until(tx, account_id, [person.id], now=now).get(person.id) if person else None
    if until is not None:
        return replace(first, free_until=until)
    spoken = (person.locale if person else None) or locale
    template = given.get("template", "")
    return replace(first, offered=offered_of(tx, account_id, spoken, int(template) if template.isdecimal() else 0))


def _person(tx: Connection, kind: ContactKind, value: str) -> Row[int, int, str, str | None, str, str | None] | None:
    return tx.execute(
        select(
            ContactPoint.id,
            ContactPoint.customer_id,
            ContactPoint.value,
            ContactPoint.suppressed_reason,
            Customer.name,
            Customer.locale,
        )
        .join(Customer, Customer.id == ContactPoint.customer_id)
        .where(ContactPoint.kind == kind.value, ContactPoint.value == value)
    ).first()


def open_with(tx: Connection, opening: Opening, given: Mapping[str, str], *, author: Author, now: datetime) -> int:
    """Open the conversation with its text, or with the chosen template of its account; returns the ticket's id."""
    if opening.channel is Channel.WHATSAPP and given.get("template"):
        account_id = first_account(tx, Channel.WHATSAPP, opening.queue_id)
        if account_id is None:
            raise Invalid("No {channel} account is set up to send from.", field="channel", channel="WhatsApp")
        values = {name.removeprefix(PLACE): value for name, value in given.items() if name.startswith(PLACE)}
        template_id: int = choice_of(int, given["template"], "template")
        text, meta = templates.filled(tx, account_id, template_id, values)
        opening = replace(opening, text=text, meta=meta)
    return open_(tx, opening, author=author, now=now)
