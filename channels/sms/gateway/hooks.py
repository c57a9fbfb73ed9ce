"""A gateway's edge: customers' messages and reports, proven, taken once, and answered as the gateway wants it."""

import hashlib
import re
import secrets as random
from collections.abc import Callable
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import orjson
import structlog
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels import receipts
from channels.guard import guarded
from channels.lookup import account_by_key
from channels.sms import inbound as arrivals
from channels.sms import outcomes
from channels.sms.gateway import config
from channels.sms.gateway.config import Gateway
from channels.sms.gateway.parse import Fields, Report, is_report, parse_inbound, parse_report, read_fields
from channels.sms.gateway.proof import is_proven
from channels.sms.gateway.request import BadTemplate, fill
from channels.sms.gateway.send import reference_of
from channels.sms.parse import BadForm
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.files import INLINE_LIMIT
from contact_center.core.loops import sleep
from contact_center.core.metrics import INBOUND
from contact_center.core.services import services
from tickets import inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel

log = structlog.get_logger()

# Seconds: a quick report may come before our own transaction knows the id that it names.
LOOK_AGAIN = (0.3, 1.0, 0.0)
SECRETS = ("callback_secret", "callback_secret_next")


def routes() -> list[BaseRoute]:
    """The addresses an administrator enters at the gateway, and the one that we give with each message."""
    both = ["GET", "POST"]
    return [
        Route("/hooks/sms/{key}/in", receive_message, methods=both),
        Route("/hooks/sms/{key}/receipt", receive_report, methods=both),
        Route("/hooks/sms/{key}/receipt/{token}", receive_receipt, methods=both),
    ]


async def called(request: Request, *, proven: bool = False) -> tuple[Account, Gateway, Fields]:
    """The account behind the address and what the gateway told it; NotFound, Invalid or Forbidden.

    `proven`: the address itself is the proof, since only the gateway was given it.
    """
    held = services(request)
    account = await account_by_key(held, request.path_params["key"], Channel.SMS)
    if not config.is_gateway(account.settings):
        raise NotFound("There is nothing here.")
    gateway = config.of(account.settings)
    body = await request.body()
    if len(body) > INLINE_LIMIT:
        raise HTTPException(413)
    query: bytes = request.scope.get("query_string", b"")
    try:
        fields = read_fields(query, body, request.headers.get("content-type", ""))
    except BadForm as error:
        raise Invalid("This is neither JSON nor a form.") from error
    if not proven and not is_proven(
        gateway,
        [str(account.secrets.get(name, "")) for name in SECRETS],
        headers=request.headers,
        fields=fields,
        body=body,
        zone=ZoneInfo(str(account.settings.get("zone") or held.settings.timezone)),
        now=utcnow(),
    ):
        log.warning("sms_gateway.not_proven", account=account.name, path=request.url.path)
        raise Forbidden("The token, signature or time of this request is not the one that is set up.")
    return account, gateway, fields


async def receive_message(request: Request) -> Response:
    """One inbound SMS: stored in one transaction, or in quarantine, and then 200."""
    account, gateway, fields = await called(request)
    if is_report(gateway, fields):
        await _report(request, account, gateway, fields)
        return heard(gateway, fields)
    held = services(request)
    raw = kept(fields)
    try:
        sms = parse_inbound(gateway, fields, unnamed=random.token_hex(16))
    except BadForm as error:
        # It is proven, so it is somebody's message: a person looks at it.
        digest = hashlib.sha256(raw).hexdigest()
        broken = RawItem(Channel.SMS, account.id, external_id=f"form:{digest}", raw=raw)
        await held.db.write(inbox.quarantine, broken, str(error), now=utcnow())
        return heard(gateway, fields)
    region = str(account.settings.get("region") or held.settings.region)
    arrival = arrivals.Arrival(sms, account, raw, region)
    state = await guarded(held.db, arrivals.raw_item(arrival), arrivals.receive, arrival, now=utcnow())
    if state is not None:
        INBOUND.labels(Channel.SMS.value, state.value).inc()
    return heard(gateway, fields)


async def receive_report(request: Request) -> Response:
    """What became of one of our messages, at the one address that the gateway has for all of them."""
    account, gateway, fields = await called(request)
    await _report(request, account, gateway, fields)
    return heard(gateway, fields)


async def receive_receipt(request: Request) -> Response:
    """The same at the signed address that went out with the message."""
    attempt_id = receipts.attempt_of(services(request).vault, request.path_params["token"])
    if attempt_id is None:
        raise NotFound("There is nothing here.")
    account, gateway, fields = await called(request, proven=True)
    await _report(request, account, gateway, fields, attempt_id)
    return heard(gateway, fields)


async def _report(
    request: Request, account: Account, gateway: Gateway, fields: Fields, attempt_id: int | None = None
) -> None:
    held = services(request)
    report = parse_report(gateway, fields)
    for wait in LOOK_AGAIN if attempt_id is None and report.state is not None else ():
        attempt_id = await held.db.read(attempt_meant, account.id, report)
        if attempt_id is not None:
            break
        await sleep(wait)
    if attempt_id is None or report.state is None:
        # Acknowledged all the same, so that the gateway stops asking.
        log.info("sms_gateway.report_ignored", account=account.name, said=report.said)
        return
    external_id = f"{outcomes.RECEIPT}{attempt_id}:{report.said}"
    item = RawItem(Channel.SMS, account.id, external_id, raw=kept(fields), summary=report.said)
    await guarded(held.db, item, outcomes.apply, attempt_id, report.state, report.error, now=utcnow())


def attempt_meant(tx: Connection, account_id: int, report: Report) -> int | None:
    """The attempt that a report is about: by the gateway's id, else by our own name for the message."""
    if report.external_id:
        found = receipts.find_attempt_of(tx, account_id, report.external_id)
        if found is not None:
            return found
    number = report.reference.partition("-")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    last = receipts.last_attempt(tx, account_id, int(number))
    return last.id if last is not None and reference_of(int(number), last.created_at) == report.reference else None


def kept(fields: Fields) -> bytes:
    """A callback as the journal keeps it, so that it can be taken once more."""
    return orjson.dumps(dict(fields))


def heard(gateway: Gateway, fields: Fields) -> Response:
    """The answer that the gateway takes for a yes."""
    template = gateway.reply.strip()
    kind, safe = _kind_of(template)
    named = {name: value for name, value in fields.items() if re.fullmatch(r"[a-z_]+", name)}
    try:
        text = fill("reply", template or "OK", named, safe)
    except BadTemplate:
        text = template
    return Response(text, media_type=kind)


def _kind_of(template: str) -> tuple[str, Callable[[str], str]]:
    """An answer's content type, and what keeps a value inside its place there."""
    if template.startswith("<"):
        return "text/xml", _in_xml
    if template.startswith(("{", "[")):
        return "application/json", _in_json
    return "text/plain", str


def _in_xml(value: str) -> str:
    return escape(value)


def _in_json(value: str) -> str:
    return orjson.dumps(value).decode()[1:-1]
