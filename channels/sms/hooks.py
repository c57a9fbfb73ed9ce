"""Twilio's edge for SMS and WhatsApp: inbound messages, delivery receipts, and the files of an outgoing MMS."""

import hashlib
from urllib.parse import quote

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from twilio.request_validator import SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER

from channels import receipts
from channels.guard import guarded
from channels.lookup import account_by_key
from channels.sms import inbound as arrivals
from channels.sms import outcomes
from channels.sms.parse import BadForm, Form, first_values, parse_inbound, read_form
from channels.sms.send import MEDIA_PURPOSE, MEDIA_SECONDS
from channels.sms.signature import is_signed
from channels.sms.status import from_twilio
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.files import INLINE_LIMIT
from contact_center.core.metrics import INBOUND
from contact_center.core.secrets import BadToken
from contact_center.core.services import services
from tickets import inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel

log = structlog.get_logger()

TEXTS = (Channel.SMS, Channel.WHATSAPP)
SECRETS = ("auth_token", "auth_token_next", "shared_key")


def routes() -> list[BaseRoute]:
    """The addresses an administrator enters at Twilio, and those that we give with each message."""
    return [
        Route("/hooks/twilio/{key}/sms", receive_sms, methods=["POST"]),
        Route("/hooks/twilio/{key}/whatsapp", receive_sms, methods=["POST"]),
        Route("/hooks/twilio/{key}/receipt/{token}", receive_receipt, methods=["POST"]),
        Route("/hooks/twilio/{key}/media/{token}", serve_media, methods=["GET"]),
    ]


def twiml(body: str = "") -> Response:
    """Instructions for Twilio; empty ones mean that there is nothing to say."""
    return Response(f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>', media_type="text/xml")


async def signed_form(request: Request, *channels: Channel) -> tuple[Account, Form, bytes]:
    """The account behind the address and the form that Twilio signed for it; NotFound, Invalid or Forbidden."""
    held = services(request)
    account = await account_by_key(held, request.path_params["key"], *channels)
    body = await request.body()
    if len(body) > INLINE_LIMIT:
        raise HTTPException(413)
    try:
        form = read_form(body)
    except BadForm as error:
        raise Invalid("This is not a form.") from error
    good = is_signed(
        public_address(request, held.settings.base_url),
        form,
        request.headers.get(SIGNATURE_HEADER),
        secrets=[str(account.secrets.get(name, "")) for name in SECRETS],
        settings_header=request.headers.get(SIGNATURE_SETTINGS_HEADER),
    )
    if not good:
        log.warning("twilio.bad_signature", account=account.name, path=request.url.path)
        raise Forbidden("The signature does not fit this address. Is CONTACT_CENTER_PUBLIC_URL what Twilio calls?")
    return account, form, body


def public_address(request: Request, base_url: str) -> str:
    """The address as the caller outside wrote it: proxies change host, scheme and port, never path and query."""
    raw_path: bytes = request.scope.get("raw_path") or quote(request.url.path).encode()
    query: bytes = request.scope.get("query_string", b"")
    return base_url + raw_path.partition(b"?")[0].decode("ascii") + (f"?{query.decode('ascii')}" if query else "")


async def receive_sms(request: Request) -> Response:
    """One inbound message: stored in one transaction, or in quarantine, and then 200."""
    held = services(request)
    account, form, body = await signed_form(request, *TEXTS)
    try:
        sms = parse_inbound(form)
    except BadForm as error:
        # Twilio signed it, so it is somebody's message: a person looks at it.
        digest = hashlib.sha256(body).hexdigest()
        broken = RawItem(account.channel, account.id, external_id=f"form:{digest}", raw=body)
        await held.db.write(inbox.quarantine, broken, str(error), now=utcnow())
        return twiml()
    region = str(account.settings.get("region") or held.settings.region)
    arrival = arrivals.Arrival(sms, account, body, region)
    item = arrivals.raw_item(arrival)
    state = await guarded(held.db, item, arrivals.receive, arrival, now=utcnow())
    if state is not None:
        INBOUND.labels(account.channel.value, state.value).inc()
    return twiml()


async def receive_receipt(request: Request) -> Response:
    """What became of one of our messages; an unknown one is acknowledged, so that Twilio stops asking."""
    held = services(request)
    account, form, body = await signed_form(request, *TEXTS)
    attempt_id = receipts.attempt_of(held.vault, request.path_params["token"])
    values = first_values(form)
    status = values.get("MessageStatus", "")[:40]
    if attempt_id is None or from_twilio(status) is None:
        log.info("twilio.receipt_ignored", account=account.name, status=status)
        return twiml()
    external_id = f"{outcomes.RECEIPT}{attempt_id}:{status}"
    item = RawItem(account.channel, account.id, external_id, raw=body, summary=status)
    await guarded(held.db, item, outcomes.receive, attempt_id, values, now=utcnow())
    return twiml()


async def serve_media(request: Request) -> Response:
    """A file of an outgoing MMS, for whom we gave its signed address: Twilio, for a day."""
    held = services(request)
    try:
        digest, content_type = held.vault.verify(MEDIA_PURPOSE, request.path_params["token"], max_age=MEDIA_SECONDS)
        data = held.files.get(digest)
    except (BadToken, ValueError, FileNotFoundError) as error:
        raise NotFound("There is nothing here.") from error
    headers = {"content-security-policy": "sandbox", "content-disposition": "attachment"}
    return Response(data, media_type=content_type, headers=headers)
