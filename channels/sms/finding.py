"""Messages of which nobody knows whether they left are looked up at Twilio: found, or missing until a person decides.

Nothing is sent again here. Twilio lists what it took by recipient and day; ours is the one with our words that no
other try of ours has taken already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
import structlog
from sqlalchemy import Connection, Row, select, update
from sqlalchemy import text as sql
from twilio.base.exceptions import TwilioException
from twilio.rest.api.v2010.account.message import MessageInstance

from channels import receipts
from channels.models import DeliveryAttempt
from channels.sms import outcomes
from channels.sms.client import OpenHttp, open_client, open_http
from channels.sms.gateway.config import is_gateway
from channels.sms.whatsapp import with_prefix
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.models import UNCERTAIN, ContactPoint, Message
from tickets.states import Channel, Delivery

log = structlog.get_logger()

BATCH = 20
MOST = 200
# What was taken may show in Twilio's list late: the first look, and then each as much later again as the time so far.
FIRST_LOOK = timedelta(seconds=20)
# Found at no look until then, it was never taken.
GIVE_UP = timedelta(minutes=30)
# How far Twilio's clock and ours may be apart.
SKEW = timedelta(minutes=5)
# What Twilio writes before the messages of a trial account.
TRIAL = "Sent from your Twilio trial account - "
NOT_FOUND = mark("Twilio has no such message: it was not sent.")


@dataclass(frozen=True, slots=True)
class Found:
    """A message as Twilio lists it; `taken_at` is when it took it."""

    sid: str
    body: str
    status: str
    error_code: str
    taken_at: datetime


class Finder:
    """The loop's step: whatever is due to be looked up."""

    def __init__(self, held: Services, http: OpenHttp = open_http) -> None:
        self.held = held
        self.open_http = http

    async def run_once(self) -> bool:
        """One look for each that is due; True when there may be more."""
        rows = await self.held.db.read(due, utcnow())
        for row in rows:
            account = await self.held.db.read(channel_accounts.by_id, self.held.vault, row.channel_account_id)
            if is_gateway(account.settings):
                continue
            try:
                found = await self._listed(account, row)
            except (TwilioException, httpx2.HTTPError, ValueError) as error:
                # Nothing was learnt: it is looked for again at the next step.
                log.warning("sms.lookup_failed", account=account.name, reason=type(error).__name__)
                continue
            await self.held.db.write(settle, row.attempt_id, found, now=utcnow())
        return len(rows) == BATCH

    async def _listed(self, account: Account, row: Row[*tuple[Any, ...]]) -> list[Found]:
        to = with_prefix(row.to) if account.channel is Channel.WHATSAPP else row.to
        async with self.open_http() as http:
            client = open_client(
                http,
                account_sid=str(account.secrets.get("account_sid", "")),
                auth_token=str(account.secrets.get("auth_token", "")),
                base_url=self.held.settings.twilio_api_url,
            )
            since = (row.started_at - SKEW).replace(hour=0, minute=0, second=0, microsecond=0)
            listed = await client.messages.list_async(to=to, date_sent_after=since, limit=MOST)
        return [_found(one) for one in listed if str(one.direction or "outbound-api").startswith("outbound")]


def _found(one: MessageInstance) -> Found:
    return Found(one.sid, one.body or "", str(one.status or ""), str(one.error_code or ""), one.date_created)


def due(tx: Connection, now: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """Tries that ended unknown and are to be looked for now, oldest first."""
    rows = tx.execute(
        select(
            DeliveryAttempt.id.label("attempt_id"),
            DeliveryAttempt.started_at,
            DeliveryAttempt.finished_at,
            DeliveryAttempt.looked_at,
            Message.channel_account_id,
            ContactPoint.value.label("to"),
        )
        .join(Message, Message.id == DeliveryAttempt.message_id)
        .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .where(
            sql(UNCERTAIN),
            Message.channel.in_((Channel.SMS.value, Channel.WHATSAPP.value)),
            DeliveryAttempt.state == Delivery.UNCERTAIN.value,
        )
        .order_by(DeliveryAttempt.id)
    ).all()
    return [row for row in rows if _is_due(row, now)][:BATCH]


def _is_due(row: Row[*tuple[Any, ...]], now: datetime) -> bool:
    if row.looked_at is None:
        return bool(now - row.finished_at >= FIRST_LOOK)
    return bool(now - row.looked_at >= row.looked_at - row.finished_at)


def settle(tx: Connection, attempt_id: int, found: Iterable[Found], *, now: datetime) -> bool:
    """What a look at Twilio's list means for one try; False if it stays unknown."""
    # The recipient first: two tries with the same words must not both take one message.
    row = tx.execute(
        select(Message.text, Message.delivery, DeliveryAttempt.started_at, DeliveryAttempt.finished_at)
        .join(DeliveryAttempt, DeliveryAttempt.message_id == Message.id)
        .join(ContactPoint, ContactPoint.id == Message.contact_point_id)
        .where(DeliveryAttempt.id == attempt_id)
        .with_for_update(of=ContactPoint)
    ).one()
    if row.delivery != Delivery.UNCERTAIN.value:
        return True
    ours = _ours(tx, row, found)
    if ours is not None:
        values = {"MessageSid": ours.sid, "MessageStatus": ours.status, "ErrorCode": ours.error_code}
        return outcomes.receive(tx, attempt_id, values, now=now)
    tx.execute(update(DeliveryAttempt).where(DeliveryAttempt.id == attempt_id).values(looked_at=now))
    if now - row.finished_at < GIVE_UP:
        return False
    tx.execute(update(DeliveryAttempt).where(DeliveryAttempt.id == attempt_id).values(error=NOT_FOUND))
    return receipts.receive(tx, attempt_id, Delivery.MISSING, now=now, error=NOT_FOUND)


def _ours(tx: Connection, row: Row[*tuple[Any, ...]], found: Iterable[Found]) -> Found | None:
    """The oldest listed message with our words, from the time of the try, that is no other try's."""
    words = _plain(row.text)
    begin, end = row.started_at - SKEW, row.finished_at + SKEW
    fitting = [one for one in found if begin <= one.taken_at <= end and _plain(one.body) in (words, TRIAL + words)]
    sids = [one.sid for one in fitting]
    known = set(tx.execute(select(DeliveryAttempt.external_id).where(DeliveryAttempt.external_id.in_(sids))).scalars())
    return min((one for one in fitting if one.sid not in known), key=lambda one: (one.taken_at, one.sid), default=None)


def _plain(text: str) -> str:
    return " ".join(text.split())
