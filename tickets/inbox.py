"""The journal: every raw inbound item and the named state it ended in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, or_, select, update

from contact_center.core.errors import NotFound
from contact_center.core.events import emit
from contact_center.core.upsert import insert_for, insert_once
from tickets import blocks
from tickets.inbound import InboundMessage
from tickets.models import JournalItem, Message
from tickets.sensitive import masking
from tickets.states import Channel, JournalState

SUMMARY_LENGTH = 140
REASON_LENGTH = 1000
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RawItem:
    """An inbound item as it arrived, before anybody understood it. `raw` or `raw_digest`, small ones `raw`."""

    channel: Channel
    account_id: int | None
    external_id: str
    raw: bytes | None = None
    raw_digest: str | None = None
    sender: str = ""
    summary: str = ""
    # From before the account was connected: nothing reacts to it.
    history: bool = False


def store(
    tx: Connection,
    item: RawItem,
    *,
    now: datetime,
    state: JournalState = JournalState.RECEIVED,
    reason: str | None = None,
) -> int | None:
    """Journal an item; its id, or None if this external id is there already (a duplicate)."""
    item_id = insert_once(
        tx,
        JournalItem,
        key=["channel_account_id", "external_id"],
        values={
            "channel": item.channel.value,
            "channel_account_id": item.account_id,
            "external_id": item.external_id,
            "state": state.value,
            "reason": reason[:REASON_LENGTH] if reason else None,
            "sender": item.sender,
            "summary": masking.line(tx, item.summary)[:SUMMARY_LENGTH],
            "raw": item.raw,
            "raw_digest": item.raw_digest,
            "attempts": 1,
            "history": item.history,
            "received_at": now,
            "finished_at": None if state is JournalState.RECEIVED else now,
        },
    )
    if item_id is not None:
        _announce(tx, item_id, state, now=now)
    return item_id


def store_accepted(tx: Connection, inbound: InboundMessage, *, now: datetime) -> int | None:
    """The journal row of a message that is accepted in this transaction; None for a duplicate."""
    if inbound.journal_id is not None:
        done = tx.execute(
            update(JournalItem)
            .where(
                JournalItem.id == inbound.journal_id,
                JournalItem.state.in_([JournalState.RECEIVED.value, JournalState.QUARANTINED.value]),
            )
            .values(state=JournalState.ACCEPTED.value, reason=None, finished_at=now)
        )
        return inbound.journal_id if done.rowcount else None
    return insert_once(
        tx,
        JournalItem,
        key=["channel_account_id", "external_id"],
        values={
            "channel": inbound.channel.value,
            "channel_account_id": inbound.account_id,
            "external_id": inbound.external_id,
            "state": JournalState.ACCEPTED.value,
            "sender": inbound.sender.value,
            "summary": (inbound.subject or inbound.text)[:SUMMARY_LENGTH],
            "raw": inbound.raw,
            "raw_digest": inbound.raw_digest,
            "attempts": 1,
            "received_at": now,
            "finished_at": now,
        },
    )


def store_history(tx: Connection, items: Sequence[RawItem], *, now: datetime) -> None:
    """Journal many items of the past as accepted, in one statement and without announcing them."""
    statement = insert_for(tx, JournalItem).on_conflict_do_nothing(index_elements=["channel_account_id", "external_id"])
    rows = [
        {
            "channel": item.channel.value,
            "channel_account_id": item.account_id,
            "external_id": item.external_id,
            "state": JournalState.ACCEPTED.value,
            "sender": item.sender,
            "summary": item.summary[:SUMMARY_LENGTH],
            "attempts": 1,
            "received_at": now,
            "finished_at": now,
        }
        for item in items
    ]
    if rows:
        tx.execute(statement, rows)


def finish(tx: Connection, item_id: int, state: JournalState, *, now: datetime, reason: str | None = None) -> None:
    """Give a journaled item its end state (suppressed with a reason, duplicate, quarantined with the error)."""
    tx.execute(
        update(JournalItem)
        .where(JournalItem.id == item_id)
        .values(state=state.value, reason=reason[:REASON_LENGTH] if reason else None, finished_at=now)
    )
    _announce(tx, item_id, state, now=now)


def quarantine(tx: Connection, item: RawItem, error: str, *, now: datetime) -> int | None:
    """Keep an item that could not be taken, with the reason; a person retries it in the admin pages."""
    return store(tx, item, now=now, state=JournalState.QUARANTINED, reason=error)


def retry(tx: Connection, item_id: int, *, now: datetime) -> Row[int]:
    """Put a quarantined item back to `received`; the channel's loop takes it again."""
    row = tx.execute(
        update(JournalItem)
        .where(JournalItem.id == item_id, JournalItem.state == JournalState.QUARANTINED.value)
        .values(state=JournalState.RECEIVED.value, attempts=JournalItem.attempts + 1, finished_at=None)
        .returning(JournalItem.id)
    ).first()
    if row is None:
        raise NotFound("This item is not in quarantine any more.")
    _announce(tx, item_id, JournalState.RECEIVED, now=now)
    return row


def release(tx: Connection, item_id: int, *, now: datetime) -> None:
    """Put an item that a block stopped back to `received`; the channel's loop takes it, whatever is blocked."""
    row = tx.execute(
        update(JournalItem)
        .where(
            JournalItem.id == item_id,
            JournalItem.state == JournalState.SUPPRESSED.value,
            JournalItem.reason.startswith(blocks.REASON),
        )
        .values(state=JournalState.RECEIVED.value, reason=blocks.RELEASED, finished_at=None)
        .returning(JournalItem.id)
    ).first()
    if row is None:
        raise NotFound("No block holds this item any more.")
    _announce(tx, item_id, JournalState.RECEIVED, now=now)


def refuse(tx: Connection, inbound: InboundMessage, reason: str, *, now: datetime) -> bool:
    """Journal a message that a block stops, with its raw form; False for a duplicate."""
    if inbound.journal_id is not None:
        finish(tx, inbound.journal_id, JournalState.SUPPRESSED, now=now, reason=reason)
        return True
    item = RawItem(
        channel=inbound.channel,
        account_id=inbound.account_id,
        external_id=inbound.external_id,
        raw=inbound.raw if inbound.raw is not None else inbound.spare,
        raw_digest=inbound.raw_digest,
        sender=inbound.sender.value,
        summary=inbound.subject or inbound.text,
    )
    return store(tx, item, now=now, state=JournalState.SUPPRESSED, reason=reason) is not None


def waiting(tx: Connection, channel: Channel, *, limit: int = 20) -> Sequence[Row[JournalItem]]:
    """Items journaled but not taken yet, oldest first, locked for this transaction."""
    return tx.execute(
        select(JournalItem.__table__)
        .where(JournalItem.state == JournalState.RECEIVED.value, JournalItem.channel == channel.value)
        .order_by(JournalItem.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def message_of(tx: Connection, account_id: int, external_id: str) -> Row[int, int, int, int | None] | None:
    """(ticket_id, message id, seq, public_seq) that an earlier delivery of the same item made."""
    return tx.execute(
        select(Message.ticket_id, Message.id, Message.seq, Message.public_seq).where(
            Message.channel_account_id == account_id, Message.external_id == external_id
        )
    ).first()


def purge(tx: Connection, now: datetime) -> int:
    """Drop the raw form of old items that are done; the row stays, as the tombstone of its external id.

    The bytes of a large one lie in the store and go when nothing else names them (channels.cleaning).
    """
    done = tx.execute(
        update(JournalItem)
        .where(
            JournalItem.received_at < now - KEPT,
            JournalItem.state.not_in((JournalState.QUARANTINED.value, JournalState.RECEIVED.value)),
            or_(JournalItem.raw.is_not(None), JournalItem.raw_digest.is_not(None)),
        )
        .values(raw=None, raw_digest=None)
    )
    return done.rowcount


def _announce(tx: Connection, item_id: int, state: JournalState, *, now: datetime) -> None:
    emit(tx, "journal.changed", {"journal_id": item_id, "state": state.value}, now=now, topics=["journal"])
