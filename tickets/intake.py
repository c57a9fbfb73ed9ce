"""Intake: one inbound message in, one journal row, one timeline entry and its events out, in one transaction.

On PostgreSQL a message on a channel with threads (chat, SMS, calls) of a known contact takes one statement
(`intake_postgres`); first contacts, reopened matters, mail and SQLite take the same steps one by one.
"""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Row, bindparam, case, func, insert, select, update
from sqlalchemy import text as sql

from contact_center.core.db import in_one
from contact_center.core.events import Announcement, emit_all
from contact_center.core.schema import UtcDateTime
from contact_center.core.text import gist
from contact_center.core.upsert import insert_of
from tickets import blocks, identity_codes, inbox, languages, matching, newsletters
from tickets.customers import contacts
from tickets.inbound import Greeting, InboundMessage, Receipt
from tickets.intake_postgres import append_in_one
from tickets.matching import Action, Match
from tickets.models import OPEN_THREAD, ChannelAccount, ExternalReference, Ticket
from tickets.sensitive import masking
from tickets.states import APART_STATUSES, AuthorKind, Channel, Delivery, JournalState, MessageKind, Status
from tickets.timeline import (
    INSERT_MESSAGE,
    PREVIEW_LENGTH,
    Appended,
    Entry,
    add_files,
    announcement,
    message_values,
    topics_of,
)


def receive_in_one(
    tx: Connection, inbound: InboundMessage, *, now: datetime, ticket_id: int | None = None
) -> Receipt | None:
    """`receive` as a single statement, if this message can be taken so; else None, and nothing is written.

    `ticket_id`: only if the message goes into this ticket.
    """
    if inbound.thread_key is None or inbound.journal_id is not None or inbound.attachments or inbound.greeting:
        return None
    if masking.suspected(inbound) or identity_codes.suspected(inbound):
        return None
    if inbound.topic_id is not None and ticket_id is None:
        return None
    inbound = languages.heard(inbound) if ticket_id is None else inbound
    return append_in_one(tx, inbound, now=now, ticket_id=ticket_id, alone=True)


@in_one(receive_in_one)
def receive(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Receipt:
    """Take an inbound message; a repeated external id gives the receipt of the first (outcome `duplicate`).

    Card numbers, ids and codes are masked here, before anything is written: no channel can forget it. A code that
    proves who the customer is counts here too, after its message.
    """
    block = blocks.find(tx, inbound, now=now)
    if block is not None:
        return _refuse(tx, inbound, block, now=now)
    inbound = languages.heard(inbound)
    expected = identity_codes.awaited(tx, inbound)
    inbound, hidden = masking.hide(tx, inbound, awaiting_code=expected is not None)
    receipt = _receive(tx, inbound, now=now)
    if receipt.message_id is not None and receipt.outcome == JournalState.ACCEPTED.value:
        masking.keep(tx, receipt.message_id, hidden, now=now)
    if expected is not None:
        identity_codes.answered(tx, expected, receipt, automated=inbound.automated, now=now)
    return receipt


def _refuse(tx: Connection, inbound: InboundMessage, block: Row[int, str, str], *, now: datetime) -> Receipt:
    """A blocked sender's message stays in the journal, from where a person can release it."""
    if not inbox.refuse(tx, inbound, f"{blocks.REASON}{blocks.label(block.scope, block.value)}", now=now):
        return duplicate(tx, inbound)
    blocks.count(tx, block.id, now=now)
    return Receipt(JournalState.SUPPRESSED.value, None, None)


def _receive(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Receipt:
    plain = inbound.thread_key is not None and inbound.journal_id is None
    plain = plain and inbound.greeting is None and inbound.topic_id is None
    if tx.dialect.name == "postgresql" and plain:
        receipt = append_in_one(tx, inbound, now=now)
        if receipt is not None:
            return receipt
    return _receive_step_by_step(tx, inbound, now=now)


def _receive_step_by_step(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Receipt:
    journal_id = inbox.store_accepted(tx, inbound, now=now)
    if journal_id is None:
        return duplicate(tx, inbound)
    contact = contacts.find_or_create(tx, inbound.sender, now=now, locale=inbound.locale)
    match = matching.find(tx, inbound, contact, now=now)
    ticket: Any = None
    if match is None or match.action is Action.FOLLOW_UP:
        ticket = _open(tx, inbound, contact, follows_up=match, now=now)
        # Lost the race for an open thread: somebody opened it between our look and our insert.
        match = match if ticket is not None else matching.find(tx, inbound, contact, now=now)
    created = ticket is not None
    if ticket is None:
        assert match is not None
        step = {"ticket": match.ticket_id, "now": now}
        line = gist(inbound.text, PREVIEW_LENGTH)
        ticket = tx.execute(*((_COUNT, step) if inbound.automated else (_WAKE, {**step, "line": line}))).one()
    reopened = not created and match is not None and match.action is Action.REOPEN and not inbound.automated
    entry = _entry(inbound, contact.contact_point_id, journal_id, match)
    appended = _append(tx, ticket, inbound, entry, created=created, reopened=reopened, now=now)
    if created and match is None and inbound.newsletter:
        newsletters.keep_apart(tx, appended.ticket_id, inbound.newsletter, contact.contact_point_id, now=now)
    return Receipt(
        "accepted",
        appended.ticket_id,
        appended.message_id,
        appended.seq,
        appended.public_seq,
        match.evidence.value if match else None,
        created,
    )


def duplicate(tx: Connection, inbound: InboundMessage) -> Receipt:
    """The receipt of an item that was taken before."""
    known = inbox.message_of(tx, inbound.account_id, inbound.external_id)
    if known is None:
        return Receipt("duplicate", None, None)
    return Receipt("duplicate", known.ticket_id, known.id, known.seq, known.public_seq)


_TICKET = (
    Ticket.id,
    Ticket.seq,
    Ticket.public_seq,
    Ticket.queue_id,
    Ticket.assignee_id,
    Ticket.customer_id,
    Ticket.thread_key,
)
_NOW = bindparam("now", type_=UtcDateTime())
_APART = sorted(status.value for status in APART_STATUSES)
# What a message that nobody wrote (an auto-reply) changes on its ticket: it wakes nobody.
_COUNT = (
    update(Ticket)
    .where(Ticket.id == bindparam("ticket"))
    .values(seq=Ticket.seq + 1, public_seq=Ticket.public_seq + 1, updated_at=_NOW, last_inbound_at=_NOW)
    .returning(*_TICKET)
)
_WAKE = _COUNT.values(
    # Nobody waits for an answer to what is kept apart.
    waiting_since=case((Ticket.status.not_in(_APART), func.coalesce(Ticket.waiting_since, _NOW))),
    preview=bindparam("line"),
    # Waiting tickets open again, everything else stays.
    status=case(
        (Ticket.status.in_([Status.PENDING.value, Status.SNOOZED.value, Status.RESOLVED.value]), Status.OPEN.value),
        else_=Ticket.status,
    ),
    snoozed_until=None,
    reopened=Ticket.reopened + case((Ticket.status == Status.RESOLVED.value, 1), else_=0),
    resolved_at=None,
    resolved_by_id=None,
)


@cache
def _insert_ticket(dialect: str) -> Executable:
    """Insert a ticket unless its thread is open."""
    once = insert_of(dialect, Ticket).on_conflict_do_nothing(
        index_elements=["channel_account_id", "thread_key"], index_where=sql(OPEN_THREAD)
    )
    return once.returning(*_TICKET)


def _open(
    tx: Connection, inbound: InboundMessage, contact: contacts.Contact, *, follows_up: Match | None, now: datetime
) -> Row[Any] | None:
    """Insert a ticket with its first message (and its greeting) counted; None when its thread is open already."""
    entries = 1 if inbound.greeting is None else 2
    values = {
        "subject": inbound.ticket_subject(),
        "status": Status.NEW.value,
        "channel": inbound.channel.value,
        "channel_account_id": inbound.account_id,
        "thread_key": inbound.thread_key,
        "queue_id": inbound.queue_id or queue_of(tx, inbound.account_id),
        "topic_id": inbound.topic_id,
        "customer_id": contact.customer_id,
        "contact_point_id": contact.contact_point_id,
        "locale": inbound.locale,
        "locale_share": inbound.locale_share,
        "seq": entries,
        "public_seq": entries,
        "preview": "" if inbound.automated else gist(inbound.text, PREVIEW_LENGTH),
        "waiting_since": None if inbound.automated else now,
        "last_inbound_at": now,
        "created_at": now,
        "updated_at": now,
        "follows_up_id": follows_up.ticket_id if follows_up else None,
    }
    return tx.execute(_insert_ticket(tx.dialect.name), values).first()


def _append(
    tx: Connection,
    ticket: Row[Any],
    inbound: InboundMessage,
    entry: Entry,
    *,
    created: bool,
    reopened: bool,
    now: datetime,
) -> Appended:
    channel = inbound.channel.value
    greeted = _greet(tx, ticket, inbound, inbound.greeting, now=now) if created and inbound.greeting else []
    numbers = {"seq": ticket.seq, "public_seq": ticket.public_seq}
    values = message_values(ticket.id, entry, channel=channel, **numbers, now=now)
    message_id = tx.execute(INSERT_MESSAGE, values).scalar_one()
    add_files(tx, message_id, entry.attachments)
    if inbound.own_reference:
        add_reference(tx, inbound.own_reference, ticket.id, message_id)
    appended = Appended(
        message_id,
        ticket.id,
        ticket.seq,
        ticket.public_seq,
        ticket.queue_id,
        ticket.assignee_id,
        ticket.customer_id,
        ticket.thread_key,
        channel,
    )
    local = {**values, "id": message_id, "attachments": entry.attachments}
    happened = [announcement(appended, kind=entry.kind, automatic=entry.automatic, moves=True, local=local)]
    if created:
        happened[:0] = [opened(appended, inbound.channel, automated=inbound.automated), *greeted]
    elif reopened:
        happened.append(_reopened(appended))
    emit_all(tx, happened, now=now)
    return appended


def _greet(
    tx: Connection, ticket: Row[Any], inbound: InboundMessage, greeting: Greeting, *, now: datetime
) -> list[Announcement]:
    """Insert what we had said before the customer wrote, under the number before theirs."""
    entry = Entry(
        kind=MessageKind.OUTBOUND,
        author_kind=AuthorKind.SYSTEM,
        text=greeting.text,
        public=True,
        channel_account_id=inbound.account_id,
        automatic=True,
        delivery=Delivery.READ.value,
        meta=greeting.meta,
    )
    channel = inbound.channel.value
    numbers = {"seq": ticket.seq - 1, "public_seq": ticket.public_seq - 1}
    values = message_values(ticket.id, entry, channel=channel, **numbers, now=now)
    message_id = tx.execute(INSERT_MESSAGE, values).scalar_one()
    appended = Appended(
        message_id,
        ticket.id,
        ticket.seq - 1,
        ticket.public_seq - 1,
        ticket.queue_id,
        ticket.assignee_id,
        ticket.customer_id,
        ticket.thread_key,
        channel,
    )
    local = {**values, "id": message_id, "attachments": ()}
    return [announcement(appended, kind=entry.kind, automatic=True, moves=False, local=local)]


def _entry(inbound: InboundMessage, contact_point_id: int, journal_id: int | None, match: Match | None) -> Entry:
    return Entry(
        kind=inbound.kind,
        channel=inbound.channel.value,
        author_kind=AuthorKind.CUSTOMER,
        text=inbound.text,
        public=True,
        subject=inbound.message_subject(),
        quoted=inbound.quoted,
        html=inbound.html,
        channel_account_id=inbound.account_id,
        contact_point_id=contact_point_id,
        external_id=inbound.external_id,
        journal_id=journal_id,
        matched_by=match.evidence.value if match else None,
        automatic=inbound.automated,
        attachments=inbound.attachments,
        meta=inbound.meta,
    )


_QUEUE_OF = select(ChannelAccount.queue_id).where(ChannelAccount.id == bindparam("account"))
_INSERT_REFERENCE = insert(ExternalReference)


def queue_of(tx: Connection, account_id: int) -> int:
    """The queue that an account's new tickets go to."""
    queue_id: int = tx.execute(_QUEUE_OF, {"account": account_id}).scalar_one()
    return queue_id


def add_reference(tx: Connection, reference: str, ticket_id: int, message_id: int) -> None:
    """Remember an external reference (a Message-ID), so that replies to it find the ticket."""
    tx.execute(_INSERT_REFERENCE, {"reference": reference, "ticket_id": ticket_id, "message_id": message_id})


def opened(
    appended: Appended, channel: Channel, *, automated: bool = False, by_user_id: int | None = None
) -> Announcement:
    """The event `ticket.created`, by an inbound message or by a person here."""
    return Announcement(
        "ticket.created",
        {
            "ticket_id": appended.ticket_id,
            "queue_id": appended.queue_id,
            "channel": channel.value,
            "customer_id": appended.customer_id,
            "automated": automated,
            "by_user_id": by_user_id,
        },
        topics_of(appended.ticket_id, queue_id=appended.queue_id),
    )


def _reopened(appended: Appended) -> Announcement:
    """The event `ticket.reopened`, by a message of the customer."""
    return Announcement(
        "ticket.reopened",
        {"ticket_id": appended.ticket_id, "queue_id": appended.queue_id, "by_user_id": None},
        topics_of(appended.ticket_id, queue_id=appended.queue_id, assignee_id=appended.assignee_id),
    )
