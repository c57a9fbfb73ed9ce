"""Recordings and voicemails are kept for as many days as their line says, then deleted here and at the carrier.

1. `expire` takes what is due, in one transaction: no row names the file any more (its bytes go with those that nothing
   names), the message says that it was deleted and why, the audit log too, and the carrier is to be told.
2. The loop deletes the carrier's copy: gone already is as good. What it does not do now is tried again, until it is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2
import structlog
from sqlalchemy import Connection, Row, delete, select, update
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from channels.phone.flow import marks
from channels.phone.flow.models import CallRecording
from channels.phone.models import Call
from channels.sms.client import OpenHttp, open_client, open_http
from channels.sms.media import file_stem
from channels.sms.models import SmsMedia
from contact_center.accounts import audit
from contact_center.core.clock import utcnow
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.models import Attachment, ChannelAccount
from tickets.states import Channel

log = structlog.get_logger()

# The setting of a line: how many days; without it they are kept for ever.
KEEP_DAYS = "keep_recordings_days"
# What the form of a new line begins with.
USUAL_DAYS = 365
LIMITS = (1, 3650)
BATCH = 50
ABSENT = "absent"
# Longer than one request may take.
LEASE = timedelta(minutes=2)
FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)


class Retention:
    """The loop's step: what is due here, then what the carrier is to delete."""

    def __init__(self, held: Services, http: OpenHttp = open_http) -> None:
        self.held = held
        self.open_http = http

    async def run_once(self) -> bool:
        """A batch of each; True when there may be more."""
        db = self.held.db
        expired = await db.write(expire, utcnow())
        rows = await db.write(claim, utcnow())
        for row in rows:
            if await self._delete(row):
                await db.write(gone, row, now=utcnow())
            else:
                await db.write(later, row, now=utcnow())
        return expired == BATCH or len(rows) == BATCH

    async def _delete(self, row: Row[*tuple[Any, ...]]) -> bool:
        """Whether the carrier has it no more."""
        account = await self.held.db.read(channel_accounts.by_id, self.held.vault, row.channel_account_id)
        secrets = account.secrets
        if not (secrets.get("account_sid") and secrets.get("auth_token")):
            return False
        try:
            async with self.open_http() as http:
                client = open_client(
                    http,
                    account_sid=str(secrets["account_sid"]),
                    auth_token=str(secrets["auth_token"]),
                    base_url=self.held.settings.twilio_api_url,
                )
                await client.recordings(row.external_id).delete_async()
        except (TwilioRestException, TwilioServiceException) as error:
            if error.status == 404:
                return True
            log.warning("retention.refused", recording_id=row.id, status=error.status, code=error.code)
            return False
        except (httpx2.HTTPError, TwilioException, ValueError) as error:
            log.warning("retention.failed", recording_id=row.id, reason=type(error).__name__)
            return False
        return True


def days_of(settings: Mapping[str, Any]) -> int | None:
    """How many days a line keeps recordings, None for ever."""
    days = settings.get(KEEP_DAYS)
    return days if isinstance(days, int) and days >= LIMITS[0] else None


def expire(tx: Connection, now: datetime) -> int:
    """Delete what is past its line's days here, at most BATCH; how many there were."""
    accounts = tx.execute(
        select(ChannelAccount.id, ChannelAccount.settings)
        .where(ChannelAccount.channel == Channel.PHONE.value)
        .order_by(ChannelAccount.id)
    ).all()
    done = 0
    for account in accounts:
        days = days_of(account.settings)
        if days is None or done == BATCH:
            continue
        due = (
            select(CallRecording.__table__)
            .join(Call, Call.id == CallRecording.call_id)
            .where(
                CallRecording.deleted_at.is_(None),
                CallRecording.created_at <= now - timedelta(days=days),
                CallRecording.state != ABSENT,
                Call.channel_account_id == account.id,
            )
            .order_by(CallRecording.created_at, CallRecording.id)
            .limit(BATCH - done)
            .with_for_update(skip_locked=True, of=[CallRecording, Call])
        )
        for recording in tx.execute(due).all():
            _expire(tx, recording, days, now=now)
            done += 1
    return done


def _expire(tx: Connection, recording: Row[Any], days: int, *, now: datetime) -> None:
    values = {"deleted_at": now, "carrier_due_at": now, "url": "", "transcription_url": ""}
    tx.execute(update(CallRecording).where(CallRecording.id == recording.id).values(**values))
    if recording.message_id is not None:
        _take_off(tx, recording, days, now=now)
    details = {"call_id": recording.call_id, "kind": recording.kind, "days": days}
    audit.record(tx, "recording.deleted", f"recording:{recording.id}", now=now, details=details)


def _take_off(tx: Connection, recording: Row[Any], days: int, *, now: datetime) -> None:
    """The message has the sound no more, and says so; one that still waits to be fetched is not fetched."""
    media = tx.execute(
        update(SmsMedia)
        .where(SmsMedia.message_id == recording.message_id, SmsMedia.url == f"{recording.url}.mp3")
        .values(state="deleted")
        .returning(SmsMedia.position)
    ).scalar_one_or_none()
    if media is None:
        return
    stem = file_stem(Channel.PHONE, media)
    tx.execute(
        delete(Attachment).where(
            Attachment.message_id == recording.message_id,
            Attachment.filename.startswith(f"{stem}.", autoescape=True),
        )
    )
    marks.mark(tx, recording.message_id, stem, {"deleted_at": now.isoformat(), "kept_days": days})
    marks.tell(tx, recording.message_id, now=now)


def claim(tx: Connection, now: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """Recordings that the carrier is to delete now, put off by a lease: if this process dies, another one asks."""
    rows = tx.execute(
        select(CallRecording.id, CallRecording.external_id, CallRecording.carrier_attempts, Call.channel_account_id)
        .join(Call, Call.id == CallRecording.call_id)
        .where(CallRecording.carrier_due_at <= now)
        .order_by(CallRecording.carrier_due_at, CallRecording.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=CallRecording)
    ).all()
    if rows:
        tx.execute(
            update(CallRecording)
            .where(CallRecording.id.in_([row.id for row in rows]))
            .values(carrier_due_at=now + LEASE, carrier_attempts=CallRecording.carrier_attempts + 1)
        )
    return rows


def gone(tx: Connection, row: Row[*tuple[Any, ...]], *, now: datetime) -> None:
    """The carrier has it no more; said once."""
    done = tx.execute(
        update(CallRecording)
        .where(CallRecording.id == row.id, CallRecording.carrier_due_at.is_not(None))
        .values(carrier_due_at=None)
    )
    if done.rowcount == 1:
        audit.record(tx, "recording.deleted_at_carrier", f"recording:{row.id}", now=now)


def later(tx: Connection, row: Row[*tuple[Any, ...]], *, now: datetime) -> None:
    """It may still have it: asked again, ever later, and at least once a day."""
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(row.carrier_attempts, 10))
    tx.execute(
        update(CallRecording)
        .where(CallRecording.id == row.id, CallRecording.carrier_due_at.is_not(None))
        .values(carrier_due_at=now + pause)
    )
