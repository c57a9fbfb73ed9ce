"""Imported call logs: each row once, in the ledger, and in its customer's timeline when the number is known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from channels.phone import people
from channels.phone.callog import LoggedCall
from channels.phone.calls import Line, inbound_of, number_of, sender_of
from channels.phone.models import Call
from channels.phone.states import CallState, Direction, state_of
from contact_center.core.upsert import insert_once
from tickets import channel_accounts, inbox, intake, lifecycle, queues
from tickets.channel_accounts import Account
from tickets.inbound import Address, InboundMessage
from tickets.models import ChannelAccount, Message, Queue
from tickets.states import Channel, ContactKind, MessageKind, Status

BATCH = 200
LOG_LINE = "Imported calls"


@dataclass(slots=True)
class Taken:
    """How many rows of a batch were taken, and in which states; the others were there already."""

    taken: int = 0
    duplicates: int = 0
    states: Counter[str] = field(default_factory=Counter)


def store_batch(tx: Connection, line: Line, calls: Sequence[LoggedCall], *, open_missed: bool, now: datetime) -> Taken:
    """Take a batch of rows in one transaction: a crash leaves whole batches, and running again goes on from there."""
    taken = Taken()
    known_ids = _known_ids(tx, line, calls)
    users: dict[str, int | None] = {}
    for call in calls:
        if call.agent not in users:
            users[call.agent] = people.find_user(tx, [call.agent] if call.agent else [], line.account.settings)
        if call.call_id in known_ids or not _store(tx, line, call, users[call.agent], open_missed=open_missed, now=now):
            taken.duplicates += 1
        else:
            taken.taken += 1
            taken.states[state_of(call.facts, call.direction).value] += 1
    return taken


def _known_ids(tx: Connection, line: Line, calls: Sequence[LoggedCall]) -> set[str]:
    """The calls among these that the exchange reported live: the log says nothing new of them."""
    ids = [call.call_id for call in calls if call.call_id]
    found = select(Call.external_id).where(
        Call.channel_account_id == line.account.id, Call.external_id.in_(ids), Call.source != line.source
    )
    return set(tx.execute(found).scalars())


def _store(
    tx: Connection, line: Line, logged: LoggedCall, user_id: int | None, *, open_missed: bool, now: datetime
) -> bool:
    """One row; False when it was taken before."""
    external_id = f"log:{logged.key}"
    customer = logged.caller if logged.direction is Direction.IN else logged.called
    number = number_of(customer, line.region)
    state = state_of(logged.facts, logged.direction)
    call_id = insert_once(
        tx,
        Call,
        key=["channel_account_id", "external_id"],
        values={
            "channel_account_id": line.account.id,
            "external_id": external_id,
            "source": line.source,
            "direction": logged.direction.value,
            "state": state.value,
            "number": number,
            "line": (logged.called if logged.direction is Direction.IN else logged.caller)[:80],
            "live": False,
            "user_id": user_id,
            "agent": logged.agent,
            "queue": logged.queue,
            "rang_at": logged.facts.rang_at,
            "answered_at": logged.facts.answered_at,
            "ended_at": logged.facts.ended_at,
            "ending": logged.facts.ending.value if logged.facts.ending else None,
            "cause": "",
            "wait_seconds": logged.wait_seconds,
            "talk_seconds": logged.talk_seconds,
            "created_at": now,
        },
    )
    if call_id is None:
        return False
    row = tx.execute(select(Call.__table__).where(Call.id == call_id)).one()
    sender = sender_of(number, external_id, line.region)
    message = _message(line, row, sender, logged)
    if sender.kind is ContactKind.PHONE and logged.direction is Direction.IN:
        _into_timeline(tx, call_id, message, state, logged, open_missed=open_missed, now=now)
    else:
        # Nobody to whom it belongs, or our own call: the ledger and the journal keep it.
        inbox.store_accepted(tx, message, now=now)
    return True


def _message(line: Line, row: Any, sender: Address, logged: LoggedCall) -> InboundMessage:
    inbound = inbound_of(line, row)
    return InboundMessage(
        channel=inbound.channel,
        account_id=inbound.account_id,
        external_id=inbound.external_id,
        sender=Address(sender.kind, sender.value, logged.caller_name) if logged.caller_name else sender,
        text=inbound.text,
        subject=inbound.subject,
        thread_key=inbound.thread_key,
        kind=MessageKind.CALL,
        automated=True,
        meta=inbound.meta,
    )


def _into_timeline(
    tx: Connection,
    call_id: int,
    message: InboundMessage,
    state: CallState,
    logged: LoggedCall,
    *,
    open_missed: bool,
    now: datetime,
) -> None:
    """A customer's past call is a closed ticket of its own day: history, which wakes and answers nobody."""
    at = logged.facts.rang_at or now
    receipt = intake.receive(tx, message, now=at)
    contact_point_id = tx.execute(
        select(Message.contact_point_id).where(Message.id == receipt.message_id)
    ).scalar_one_or_none()
    tx.execute(
        update(Call)
        .where(Call.id == call_id)
        .values(ticket_id=receipt.ticket_id, message_id=receipt.message_id, contact_point_id=contact_point_id)
    )
    if receipt.ticket_id is not None and not (open_missed and state is CallState.MISSED):
        ended_at = logged.facts.ended_at or at
        lifecycle.set_status(tx, receipt.ticket_id, Status.CLOSED, user_id=None, now=max(at, ended_at))


def log_line(tx: Connection, vault: Any, name: str | None, *, now: datetime) -> Account:
    """The phone line a log belongs to: the named one, the only one, or a line of its own for imported calls."""
    if name:
        return channel_accounts.by_name(tx, vault, name, Channel.PHONE)
    ids = list(
        tx.execute(
            select(ChannelAccount.id)
            .where(ChannelAccount.channel == Channel.PHONE.value)
            .order_by((ChannelAccount.name == LOG_LINE).desc(), ChannelAccount.id)
        ).scalars()
    )
    if not ids:
        ids = [_add_log_line(tx, vault, now=now)]
    return channel_accounts.by_id(tx, vault, ids[0])


def _add_log_line(tx: Connection, vault: Any, *, now: datetime) -> int:
    queue_id = tx.execute(select(Queue.id).order_by(Queue.id).limit(1)).scalar_one_or_none()
    if queue_id is None:
        queue_id = queues.create(tx, LOG_LINE, now=now)
    return channel_accounts.create(
        tx, vault, channel=Channel.PHONE, name=LOG_LINE, address="call-log", queue_id=queue_id, now=now
    )
