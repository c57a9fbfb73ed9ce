"""Asking for proof: a one-time code goes to an address that was on the customer's file before the conversation."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select

from contact_center.accounts import audit, limits
from contact_center.core import installation
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.i18n import gettext, mark
from contact_center.core.secrets import seal
from tickets import identity_codes, replies
from tickets.customers import on_file
from tickets.customers.identities import shown_phone
from tickets.customers.merge import CustomerMerge
from tickets.identity_checks import check_term
from tickets.identity_codes import CARRIES, LIFE, SALT_BYTES, IdentityCode, Result
from tickets.lifecycle import access
from tickets.models import ChannelAccount, ContactPoint, Message
from tickets.numbers import number_of
from tickets.replies import Author, Reply
from tickets.sensitive import masking
from tickets.sensitive.find import PLACEHOLDERS, Kind
from tickets.states import Channel, ContactKind, Status
from tickets.timeline import add_event

# So many codes in one conversation and to one address: enough for a customer who waits, too few to guess or to pester.
PER_TICKET, PER_ADDRESS = 3, 5
WINDOW = timedelta(hours=1)
ELSEWHERE = mark("Tell it to us within 10 minutes in your conversation #%(number)d.")
CLAIM = mark(
    "This address was only typed in a chat or a form, so a code sent there proves nothing. Confirm it on the customer's"
    " page if you know it from elsewhere: it counts from the next conversation on."
)
CARRIERS = {ContactKind.EMAIL.value: Channel.EMAIL, ContactKind.PHONE.value: Channel.SMS}


class Refused(StrEnum):
    """Why no code goes to an address of the customer."""

    NEW = "new"
    CLAIMED = "claimed"
    SHARED = "shared"
    SUPPRESSED = "suppressed"
    NO_ACCOUNT = "no_account"


@dataclass(frozen=True, slots=True)
class Way:
    """An address of the customer, since when it is on file, and why it is no way, if so."""

    point_id: int
    kind: str
    value: str
    # None: somebody has only typed it.
    since: datetime | None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The code under way: where it went, when it was sent, until when it is good, and the tries left."""

    code_id: int
    kind: str
    value: str
    sent_at: datetime
    until: datetime
    left: int


def ways(tx: Connection, ticket_id: int) -> Sequence[Way]:
    """The customer's addresses, those first that a code can go to."""
    ticket = access(tx, ticket_id)
    points: Sequence[Row[Any]] = tx.execute(
        select(ContactPoint.__table__)
        .where(ContactPoint.customer_id == ticket.customer_id, ContactPoint.kind.in_(CARRIERS))
        .order_by(ContactPoint.id)
    ).all()
    began = _began(tx, ticket)
    brought = _brought(tx, ticket.customer_id, began)
    known = on_file.since(tx, ticket.customer_id, points)
    carried = set(tx.execute(select(ChannelAccount.channel).where(ChannelAccount.enabled).distinct()).scalars())
    found = [
        Way(point.id, point.kind, point.value, since, _refused(point, since, began, brought, carried))
        for point, since in ((point, known.get(point.id)) for point in points)
    ]
    return sorted(found, key=lambda way: way.refused is not None)


def _began(tx: Connection, ticket: Row[Any]) -> datetime:
    """When the conversation began: a chat with its visit, a split one with its oldest message."""
    oldest = tx.execute(select(func.min(Message.created_at)).where(Message.ticket_id == ticket.id)).scalar_one()
    visitor = tx.execute(
        select(ContactPoint.created_at).where(
            ContactPoint.id == ticket.contact_point_id, ContactPoint.kind == ContactKind.VISITOR.value
        )
    ).scalar_one_or_none()
    return min(moment for moment in (ticket.created_at, oldest, visitor) if moment is not None)


def _brought(tx: Connection, customer_id: int, since: datetime) -> set[int]:
    """Addresses that came to this customer by a merge during the conversation: somebody may have merged on a claim."""
    merges = select(CustomerMerge.moved).where(
        CustomerMerge.kept_id == customer_id, CustomerMerge.merged_at >= since, CustomerMerge.undone_at.is_(None)
    )
    return {point for moved in tx.execute(merges).scalars() for point in moved.get(ContactPoint.__tablename__, ())}


def _refused(
    point: Row[Any], since: datetime | None, began: datetime, brought: set[int], carried: set[str]
) -> Refused | None:
    if point.created_at >= began or point.id in brought:
        return Refused.NEW
    if since is None:
        return Refused.CLAIMED
    if since >= began:
        return Refused.NEW
    if point.flag is not None:
        return Refused.SHARED
    if point.suppressed_at is not None:
        return Refused.SUPPRESSED
    return None if CARRIERS[point.kind].value in carried else Refused.NO_ACCOUNT


def pending(tx: Connection, ticket_id: int, *, now: datetime) -> Pending | None:
    """The code under way in a conversation."""
    row = tx.execute(
        select(
            IdentityCode.id,
            ContactPoint.kind,
            ContactPoint.value,
            IdentityCode.created_at,
            IdentityCode.expires_at,
            identity_codes.TRIES - IdentityCode.tries,
        )
        .join(ContactPoint, ContactPoint.id == IdentityCode.contact_point_id)
        .where(IdentityCode.ticket_id == ticket_id, IdentityCode.ended_at.is_(None), IdentityCode.expires_at > now)
    ).first()
    return Pending(*row) if row else None


def ask(
    tx: Connection, ticket_id: int, point_id: int, *, minutes: int, user_id: int, client_id: str | None, now: datetime
) -> None:
    """Send a code to this address of the customer; what comes back in the conversation confirms who they are.

    A repeated client id sends nothing more. Invalid for an address that proves nothing, TooMany beyond the limits.
    """
    check_term(minutes)
    ticket = access(tx, ticket_id, lock=True)
    author = Author(None, f"identity-code:{user_id}:{client_id}" if client_id else None)
    if replies.already_written(tx, author) is not None:
        return
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to go on with the matter.")
    way = next((way for way in ways(tx, ticket_id) if way.point_id == point_id), None)
    if way is not None and way.refused is Refused.CLAIMED:
        raise Invalid(CLAIM, field="point")
    if way is None or way.refused is not None:
        raise Invalid("A code goes only to an address that was on file before this conversation.", field="point")
    limits.enforce(tx, f"identity.code:{ticket_id}", limit=PER_TICKET, window=WINDOW, now=now)
    limits.enforce(tx, f"identity.code.to:{point_id}", limit=PER_ADDRESS, window=WINDOW, now=now)
    identity_codes.replace(tx, ticket_id, now=now)
    here = ticket.contact_point_id == point_id and CARRIERS[way.kind].value == ticket.channel
    message_id = _send(tx, ticket_id, way, here=here, author=author, now=now)
    _keep(tx, ticket_id, way, message_id, minutes=minutes, user_id=user_id, now=now)
    if not here and ticket.channel != Channel.PHONE.value:
        _announce(tx, ticket_id, way, now=now)
    told = {"kind": way.kind, "address": way.value, "minutes": minutes}
    add_event(tx, ticket_id, "identity_code_sent", told, now=now, user_id=user_id)
    audit.record(tx, "identity.code_sent", f"ticket:{ticket_id}", now=now, user_id=user_id, details=told)


def _send(tx: Connection, ticket_id: int, way: Way, *, here: bool, author: Author, now: datetime) -> int:
    """The message that carries the code, by the ordinary delivery; a word stands for the code in it."""
    locale, _ = identity_codes.language(tx, ticket_id)
    stands = PLACEHOLDERS[locale][Kind.CODE]
    lines = [gettext(locale, "Your code: %(code)s", code=stands)]
    if here:
        lines.append(gettext(locale, "Please answer with it within 10 minutes, so that we know it is you."))
    else:
        number = number_of(ticket_id)
        lines.append(
            gettext(locale, "Tell it to us within 10 minutes in your conversation #%(number)d.", number=number)
        )
    lines.append(gettext(locale, "If you are not in touch with us at the moment, tell nobody."))
    answer = Reply(
        "\n".join(lines),
        channel=CARRIERS[way.kind],
        contact_point_id=way.point_id,
        automatic=True,
        meta={"purpose": "identity_code", CARRIES: stands},
    )
    return replies.reply(tx, ticket_id, answer, author=author, now=now).message_id


def _keep(
    tx: Connection, ticket_id: int, way: Way, message_id: int, *, minutes: int, user_id: int, now: datetime
) -> None:
    key = installation.read(tx, masking.KEY)
    if key is None:
        raise Conflict("The server is still starting. Try again in a moment.")
    code, salt = identity_codes.fresh(), secrets.token_bytes(SALT_BYTES)
    values: Mapping[str, Any] = {
        "ticket_id": ticket_id,
        "contact_point_id": way.point_id,
        "message_id": message_id,
        "user_id": user_id,
        "minutes": minutes,
        "salt": salt,
        "digest": identity_codes.digest_of(code, salt),
        "sealed": seal(key["key"], {"code": code}),
        "created_at": now,
        "expires_at": now + LIFE,
    }
    identity_codes.remember(tx, values)


def _announce(tx: Connection, ticket_id: int, way: Way, *, now: datetime) -> None:
    """Tell the customer, where the conversation goes on, that a code is on its way elsewhere."""
    locale, _ = identity_codes.language(tx, ticket_id)
    text = gettext(
        locale,
        "To be sure that it is you, we have sent a code to %(address)s. Please write it here.",
        address=hinted(way),
    )
    replies.reply(tx, ticket_id, Reply(text, automatic=True), author=replies.SYSTEM, now=now)


def hinted(way: Way) -> str:
    """An address so that its owner knows it and nobody else learns it: "g•••@e•••.test", "••• ••78"."""
    if way.kind == ContactKind.EMAIL.value:
        local, _, domain = way.value.rpartition("@")
        name, dot, end = domain.rpartition(".")
        return f"{local[:1]}•••@{name[:1]}•••{dot}{end}"
    return f"••• ••{shown_phone(way.value)[-2:]}"


def enter(tx: Connection, ticket_id: int, typed: str, *, user_id: int, now: datetime) -> tuple[Result, int]:
    """A colleague types the code that the customer has read out; the result and the tries left.

    A wrong one is counted, so it raises nothing; Conflict where no code is under way.
    """
    access(tx, ticket_id, lock=True)
    given = identity_codes.plain(typed)
    if len(given) != identity_codes.DIGITS:
        raise Invalid("A code has six digits.", field="code")
    open_one = pending(tx, ticket_id, now=now)
    if open_one is None:
        raise Conflict("No code is under way here: it was used, it has run out, or a newer one was sent.")
    return identity_codes.attempt(tx, open_one.code_id, given, now=now, user_id=user_id)
