"""Who made sure that the customer is who they say, how, and until when.

Only a colleague's own check counts here: a sender's address or number is what somebody wrote, and proves nothing.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, insert, update
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


class IdentityCheck(Base):
    """One check; at most one of a ticket has not been ended."""

    __tablename__ = "identity_checks"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id")
    method: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    user_id: Mapped[int] = refers_to("users.id", index=False)
    checked_at: Mapped[datetime]
    # It holds until then, without anybody doing anything.
    valid_until: Mapped[datetime]
    # Withdrawn, or replaced by a newer one.
    ended_at: Mapped[datetime | None]

    __table_args__ = (partial_index("uq_identity_checks_open", "ticket_id", where="ended_at IS NULL", unique=True),)


def confirm(
    tx: Connection, ticket_id: int, method: Method, *, minutes: int, note: str, user_id: int, now: datetime
) -> None:
    """The customer of this conversation was checked just now; a newer check takes the place of the one before."""
    if minutes not in TERMS:
        raise Invalid("This is not one of the choices.", field="minutes")
    if access(tx, ticket_id, lock=True).status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to go on with the matter.")
    _end(tx, ticket_id, now)
    until = now + timedelta(minutes=minutes)
    values = {
        "ticket_id": ticket_id,
        "method": method.value,
        # What was asked, never what was answered: an id that slips in is masked as anywhere.
        "note": masking.line(tx, " ".join(note.split())[:LONGEST_NOTE]),
        "user_id": user_id,
        "checked_at": now,
        "valid_until": until,
    }
    tx.execute(insert(IdentityCheck), values)
    told = {"method": method.value, "minutes": minutes, "note": values["note"]}
    add_event(tx, ticket_id, "identity_confirmed", told, now=now, user_id=user_id)
    audit.record(tx, "identity.confirmed", f"ticket:{ticket_id}", now=now, user_id=user_id, details=told)


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
