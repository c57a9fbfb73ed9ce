"""Replies, notes, drafts and read marks: what the composer posts."""

from datetime import datetime

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent_ui import conversation, entries
from agent_ui.pages.commands import choice_of, text, ticket_id
from agent_ui.pages.ticket import head_values, translate
from agent_ui.views import Ticket as TicketView
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid
from contact_center.core.services import services
from tickets import lifecycle, replies
from tickets.replies import Author, Reply
from tickets.states import Channel, Status
from tickets.timeline import Appended

AFTERWARDS = {"resolved": Status.RESOLVED, "pending": Status.PENDING}


async def write(request: Request) -> Response:
    """Send a reply or add a note, once per client id; then, if asked, resolve or wait for the customer."""
    person = await person_of(request)
    author = Author(person.id, await text(request, "client_id") or None)
    form = await request.form()
    body = form.get("text", "")
    written = str(body) if isinstance(body, str) else ""
    key = conversation.NOTE if await text(request, "mode") == "note" else await text(request, "via")
    then = AFTERWARDS.get(await text(request, "then"))
    now = utcnow()
    appended = await services(request).db.write(
        _write, ticket_id(request), key, written, author=author, then=then, now=now
    )
    if "application/json" not in request.headers.get("accept", ""):
        return RedirectResponse(f"/tickets/{request.path_params['number']}", 303)
    return await _parts(request, appended, now)


def _write(
    tx: Connection, ticket: int, key: str, written: str, *, author: Author, then: Status | None, now: datetime
) -> Appended:
    if key == conversation.NOTE:
        appended = replies.note(tx, ticket, written, author=author, now=now)
    else:
        channel, point = via_of(key)
        answer = Reply(written, channel=channel, contact_point_id=point)
        appended = replies.reply(tx, ticket, answer, author=author, now=now)
    assert author.user_id is not None
    replies.save_draft(tx, ticket, author.user_id, key, "", begun_at_seq=0, now=now)
    lifecycle.mark_read(tx, ticket, author.user_id, appended.seq)
    if then is not None:
        lifecycle.set_status(tx, ticket, then, user_id=author.user_id, now=now)
    return appended


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
    """Keep what is being written; an empty text deletes it."""
    person = await person_of(request)
    form = await request.form()
    key, body, seq = (str(form.get(name, "")) for name in ("key", "text", "seq"))
    if key != conversation.NOTE:
        via_of(key)
    if not seq.isdecimal():
        raise Invalid("This is not one of the choices.", field="seq")
    await services(request).db.write(
        replies.save_draft,
        ticket_id(request),
        person.id,
        key,
        body.strip() and body,
        begun_at_seq=int(seq),
        now=utcnow(),
    )
    return JSONResponse({"saved": True})


async def mark_read(request: Request) -> Response:
    """The person has the conversation before them, up to a seq."""
    person = await person_of(request)
    seq = await text(request, "seq")
    if not seq.isdecimal():
        raise Invalid("This is not one of the choices.", field="seq")
    await services(request).db.write(lifecycle.mark_read, ticket_id(request), person.id, int(seq))
    return Response(status_code=204)
