"""A call in the conversation: who called, in what words, and what screens and routing read beside them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone.lines import Line, line_of
from channels.phone.states import CallState, Direction
from channels.phone.wording import sentence
from channels.sms.numbers import Kind, identify, region_of
from tickets.channel_accounts import Account
from tickets.inbound import Address, InboundMessage
from tickets.models import Message, Ticket
from tickets.states import Channel, ContactKind, MessageKind


def inbound_of(line: Line, call: Row[Any], *, journal_id: int | None = None) -> InboundMessage:
    """A customer's call as the message that opens its ticket."""
    text = sentence_of(line, call)
    return InboundMessage(
        channel=Channel.PHONE,
        account_id=line.account.id,
        external_id=call.external_id,
        sender=caller_at(line, call),
        text=text,
        subject=text,
        thread_key=call.external_id,
        kind=MessageKind.CALL,
        meta=meta_of(call),
        journal_id=journal_id,
        queue_id=call.queue_id,
        locale=call.locale,
    )


def caller_at(line: Line, call: Row[Any]) -> Address:
    """Whose call a row of the ledger is."""
    return sender_of(call.number, f"{line.account.id}-{call.external_id}", line.region)


def sender_of(number: str, call_key: str, region: str) -> Address:
    """Who called. A hidden number is nobody we know: two hidden callers are never one customer."""
    party = identify(number, region) if number else None
    if party and party.kind is Kind.NUMBER:
        return Address(ContactKind.PHONE, party.address)
    safe = "".join(char if char.isalnum() and char.isascii() else "-" for char in call_key)
    return Address(ContactKind.VISITOR, f"caller-{safe}"[:64], name=number)


def sentence_of(line: Line, call: Row[Any]) -> str:
    """The call in the words of its line."""
    return sentence(
        line.locale,
        Direction(call.direction),
        CallState(call.state),
        call.number,
        region=line.region,
        talk_seconds=call.talk_seconds,
        outcome=call.outcome or "",
    )


def call_to(tx: Connection, account: Account, number: str) -> str:
    """What a conversation is called that begins with our call."""
    line = line_of(tx, account, source="", region=region_of(account.address))
    return sentence(line.locale, Direction.OUT, CallState.COMPLETED, number, region=line.region)


def meta_of(call: Row[Any]) -> dict[str, Any]:
    """What screens and routing read of a call, beside its sentence."""
    return {
        "call": {
            "id": call.id,
            "direction": call.direction,
            "state": call.state,
            "number": call.number,
            "agent": call.agent,
            "live": call.live,
            "wait_seconds": call.wait_seconds,
            "talk_seconds": call.talk_seconds,
            "cause": call.cause,
            **({"outcome": call.outcome} if call.outcome else {}),
        }
    }


def rewrite(tx: Connection, line: Line, call: Row[Any], *, now: datetime) -> None:
    """The entry in the conversation tells what the call is now; so does the subject it gave the ticket."""
    entry = tx.execute(select(Message.text, Message.meta).where(Message.id == call.message_id)).one()
    before, text = entry.text, sentence_of(line, call)
    kept = {**entry.meta, **meta_of(call)}
    if disposition := (entry.meta.get("call") or {}).get("disposition"):
        kept["call"]["disposition"] = disposition
    values: Mapping[str, Any] = {"text": text, "meta": kept}
    if call.direction == Direction.OUT.value and call.user_id is not None:
        values = {**values, "user_id": call.user_id}
    tx.execute(update(Message).where(Message.id == call.message_id).values(**values))
    tx.execute(
        update(Ticket).where(Ticket.id == call.ticket_id, Ticket.subject == before).values(subject=text, updated_at=now)
    )
    tx.execute(update(Ticket).where(Ticket.id == call.ticket_id, Ticket.preview == before).values(preview=text))
