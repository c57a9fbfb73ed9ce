"""Who made sure that the customer is who they say, how, and until when.

A colleague's own check, a code that the customer gave back (`identity_codes`), or a website's signed login; never a
sender's address or number, which is what somebody wrote and proves nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts import audit
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.schema import Base, id_column
from tickets.lifecycle import access
from tickets.models import partial_index, refers_to
from tickets.sensitive import masking
from tickets.states import Status
from tickets.timeline import add_event

LONGEST_NOTE = 200
# Minutes that a check may hold: a call, a shift, a day.
TERMS = (15, 60, 480, 1440)


class Method(StrEnum):
    """How it was made sure."""

    QUESTIONS = "questions"
    CALL_BACK = "call_back"
    DOCUMENT = "document"
    # What nobody can choose: the evidence alone makes them.
    CODE = "code"
    SIGNED_IN = "signed_in"


BY_HAND = frozenset({Method.QUESTIONS, Method.CALL_BACK, Method.DOCUMENT})


class IdentityCheck(Base):
    """One check; at most one of a ticket has not been ended."""

    __tablename__ = "identity_checks"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    method: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    # NULL: no colleague, a website vouches for its signed-in customer.
    user_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    checked_at: Mapped[datetime]
    # It holds until then, without anybody doing anything.
    valid_until: Mapped[datetime]
    # Withdrawn, or replaced by a newer one.
    ended_at: Mapped[datetime | None]

    __table_args__ = (partial_index("uq_identity_checks_open", "ticket_id", where="ended_at IS NULL", unique=True),)


def confirm(
    tx: Connection, ticket_id: int, method: Method, *, minutes: int, note: str, user_id: int, now: datetime
) -> None:
    """A colleague has checked the customer of this conversation just now."""
    if method not in BY_HAND:
        raise Invalid("This is not one of the choices.", field="method")
    check_term(minutes)
    if access(tx, ticket_id, lock=True).status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to go on with the matter.")
    # What was asked, never what was answered: an id that slips in is masked as anywhere.
    said = masking.line(tx, " ".join(note.split())[:LONGEST_NOTE])
    settle(tx, ticket_id, method, until=now + timedelta(minutes=minutes), note=said, user_id=user_id, now=now)


def check_term(minutes: int) -> None:
    """Raise Invalid for a term that is no choice."""
    if minutes not in TERMS:
        raise Invalid("This is not one of the choices.", field="minutes")


def settle(
    tx: Connection, ticket_id: int, method: Method, *, until: datetime, note: str, user_id: int | None, now: datetime
) -> None:
    """Write the check down, in the timeline and the audit log too; it takes the place of the one before.

    The caller holds the ticket's row and has the evidence.
    """
    _end(tx, ticket_id, now)
    values = {
        "ticket_id": ticket_id,
        "method": method.value,
        "note": note,
        "user_id": user_id,
        "checked_at": now,
        "valid_until": until,
    }
    tx.execute(insert(IdentityCheck), values)
    told = {"method": method.value, "minutes": round((until - now).total_seconds() / 60), "note": note}
    add_event(tx, ticket_id, "identity_confirmed", told, now=now, user_id=user_id)
    audit.record(tx, "identity.confirmed", f"ticket:{ticket_id}", now=now, user_id=user_id, details=told)


def hold(tx: Connection, ticket_id: int, method: Method, *, until: datetime, note: str, now: datetime) -> None:
    """Evidence that comes by itself: it lengthens its own check, and otherwise begins one where none holds.

    It never takes another's place, and one that was withdrawn or replaced does not begin again.
    """
    access(tx, ticket_id, lock=True)
    own = (IdentityCheck.ticket_id == ticket_id, IdentityCheck.method == method.value)
    longer = update(IdentityCheck).where(
        *own, IdentityCheck.ended_at.is_(None), IdentityCheck.valid_until > now, IdentityCheck.note == note
    )
    if tx.execute(longer.values(valid_until=until)).rowcount:
        return
    early = select(IdentityCheck.id).where(*own, IdentityCheck.ended_at < IdentityCheck.valid_until).limit(1)
    if tx.execute(early).first() is None and not stands(tx, ticket_id, now):
        settle(tx, ticket_id, method, until=until, note=note, user_id=None, now=now)


def lapse(tx: Connection, ticket_id: int, method: Method, *, now: datetime) -> None:
    """What this evidence rests on is over, as if its time were."""
    tx.execute(
        update(IdentityCheck)
        .where(
            IdentityCheck.ticket_id == ticket_id,
            IdentityCheck.method == method.value,
            IdentityCheck.ended_at.is_(None),
            IdentityCheck.valid_until > now,
        )
        .values(valid_until=now)
    )


def stands(tx: Connection, ticket_id: int, now: datetime) -> bool:
    """Whether somebody has made sure who this customer is, and it still holds."""
    holds = (IdentityCheck.ended_at.is_(None), IdentityCheck.valid_until > now)
    return tx.execute(select(IdentityCheck.id).where(IdentityCheck.ticket_id == ticket_id, *holds)).first() is not None


def withdraw(tx: Connection, ticket_id: int, *, user_id: int, now: datetime) -> None:
    """The check does not hold after all."""
    access(tx, ticket_id, lock=True)
    if not _end(tx, ticket_id, now):
        raise Conflict("Nobody has confirmed who this customer is, or it was withdrawn already.")
    add_event(tx, ticket_id, "identity_withdrawn", {}, now=now, user_id=user_id)
    audit.record(tx, "identity.withdrawn", f"ticket:{ticket_id}", now=now, user_id=user_id)


def _end(tx: Connection, ticket_id: int, now: datetime) -> bool:
    open_one = update(IdentityCheck).where(IdentityCheck.ticket_id == ticket_id, IdentityCheck.ended_at.is_(None))
    return tx.execute(open_one.values(ended_at=now)).rowcount > 0
