"""Who a website says that its signed-in visitor is: a short-lived token (JWT), believed once and by one browser.

The website signs with the widget's own secret. An address that comes this way is proven; one that was typed never is.
"""

import secrets as random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from sqlalchemy import Connection, delete, exists, select

from channels.chat.models import ChatIdentityToken, ChatVisit
from channels.chat.tokens import Identity
from contact_center.core.errors import Conflict, Forbidden
from contact_center.core.upsert import insert_once
from tickets.customers import contacts, merge
from tickets.customers.identities import BadAddress, normalise_email
from tickets.customers.recognise import Person, recognise, refresh_search, survivor
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind

ALGORITHM = "HS256"
LIFE = timedelta(minutes=10)
# Two clocks never agree.
LEEWAY = timedelta(seconds=60)
# After a rotation the old secret is believed for so long, so that a website can change it without a gap.
OVERLAP = timedelta(days=1)
LONGEST_ID = 200
_CHECKS = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says; `email` is normalised, "" if there is none."""

    subject: str
    jti: str
    name: str
    email: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets that a widget believes, newest first; `generation` changes when an old one is believed no more."""

    believed: tuple[str, ...] = ()
    generation: str = ""


def keys_of(secrets: Mapping[str, Any], *, now: datetime) -> Keys:
    """The keys in an account's secrets; none when identities were never switched on."""
    kept = secrets.get("identity") or {}
    if not kept.get("secret"):
        return Keys()
    until = kept.get("previous_until")
    old = (kept["previous"],) if until and now < datetime.fromisoformat(until) else ()
    return Keys((kept["secret"], *old), kept["generation"])


def rotated(secrets: Mapping[str, Any], *, now: datetime, keep_old: bool) -> dict[str, Any]:
    """An account's secrets with a new secret for identities; the old one is believed for a day, or no more at all."""
    kept = secrets.get("identity") or {}
    fresh = {"secret": random.token_urlsafe(32), "generation": random.token_hex(4)}
    if kept and keep_old:
        until = (now + OVERLAP).isoformat()
        fresh |= {"previous": kept["secret"], "previous_until": until, "generation": kept["generation"]}
    return {**secrets, "identity": fresh}


def read_token(raw: str, keys: Keys, *, now: datetime) -> Claims:
    """The claims of a website's token; Forbidden says to its programmer what is wrong with it."""
    if not keys.believed:
        raise Forbidden("Signed identities are not switched on for this widget.")
    claims = _signed(raw, keys)
    subject, jti, expires = claims.get("sub"), claims.get("jti"), claims.get("exp")
    for name, value in (("sub", subject), ("jti", jti)):
        if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST_ID:
            raise Forbidden("The token needs {name}: a text of 1 to 200 characters.", name=name)
    if not isinstance(expires, int) or isinstance(expires, bool) or not 0 < expires < 2**33:
        raise Forbidden("The token needs exp: the second at which it runs out.")
    expires_at = datetime.fromtimestamp(expires, UTC)
    if expires_at <= now - LEEWAY:
        raise Forbidden("The token has run out.")
    if expires_at > now + LIFE + LEEWAY:
        raise Forbidden("The token is good for too long: exp may be at most 10 minutes ahead.")
    name, email = claims.get("name") or "", claims.get("email") or ""
    if not isinstance(name, str) or not isinstance(email, str):
        raise Forbidden("name and email are texts, if they are given.")
    try:
        address = normalise_email(email) if email else ""
    except BadAddress as error:
        raise Forbidden("The token's email is no address.") from error
    return Claims(str(subject).strip(), str(jti), " ".join(name.split())[:LONGEST_ID], address, expires_at)


def _signed(raw: str, keys: Keys) -> dict[str, Any]:
    """What is in the token, if one of the secrets has signed it. Times are checked by us, against `now`."""
    for secret in keys.believed:
        try:
            options = {f"verify_{name}": False for name in _CHECKS}
            return jwt.decode(raw, secret, algorithms=[ALGORITHM], options=options)  # type: ignore[arg-type]
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise Forbidden("This is no token (JWT) that was signed with HS256.") from error
    raise Forbidden("The token was not signed with the secret of this widget.")


def accept(tx: Connection, account_id: int, claims: Claims, client_id: str, *, now: datetime) -> Identity:
    """The customer of a token. It is good once: Forbidden when another browser has used it."""
    values = {"account_id": account_id, "jti": claims.jti, "client_id": client_id, "expires_at": claims.expires_at}
    if insert_once(tx, ChatIdentityToken, key=["account_id", "jti"], values=values) is None:
        first = select(ChatIdentityToken.client_id).where(
            ChatIdentityToken.account_id == account_id, ChatIdentityToken.jti == claims.jti
        )
        if tx.execute(first).scalar_one_or_none() != client_id:
            raise Forbidden("The token was used already: make a new one, with another jti, for every page.")
    return Identity(_customer(tx, claims, now=now), claims.subject, claims.name, claims.email)


def _customer(tx: Connection, claims: Claims, *, now: datetime) -> int:
    """The customer with this id at the website, or behind this address; a new one if nobody is known."""
    address = Address(ContactKind.EMAIL, claims.email, claims.name)
    typed = bool(claims.email) and _only_typed(tx, address)
    points = ((ContactKind.EMAIL, claims.email),) if claims.email and not typed else ()
    customer_id = recognise(tx, Person(claims.subject, points, claims.name), now=now).customer_id
    if typed:
        contacts.hand_over(tx, address, customer_id, now=now)
        refresh_search(tx, customer_id)
    elif claims.email:
        contacts.verify(tx, customer_id, address, now=now)
    return customer_id


def _only_typed(tx: Connection, address: Address) -> bool:
    """Whether somebody unknown typed this address into a chat: that person may be anybody, and is not its owner."""
    unsigned = exists().where(ChatVisit.customer_id == ContactPoint.customer_id, ChatVisit.subject.is_(None))
    known = select(Customer.id).where(Customer.id == ContactPoint.customer_id, Customer.external_id.is_(None))
    return (
        tx.execute(
            select(ContactPoint.id).where(
                ContactPoint.kind == address.kind.value,
                ContactPoint.value == address.value,
                ContactPoint.verified_at.is_(None),
                unsigned,
                known.exists(),
            )
        ).first()
        is not None
    )


def adopt(tx: Connection, visit_key: str, customer_id: int, identity: Identity, *, now: datetime) -> int:
    """An anonymous visitor turns out to be a customer: what they were becomes a part of them; returns the customer.

    Conflict when their record is another known customer's: a person decided that, and a browser does not undo it.
    """
    kept, own = survivor(tx, identity.customer_id), survivor(tx, customer_id)
    if kept != own:
        external_id = tx.execute(select(Customer.external_id).where(Customer.id == own)).scalar_one()
        if external_id is not None:
            raise Conflict("This conversation belongs to another customer.")
        merge.merge(tx, kept, own, user_id=None, now=now, evidence=["signed_identity"])
    contacts.verify(tx, kept, Address(ContactKind.VISITOR, visit_key), now=now)
    return kept


def forget_used(tx: Connection, now: datetime) -> None:
    """Delete the used tokens that have run out: their time refuses them now."""
    tx.execute(delete(ChatIdentityToken).where(ChatIdentityToken.expires_at < now - 2 * LEEWAY))
