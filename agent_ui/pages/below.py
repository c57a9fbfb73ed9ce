"""What is sent below a reply by mail: shown in the composer before it leaves, and beside a queue's signature."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import conversation, shell
from agent_ui.pages.commands import ticket_id
from channels import history
from channels.email import quoting
from channels.email.signature import LONGEST, Signature, check, facts_of, signature_of
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.errors import Invalid
from contact_center.core.i18n import explain
from contact_center.core.services import services
from tickets import lifecycle
from tickets.models import ChannelAccount, Queue
from tickets.numbers import number_of
from tickets.states import Channel

# What the preview in the administration says where there is no ticket.
SAMPLE_NUMBER = 1234
SAMPLE_MAILBOX = "support@example.com"


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom a mail comes from."""

    mailbox: str
    company: str


async def composer(request: Request) -> Response:
    """What will stand below this person's reply in this conversation, to the address that is chosen."""
    person, point = await person_of(request), request.query_params.get("via", "").partition(":")[2]
    signature, quoted = await services(request).db.read(
        _of_ticket, ticket_id(request), person.name, int(point) if point.isdecimal() else None
    )
    return await shell.fragment(request, "parts/below.html", signature=signature, quoted=quoted)


async def preview(request: Request) -> Response:
    """A queue's signature as it is being written, for htmx."""
    person, form = await person_of(request), await request.form()
    template, queue = str(form.get("signature", ""))[:LONGEST], str(form.get("name", ""))
    sender = await services(request).db.read(_any_sender, request.query_params.get("queue", ""))
    facts = facts_of(
        agent=person.name, queue=queue, company=sender.company, mailbox=sender.mailbox, number=SAMPLE_NUMBER
    )
    try:
        signature, error = signature_of(check(template), facts), ""
    except Invalid as refused:
        signature, error = Signature("", ""), explain(await locale_of(request), refused)
    return await shell.fragment(request, "admin/signature.html", signature=signature, error=error)


def _of_ticket(tx: Connection, ticket: int, agent: str, point: int | None) -> tuple[Signature, str]:
    """The signature, and the quoted history as HTML."""
    row = lifecycle.access(tx, ticket)
    queue = tx.execute(select(Queue.name, Queue.signature, Queue.locale).where(Queue.id == row.queue_id)).one()
    sender = conversation.senders(row, conversation.accounts(tx)).get(Channel.EMAIL.value)
    if sender is None:
        return Signature("", ""), ""
    wanted = history.Wanted(ticket, row.seq + 1, point or row.contact_point_id, history.how(sender.settings))
    quoted = quoting.as_html(history.earlier(tx, {ticket: wanted}).get(ticket, ()), row.locale or queue.locale)
    company = str(sender.settings.get("sender_name") or sender.name)
    facts = facts_of(agent=agent, queue=queue.name, company=company, mailbox=sender.address, number=number_of(ticket))
    return signature_of(queue.signature, facts), quoted


def _any_sender(tx: Connection, queue: str) -> Sender:
    """A mailbox of the queue, else any."""
    own = ChannelAccount.queue_id == (int(queue) if queue.isdecimal() else 0)
    row = tx.execute(
        select(ChannelAccount.address, ChannelAccount.name, ChannelAccount.settings)
        .where(ChannelAccount.channel == Channel.EMAIL.value)
        .order_by(own.desc(), ChannelAccount.id)
        .limit(1)
    ).first()
    if row is None:
        return Sender(SAMPLE_MAILBOX, "")
    return Sender(row.address, str(row.settings.get("sender_name") or row.name))
