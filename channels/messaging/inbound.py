"""What a messaging app told: a person's message into their conversation, a report onto the message of ours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from channels import receipts
from channels.messaging.app import Reported, Said
from channels.sms.models import SmsMedia
from contact_center.core.db import in_one
from contact_center.core.i18n import gettext, mark
from tickets import intake
from tickets.channel_accounts import Account
from tickets.inbound import Address, InboundMessage
from tickets.inbox import RawItem
from tickets.models import ContactPoint, Message, Ticket
from tickets.states import Channel, ContactKind, Delivery, JournalState, MessageKind

FILE = mark("File")
# What may still be moved forward by a report on everything up to a moment.
ADVANCES = (Delivery.SENT.value, Delivery.DELIVERED.value)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with where it came in and the call that brought it; `journal_id` if it lies in the journal already."""

    said: Said
    account: Account
    raw: bytes
    journal_id: int | None = None


def handle(account_id: int, person: str) -> str:
    """Who somebody is in an app; apps tell us apart by account, so their ids mean nothing in another one."""
    return f"{account_id}:{person}"


def person_of(value: str) -> str:
    """The id that the app knows."""
    return value.partition(":")[2]


def receive_in_one(tx: Connection, arrival: Arrival, *, now: datetime) -> JournalState | None:
    """The same for words in a running conversation."""
    if arrival.said.files:
        return None
    receipt = intake.receive_in_one(tx, _inbound(arrival), now=now)
    return JournalState.ACCEPTED if receipt is not None else None


@in_one(receive_in_one)
def receive(tx: Connection, arrival: Arrival, *, now: datetime) -> JournalState:
    """Take one message; the state its journal item ended in. Its files are fetched later."""
    receipt = intake.receive(tx, _inbound(arrival), now=now)
    if receipt.outcome != JournalState.ACCEPTED.value:
        return JournalState(receipt.outcome)
    if arrival.said.files and receipt.message_id is not None:
        tx.execute(
            insert(SmsMedia),
            [
                {
                    "message_id": receipt.message_id,
                    "channel_account_id": arrival.account.id,
                    "position": position,
                    "url": file.url,
                    "content_type": file.content_type,
                    "state": "waiting",
                    "due_at": now,
                }
                for position, file in enumerate(arrival.said.files)
            ],
        )
    return JournalState.ACCEPTED


def _inbound(arrival: Arrival) -> InboundMessage:
    said, account = arrival.said, arrival.account
    value = handle(account.id, said.person)
    return InboundMessage(
        channel=Channel.MESSAGING,
        account_id=account.id,
        external_id=said.id,
        sender=Address(ContactKind.HANDLE, value, said.name),
        text=said.text,
        subject="" if said.text.strip() else gettext(str(account.settings.get("locale", "en")), FILE),
        thread_key=value,
        raw=arrival.raw,
        journal_id=arrival.journal_id,
    )


def raw_item(arrival: Arrival) -> RawItem:
    """The journal's view of a message."""
    said = arrival.said
    return RawItem(
        channel=Channel.MESSAGING,
        account_id=arrival.account.id,
        external_id=said.id,
        raw=arrival.raw,
        sender=(said.name or said.person)[:80],
        summary=said.text,
    )


def take_report(tx: Connection, account_id: int, reported: Reported, *, now: datetime) -> bool:
    """Move our messages forward by what the app says of them; False if nothing changes."""
    error = reported.error or None
    if reported.id:
        attempt_id = receipts.find_attempt(tx, reported.id)
        return attempt_id is not None and receipts.receive(tx, attempt_id, reported.state, now=now, error=error)
    moved = [
        receipts.advance(tx, row.id, row.ticket_id, Delivery(str(row.delivery)), reported.state, now=now)
        for row in _written_until(tx, account_id, reported)
    ]
    return any(moved)


def _written_until(tx: Connection, account_id: int, reported: Reported) -> Sequence[Message]:
    rows: Sequence[Message] = tx.execute(
        select(Message.id, Message.ticket_id, Message.delivery)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .where(
            ContactPoint.kind == ContactKind.HANDLE.value,
            ContactPoint.value == handle(account_id, reported.person),
            Message.kind == MessageKind.OUTBOUND.value,
            Message.delivery.in_(ADVANCES),
            Message.created_at <= reported.until,
        )
        .order_by(Message.id)
    ).all()  # type: ignore[assignment]
    return rows
