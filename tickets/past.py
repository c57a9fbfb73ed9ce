"""What customers wrote before we began: kept to be read and found, and nothing else.

A message of the past is a closed ticket of its own day. No event is emitted, so nothing reacts: no acknowledgement,
no routing, no service-level clock, no survey, no notification, no number in a report.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from contact_center.core.schema import UtcDateTime
from contact_center.core.text import gist
from tickets import inbox, intake, languages, search
from tickets.customers import contacts, last_contact
from tickets.inbound import InboundMessage, Receipt
from tickets.matching import Evidence, takes_part
from tickets.models import ExternalReference, Ticket
from tickets.states import AuthorKind, JournalState, Status
from tickets.timeline import INSERT_MESSAGE, PREVIEW_LENGTH, Entry, add_files, message_values

_AT = bindparam("at", type_=UtcDateTime())
_COLUMNS = (Ticket.id, Ticket.seq, Ticket.public_seq)
# Nobody works on it any more and it began earlier: a message of the past changes nothing that lives.
_CLOSED = select(ExternalReference.reference, Ticket.id).join(Ticket, Ticket.id == ExternalReference.ticket_id)
_CLOSED = _CLOSED.where(
    ExternalReference.reference.in_(bindparam("references", expanding=True)),
    Ticket.status == Status.CLOSED.value,
    Ticket.merged_into_id.is_(None),
    Ticket.created_at <= _AT,
)
_OPEN_CLOSED = insert(Ticket).returning(*_COLUMNS)
_COUNT = (
    update(Ticket)
    .where(Ticket.id == bindparam("ticket"))
    .values(
        seq=Ticket.seq + 1,
        public_seq=Ticket.public_seq + 1,
        preview=bindparam("line"),
        updated_at=_AT,
        last_inbound_at=_AT,
        closed_at=_AT,
    )
    .returning(*_COLUMNS)
)


def remember(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Receipt:
    """Take a message into the history, at the time at which it was sent (now, where it claims the future)."""
    inbound = languages.heard(inbound)
    journal_id = inbox.store_accepted(tx, inbound, now=now)
    if journal_id is None:
        return intake.duplicate(tx, inbound)
    at = min(inbound.sent_at or now, now)
    contact = contacts.find_or_create(tx, inbound.sender, now=now, locale=inbound.locale)
    joined = _home(tx, inbound, contact, at=at)
    ticket: Any
    if joined is None:
        ticket = tx.execute(_OPEN_CLOSED, _values(tx, inbound, contact, at=at)).one()
        search.index(tx, ticket.id)
    else:
        ticket = tx.execute(_COUNT, {"ticket": joined, "at": at, "line": gist(inbound.text, PREVIEW_LENGTH)}).one()
    entry = Entry(
        kind=inbound.kind,
        author_kind=AuthorKind.CUSTOMER,
        text=inbound.text,
        public=True,
        subject=inbound.message_subject(),
        quoted=inbound.quoted,
        html=inbound.html,
        channel_account_id=inbound.account_id,
        contact_point_id=contact.contact_point_id,
        external_id=inbound.external_id,
        journal_id=journal_id,
        matched_by=Evidence.REFERENCE.value if joined else None,
        automatic=inbound.automated,
        meta=inbound.meta,
    )
    values = message_values(
        ticket.id, entry, channel=inbound.channel.value, seq=ticket.seq, public_seq=ticket.public_seq, now=at
    )
    message_id = tx.execute(INSERT_MESSAGE, values).scalar_one()
    if not inbound.automated and not inbound.newsletter:
        last_contact.remember(tx, contact.customer_id, inbound.channel.value, at)
    add_files(tx, message_id, inbound.attachments)
    if inbound.own_reference:
        intake.add_reference(tx, inbound.own_reference, ticket.id, message_id)
    accepted = JournalState.ACCEPTED.value
    return Receipt(
        accepted, ticket.id, message_id, ticket.seq, ticket.public_seq, entry.matched_by, created=joined is None
    )


def _home(tx: Connection, inbound: InboundMessage, contact: contacts.Contact, *, at: datetime) -> int | None:
    """The closed ticket that an answer of the past belongs to, or None for one of its own."""
    if inbound.disowned or not inbound.references:
        return None
    rows = tx.execute(_CLOSED, {"references": inbound.references, "at": at}).all()
    known = {row.reference: int(row.id) for row in rows}
    found = (known[reference] for reference in inbound.references if reference in known)
    return next((ticket_id for ticket_id in found if takes_part(tx, ticket_id, contact)), None)


def _values(tx: Connection, inbound: InboundMessage, contact: contacts.Contact, *, at: datetime) -> dict[str, Any]:
    return {
        "subject": inbound.ticket_subject(),
        "status": Status.CLOSED.value,
        "channel": inbound.channel.value,
        "channel_account_id": inbound.account_id,
        "queue_id": inbound.queue_id or intake.queue_of(tx, inbound.account_id),
        "customer_id": contact.customer_id,
        "contact_point_id": contact.contact_point_id,
        "locale": inbound.locale,
        "locale_share": inbound.locale_share,
        "seq": 1,
        "public_seq": 1,
        "preview": gist(inbound.text, PREVIEW_LENGTH),
        "last_inbound_at": at,
        "created_at": at,
        "updated_at": at,
        "closed_at": at,
    }
