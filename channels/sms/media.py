"""Files of inbound MMS, WhatsApp and app messages, fetched within limits and attached.

Those of an MMS lie with the carrier and need the account's credentials; those of an app lie at a public address.
"""

import mimetypes
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Connection, Row, select, update

from channels.sms.client import OpenHttp, moved, open_http
from channels.sms.models import SmsMedia
from contact_center.core import outbound
from contact_center.core.clock import utcnow
from contact_center.core.events import emit
from contact_center.core.outbound import Fetched
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.inbound import StoredFile
from tickets.models import Message, Ticket
from tickets.states import Channel
from tickets.timeline import add_files, topics_of

BATCH = 5
MOST_BYTES = 16 * 1024 * 1024
MOST_REDIRECTS = 3
NAMES = {Channel.SMS: "mms", Channel.PHONE: "recording"}
MOST_ATTEMPTS = 6
FIRST_RETRY = timedelta(seconds=10)
LEASE = timedelta(minutes=2)
CARRIER_HOST = "api.twilio.com"
# Twilio answers with a redirect to its stores; the credentials do not go there.
STORES = (".twilio.com", ".twiliocdn.com", ".amazonaws.com")


FetchPublic = Callable[..., Awaitable[Fetched]]


class CannotFetch(Exception):
    """A picture could not be fetched; `for_good`: another try would end the same way."""

    def __init__(self, text: str, *, for_good: bool) -> None:
        super().__init__(text)
        self.for_good = for_good


class MediaLoop:
    """The loop's step: a few waiting pictures."""

    def __init__(self, held: Services, http: OpenHttp = open_http, fetch_public: FetchPublic = outbound.fetch) -> None:
        self.held = held
        self.open_http = http
        self.fetch_public = fetch_public

    async def run_once(self) -> bool:
        """Fetch what is due; True when there may be more."""
        db = self.held.db
        rows = await db.write(claim, utcnow())
        for row in rows:
            account = await db.read(channel_accounts.by_id, self.held.vault, row.channel_account_id)
            try:
                found = await self._fetch(row, account)
            except CannotFetch as error:
                await db.write(postpone, row, str(error), for_good=error.for_good, now=utcnow())
                continue
            digest = self.held.files.put(found.data)
            name = file_name(account.channel, row.position, found.content_type)
            file = StoredFile(digest, name, found.content_type, len(found.data))
            await db.write(attach, row, file, now=utcnow())
        return len(rows) == BATCH

    async def _fetch(self, row: Row[Any], account: Account) -> Fetched:
        if account.channel in (Channel.SMS, Channel.WHATSAPP, Channel.PHONE):
            async with self.open_http() as http:
                data = await fetch(http, row.url, account, api_url=self.held.settings.twilio_api_url)
            return Fetched(data, row.content_type)
        # Messaging apps keep files anywhere, and a bridge names any address it likes: public ones only.
        try:
            found = await self.fetch_public(row.url, most_bytes=MOST_BYTES, seconds=20)
        except outbound.CannotFetch as error:
            raise CannotFetch(str(error), for_good=False) from error
        return Fetched(found.data, row.content_type or found.content_type)


def claim(tx: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Due pictures, put off by a lease: if this process dies, another one fetches them."""
    rows = tx.execute(
        select(SmsMedia.__table__)
        .where(SmsMedia.state == "waiting", SmsMedia.due_at <= now)
        .order_by(SmsMedia.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        tx.execute(
            update(SmsMedia)
            .where(SmsMedia.id.in_([row.id for row in rows]))
            .values(due_at=now + LEASE, attempts=SmsMedia.attempts + 1)
        )
    return rows


def attach(tx: Connection, row: Row[Any], file: StoredFile, *, now: datetime) -> None:
    """Put a fetched picture on its message, once."""
    if _settle(tx, row.id, "stored", None):
        add_files(tx, row.message_id, [file])
        _announce(tx, row.message_id, now=now)


def postpone(tx: Connection, row: Row[Any], error: str, *, for_good: bool, now: datetime) -> None:
    """Try again later, or give up and say so on the message."""
    if not for_good and row.attempts + 1 < MOST_ATTEMPTS:
        due_at = now + FIRST_RETRY * 2**row.attempts
        tx.execute(update(SmsMedia).where(SmsMedia.id == row.id).values(due_at=due_at, error=error))
    elif _settle(tx, row.id, "failed", error):
        _announce(tx, row.message_id, now=now)


def _settle(tx: Connection, media_id: int, state: str, error: str | None) -> bool:
    done = tx.execute(
        update(SmsMedia).where(SmsMedia.id == media_id, SmsMedia.state == "waiting").values(state=state, error=error)
    )
    return done.rowcount == 1


def _announce(tx: Connection, message_id: int, *, now: datetime) -> None:
    row = tx.execute(
        select(Message.ticket_id, Ticket.queue_id, Ticket.assignee_id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Message.id == message_id)
    ).one()
    emit(
        tx,
        "message.updated",
        {"ticket_id": row.ticket_id, "message_id": message_id, "delivery": None},
        now=now,
        topics=topics_of(row.ticket_id, queue_id=row.queue_id, assignee_id=row.assignee_id),
    )


async def fetch(http: httpx2.AsyncClient, url: str, account: Account, *, api_url: str) -> bytes:
    """The bytes behind a carrier's address; raises CannotFetch. Only the carrier's own hosts are asked."""
    if urlsplit(url).hostname == CARRIER_HOST:
        url = moved(url, api_url)
    own = urlsplit(api_url)
    secrets = account.secrets
    for step in range(MOST_REDIRECTS + 1):
        parts = urlsplit(url)
        at_carrier = (parts.scheme == "https" and parts.hostname == CARRIER_HOST) or (
            bool(own.netloc) and (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        )
        if not at_carrier and not (step and parts.scheme == "https" and f".{parts.hostname}".endswith(STORES)):
            raise CannotFetch(f"The picture lies on {parts.hostname}, which is not the carrier's.", for_good=True)
        auth = (str(secrets.get("account_sid", "")), str(secrets.get("auth_token", ""))) if at_carrier else None
        try:
            async with http.stream("GET", url, auth=auth, follow_redirects=False, timeout=20.0) as answer:
                if answer.is_redirect:
                    url = str(httpx2.URL(url).join(answer.headers["location"]))
                    continue
                return await _read(answer)
        except httpx2.HTTPError as error:
            raise CannotFetch("The carrier did not answer.", for_good=False) from error
    raise CannotFetch("The carrier redirects in circles.", for_good=True)


async def _read(answer: httpx2.Response) -> bytes:
    if answer.status_code != 200:
        # 404 may come before the carrier's own copy is ready; a refusal stays one.
        for_good = answer.status_code in (400, 401, 403, 410)
        raise CannotFetch(f"The carrier answered {answer.status_code}.", for_good=for_good)
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise CannotFetch("The picture is larger than 16 MB.", for_good=True)
        parts.append(part)
    return b"".join(parts)


def file_name(channel: Channel, position: int, content_type: str) -> str:
    """A name for a file that came without one."""
    ending = mimetypes.guess_extension(content_type.partition(";")[0]) or ""
    return file_stem(channel, position) + ending


def file_stem(channel: Channel, position: int) -> str:
    """Such a name without its ending, the same for whatever comes at this place of the message."""
    return f"{NAMES.get(channel, 'file')}-{position + 1}"
