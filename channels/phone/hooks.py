"""The phone's edges: Twilio's voice callbacks and the CTI webhook of any exchange."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from hmac import compare_digest
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from channels.guard import guarded
from channels.lookup import account_by_key
from channels.phone import blocked, reports
from channels.phone.flow import hooks as flow_hooks
from channels.phone.parse import CallReport, parse_cti, parse_twilio
from channels.sms.hooks import public_address, signed_form, twiml
from channels.sms.parse import BadForm, first_values
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid
from contact_center.core.files import INLINE_LIMIT
from contact_center.core.metrics import INBOUND
from contact_center.core.services import Services, services
from tickets import inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel

RING_SECONDS = 25


def routes() -> list[BaseRoute]:
    """The addresses an administrator enters at Twilio or in the exchange."""
    return [
        Route("/hooks/twilio/{key}/voice", receive_voice, methods=["POST"]),
        Route("/hooks/cti/{key}", receive_cti, methods=["POST"]),
    ]


async def receive_voice(request: Request) -> Response:
    """A call that comes in, moves or ends at Twilio; the answer tells Twilio where to ring."""
    held = services(request)
    account, form, body = await signed_form(request, Channel.PHONE)
    now = utcnow()
    await take(held, account, reports.TWILIO, body, lambda: parse_twilio(form, now=now), now=now)
    values = first_values(form)
    is_new = values.get("CallStatus") == "ringing" and values.get("Direction") == "inbound"
    plan = flow_hooks.leads(account, values)
    begins = is_new or plan is not None
    if begins and await held.db.read(blocked.was_stopped, account.id, values.get("CallSid", "")):
        return twiml("<Reject/>")
    if plan is not None:
        return await flow_hooks.welcome(held, account, plan, values["CallSid"], now=now)
    forward_to = str(account.settings.get("forward_to") or "")
    if forward_to and is_new and "ParentCallSid" not in values:
        return twiml(_ring(forward_to, public_address(request, held.settings.base_url)))
    return twiml("<Hangup/>" if "DialCallStatus" in values else "")


def _ring(number: str, address: str) -> str:
    """TwiML: ring a desk phone and tell us, at the same address, how each step goes."""
    told = quoteattr(address)
    return (
        f'<Dial action={told} timeout="{RING_SECONDS}"><Number statusCallback={told} '
        f'statusCallbackEvent="ringing answered completed">{escape(number)}</Number></Dial>'
    )


async def receive_cti(request: Request) -> Response:
    """One of the three events of an exchange; 200 when it is stored, 422 when it is none."""
    held = services(request)
    account = await account_by_key(held, request.path_params["key"], Channel.PHONE)
    _check_token(request, account)
    body = await request.body()
    if len(body) > INLINE_LIMIT:
        raise HTTPException(413)
    content_type = request.headers.get("content-type", "")
    now = utcnow()
    try:
        report = parse_cti(body, content_type, now=now)
    except BadForm as error:
        # The address alone proves little: a stranger's noise is refused, not stored.
        raise Invalid("This is no event of the CTI interface: {reason}", reason=str(error)) from error
    await take(held, account, reports.CTI, body, lambda: report, now=now)
    return JSONResponse({})


def _check_token(request: Request, account: Account) -> None:
    """Where a token is set, the exchange must show it as a bearer, as the password of basic auth or in the address."""
    token = str(account.secrets.get("cti_token") or "")
    if not token:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    shown = given if scheme.lower() == "bearer" else request.query_params.get("token", "")
    if not compare_digest(shown.encode(), token.encode()):
        raise Forbidden("The token of this line is missing or wrong.")


async def take(
    held: Services,
    account: Account,
    source: str,
    body: bytes,
    parse: Callable[[], CallReport],
    *,
    now: datetime,
) -> None:
    """Store one report in one transaction, or the raw one in quarantine."""
    digest = hashlib.sha256(body).hexdigest()[:32]
    try:
        report = parse()
    except BadForm as error:
        broken = RawItem(Channel.PHONE, account.id, f"{source}:{digest}", raw=body)
        await held.db.write(inbox.quarantine, broken, str(error), now=now)
        return
    item = RawItem(
        Channel.PHONE,
        account.id,
        f"{source}:{digest}",
        raw=body,
        sender=report.caller[:80],
        summary=report.call_id,
    )
    state: Any = await guarded(held.db, item, _receive, account, source, item, report, held.settings.region, now)
    if state is not None:
        INBOUND.labels(Channel.PHONE.value, state.value).inc()


def _receive(
    tx: Connection, account: Account, source: str, item: RawItem, report: CallReport, region: str, now: datetime
) -> Any:
    return reports.receive(tx, account, source, item, report, region=region, now=now)
