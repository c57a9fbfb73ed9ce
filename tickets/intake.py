"""Intake: one inbound message in, one journal row, one timeline entry and its events out, in one transaction.

On PostgreSQL a message on a channel with threads (chat, SMS, calls) of a known contact takes one statement
(`intake_postgres`); first contacts, reopened matters, mail and SQLite take the same steps one by one.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, insert, select, update
from sqlalchemy import text as sql

from contact_center.core.events import emit
from contact_center.core.text import first_line
from contact_center.core.upsert import insert_for
from tickets import inbox, matching
from tickets.customers import contacts
from tickets.inbound import InboundMessage, Receipt
from tickets.intake_postgres import append_in_one
from tickets.matching import Action, Match
from tickets.models import OPEN_THREAD, ChannelAccount, ExternalReference, Message, Ticket
from tickets.states import AuthorKind, Channel, Status
from tickets.timeline import PREVIEW_LENGTH, Appended, Entry, add_files, announce, message_values, topics_of

# What a person's message does to the status: waiting tickets open again, everything else stays.
STATUS_AFTER_INBOUND = case(
    (Ticket.status.in_([Status.PENDING.value, Status.SNOOZED.value, Status.RESOLVED.value]), Status.OPEN.value),
    else_=Ticket.status,
)


def receive(tx: Connection, inbound: InboundMessage, *, now: datetime) -> Receipt:
    """Take an inbound message; a repeated external id gives the receipt of the first (outcome `duplicate`)."""
    if tx.dialect.name == "postgresql" and inbound.thread_key is not None and inbound.journal_id is None:
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
    created = match is None or match.action is Action.FOLLOW_UP
    if match is None or match.action is Action.FOLLOW_UP:
        ticket_id = _open(tx, inbound, contact, follows_up=match, now=now)
        created = ticket_id is not None
        # Lost the race for an open thread: somebody opened it between our look and our insert.
        match = match if created else matching.find(tx, inbound, contact, now=now)
    if not created:
        assert match is not None
        ticket_id = match.ticket_id
    assert ticket_id is not None
    entry = _entry(inbound, contact.contact_point_id, journal_id, match)
    appended = _append(tx, ticket_id, inbound, entry, created=created, now=now)
    if created:
        announce_opened(tx, appended, inbound.channel, now=now, automated=inbound.automated)
    elif match is not None and match.action is Action.REOPEN and not inbound.automated:
        announce_reopened(tx, appended, now=now)
    return Receipt(
        "accepted",
        ticket_id,
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


def _open(
    tx: Connection, inbound: InboundMessage, contact: contacts.Contact, *, follows_up: Match | None, now: datetime
) -> int | None:
    """Insert a ticket; None when its thread is open already."""
    queue_id = inbound.queue_id or queue_of(tx, inbound.account_id)
    values = {
        "subject": inbound.ticket_subject(),
        "status": Status.NEW.value,
        "channel": inbound.channel.value,
        "channel_account_id": inbound.account_id,
        "thread_key": inbound.thread_key,
        "queue_id": queue_id,
        "customer_id": contact.customer_id,
        "contact_point_id": contact.contact_point_id,
        "locale": inbound.locale,
        "created_at": now,
        "updated_at": now,
        "follows_up_id": follows_up.ticket_id if follows_up else None,
        "waiting_since": None,
    }
    statement = insert_for(tx, Ticket).values(**values)
    if inbound.thread_key is not None:
        statement = statement.on_conflict_do_nothing(
            index_elements=["channel_account_id", "thread_key"], index_where=sql(OPEN_THREAD)
        )
    return tx.execute(statement.returning(Ticket.id)).scalar_one_or_none()


def _append(
    tx: Connection, ticket_id: int, inbound: InboundMessage, entry: Entry, *, created: bool, now: datetime
) -> Appended:
    ticket = tx.execute(
        update(Ticket)
        .where(Ticket.id == ticket_id)
        .values(**_changes(inbound, created=created, now=now))
        .returning(
            Ticket.seq,
            Ticket.public_seq,
            Ticket.queue_id,
            Ticket.assignee_id,
            Ticket.customer_id,
            Ticket.thread_key,
        )
    ).one()
    values = message_values(ticket_id, entry, seq=ticket.seq, public_seq=ticket.public_seq, now=now)
    message_id = tx.execute(insert(Message).returning(Message.id), values).scalar_one()
    add_files(tx, message_id, entry.attachments)
    if inbound.own_reference:
        add_reference(tx, inbound.own_reference, ticket_id, message_id)
    appended = Appended(
        message_id,
        ticket_id,
        ticket.seq,
        ticket.public_seq,
        ticket.queue_id,
        ticket.assignee_id,
        ticket.customer_id,
        ticket.thread_key,
    )
    local = {**values, "id": message_id, "attachments": entry.attachments}
    announce(tx, appended, entry.kind, entry.channel, now=now, local=local)
    return appended


def _changes(inbound: InboundMessage, *, created: bool, now: datetime) -> dict[str, Any]:
    """What an inbound message changes on its ticket. Automated mail wakes nobody."""
    changes: dict[str, Any] = {
        "seq": Ticket.seq + 1,
        "public_seq": Ticket.public_seq + 1,
        "updated_at": now,
        "last_inbound_at": now,
    }
    if inbound.automated and not created:
        return changes
    if not inbound.automated:
        changes["waiting_since"] = func.coalesce(Ticket.waiting_since, now)
        changes["preview"] = first_line(inbound.text, PREVIEW_LENGTH)
    if not created:
        changes |= {
            "status": STATUS_AFTER_INBOUND,
            "snoozed_until": None,
            "reopened": Ticket.reopened + case((Ticket.status == Status.RESOLVED.value, 1), else_=0),
            "resolved_at": None,
            "resolved_by_id": None,
        }
    return changes


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


def queue_of(tx: Connection, account_id: int) -> int:
    """The queue that an account's new tickets go to."""
    return tx.execute(select(ChannelAccount.queue_id).where(ChannelAccount.id == account_id)).scalar_one()


def add_reference(tx: Connection, reference: str, ticket_id: int, message_id: int) -> None:
    """Remember an external reference (a Message-ID), so that replies to it find the ticket."""
    tx.execute(insert(ExternalReference), {"reference": reference, "ticket_id": ticket_id, "message_id": message_id})


def announce_opened(
    tx: Connection,
    appended: Appended,
    channel: Channel,
    *,
    now: datetime,
    automated: bool = False,
    by_user_id: int | None = None,
) -> None:
    """The event `ticket.created`, by an inbound message or by a person here."""
    emit(
        tx,
        "ticket.created",
        {
            "ticket_id": appended.ticket_id,
            "queue_id": appended.queue_id,
            "channel": channel.value,
            "customer_id": appended.customer_id,
            "automated": automated,
            "by_user_id": by_user_id,
        },
        now=now,
        topics=topics_of(appended.ticket_id, queue_id=appended.queue_id),
    )


def announce_reopened(tx: Connection, appended: Appended, *, now: datetime) -> None:
    """The event `ticket.reopened`, by a message of the customer."""
    emit(
        tx,
        "ticket.reopened",
        {"ticket_id": appended.ticket_id, "queue_id": appended.queue_id, "by_user_id": None},
        now=now,
        topics=topics_of(appended.ticket_id, queue_id=appended.queue_id, assignee_id=appended.assignee_id),
    )
