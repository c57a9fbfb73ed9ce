"""A mailbox compared with what was taken from it: in the box, taken, missing, and why each mail is missing.

A mail is known by UIDVALIDITY and UID, as the journal names it, or by its Message-ID together with its sender: an id
alone could have been sent before by somebody else. The report is one row per account, with its progress.
"""

import email
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from channels.email.addresslist import first_mailbox
from channels.email.beginning import Beginning
from channels.email.headers import Headers
from channels.email.intake import DELETED
from channels.email.mailbox import Fetched, Head
from channels.email.models import MailboxReport
from contact_center.core.events import poke
from contact_center.core.upsert import insert_once
from tickets.models import ExternalReference, JournalItem, Message
from tickets.states import JournalState

TOPIC = "mailbox_reports"
LEASE = timedelta(minutes=5)
# The newest of each reason are listed; all are counted.
LISTED = 200
RECOGNISED_BY = 500


class State(StrEnum):
    """How far a comparison is."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Why(StrEnum):
    """Why a mail of the box is in no conversation."""

    BEFORE = "before"
    UNREAD = "unread"
    LOST = "lost"
    SUPPRESSED = "suppressed"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


# What can be taken; the others lie in the journal, where a person decides about them, or were deleted on purpose.
TAKEABLE = frozenset({Why.BEFORE, Why.UNREAD, Why.LOST})


@dataclass(frozen=True, slots=True)
class Missing:
    """One mail of the box that is in no conversation; `journal_id` where the journal has it."""

    uid: int
    at: datetime | None
    sender: str
    subject: str
    why: Why
    journal_id: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        at = self.at.isoformat() if self.at else None
        return {
            "uid": self.uid,
            "date": at,
            "from": self.sender,
            "subject": self.subject,
            "why": self.why.value,
            "journal_id": self.journal_id,
        }


@dataclass(slots=True)
class Tally:
    """What was found so far."""

    total: int = 0
    seen: int = 0
    taken: int = 0
    handed_in: int = 0
    why: Counter[str] = field(default_factory=Counter)
    mails: dict[str, deque[Missing]] = field(default_factory=dict)

    def add(self, missing: Missing) -> None:
        self.why[missing.why.value] += 1
        self.mails.setdefault(missing.why.value, deque(maxlen=LISTED)).append(missing)

    def values(self) -> dict[str, Any]:
        """The columns of the report."""
        mails = [one.as_dict() for some in self.mails.values() for one in some]
        return {
            "total": max(self.total, self.seen),
            "seen": self.seen,
            "taken": self.taken,
            "handed_in": self.handed_in,
            "missing": {"why": dict(self.why), "mails": mails},
        }


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the fields of a mail say about which one it is."""

    message_id: str
    sender: str
    subject: str
    date: datetime | None


def recognise(head: Head) -> Recognised:
    """A mail by its head; fields that nobody can read are empty."""
    fields = Headers(email.message_from_bytes(head.fields))
    return Recognised(
        next(iter(fields.message_ids("message-id")), ""),
        first_mailbox(fields.raw("from")).address.lower(),
        fields.text("subject"),
        fields.date("date") or head.arrived_at,
    )


def journaled(tx: Connection, account_id: int, names: Sequence[str]) -> dict[str, Row[Any]]:
    """Journal rows by external id, each with whether a message stands for it."""
    made = select(Message.id).where(Message.journal_id == JournalItem.id).exists()
    rows: Sequence[Any] = tx.execute(
        select(
            JournalItem.external_id,
            JournalItem.id,
            JournalItem.state,
            JournalItem.reason,
            JournalItem.sender,
            JournalItem.summary,
            JournalItem.received_at,
            made.label("has_message"),
        ).where(JournalItem.channel_account_id == account_id, JournalItem.external_id.in_(names))
    ).all()
    return {row.external_id: row for row in rows}


def taken_elsewhere(tx: Connection, account_id: int, heads: Mapping[int, Recognised]) -> set[int]:
    """The UIDs of mails that came into a conversation of this account by another way or under another UID."""
    ids = sorted({head.message_id for head in heads.values() if head.message_id})
    known: set[tuple[str, str]] = set()
    for start in range(0, len(ids), RECOGNISED_BY):
        rows = tx.execute(
            select(ExternalReference.reference, Message.meta)
            .join(Message, Message.id == ExternalReference.message_id)
            .where(
                ExternalReference.reference.in_(ids[start : start + RECOGNISED_BY]),
                Message.channel_account_id == account_id,
            )
        )
        known |= {(row.reference, str((row.meta.get("from") or {}).get("address", "")).lower()) for row in rows}
    return {uid for uid, head in heads.items() if (head.message_id, head.sender) in known}


def judge_journaled(uid: int, row: Row[Any]) -> Missing | None:
    """None for a journaled mail that was taken; else why it is in no conversation."""
    deleted = row.state == JournalState.ACCEPTED.value and row.reason is None and not row.has_message
    if deleted or (row.state == JournalState.DUPLICATE.value and row.reason == DELETED):
        why = Why.DELETED
    elif row.state == JournalState.SUPPRESSED.value:
        why = Why.SUPPRESSED
    elif row.state == JournalState.QUARANTINED.value:
        why = Why.QUARANTINED
    else:
        return None
    return Missing(uid, row.received_at, row.sender, row.summary, why, row.id)


def judge_unknown(
    uid: int, head: Recognised, arrived_at: datetime | None, begun: Beginning, settings: Mapping[str, Any], cursor: int
) -> Missing:
    """Why a mail that nobody has journaled is missing."""
    if begun.is_past(settings, Fetched(uid, b"", arrived_at=arrived_at)):
        why = Why.BEFORE
    else:
        why = Why.UNREAD if uid > cursor else Why.LOST
    return Missing(uid, head.date, head.sender, head.subject, why)


def ask(tx: Connection, account_id: int, *, takes: bool, by: int | None, now: datetime, here: bool = False) -> bool:
    """Ask for a comparison, or begin one `here`; False while one is asked for or runs."""
    values = {
        "state": (State.RUNNING if here else State.ASKED).value,
        "takes": takes,
        "asked_at": now,
        "asked_by_id": by,
        "held_until": now + LEASE if here else None,
        "error": None,
        **Tally().values(),
    }
    key = {"channel_account_id": account_id}
    if insert_once(tx, MailboxReport, key=list(key), values={**key, "finished_at": None, **values}) is None:
        ended = MailboxReport.state.in_([State.DONE.value, State.FAILED.value])
        left = (MailboxReport.state == State.RUNNING.value) & (MailboxReport.held_until < now)
        mine = MailboxReport.channel_account_id == account_id
        if not tx.execute(update(MailboxReport).where(mine, or_(ended, left)).values(**values)).rowcount:
            return False
    if not here:
        poke(tx, TOPIC, name="mailbox_report.asked", payload={}, relay=False)
    return True


def claim(tx: Connection, *, now: datetime) -> Row[Any] | None:
    """The next comparison that somebody asked for, or whose process died; it is this process's for a while."""
    waits = or_(
        MailboxReport.state == State.ASKED.value,
        (MailboxReport.state == State.RUNNING.value) & (MailboxReport.held_until < now),
    )
    row = tx.execute(select(MailboxReport.__table__).where(waits).order_by(MailboxReport.asked_at).limit(1)).first()
    if row is None:
        return None
    mine = update(MailboxReport).where(MailboxReport.id == row.id, waits)
    done = tx.execute(mine.values(state=State.RUNNING.value, held_until=now + LEASE))
    return row if done.rowcount else None


def progress(tx: Connection, account_id: int, tally: Tally, *, now: datetime) -> None:
    """How far a running comparison is; it stays this process's."""
    _set(tx, account_id, held_until=now + LEASE, **tally.values())


def finish(tx: Connection, account_id: int, tally: Tally, *, now: datetime, error: str | None = None) -> None:
    """The comparison is over; what was found until an error stays readable."""
    state = State.FAILED if error else State.DONE
    _set(tx, account_id, state=state.value, held_until=None, finished_at=now, error=error, **tally.values())


def _set(tx: Connection, account_id: int, **values: Any) -> None:
    tx.execute(update(MailboxReport).where(MailboxReport.channel_account_id == account_id).values(**values))


def report_of(tx: Connection, account_id: int) -> Row[Any] | None:
    """The last comparison of an account."""
    return tx.execute(select(MailboxReport.__table__).where(MailboxReport.channel_account_id == account_id)).first()


def as_dict(row: Row[Any], account: str) -> dict[str, Any]:
    """The JSON form of a report."""
    return {
        "account": account,
        "state": row.state,
        "error": row.error,
        "in_the_box": row.total,
        "taken": row.taken,
        "missing": sum(row.missing["why"].values()),
        "handed_in": row.handed_in,
        "why": row.missing["why"],
        "mails": row.missing["mails"],
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
    }
