"""A call that somebody here writes down by hand: what was said, with whom, how it ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from channels.phone.calls import finish_callbacks
from channels.phone.models import Call
from channels.phone.states import CallState, Direction
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.upsert import insert_once
from tickets.lifecycle import access
from tickets.models import ChannelAccount, ContactPoint
from tickets.replies import Author, already_written, check_text
from tickets.sensitive import masking
from tickets.states import AuthorKind, Channel, ContactKind, MessageKind, Status
from tickets.timeline import Appended, Entry, append

LONGEST_TALK = 24 * 3600
OUTCOMES = {
    Direction.IN: (CallState.COMPLETED, CallState.MISSED),
    Direction.OUT: (CallState.COMPLETED, CallState.NO_ANSWER, CallState.BUSY, CallState.FAILED),
}


@dataclass(frozen=True, slots=True)
class CallNote:
    """What an agent tells of a call; `ended_at` is now unless they say otherwise."""

    direction: Direction
    outcome: CallState
    text: str
    talk_seconds: int = 0
    disposition: str = ""
    contact_point_id: int | None = None
    ended_at: datetime | None = None


def log_call(tx: Connection, ticket_id: int, note: CallNote, *, author: Author, now: datetime) -> Appended:
    """Put a call into a ticket and the ledger; a repeated client id gives the first entry again.

    A talk with the customer is an answer: they wait no longer, and the ticket's planned callbacks are done.
    """
    _check(note, now)
    ticket = access(tx, ticket_id, lock=True)
    known = already_written(tx, author)
    if known is not None:
        return known
    if ticket.status == Status.CLOSED.value:
        raise Conflict("This ticket is closed. Open a follow-up to go on with the matter.")
    ended_at = note.ended_at or now
    number, contact_point_id = _number(tx, ticket.customer_id, note.contact_point_id)
    spoke = note.outcome is CallState.COMPLETED
    meta = {
        "direction": note.direction.value,
        "state": note.outcome.value,
        "number": number,
        "talk_seconds": note.talk_seconds if spoke else 0,
        "disposition": note.disposition.strip()[:100],
        "manual": True,
    }
    text, hidden = masking.hide_text(tx, note.text)
    entry = Entry(
        kind=MessageKind.CALL,
        channel=Channel.PHONE.value,
        author_kind=AuthorKind.AGENT,
        user_id=author.user_id,
        text=text,
        public=False,
        contact_point_id=contact_point_id,
        client_id=author.key(),
        meta={"call": meta, **masking.mention(hidden)},
    )
    changes: dict[str, object] = {}
    if spoke:
        changes = {"waiting_since": None, "last_outbound_at": ended_at}
        if ticket.first_response_at is None:
            changes["first_response_at"] = now
    appended = append(tx, ticket_id, entry, now=now, changes=changes)
    masking.keep(tx, appended.message_id, hidden, now=now)
    _into_ledger(tx, note, appended, number=number, contact_point_id=contact_point_id, author=author, now=now)
    if spoke:
        finish_callbacks(tx, ticket_id, user_id=author.user_id, now=now)
    return appended


def _check(note: CallNote, now: datetime) -> None:
    check_text(note.text)
    if note.outcome not in OUTCOMES[note.direction]:
        raise Invalid("A call in this direction cannot end like that.", field="outcome")
    if not 0 <= note.talk_seconds <= LONGEST_TALK:
        raise Invalid("A call lasts between nothing and a day.", field="talk_seconds")
    if note.ended_at is not None and note.ended_at > now:
        raise Invalid("A call that is still to come is planned, not logged.", field="ended_at")


def _number(tx: Connection, customer_id: int, contact_point_id: int | None) -> tuple[str, int | None]:
    """The number that was spoken with: the chosen one of this customer, else their first."""
    row = tx.execute(
        select(ContactPoint.id, ContactPoint.value)
        .where(ContactPoint.customer_id == customer_id, ContactPoint.kind == ContactKind.PHONE.value)
        .order_by((ContactPoint.id == contact_point_id).desc(), ContactPoint.id)
        .limit(1)
    ).first()
    return (row.value, row.id) if row else ("", None)


def _into_ledger(
    tx: Connection,
    note: CallNote,
    appended: Appended,
    *,
    number: str,
    contact_point_id: int | None,
    author: Author,
    now: datetime,
) -> None:
    """The ledger needs a line to belong to; without any phone line the entry in the ticket is all there is."""
    account_id = tx.execute(
        select(ChannelAccount.id)
        .where(ChannelAccount.channel == Channel.PHONE.value)
        .order_by((ChannelAccount.queue_id == appended.queue_id).desc(), ChannelAccount.id)
        .limit(1)
    ).scalar_one_or_none()
    if account_id is None:
        return
    ended_at = note.ended_at or now
    began_at = ended_at - timedelta(seconds=note.talk_seconds)
    spoke = note.outcome is CallState.COMPLETED
    call_id = insert_once(
        tx,
        Call,
        key=["channel_account_id", "external_id"],
        values={
            "channel_account_id": account_id,
            "external_id": f"note:{appended.message_id}",
            "source": "note",
            "direction": note.direction.value,
            "state": note.outcome.value,
            "number": number,
            "line": "",
            "live": False,
            "contact_point_id": contact_point_id,
            "ticket_id": appended.ticket_id,
            "message_id": appended.message_id,
            "user_id": author.user_id,
            "agent": "",
            "queue": "",
            "rang_at": began_at,
            "answered_at": began_at if spoke else None,
            "ended_at": ended_at,
            "cause": "",
            "wait_seconds": 0,
            "talk_seconds": note.talk_seconds if spoke else 0,
            "created_at": now,
        },
    )
    if call_id is not None:
        tx.execute(update(Call).where(Call.id == call_id).values(ending="hung_up" if spoke else "no_answer"))
