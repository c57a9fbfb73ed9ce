"""Who is signed in at the demo's shop: the page hands the widget a signed token, as any website would."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from sqlalchemy import Connection, select, update
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from channels.chat import identity
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import choose
from contact_center.core.services import services
from contact_center.demo.checklist import SIMULATED
from contact_center.demo.doors import require_local
from contact_center.demo.shoppers import Shopper, yours
from tickets import channel_accounts
from tickets.customers import contacts
from tickets.inbound import Address
from tickets.models import Customer
from tickets.states import ContactKind

WIDGET = "shop"
PATH = "/demo/shop"
COOKIE = "shop_customer"
# In the cookie until the next page has told the widget that its customer has left.
LEFT = "left"
TOKEN_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Login:
    """Who is signed in and the token that says so to the widget; `left`: somebody has just signed out."""

    people: Mapping[str, Shopper]
    who: Shopper | None = None
    token: str = ""
    left: bool = False


def routes() -> list[Route]:
    """Signing in and out."""
    return [
        Route(f"{PATH}/sign-in", sign_in, methods=["POST"]),
        Route(f"{PATH}/sign-out", sign_out, methods=["POST"]),
    ]


def known(locale: str = "") -> Mapping[str, Shopper]:
    """Those whom one can sign in as, by their id in the shop; who speaks the reader's language first."""
    return {id_of(shopper): shopper for shopper in sorted(yours(), key=lambda one: one.locale != locale)}


def id_of(shopper: Shopper) -> str:
    """A customer's id in the shop: "shopper2"."""
    return shopper.email.partition("@")[0]


async def login_of(request: Request, locale: str) -> Login:
    """Who is signed in on this request; nobody to choose from where the widget believes no tokens."""
    held, now = services(request), utcnow()
    account = await held.db.read(channel_accounts.by_key, held.vault, WIDGET)
    believed = identity.keys_of(account.secrets, now=now).believed
    if not believed:
        return Login({})
    kept = request.cookies.get(COOKIE, "")
    who = known().get(kept)
    token = token_for(who, believed[0], now=now) if who else ""
    return Login(known(locale), who, token, left=kept == LEFT)


def token_for(shopper: Shopper, secret: str, *, now: datetime) -> str:
    """What docs/chat-widget.md asks of a website: good for some minutes, and once."""
    claims = {
        "sub": id_of(shopper),
        "email": shopper.email,
        "name": shopper.name,
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, secret, algorithm=identity.ALGORITHM)


async def sign_in(request: Request) -> Response:
    """Become one of the shop's customers; nobody simulates them from now on."""
    require_local(request)
    form = await request.form()
    who = known().get(str(form.get("who", "")))
    if who is None:
        raise NotFound("There is no such page.")
    await services(request).db.write(_play, who)
    response = await _back(request, str(form.get("lang", "")))
    response.set_cookie(COOKIE, id_of(who), path=PATH, httponly=True, samesite="lax")
    return response


async def sign_out(request: Request) -> Response:
    """Be nobody again; the next page tells the widget."""
    form = await request.form()
    response = await _back(request, str(form.get("lang", "")))
    response.set_cookie(COOKIE, LEFT, path=PATH, httponly=True, samesite="lax")
    return response


def forget(response: Response) -> None:
    """Nobody is signed in, and the widget knows."""
    response.delete_cookie(COOKIE, path=PATH)


async def _back(request: Request, language: str) -> Response:
    return RedirectResponse(f"{PATH}?lang={choose(language, await locale_of(request))}", 303)


def _play(tx: Connection, shopper: Shopper) -> None:
    """What this customer writes now is a person's: the checklist follows it, and colleagues leave it to people."""
    found = contacts.find(tx, Address(ContactKind.EMAIL, shopper.email))
    if found is None:
        return
    row = tx.execute(select(Customer.id, Customer.attributes).where(Customer.id == found.customer_id)).one()
    kept = {name: value for name, value in row.attributes.items() if name != SIMULATED}
    tx.execute(update(Customer).where(Customer.id == row.id).values(attributes=kept))
