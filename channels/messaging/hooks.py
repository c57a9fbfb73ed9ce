"""The edge of the messaging apps: one address for each account, to which its app posts what happened."""

import hashlib
from urllib.parse import quote

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from channels.guard import guarded
from channels.lookup import account_by_key
from channels.messaging import inbound
from channels.messaging.app import App, BadPayload, Reported, Said
from channels.messaging.apps import app_of
from channels.messaging.send import MEDIA_PURPOSE, MEDIA_SECONDS
from contact_center.core.clock import utcnow
from contact_center.core.errors import Forbidden, Invalid, NotFound
from contact_center.core.files import INLINE_LIMIT
from contact_center.core.metrics import INBOUND
from contact_center.core.secrets import BadToken
from contact_center.core.services import Services, services
from tickets import inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel, JournalState

log = structlog.get_logger()


def routes() -> list[BaseRoute]:
    """The address an administrator enters at the app, and those of the files that we give it."""
    return [
        Route("/hooks/messaging/{key}", receive, methods=["POST"]),
        Route("/hooks/messaging/{key}", challenge, methods=["GET"]),
        Route("/hooks/messaging/{key}/media/{token}", serve_media, methods=["GET"]),
    ]


async def _account(request: Request) -> tuple[Account, App]:
    held = services(request)
    account = await account_by_key(held, request.path_params["key"], Channel.MESSAGING)
    return account, app_of(account, held)


async def receive(request: Request) -> Response:
    """Everything a call tells, each in its own transaction; 200 only when all of it is stored."""
    held = services(request)
    account, app = await _account(request)
    body = await request.body()
    if len(body) > INLINE_LIMIT:
        raise HTTPException(413)
    if not app.is_genuine(account, request.headers, body):
        log.warning("messaging.bad_signature", account=account.name)
        raise Forbidden("The signature does not fit. Is the secret of this account the one of the app?")
    try:
        items = app.read(_json(body))
    except BadPayload as error:
        # It is signed, so it may be somebody's message: a person looks at it.
        digest = hashlib.sha256(body).hexdigest()
        broken = RawItem(Channel.MESSAGING, account.id, external_id=f"body:{digest}", raw=body)
        await held.db.write(inbox.quarantine, broken, str(error), now=utcnow())
        INBOUND.labels(Channel.MESSAGING.value, JournalState.QUARANTINED.value).inc()
        raise Invalid("This cannot be read: {why}.", why=str(error)) from error
    states = [await _take(held, account, item, body) for item in items]
    return JSONResponse({"taken": [state for state in states if state]})


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadPayload("it is no JSON") from error


async def _take(held: Services, account: Account, item: Said | Reported, body: bytes) -> str:
    """The journal state of a message; "" for a report."""
    if isinstance(item, Reported):
        await held.db.write(inbound.take_report, account.id, item, now=utcnow())
        return ""
    arrival = inbound.Arrival(item, account, body)
    state = await guarded(held.db, inbound.raw_item(arrival), inbound.receive, arrival, now=utcnow())
    if state is None:
        return JournalState.QUARANTINED.value
    INBOUND.labels(Channel.MESSAGING.value, state.value).inc()
    return state.value


async def challenge(request: Request) -> Response:
    """The app asks whether the address is ours."""
    account, app = await _account(request)
    answer = app.challenge(account, request.query_params)
    if answer is None:
        raise Forbidden("The verify token does not fit.")
    return PlainTextResponse(answer)


async def serve_media(request: Request) -> Response:
    """A file of one of our messages, for whom we gave its signed address: the app, for a day."""
    held = services(request)
    try:
        digest, content_type, name = held.vault.verify(
            MEDIA_PURPOSE, request.path_params["token"], max_age=MEDIA_SECONDS
        )
        data = held.files.get(digest)
    except (BadToken, ValueError, FileNotFoundError) as error:
        raise NotFound("There is nothing here.") from error
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    headers = {"content-security-policy": "sandbox", "content-disposition": disposition}
    return Response(data, media_type=content_type, headers=headers)
