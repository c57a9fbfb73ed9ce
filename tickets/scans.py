"""What the virus scanner said of files, by their digest: the same bytes are asked about once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.clamav import Scanned, Verdict
from contact_center.core.events import emit
from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import insert_once, upsert
from tickets.models import Attachment, Message, Ticket, partial_index
from tickets.timeline import topics_of

WAITING = "waiting"
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)


class FileScan(Base):
    """One file: `waiting` for a scanner that could not be asked, or its verdict."""

    __tablename__ = "file_scans"

    id: Mapped[int] = id_column()
    digest: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    virus: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    # When a waiting one is asked about again.
    next_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime | None]

    __table_args__ = (partial_index("ix_file_scans_waiting", "next_at", where="state = 'waiting'"),)


_OF = select(FileScan.state, FileScan.virus).where(FileScan.digest == bindparam("digest"))


def of(tx: Connection, digest: str) -> Row[str, str] | None:
    """(state, virus) of a file, or None where nobody has asked."""
    return tx.execute(_OF, {"digest": digest}).first()


def judged(tx: Connection, digest: str, scanned: Scanned, *, now: datetime) -> None:
    """Keep a verdict; open screens show what is kept out, or that it waits no more."""
    before = of(tx, digest)
    values = {
        "digest": digest,
        "state": scanned.verdict.value,
        "virus": scanned.virus,
        "attempts": 1,
        "next_at": None,
        "scanned_at": now,
    }
    upsert(tx, FileScan, key=["digest"], values=values)
    if scanned.verdict is not Verdict.CLEAN or (before is not None and before.state == WAITING):
        _show(tx, digest, now=now)


def waits(tx: Connection, digest: str, *, now: datetime) -> None:
    """The scanner could not be asked: it is asked again, after a longer pause each time."""
    row = tx.execute(select(FileScan.__table__).where(FileScan.digest == digest)).first()
    attempts = row.attempts + 1 if row else 1
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
    if row is None:
        values = {"state": WAITING, "virus": "", "attempts": attempts, "next_at": now + pause, "scanned_at": None}
        if insert_once(tx, FileScan, key=["digest"], values={"digest": digest, **values}) is not None:
            _show(tx, digest, now=now)
    elif row.state == WAITING:
        again = update(FileScan).where(FileScan.digest == digest)
        tx.execute(again.values(attempts=attempts, next_at=now + pause))


def newest(tx: Connection) -> int:
    """The id of the newest attachment; 0 where there is none."""
    return tx.execute(select(func.max(Attachment.id))).scalar_one() or 0


def unasked(tx: Connection, after: int, *, limit: int) -> Sequence[Row[int, str, str | None]]:
    """(id, digest, state) of the attachments after an id, in their order."""
    return tx.execute(
        select(Attachment.id, Attachment.digest, FileScan.state)
        .outerjoin(FileScan, FileScan.digest == Attachment.digest)
        .where(Attachment.id > after)
        .order_by(Attachment.id)
        .limit(limit)
    ).all()


def due(tx: Connection, *, limit: int, now: datetime) -> Sequence[str]:
    """Digests of waiting files that may be asked about again."""
    query = select(FileScan.digest).where(FileScan.state == WAITING, FileScan.next_at <= now)
    return tx.execute(query.order_by(FileScan.next_at).limit(limit)).scalars().all()


def _show(tx: Connection, digest: str, *, now: datetime) -> None:
    rows: Sequence[Any] = tx.execute(
        select(Message.id, Message.delivery, Message.ticket_id, Ticket.queue_id, Ticket.assignee_id)
        .join(Attachment, Attachment.message_id == Message.id)
        .join(Ticket, Ticket.id == Message.ticket_id)
        .where(Attachment.digest == digest)
        .limit(50)
    ).all()
    for row in rows:
        payload = {"ticket_id": row.ticket_id, "message_id": row.id, "delivery": row.delivery}
        topics = topics_of(row.ticket_id, queue_id=row.queue_id, assignee_id=row.assignee_id)
        emit(tx, "message.updated", payload, now=now, topics=topics)
