"""The journal: every raw inbound item with the named state it ended in; quarantined ones can be tried again."""

import quopri
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from sqlalchemy import Connection, Row, func, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.journal_words import MEANINGS, STATES, Reason, reason_of
from agent_ui.pages.admin import admin_page, administer, choices, go
from agent_ui.pages.admin_channels import KINDS
from contact_center.accounts.audit import record
from contact_center.accounts.permissions import Permission, require
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.files import FileStore
from contact_center.core.i18n import mark
from contact_center.core.services import services
from tickets import inbox
from tickets.blocks import is_blocked
from tickets.models import ChannelAccount, JournalItem, Message
from tickets.numbers import number_of
from tickets.sensitive import masking
from tickets.sensitive.find import Kind, find
from tickets.sensitive.masking import HIDDEN
from tickets.states import Channel, JournalState

# inbox.retry or inbox.release.
PutBack = Callable[..., object]
PAGE = 50
LONGEST_RAW = 200_000
EXTENSIONS = {Channel.EMAIL.value: "eml"}
# How many quarantined items the head counts before it says "more".
MOST_COUNTED = 1000


def routes() -> list[Route]:
    """/admin/journal and one item."""
    return [
        administer("/journal", index),
        administer("/journal/{item_id:int}", item, "GET"),
        administer("/journal/{item_id:int}/retry", retry, "POST"),
        administer("/journal/{item_id:int}/release", release, "POST"),
        administer("/journal/{item_id:int}/raw", download, "POST"),
    ]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the journal, newest first."""

    items: Sequence[Row[*tuple[Any, ...]]]
    older: int | None
    quarantined: int


def read_page(tx: Connection, *, state: str, channel: str, before: int | None) -> Page:
    """Items by filter, before an id; two statements."""
    query = (
        select(
            JournalItem.id,
            JournalItem.channel,
            JournalItem.state,
            JournalItem.reason,
            JournalItem.sender,
            JournalItem.summary,
            JournalItem.received_at,
            JournalItem.attempts,
            ChannelAccount.name.label("account"),
        )
        .outerjoin(ChannelAccount, ChannelAccount.id == JournalItem.channel_account_id)
        .order_by(JournalItem.id.desc())
        .limit(PAGE + 1)
    )
    if state in STATES:
        query = query.where(JournalItem.state == state)
    if channel in KINDS:
        query = query.where(JournalItem.channel == channel)
    if before is not None:
        query = query.where(JournalItem.id < before)
    rows = tx.execute(query).all()
    waiting = select(JournalItem.id).where(JournalItem.state == JournalState.QUARANTINED.value).limit(MOST_COUNTED)
    return Page(
        rows[:PAGE],
        rows[PAGE - 1].id if len(rows) > PAGE else None,
        tx.execute(select(func.count()).select_from(waiting.subquery())).scalar_one(),
    )


async def index(request: Request) -> Response:
    """The journal, filtered, a page at a time."""
    query = request.query_params
    state, channel, before = query.get("state", ""), query.get("channel", ""), query.get("before", "")
    found = await services(request).db.read(
        read_page,
        state=state,
        channel=channel,
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )
    locale = await locale_of(request)
    address = f"/admin/journal?state={state if state in STATES else ''}&channel={channel if channel in KINDS else ''}"
    return await admin_page(
        request,
        "journal.html",
        "journal",
        items=found.items,
        quarantined=found.quarantined,
        newest=address if before else "",
        older=f"{address}&before={found.older}" if found.older else "",
        state=state,
        channel=channel,
        states=choices(locale, {"": mark("All states"), **STATES}),
        channels=choices(locale, {"": mark("All channels"), **KINDS}),
        state_names=STATES,
        reasons={item.id: reason_of(locale, item.reason) for item in found.items},
    )


@dataclass(frozen=True, slots=True)
class Opened:
    """One item with the conversation it became."""

    row: Row[Any]
    account: str
    number: int | None
    # Whether something was masked in its message, and what would be masked.
    masked: bool
    kinds: frozenset[Kind]


def open_item(tx: Connection, item_id: int) -> Opened:
    """An item by id."""
    row = tx.execute(select(JournalItem.__table__).where(JournalItem.id == item_id)).first()
    if row is None:
        raise NotFound("There is no such item.")
    account = tx.execute(
        select(ChannelAccount.name).where(ChannelAccount.id == row.channel_account_id)
    ).scalar_one_or_none()
    message = tx.execute(select(Message.ticket_id, Message.meta).where(Message.journal_id == item_id).limit(1)).first()
    return Opened(
        row,
        account or "",
        number_of(message.ticket_id) if message is not None else None,
        message is not None and HIDDEN in message.meta,
        masking.rules(tx).kinds,
    )


async def item(request: Request) -> Response:
    """One item as it came: its bytes as text, never as a page of ours."""
    held = services(request)
    opened = await held.db.read(open_item, request.path_params["item_id"])
    raw, cut = raw_text(opened.row, held.files)
    withheld = raw is not None and (opened.masked or is_sensitive(raw, opened.kinds))
    locale = await locale_of(request)
    return await admin_page(
        request,
        "journal_item.html",
        "journal",
        opened=opened,
        item=opened.row,
        raw=None if withheld else raw,
        withheld=withheld,
        cut=cut,
        state_names=STATES,
        meaning=MEANINGS[opened.row.state],
        reason=reason_of(locale, opened.row.reason) if opened.row.reason else Reason(""),
        may_release=is_blocked(opened.row) and (opened.row.raw is not None or bool(opened.row.raw_digest)),
        may_retry=opened.row.state == JournalState.QUARANTINED.value,
    )


def raw_bytes(row: Row[Any], files: FileStore) -> bytes | None:
    """The item as it came; None when its bytes are no longer kept."""
    if row.raw is None and row.raw_digest:
        try:
            return files.get(row.raw_digest)
        except FileNotFoundError:
            return None
    data: bytes | None = row.raw
    return data


def raw_text(row: Row[Any], files: FileStore) -> tuple[str | None, bool]:
    """The item's bytes as text, and whether they were cut; None when they are no longer kept."""
    data = raw_bytes(row, files)
    if data is None:
        return None, False
    return data[:LONGEST_RAW].decode("utf-8", "replace").replace("\x00", "\ufffd"), len(data) > LONGEST_RAW


def is_sensitive(raw: str, kinds: frozenset[Kind]) -> bool:
    """Whether raw text holds what would be masked, as it stands or behind a form's or a mail's encoding."""
    form = unquote_plus(raw.replace("&", "\n")).replace("=", " ")
    plain = (raw, form, quopri.decodestring(raw.encode()).decode("utf-8", "replace"))
    return any(find(text, kinds) for text in plain)


async def retry(request: Request) -> Response:
    """Try a quarantined item again; the channel's loop takes it."""
    return await _once_more(request, inbox.retry, "retried")


async def release(request: Request) -> Response:
    """Let a blocked item through; the block stays for others."""
    return await _once_more(request, inbox.release, "released")


async def _once_more(request: Request, put_back: PutBack, done: str) -> Response:
    """Put an item back to received, and say on its page what was done."""
    await read_form(request)
    item_id = request.path_params["item_id"]
    await services(request).db.write(_audited, put_back, item_id, done, by=request.state.person.id, now=utcnow())
    return go(f"/admin/journal/{item_id}", done)


def _audited(tx: Connection, put_back: PutBack, item_id: int, done: str, *, by: int, now: datetime) -> None:
    put_back(tx, item_id, now=now)
    record(tx, f"journal.{done}", f"journal:{item_id}", now=now, user_id=by)


async def download(request: Request) -> Response:
    """The item's bytes as a file, never shown by the browser; who took them is audited."""
    await read_form(request)
    require(request.state.person.role, Permission.REVEAL_SENSITIVE)
    held = services(request)
    item_id = request.path_params["item_id"]
    row = (await held.db.read(open_item, item_id)).row
    data = raw_bytes(row, held.files)
    if data is None:
        raise NotFound("The raw bytes are no longer kept.")
    await held.db.write(note_download, item_id, by=request.state.person.id, now=utcnow())
    name = f"journal-{item_id}.{EXTENSIONS.get(row.channel, 'txt')}"
    headers = {"content-disposition": f'attachment; filename="{name}"', "content-security-policy": "sandbox"}
    return Response(data, media_type="application/octet-stream", headers=headers)


def note_download(tx: Connection, item_id: int, *, by: int, now: datetime) -> None:
    """Audit that somebody took what a customer sent."""
    record(tx, "journal.downloaded", f"journal:{item_id}", now=now, user_id=by)
