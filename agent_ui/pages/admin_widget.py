"""Administration of a chat widget's signed identities: its secret, shown and replaced, and code for the website."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.pages.admin import admin_page, administer, go
from channels.chat import identity
from contact_center.accounts.audit import record
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.secrets import Vault
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

PYTHON = """import secrets, time
import jwt  # pip install pyjwt

def chat_token(customer):
    claims = {
        "sub": str(customer.id),
        "email": customer.email,
        "name": customer.name,
        "exp": int(time.time()) + 300,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, CHAT_SECRET, algorithm="HS256")"""
PHP = """use Firebase\\JWT\\JWT;  // composer require firebase/php-jwt

function chat_token($customer) {
    return JWT::encode([
        'sub' => (string) $customer->id,
        'email' => $customer->email,
        'name' => $customer->name,
        'exp' => time() + 300,
        'jti' => bin2hex(random_bytes(16)),
    ], CHAT_SECRET, 'HS256');
}"""
NODE = """import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";  // npm install jose

const secret = new TextEncoder().encode(CHAT_SECRET);

export const chatToken = (customer) =>
  new SignJWT({ email: customer.email, name: customer.name })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(String(customer.id))
    .setExpirationTime("5m")
    .setJti(randomUUID())
    .sign(secret);"""
PAGE = """window.ContactCenter ||= function () { (ContactCenter.q ||= []).push(arguments) };

ContactCenter("identify", token);  // the customer is signed in
ContactCenter("reset");            // the customer signs out"""
CODE = (("Python", PYTHON), ("PHP", PHP), ("Node", NODE))


def routes() -> list[Route]:
    """/admin/channels/…/identity."""
    return [
        administer("/channels/{account_id:int}/identity", show),
        administer("/channels/{account_id:int}/identity/secret", reveal, "POST"),
        administer("/channels/{account_id:int}/identity/rotate", rotate, "POST"),
    ]


def widget_account(tx: Connection, vault: Vault, account_id: int) -> Account:
    """The account of a chat widget; NotFound for any other."""
    account = channel_accounts.by_id(tx, vault, account_id)
    if account.channel is not Channel.CHAT:
        raise NotFound("Only chat widgets have signed identities.")
    return account


async def show(request: Request) -> Response:
    """Whether identities are signed here, and what to write on the website; the secret only when asked for."""
    return await _page(request)


async def _page(request: Request, **values: Any) -> Response:
    held = services(request)
    account = await held.db.read(widget_account, held.vault, request.path_params["account_id"])
    kept = account.secrets.get("identity") or {}
    keys = identity.keys_of(account.secrets, now=utcnow())
    response = await admin_page(
        request,
        "channel_identity.html",
        "channels",
        account=account,
        switched_on=bool(keys.believed),
        old_until=datetime.fromisoformat(kept["previous_until"]) if len(keys.believed) > 1 else None,
        code=CODE,
        page_code=PAGE,
        **{"secret": "", **values},
    )
    response.headers["Cache-Control"] = "no-store"
    return response


async def reveal(request: Request) -> Response:
    """The secret, to copy it to the website; who looked is in the audit log."""
    held = services(request)
    secret = await held.db.write(
        look, held.vault, request.path_params["account_id"], by=request.state.person.id, now=utcnow()
    )
    return await _page(request, secret=secret)


def look(tx: Connection, vault: Vault, account_id: int, *, by: int, now: datetime) -> str:
    """The secret of a widget, audited; Conflict if there is none."""
    believed = identity.keys_of(widget_account(tx, vault, account_id).secrets, now=now).believed
    if not believed:
        raise Conflict("Signed identities are not switched on for this widget.")
    record(tx, "channel_account.identity_shown", f"channel_account:{account_id}", now=now, user_id=by)
    return believed[0]


async def rotate(request: Request) -> Response:
    """A new secret: the first one, one that replaces the old within a day, or one that replaces it now."""
    held = services(request)
    account_id = request.path_params["account_id"]
    keep_old = not (await read_form(request)).flag("at_once")
    await held.db.write(replace, held.vault, account_id, keep_old, by=request.state.person.id, now=utcnow())
    return go(f"/admin/channels/{account_id}/identity", "saved")


def replace(tx: Connection, vault: Vault, account_id: int, keep_old: bool, *, by: int, now: datetime) -> None:
    """Give a widget another secret, and audit it."""
    secrets = widget_account(tx, vault, account_id).secrets
    after = identity.rotated(secrets, now=now, keep_old=keep_old)
    channel_accounts.change(tx, vault, account_id, now=now, values={}, secrets=after)
    details = {"old_believed_for_a_day": keep_old and bool(secrets.get("identity"))}
    record(tx, "channel_account.identity", f"channel_account:{account_id}", now=now, user_id=by, details=details)
