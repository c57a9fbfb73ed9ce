"""The contact form for everybody: a page without scripts, by itself or in a frame of the shop, and its receipt."""

import asyncio
from functools import partial
from secrets import token_urlsafe
from typing import Any

import structlog
from sqlalchemy import Connection, select
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from channels.chat import contact_form, mailing, widgets
from channels.chat.asking import chosen, regions_of
from channels.chat.contact_form import FORM_ID, MOST_BYTES, MOST_FILES, TRAP, Filled
from channels.chat.page import FILE_TYPES, custom_texts
from channels.chat.parse import TEXT_CHARACTERS
from channels.chat.texts import form_texts, widget_texts
from channels.chat.tokens import Tokens
from channels.chat.uploads import check, file_name
from channels.chat.widgets import Open
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, NotFound
from contact_center.core.i18n import explain, gettext, mark
from contact_center.core.secrets import BadToken
from contact_center.core.services import services
from contact_center.core.web import client_address, policy
from knowledge_base.help_center import language
from knowledge_base.help_center import page as public_page
from tickets.inbound import Receipt, StoredFile
from tickets.models import ChannelAccount
from tickets.numbers import number_of
from tickets.origins import origin_of
from tickets.states import Channel

log = structlog.get_logger()

RECEIPT = "contact-receipt"
SMALL = 64 * 1024
TOO_OLD = mark("This form was open for too long. Please send it once more.")
TOO_BIG = mark("The files are too big: 20 MB together, 10 MB each, at most 5.")


def routes() -> list[Route]:
    """`/contact`, the form of one widget, and its receipt."""
    return [
        Route("/contact", first, methods=["GET"]),
        Route("/contact/{key}", show, methods=["GET"]),
        Route("/contact/{key}", send, methods=["POST"]),
        Route("/contact/{key}/sent", sent, methods=["GET"]),
    ]


async def first(request: Request) -> Response:
    """The form of the first widget that has one: an address that can be printed."""
    key = await services(request).db.read(_first)
    if key is None:
        raise NotFound("There is nothing here.")
    return RedirectResponse(f"/contact/{key}{_asked(request)}", 303)


def _first(tx: Connection) -> str | None:
    rows = tx.execute(
        select(ChannelAccount.key, ChannelAccount.name, ChannelAccount.settings)
        .where(ChannelAccount.channel == Channel.CHAT.value, ChannelAccount.enabled)
        .order_by(ChannelAccount.id)
    )
    return next((row.key for row in rows if widgets.widget_from(row.key, row.name, row.settings).form_on), None)


def _asked(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


async def show(request: Request) -> Response:
    """The empty form; where it is switched off, a page that says so."""
    found = await _open(request)
    return await _page(request, found, Filled(), status=200 if found.widget.form_on else 404)


async def send(request: Request) -> Response:
    """Take the message and lead to its receipt; what is wrong is said beside its field, and nothing typed is lost."""
    found = await _open(request)
    form = await _form(request)
    if form is None:
        problem = gettext(await language(request), TOO_BIG)
        return await _page(request, found, Filled(), problem=problem, status=413)
    try:
        return await _take(request, found, form)
    finally:
        await form.close()


async def _take(request: Request, found: Open, form: FormData) -> Response:
    held = services(request)
    locale = await language(request)
    texts = _texts(found, locale)
    if not found.widget.form_on:
        written = Filled({"text": _field(form, "text")[:TEXT_CHARACTERS]})
        return await _page(request, found, written, status=404)
    home = str(found.account.settings.get("region") or held.settings.region)
    regions = regions_of(request.headers.get("accept-language", ""), home)
    filled = contact_form.read(partial(_field, form), found.widget, texts, regions)
    if _field(form, TRAP):
        log.info("contact.trapped", widget=found.widget.key)
        return _receipt(request, found, None, filled["email"])
    form_id, ticket = _field(form, "form"), _field(form, "ticket")
    fits = Tokens.of(held.vault).ticket_fits(ticket, found.widget.key, now=utcnow())
    if not fits or not FORM_ID.fullmatch(form_id):
        return await _page(request, found, filled, problem=gettext(locale, TOO_OLD), status=403)
    if filled.wrong:
        return await _page(request, found, filled, form_id=form_id, status=422)
    try:
        receipt = await _write(request, found, form, filled, locale)
    except DomainError as error:
        said = explain(locale, error)
        return await _page(request, found, filled, form_id=form_id, problem=said, status=error.status)
    return _receipt(request, found, receipt.ticket_id, filled["email"])


async def _write(request: Request, found: Open, form: FormData, filled: Filled, locale: str) -> Receipt:
    """Store the files, then the message with them."""
    held = services(request)
    files = await _files(request, form)
    digests, page = [file.digest for file, _ in files], _field(form, "page")[:2_000]
    message = contact_form.message_of(filled, _field(form, "form"), digests, locale=locale, page=page)
    mail = mailing.as_mail(message, mailing.address_of(message.email), now=utcnow(), files=files)
    digest = await asyncio.to_thread(held.files.put, mail) if len(mail) > SMALL else None
    address = client_address(request, held.settings.trusted_proxies)
    receipt: Receipt = await held.db.write(
        mailing.take_offline,
        found.account.id,
        found.account.queue_id,
        message,
        choice=chosen(found.widget.choices, message.choice),
        locale=locale,
        address=address,
        origin=origin_of(held.vault, address),
        now=utcnow(),
        files=[file for file, _ in files],
        raw=mailing.Raw(None if digest else mail, digest),
        counted=f"contact.form:{found.account.id}",
        most=found.widget.form_limit,
    )
    return receipt


async def _form(request: Request) -> FormData | None:
    """The posted fields; None when they are more than anybody may send."""
    size = request.headers.get("content-length", "")
    if not size.isdecimal() or int(size) > MOST_BYTES + SMALL:
        return None
    try:
        return await request.form(max_files=MOST_FILES, max_fields=20)
    except HTTPException:
        # More parts than the form has.
        return None


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


async def _files(request: Request, form: FormData) -> list[tuple[StoredFile, bytes]]:
    """The chosen files, stored, with their bytes; Invalid for what may not be sent."""
    taken: list[tuple[StoredFile, bytes]] = []
    for one in form.getlist("files"):
        if not isinstance(one, UploadFile) or not (one.filename or one.size):
            continue
        data, kind = await one.read(), (one.content_type or "").partition(";")[0].strip().lower()
        check(data, kind)
        taken.append((StoredFile("", file_name(one.filename or ""), kind, len(data)), data))
    put = services(request).files.put
    return [
        (StoredFile(await asyncio.to_thread(put, data), file.filename, file.content_type, file.size), data)
        for file, data in taken
    ]


def _receipt(request: Request, found: Open, ticket_id: int | None, email: str) -> Response:
    """After a post the browser asks for a page of its own, so that loading it again sends nothing."""
    number = number_of(ticket_id) if ticket_id is not None else None
    token = services(request).vault.sign(RECEIPT, [found.widget.key, number, email])
    more = f"&{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/contact/{found.widget.key}/sent?receipt={token}{more}", 303)


async def sent(request: Request) -> Response:
    """Thanks, with the number."""
    found = await _open(request)
    try:
        key, number, email = services(request).vault.verify(RECEIPT, request.query_params.get("receipt", ""))
    except (BadToken, ValueError) as error:
        raise NotFound("There is nothing here.") from error
    if key != found.widget.key:
        raise NotFound("There is nothing here.")
    return await _page(request, found, Filled(), done=True, number=number, email=email)


async def _open(request: Request) -> Open:
    held = services(request)
    return await held.db.read(widgets.load, held.vault, request.path_params["key"], now=utcnow())


def _texts(found: Open, locale: str) -> dict[str, str]:
    own = found.widget.texts.get(locale, {})
    words = partial(gettext, locale)
    texts = widget_texts(words) | form_texts(words) | custom_texts(own)
    return texts | {name: own[name] for name in ("form", "form_more") if own.get(name)}


async def _page(
    request: Request,
    found: Open,
    filled: Filled,
    *,
    form_id: str = "",
    problem: str = "",
    status: int = 200,
    **receipt: Any,
) -> Response:
    """The form or its receipt, in a frame only on the websites that may show the widget."""
    locale = await language(request)
    widget = found.widget
    response = await public_page(
        request,
        "help/contact.html",
        status=status,
        locale=locale,
        widget=widget,
        texts=_texts(found, locale),
        filled=filled,
        form_id=form_id or token_urlsafe(15),
        ticket=Tokens.of(services(request).vault).ticket(widget.key, now=utcnow()),
        trap=TRAP,
        problem=problem,
        types=",".join(FILE_TYPES),
        asked=_asked(request),
        page=request.query_params.get("page", "")[:2_000],
        embed="embed" in request.query_params,
        done=bool(receipt.get("done")),
        number=receipt.get("number"),
        email=receipt.get("email", ""),
    )
    ancestors = "*" if "*" in widget.origins else " ".join(("'self'", *widget.origins))
    response.headers["content-security-policy"] = policy(request.state.nonce, ancestors=ancestors)
    response.headers["cache-control"] = "no-store"
    return response
