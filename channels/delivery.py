"""Delivery: claims what is due, sends it outside any transaction, records what came of it.

1. Claim due messages: `queued` → `sending`, one attempt row each with a lease.
2. Send each through its channel's sender.
3. Record: sent, failed (retried with back-off while that may help), or uncertain.
An expired lease means that the process died between 2 and 3: idempotent senders send again, others become uncertain.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    Connection,
    Integer,
    String,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)

from channels import scanning
from channels.base import Outbound, Sender, SendFailed, SendUncertain, Sent
from channels.loading import load
from channels.models import DeliveryAttempt
from contact_center.core.clamav import ScannerDown, Verdict
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict
from contact_center.core.i18n import mark
from contact_center.core.metrics import OUTBOUND
from contact_center.core.schema import UtcDateTime
from contact_center.core.services import Services
from tickets.customers import contacts
from tickets.intake import add_reference
from tickets.models import Message, Ticket
from tickets.replies import LOOKERS, announce_change, changed
from tickets.states import Delivery

log = structlog.get_logger()

BATCH = 20
LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=2)
# Servers are brief; a page of HTML from a proxy is cut.
LONGEST_ANSWER = 500
NO_ACCOUNT = mark("The channel account was removed or switched off.")
INTERRUPTED = mark("The server stopped while it was being sent.")
INFECTED = mark("A file of it contains a virus and is kept out. Take it off and send the message again.")
TOO_LARGE = mark("A file of it is larger than the virus scanner takes. An administrator can raise its limit.")
SCANNER_DOWN = mark("Its files wait for the virus scanner, which does not answer.")
# While our own scanner is away: as often as this, for as long as it takes.
LONGEST_WAIT = timedelta(minutes=10)
SCAN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: delivery state, and what to record with it."""

    delivery: Delivery
    sent: Sent | None = None
    code: str | None = None
    text: str | None = None
    retryable: bool = False
    suppress: bool = False
    # Our own side's trouble, nothing was tried: again and again until it ends.
    waits: bool = False
    # What the other side's server said, word for word.
    said: str = ""


# MATERIALIZED, or a nested loop may claim more than the limit.
_DUE = (
    select(Message.id)
    .where(
        Message.delivery == literal_column(f"'{Delivery.QUEUED.value}'"),
        Message.send_after <= bindparam("now"),
        Message.channel.in_(bindparam("channels", expanding=True)),
    )
    .order_by(Message.send_after, Message.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
    .cte("due")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_CLAIM = (
    update(Message)
    .where(Message.id.in_(select(_DUE.c.id)))
    .values(delivery=Delivery.SENDING.value)
    .returning(Message.id)
)
_LAST_NUMBER = (
    select(func.coalesce(func.max(DeliveryAttempt.number), 0))
    .where(DeliveryAttempt.message_id == Message.id)
    .scalar_subquery()
)
_BEGIN = (
    insert(DeliveryAttempt)
    .from_select(
        ["message_id", "number", "state", "lease_until", "started_at"],
        select(
            Message.id,
            _LAST_NUMBER + 1,
            literal(Delivery.SENDING.value),
            bindparam("lease_until", type_=UtcDateTime()),
            bindparam("now", type_=UtcDateTime()),
        ).where(Message.id.in_(bindparam("ids", expanding=True))),
    )
    .returning(DeliveryAttempt.message_id, DeliveryAttempt.id)
)


def claim(tx: Connection, channels: Sequence[str], now: datetime, limit: int = BATCH) -> list[tuple[int, int]]:
    """(message id, attempt id) of due messages, now `sending`."""
    ids = tx.execute(_CLAIM, {"now": now, "channels": channels, "most": limit}).scalars().all()
    if not ids:
        return []
    rows = tx.execute(_BEGIN, {"ids": ids, "now": now, "lease_until": now + LEASE})
    return [(row.message_id, row.id) for row in rows]


# SET takes whatever other columns the parameters name.
_END = (
    update(DeliveryAttempt)
    .where(DeliveryAttempt.id == bindparam("attempt"))
    .values(external_id=func.coalesce(DeliveryAttempt.external_id, bindparam("sent_as", type_=String())))
)
_SENT = (
    select(Message.delivery, Message.contact_point_id, DeliveryAttempt.number, *LOOKERS)
    .join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
    .join(Ticket, Ticket.id == Message.ticket_id)
    .where(DeliveryAttempt.id == bindparam("attempt"))
    .with_for_update(of=Message)
)
_MARK = update(Message).where(Message.id == bindparam("message"))


def record(tx: Connection, message_id: int, attempt_id: int, outcome: Outcome, now: datetime) -> None:
    """Write down how an attempt ended; a receipt that came earlier is never overwritten."""
    row = tx.execute(_SENT, {"attempt": attempt_id}).one()
    values = _message_values(outcome, row, now)
    attempt = {
        "attempt": attempt_id,
        "state": outcome.delivery.value,
        "sent_as": outcome.sent.external_id if outcome.sent else None,
        "error_code": outcome.code,
        "error": outcome.text,
        "answer": outcome.said[:LONGEST_ANSWER] or None,
        "next_at": values.get("send_after") if row.delivery == Delivery.SENDING.value else None,
        "finished_at": now,
    }
    tx.execute(_END, attempt)
    if outcome.sent is not None and outcome.sent.reference:
        add_reference(tx, outcome.sent.reference, row.ticket_id, message_id)
    if row.delivery != Delivery.SENDING.value:
        return
    if outcome.suppress and row.contact_point_id is not None:
        contacts.suppress(tx, row.contact_point_id, outcome.text or "", now=now)
    tx.execute(_MARK, {"message": message_id, **values})
    announce_change(tx, row, message_id, Delivery(values["delivery"]), now=now)


def _message_values(outcome: Outcome, row: Any, now: datetime) -> dict[str, Any]:
    if outcome.delivery is Delivery.FAILED and outcome.retryable and (outcome.waits or row.number < MAX_ATTEMPTS):
        longest = LONGEST_WAIT if outcome.waits else LONGEST_RETRY
        wait = min(FIRST_RETRY * 2 ** min(row.number - 1, MAX_ATTEMPTS), longest)
        return {"delivery": Delivery.QUEUED.value, "send_after": now + wait, "delivery_error": outcome.text}
    return {"delivery": outcome.delivery.value, "delivery_error": outcome.text}


_AGAIN = (
    update(Message)
    .where(
        Message.id == bindparam("message"),
        Message.delivery.in_((Delivery.FAILED.value, Delivery.MISSING.value)),
    )
    .values(delivery=Delivery.QUEUED.value, send_after=bindparam("now"))
    .returning(Message.ticket_id)
)


def again(tx: Connection, message_id: int, *, now: datetime) -> int:
    """A person wants what was not delivered tried once more, as the same message; returns its ticket."""
    ticket_id: int | None = tx.execute(_AGAIN, {"message": message_id, "now": now}).scalar_one_or_none()
    if ticket_id is None:
        raise Conflict("Only what was not delivered can be sent again.")
    changed(tx, ticket_id, message_id, Delivery.QUEUED, now=now)
    return ticket_id


def attempts_of(tx: Connection, message_id: int) -> Sequence[Any]:
    """The ledger of a message, oldest attempt first."""
    of_message = DeliveryAttempt.message_id == message_id
    return tx.execute(select(DeliveryAttempt.__table__).where(of_message).order_by(DeliveryAttempt.number)).all()


_EXPIRED = (
    select(DeliveryAttempt.id, DeliveryAttempt.message_id, Message.channel)
    .join(Message, Message.id == DeliveryAttempt.message_id)
    .where(
        DeliveryAttempt.state == literal_column(f"'{Delivery.SENDING.value}'"),
        DeliveryAttempt.lease_until <= bindparam("now"),
    )
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


def expire(tx: Connection, idempotent: Mapping[str, bool], now: datetime) -> int:
    """Settle attempts whose lease ran out; returns how many."""
    rows = tx.execute(_EXPIRED, {"now": now}).all()
    for row in rows:
        again = idempotent.get(row.channel, False)
        outcome = (
            Outcome(Delivery.FAILED, code="interrupted", text=INTERRUPTED, retryable=True)
            if again
            else Outcome(Delivery.UNCERTAIN, code="interrupted", text=INTERRUPTED)
        )
        record(tx, row.message_id, row.id, outcome, now)
    return len(rows)


class DeliveryLoop:
    """The loop's step over all senders."""

    def __init__(self, services: Services, senders: Mapping[str, Sender]) -> None:
        self.services = services
        self.senders = senders

    async def run_once(self) -> bool:
        """Send what is due; True when there may be more."""
        db = self.services.db
        await db.write(expire, {name: sender.idempotent for name, sender in self.senders.items()}, utcnow())
        claimed = await db.write(claim, list(self.senders), utcnow())
        if not claimed:
            return False
        outbounds = await db.read(load, claimed, self.services.vault)
        loaded = {outbound.message_id for outbound in outbounds}
        for message_id, attempt_id in claimed:
            if message_id not in loaded:
                gone = Outcome(Delivery.FAILED, code="no_account", text=NO_ACCOUNT)
                await db.write(record, message_id, attempt_id, gone, utcnow())
        await asyncio.gather(*(self._deliver(outbound) for outbound in outbounds))
        return len(claimed) == BATCH

    async def _deliver(self, outbound: Outbound) -> None:
        channel = outbound.account.channel.value
        outcome = await kept_out(self.services, outbound) or await attempt(self.senders[channel], outbound)
        OUTBOUND.labels(channel, outcome.delivery.value).inc()
        await self.services.db.write(record, outbound.message_id, outbound.attempt_id, outcome, utcnow())


async def kept_out(services: Services, outbound: Outbound) -> Outcome | None:
    """Why a message must not leave: what the virus scanner says of its files; None where it may."""
    try:
        # Well within the lease, however many files there are.
        async with asyncio.timeout(SCAN_SECONDS):
            for file in outbound.attachments:
                found = await scanning.verdict(services, file.digest)
                if found is not None and found.verdict is Verdict.INFECTED:
                    return Outcome(
                        Delivery.FAILED, code="infected", text=INFECTED, said=f"{file.filename}: {found.virus}"
                    )
                if found is not None and found.verdict is Verdict.TOO_LARGE:
                    return Outcome(Delivery.FAILED, code="too_large_to_scan", text=TOO_LARGE, said=file.filename)
    except (ScannerDown, TimeoutError):
        return Outcome(Delivery.FAILED, code="scanner_down", text=SCANNER_DOWN, retryable=True, waits=True)
    return None


async def attempt(sender: Sender, outbound: Outbound) -> Outcome:
    """Send one message and put what came of it into words."""
    if outbound.suppressed is not None:
        return Outcome(Delivery.FAILED, code="suppressed", text=outbound.suppressed)
    try:
        sent = await sender.send(outbound)
    except SendFailed as error:
        return Outcome(
            Delivery.FAILED,
            code=error.code,
            text=error.text,
            retryable=error.retryable,
            suppress=error.suppress,
            said=error.said,
        )
    except SendUncertain as error:
        return Outcome(Delivery.UNCERTAIN, code="uncertain", text=str(error))
    return Outcome(Delivery.SENT, sent=sent, said=sent.said)
