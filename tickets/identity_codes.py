"""One-time codes that prove who a customer is: made, kept as a hash, given back, used up.

`identity_asking` sends them; intake brings what the customer answers. A code is good for ten minutes, for five tries
and for one confirmation. Only an answer from the conversation's own sender counts: whoever merely received the code
proves nothing about the person in the conversation.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, LargeBinary, Row, bindparam, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.i18n import choose, gettext, mark, ngettext
from contact_center.core.schema import Base, UtcDateTime, id_column
from contact_center.core.secrets import BadToken, Vault
from tickets import identity_checks
from tickets.identity_checks import Method
from tickets.inbound import InboundMessage, Receipt
from tickets.models import ContactPoint, Customer, Queue, Ticket, partial_index, refers_to
from tickets.sensitive import cues
from tickets.sensitive.find import bare_codes, words_before
from tickets.states import AuthorKind, Channel, Delivery, JournalState, MessageKind
from tickets.timeline import Entry, add_event, append

LIFE = timedelta(minutes=10)
TRIES = 5
DIGITS = 6
# A stolen table is searched in hours, not in a second (measured: 10 to 20 ms a try), and a code lives ten minutes.
_SCRYPT: Mapping[str, int] = {"n": 2**12, "r": 8, "p": 1}
SALT_BYTES = 16
# In the meta of the message that carries a code: the word that stands for it, in which the code is put on its way out.
CARRIES = "identity_code"
OPEN = "ended_at IS NULL"


class Outcome(StrEnum):
    """How a code ended."""

    USED = "used"
    SPENT = "spent"
    EXPIRED = "expired"
    REPLACED = "replaced"


class Result(StrEnum):
    """What a try came to."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"
    LATE = "late"


class IdentityCode(Base):
    """One code; at most one of a ticket is under way."""

    __tablename__ = "identity_codes"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    contact_point_id: Mapped[int] = refers_to("contact_points.id", index=False)
    # The message that carries it; the code is not in its text.
    message_id: Mapped[int | None] = refers_to("messages.id", nullable=True)
    user_id: Mapped[int] = refers_to("users.id", index=False)
    # So long the confirmation holds that comes of it.
    minutes: Mapped[int]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    # Sealed for the process that sends; forgotten when the code ends.
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        partial_index("uq_identity_codes_open", "ticket_id", where=OPEN, unique=True),
        partial_index("ix_identity_codes_expires_at", "expires_at", where=OPEN),
    )


def fresh() -> str:
    """A code that nobody can guess: six digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def digest_of(code: str, salt: bytes) -> bytes:
    """What is kept of a code."""
    return hashlib.scrypt(code.encode(), salt=salt, **_SCRYPT)


# --- What a customer writes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Awaited:
    """A message may answer one of these (id and ticket); `given` are the six digits in it, "" if it says none."""

    codes: tuple[Any, ...]
    given: str


def suspected(inbound: InboundMessage) -> bool:
    """Whether six digits stand alone anywhere in it; asks no database."""
    texts = (inbound.text, inbound.subject, inbound.quoted, inbound.html or "")
    return inbound.kind is not MessageKind.CALL and any(bare_codes(text) for text in texts)


_AWAITED = (
    select(IdentityCode.id, IdentityCode.ticket_id)
    .join(Ticket, Ticket.id == IdentityCode.ticket_id)
    .join(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
    .where(
        IdentityCode.ended_at.is_(None),
        ContactPoint.kind == bindparam("kind"),
        ContactPoint.value == bindparam("value"),
    )
)


def awaited(tx: Connection, inbound: InboundMessage) -> Awaited | None:
    """The codes that this sender may be answering; None for nearly every message."""
    if not suspected(inbound):
        return None
    sender = {"kind": inbound.sender.kind.value, "value": inbound.sender.value}
    codes = tuple(tx.execute(_AWAITED, sender))
    return Awaited(codes, given_in(inbound.text)) if codes else None


def given_in(text: str) -> str:
    """The code in an answer, "482913"; "" for none, and for several, so that nobody tries many in one message."""
    spans = bare_codes(text)
    if len(spans) != 1 or cues.OTHER_NUMBER.search(words_before(text, spans[0].start)):
        return ""
    return plain(text[spans[0].start : spans[0].end])


def plain(typed: str) -> str:
    """The digits of what somebody typed, as ASCII."""
    return "".join(str(int(char)) for char in typed if char.isdecimal())


def answered(tx: Connection, expected: Awaited, receipt: Receipt, *, automated: bool, now: datetime) -> None:
    """A message was taken: if it went into the conversation of a code and says one, that is a try."""
    if receipt.outcome != JournalState.ACCEPTED.value or automated or not expected.given:
        return
    code_id = next((code.id for code in expected.codes if code.ticket_id == receipt.ticket_id), None)
    if code_id is None or receipt.ticket_id is None:
        return
    result, left = attempt(tx, code_id, expected.given, now=now)
    _tell(tx, receipt.ticket_id, result, left, now=now)


# --- Tries ------------------------------------------------------------------------------------------------------

# The update counts and decides: of two tries at once each is one, and none follows the fifth.
_TRY = (
    update(IdentityCode)
    .where(IdentityCode.id == bindparam("code"), IdentityCode.ended_at.is_(None), IdentityCode.tries < TRIES)
    .values(tries=IdentityCode.tries + 1)
    .returning(*IdentityCode.__table__.c)
)


def attempt(
    tx: Connection, code_id: int, given: str, *, now: datetime, user_id: int | None = None
) -> tuple[Result, int]:
    """Try a code, typed by the customer or by the colleague to whom they read it; the result and the tries left."""
    code = tx.execute(_TRY, {"code": code_id}).first()
    if code is None:
        return Result.SPENT, 0
    if code.expires_at <= now:
        _expire(tx, code, now)
        return Result.LATE, 0
    if hmac.compare_digest(digest_of(given, code.salt), code.digest):
        end(tx, code.id, Outcome.USED, now=now)
        _confirm(tx, code, now)
        return Result.RIGHT, 0
    left = TRIES - code.tries
    if not left:
        end(tx, code.id, Outcome.SPENT, now=now)
        add_event(tx, code.ticket_id, "identity_code_spent", {}, now=now, user_id=user_id)
        return Result.SPENT, 0
    add_event(tx, code.ticket_id, "identity_code_wrong", {"left": left}, now=now, user_id=user_id)
    return Result.WRONG, left


def _confirm(tx: Connection, code: Any, now: datetime) -> None:
    address = tx.execute(select(ContactPoint.value).where(ContactPoint.id == code.contact_point_id)).scalar_one()
    until = now + timedelta(minutes=code.minutes)
    identity_checks.settle(tx, code.ticket_id, Method.CODE, until=until, note=address, user_id=code.user_id, now=now)


def end(tx: Connection, code_id: int, outcome: Outcome, *, now: datetime) -> None:
    """The code is good for nothing more, and nothing more is sent of it."""
    over = {"ended_at": now, "outcome": outcome.value, "sealed": None}
    tx.execute(update(IdentityCode).where(IdentityCode.id == code_id).values(**over))


def replace(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """A newer code takes the place of the one under way."""
    over = {"ended_at": now, "outcome": Outcome.REPLACED.value, "sealed": None}
    one = update(IdentityCode).where(IdentityCode.ticket_id == ticket_id, IdentityCode.ended_at.is_(None))
    tx.execute(one.values(**over))


_RUN_OUT = (
    select(IdentityCode.id, IdentityCode.ticket_id)
    .where(IdentityCode.ended_at.is_(None), IdentityCode.expires_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(IdentityCode.expires_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def run_out(tx: Connection, now: datetime, *, limit: int) -> int:
    """End the codes whose time is over; a step of the timers. Returns how many."""
    rows = tx.execute(_RUN_OUT, {"now": now, "most": limit}).all()
    for row in rows:
        _expire(tx, row, now)
    return len(rows)


def _expire(tx: Connection, code: Any, now: datetime) -> None:
    end(tx, code.id, Outcome.EXPIRED, now=now)
    add_event(tx, code.ticket_id, "identity_code_expired", {}, now=now)


# --- Words to the customer --------------------------------------------------------------------------------------

_ANSWERS = {
    Result.RIGHT: mark("Thank you, the code is right."),
    Result.SPENT: mark("This code does not count any more. We can send you another one."),
    Result.LATE: mark("This code has run out. We can send you another one."),
}
_WRONG = (
    mark("This is not the code that we have sent. Please look again: %(num)d try is left."),
    mark("This is not the code that we have sent. Please look again: %(num)d tries are left."),
)
_SPEAKS = (
    select(
        Ticket.channel,
        Ticket.channel_account_id,
        Ticket.contact_point_id,
        Ticket.locale,
        Customer.locale.label("customer_locale"),
        Queue.locale.label("queue_locale"),
    )
    .join(Customer, Customer.id == Ticket.customer_id)
    .join(Queue, Queue.id == Ticket.queue_id)
    .where(Ticket.id == bindparam("ticket"))
)


def language(tx: Connection, ticket_id: int) -> tuple[str, Any]:
    """The language in which the customer of a conversation is written to, and how the conversation goes."""
    row = tx.execute(_SPEAKS, {"ticket": ticket_id}).one()
    return choose(row.locale, row.customer_locale, row.queue_locale), row


def _tell(tx: Connection, ticket_id: int, result: Result, left: int, *, now: datetime) -> None:
    """A chat says at once what came of it. Elsewhere the agent does: no automatic mail answers a mail."""
    locale, row = language(tx, ticket_id)
    if row.channel != Channel.CHAT.value:
        return
    said = ngettext(locale, *_WRONG, left) if result is Result.WRONG else gettext(locale, _ANSWERS[result])
    entry = Entry(
        kind=MessageKind.OUTBOUND,
        author_kind=AuthorKind.SYSTEM,
        text=said,
        public=True,
        channel=row.channel,
        channel_account_id=row.channel_account_id,
        contact_point_id=row.contact_point_id,
        automatic=True,
        delivery=Delivery.SENT.value,
    )
    append(tx, ticket_id, entry, now=now)


# --- On its way out ---------------------------------------------------------------------------------------------

GONE = mark("The code ended before it could be sent.")
_SEALED = select(IdentityCode.message_id, IdentityCode.sealed).where(
    IdentityCode.message_id.in_(bindparam("ids", expanding=True)), IdentityCode.sealed.is_not(None)
)


def texts_of(tx: Connection, rows: Sequence[Row[Any]], vault: Vault) -> dict[int, str | None]:
    """message id -> its text with the code in it, of the messages that carry one; None where the code has ended."""
    carrying = {row.id: row for row in rows if row.meta.get(CARRIES)}
    if not carrying:
        return {}
    sealed = {row.message_id: row.sealed for row in tx.execute(_SEALED, {"ids": list(carrying)})}
    found: dict[int, str | None] = dict.fromkeys(carrying)
    for message_id, held in sealed.items():
        row = carrying[message_id]
        try:
            found[message_id] = row.text.replace(row.meta[CARRIES], vault.unseal(held)["code"])
        except BadToken:
            # Another secret key: nothing can be sent of it.
            continue
    return found


def remember(tx: Connection, values: Mapping[str, Any]) -> int:
    """Insert a code; returns its id."""
    code_id: int = tx.execute(insert(IdentityCode).returning(IdentityCode.id), values).scalar_one()
    return code_id
