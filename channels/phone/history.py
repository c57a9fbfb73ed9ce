"""Imported call logs: each row once, in the ledger, and in its customer's timeline when the number is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone import people
from channels.phone.callog import LoggedCall
from channels.phone.entries import inbound_of
from channels.phone.flow.steps import Step
from channels.phone.lines import Line, number_of
from channels.phone.models import Call
from channels.phone.states import CallState, Direction, state_of
from contact_center.core.secrets import Vault
from contact_center.core.upsert import insert_for
from tickets import channel_accounts, inbox, intake, lifecycle, queues
from tickets.channel_accounts import Account
from tickets.inbound import Address, InboundMessage
from tickets.inbox import RawItem
from tickets.models import ChannelAccount, Message, Queue
from tickets.states import Channel, ContactKind, Status

BATCH = 200
LOG_LINE = "Imported calls"
LEFT_MENU = f"left_{Step.MENU}"


@dataclass(frozen=True, slots=True)
class Taken:
    """How many rows of a batch were taken, and in which states; the others were there already."""

    taken: int
    duplicates: int
    states: Counter[str]


def store_batch(tx: Connection, line: Line, calls: Sequence[LoggedCall], *, open_missed: bool, now: datetime) -> Taken:
    """Take a batch of rows in one transaction: a crash leaves whole batches, and running again goes on from there."""
    known_ids = _known_ids(tx, line, calls)
    fresh = {f"log:{call.key}": call for call in reversed(calls) if call.call_id not in known_ids}
    users = {name: people.find_user(tx, [name], line.account.settings) for name in {c.agent for c in calls if c.agent}}
    rows = [_values(line, key, call, users.get(call.agent), now=now) for key, call in reversed(fresh.items())]
    stored = _insert(tx, rows)
    ledger_only = []
    for row in stored:
        call = fresh[row.external_id]
        message = _message(line, row, call)
        if message.sender.kind is ContactKind.PHONE and call.direction is Direction.IN:
            _into_timeline(tx, row, message, call, open_missed=open_missed, now=now)
        else:
            # Nobody to whom it belongs, or our own call: the ledger and the journal keep it.
            item = RawItem(Channel.PHONE, line.account.id, row.external_id, sender=row.number, summary=message.text)
            ledger_only.append(item)
    inbox.store_history(tx, ledger_only, now=now)
    return Taken(len(stored), len(calls) - len(stored), Counter(row.state for row in stored))


def _known_ids(tx: Connection, line: Line, calls: Sequence[LoggedCall]) -> set[str]:
    """The calls among these that the exchange reported live: the log says nothing new of them."""
    ids = [call.call_id for call in calls if call.call_id]
    found = select(Call.external_id).where(
        Call.channel_account_id == line.account.id, Call.external_id.in_(ids), Call.source != line.source
    )
    return set(tx.execute(found).scalars())


def _insert(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """The rows that were not there yet, oldest first."""
    if not rows:
        return []
    statement = (
        insert_for(tx, Call)
        .on_conflict_do_nothing(index_elements=["channel_account_id", "external_id"])
        .returning(*Call.__table__.columns)
    )
    return sorted(tx.execute(statement, rows).all(), key=lambda row: (row.rang_at, row.id))


def _values(line: Line, key: str, logged: LoggedCall, user_id: int | None, *, now: datetime) -> dict[str, Any]:
    """The columns of one row of a log."""
    inward = logged.direction is Direction.IN
    customer, ours = (logged.caller, logged.called) if inward else (logged.called, logged.caller)
    return {
        "channel_account_id": line.account.id,
        "external_id": key,
        "source": line.source,
        "direction": logged.direction.value,
        "state": state_of(logged.facts, logged.direction).value,
        "number": number_of(customer, line.region),
        "line": ours[:80],
        "live": False,
        "user_id": user_id,
        "agent": logged.agent,
        "queue": logged.queue,
        "rang_at": logged.facts.rang_at,
        "answered_at": logged.facts.answered_at,
        "ended_at": logged.facts.ended_at,
        "ending": logged.facts.ending.value if logged.facts.ending else None,
        "cause": "",
        "outcome": LEFT_MENU if logged.left_menu else None,
        "wait_seconds": logged.wait_seconds,
        "talk_seconds": logged.talk_seconds,
        "created_at": now,
    }


def _message(line: Line, row: Row[Any], logged: LoggedCall) -> InboundMessage:
    """A past call as a message that wakes nobody, with the name that the log gives."""
    message = inbound_of(line, row)
    sender = message.sender
    if logged.caller_name:
        sender = Address(sender.kind, sender.value, logged.caller_name)
    return replace(message, sender=sender, automated=True)


def _into_timeline(
    tx: Connection, row: Row[Any], message: InboundMessage, logged: LoggedCall, *, open_missed: bool, now: datetime
) -> None:
    """A customer's past call is a closed ticket of its own day: history, which wakes and answers nobody."""
    at = logged.facts.rang_at or now
    receipt = intake.receive(tx, message, now=at)
    contact_point_id = tx.execute(
        select(Message.contact_point_id).where(Message.id == receipt.message_id)
    ).scalar_one_or_none()
    tx.execute(
        update(Call)
        .where(Call.id == row.id)
        .values(ticket_id=receipt.ticket_id, message_id=receipt.message_id, contact_point_id=contact_point_id)
    )
    if receipt.ticket_id is not None and not (open_missed and row.state == CallState.MISSED.value):
        ended_at = logged.facts.ended_at or at
        lifecycle.set_status(tx, receipt.ticket_id, Status.CLOSED, user_id=None, now=max(at, ended_at))


def log_line(tx: Connection, vault: Vault, name: str | None, *, now: datetime) -> Account:
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


def _add_log_line(tx: Connection, vault: Vault, *, now: datetime) -> int:
    queue_id = tx.execute(select(Queue.id).order_by(Queue.id).limit(1)).scalar_one_or_none()
    if queue_id is None:
        queue_id = queues.create(tx, LOG_LINE, now=now)
    return channel_accounts.create(
        tx, vault, channel=Channel.PHONE, name=LOG_LINE, address="call-log", queue_id=queue_id, now=now
    )
