"""Replies, notes, drafts and read marks: what the composer posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent_ui import conversation, copies, entries
from agent_ui.pages import scheduling
from agent_ui.pages.commands import choice_of, text, ticket_id
from agent_ui.pages.settings import undo_of
from agent_ui.pages.ticket import head_values, translate
from agent_ui.views import Ticket as TicketView
from channels import carrying
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.i18n import explain
from contact_center.core.services import services
from tickets import draft_files, drafts, lifecycle, notifications, replies, scheduled
from tickets.drafts import Copies
from tickets.inbound import StoredFile
from tickets.replies import Author, Reply
from tickets.states import Channel, Status
from tickets.timeline import Appended


@dataclass(frozen=True, slots=True)
class Written:
    """What the composer posts: the way (`email:12`, `note`), the words, ids of uploaded files, the status after it."""

    key: str
    text: str
    files: Sequence[int]
    then: Status | None
    # How long the author wants to be able to take it back.
    undo: timedelta
    # When it leaves, and the zone that was meant; None: now.
    when: tuple[datetime, str] | None = None
    # Who gets a copy of a mail, seen by the others and unseen.
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()


AFTERWARDS = {"resolved": Status.RESOLVED, "pending": Status.PENDING}


async def write(request: Request) -> Response:
    """Send a reply or add a note, once per client id; then, if asked, resolve or wait for the customer."""
    person = await person_of(request)
    author = Author(person.id, await text(request, "client_id") or None)
    form = await request.form()
    body = form.get("text", "")
    written = str(body) if isinstance(body, str) else ""
    key = conversation.NOTE if await text(request, "mode") == "note" else await text(request, "via")
    put = [int(one) for one in (await text(request, "files")).split(",") if one.isdecimal()]
    when = await scheduling.when_of(request, ticket_id(request)) if key != conversation.NOTE else None
    cc, bcc = copies.read(await text(request, "cc"), field="cc"), copies.read(await text(request, "bcc"), field="bcc")
    message = Written(key, written, put, AFTERWARDS.get(await text(request, "then")), undo_of(person), when, cc, bcc)
    now = utcnow()
    appended = await services(request).db.write(_write, ticket_id(request), message, author=author, now=now)
    if appended is None and "application/json" in request.headers.get("accept", ""):
        return JSONResponse(await scheduling.parts_of(request, ticket_id(request)))
    if appended is None or "application/json" not in request.headers.get("accept", ""):
        return RedirectResponse(f"/tickets/{request.path_params['number']}", 303)
    return await _parts(request, appended, now)


def _write(tx: Connection, ticket: int, message: Written, *, author: Author, now: datetime) -> Appended | None:
    """The new entry; None for a reply that leaves later."""
    assert author.user_id is not None
    # Lock first: the second of two equal posts finds the first one's message, and its files where they went.
    row = lifecycle.access(tx, ticket, lock=True)
    known = replies.already_written(tx, author)
    if known is not None:
        return known
    if message.when is not None and scheduled.is_known(tx, author):
        return None
    files = draft_files.take(tx, ticket, author.user_id, message.files)
    appended: Appended | None
    if message.key == conversation.NOTE:
        appended = replies.note(tx, ticket, message.text, author=author, now=now, attachments=files)
        lifecycle.mark_read(tx, ticket, author.user_id, appended.seq)
    else:
        appended = _answer(tx, row, message, files, author=author, now=now)
    drafts.save(tx, ticket, author.user_id, message.key, "", begun_at_seq=0, now=now)
    if message.then is not None and message.when is None:
        lifecycle.set_status(tx, ticket, message.then, user_id=author.user_id, now=now)
    return appended


def _answer(
    tx: Connection, ticket: Row[Any], message: Written, files: tuple[StoredFile, ...], *, author: Author, now: datetime
) -> Appended | None:
    channel, point = via_of(message.key)
    if files:
        sender = conversation.senders(ticket, conversation.accounts(tx)).get(channel.value)
        if sender is not None:
            carrying.check(channel, sender.address, sender.settings, files)
    meta: dict[str, Any] = {"then": message.then.value} if message.then else {}
    if channel is Channel.EMAIL and (message.cc or message.bcc):
        copies.check(tx, (*message.cc, *message.bcc))
        meta |= {"cc": list(message.cc), "bcc": [one for one in message.bcc if one not in message.cc]}
    answer = Reply(
        message.text, channel=channel, contact_point_id=point, attachments=files, undo=message.undo, meta=meta
    )
    if message.when is None:
        return replies.reply(tx, ticket.id, answer, author=author, now=now)
    send_at, zone = message.when
    scheduled.schedule(tx, ticket.id, answer, send_at=send_at, zone=zone, author=author, now=now)
    return None


def via_of(key: str) -> tuple[Channel, int | None]:
    """The channel and contact point behind a way to answer, e.g. `email:12`."""
    name, _, number = key.partition(":")
    channel: Channel = choice_of(Channel, name, "via")
    return channel, int(number) if number.isdecimal() else None


async def _parts(request: Request, appended: Appended, now: datetime) -> JSONResponse:
    """The written entry and the new head, in the form of a live frame."""
    held, locale = services(request), await locale_of(request)

    def read(tx: Connection) -> tuple[entries.Raw, TicketView]:
        return entries.after(tx, appended.ticket_id, appended.seq - 1), conversation.head(
            tx, appended.ticket_id, now=now
        )[0]

    raw, ticket = await held.db.read(read)
    shown = [entry for entry in entries.as_entries(raw, translate(locale)) if entry.seq >= appended.seq]
    html = "".join(held.templates.render(locale, "parts/entry.html", entry=entry) for entry in shown)
    head = held.templates.render(locale, "parts/ticket_head.html", **head_values(ticket))
    parts = [{"to": "timeline", "how": "append", "html": html}, {"to": "thead", "how": "fill", "html": head}]
    return JSONResponse({"parts": parts, "seq": shown[-1].seq if shown else appended.seq})


async def save_draft(request: Request) -> Response:
    """Keep what is being written; nothing deletes it. What is wrong with its copies is said, and kept all the same."""
    person = await person_of(request)
    form = await request.form()
    key, body, seq = (str(form.get(name, "")) for name in ("key", "text", "seq"))
    if key != conversation.NOTE:
        via_of(key)
    if not seq.isdecimal():
        raise Invalid("This is not one of the choices.", field="seq")
    typed = Copies(str(form.get("cc", "")), str(form.get("bcc", ""))) if "cc" in form else None
    await services(request).db.write(
        drafts.save,
        ticket_id(request),
        person.id,
        key,
        body.strip() and body,
        begun_at_seq=int(seq),
        now=utcnow(),
        copies=typed,
    )
    return JSONResponse({"saved": True, "copies": await _wrong_with(request, typed) if typed else ""})


async def _wrong_with(request: Request, typed: Copies) -> str:
    """What keeps a mail with these copies from leaving, as a sentence; "" for nothing."""
    try:
        found = (*copies.read(typed.cc, field="cc"), *copies.read(typed.bcc, field="bcc"))
        await services(request).db.read(copies.check, found)
    except Invalid as error:
        return explain(await locale_of(request), error)
    return ""


async def mark_read(request: Request) -> Response:
    """The person has the conversation before them, up to a seq."""
    person = await person_of(request)
    seq = await text(request, "seq")
    if not seq.isdecimal():
        raise Invalid("This is not one of the choices.", field="seq")
    await services(request).db.write(_seen, ticket_id(request), person.id, int(seq), now=utcnow())
    return Response(status_code=204)


def _seen(tx: Connection, ticket: int, user_id: int, seq: int, *, now: datetime) -> None:
    lifecycle.mark_read(tx, ticket, user_id, seq)
    notifications.mark_read(tx, user_id, now=now, ticket_id=ticket)
