"""Files that an agent puts to a draft: stored at once, so that a crash loses none, and sent with the message."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath

from sqlalchemy import ColumnElement, Connection, Index, delete, exists, func, insert, select
from sqlalchemy.orm import Mapped

from contact_center.core.errors import Invalid, NotFound
from contact_center.core.schema import Base, id_column
from tickets.drafts import Draft
from tickets.inbound import StoredFile
from tickets.lifecycle import access
from tickets.models import refers_to

MOST_FILES = 10
# Mail grows by a third on its way, and most servers refuse more than 25 MB.
MOST_BYTES = 18 * 1024 * 1024
# What mail servers everywhere throw away, and what no customer should open.
# fmt: off
REFUSED = frozenset({
    "ade", "adp", "apk", "appx", "bat", "chm", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "ins", "iso", "jar",
    "js", "jse", "lnk", "mde", "msc", "msi", "msp", "mst", "pif", "ps1", "reg", "scr", "sct", "shb", "sys", "vb",
    "vbe", "vbs", "vxd", "wsc", "wsf", "wsh",
})
# fmt: on
REPLY, NOTE = "reply", "note"


class DraftFile(Base):
    """One file of a draft; `mode` tells whether it belongs to the reply or to the note."""

    __tablename__ = "draft_files"

    id: Mapped[int] = id_column()
    ticket_id: Mapped[int] = refers_to("tickets.id", index=False)
    user_id: Mapped[int] = refers_to("users.id")
    mode: Mapped[str]
    digest: Mapped[str]
    filename: Mapped[str]
    content_type: Mapped[str]
    size: Mapped[int]
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_draft_files_draft", "ticket_id", "user_id"),)


def attach(tx: Connection, ticket_id: int, user_id: int, mode: str, file: StoredFile, *, now: datetime) -> int:
    """Put a stored file to a draft, within the limits of a message; returns its id."""
    if mode not in (REPLY, NOTE):
        raise Invalid("This is not one of the choices.", field="mode")
    check_file(file.filename, file.size)
    # The lock makes two uploads at once count one after the other.
    access(tx, ticket_id, lock=True)
    count, size = tx.execute(
        select(func.count(), func.coalesce(func.sum(DraftFile.size), 0)).where(*_draft(ticket_id, user_id, mode))
    ).one()
    if count >= MOST_FILES:
        raise Invalid("A message takes at most {most} files.", field="file", most=MOST_FILES)
    if size + file.size > MOST_BYTES:
        raise Invalid(
            "All files of a message together may have {most} MB. “{name}” does not fit in.",
            field="file",
            most=MOST_BYTES // 1_048_576,
            name=file.filename,
        )
    return put(tx, ticket_id, user_id, mode, file, now=now)


def put(tx: Connection, ticket_id: int, user_id: int, mode: str, file: StoredFile, *, now: datetime) -> int:
    """The same for a file that has passed the limits before: that of a reply that was taken back."""
    file_id: int = tx.execute(
        insert(DraftFile).returning(DraftFile.id),
        {
            "ticket_id": ticket_id,
            "user_id": user_id,
            "mode": mode,
            "digest": file.digest,
            "filename": file.filename,
            "content_type": file.content_type,
            "size": file.size,
            "created_at": now,
        },
    ).scalar_one()
    return file_id


def check_file(name: str, size: int) -> None:
    """Raise Invalid for what cannot be sent: nothing, too much, or what nobody should open."""
    if size == 0:
        raise Invalid("“{name}” is empty.", field="file", name=name)
    if size > MOST_BYTES:
        raise Invalid("“{name}” is larger than {most} MB.", field="file", name=name, most=MOST_BYTES // 1_048_576)
    if PurePath(name).suffix.lower().removeprefix(".") in REFUSED:
        raise Invalid("“{name}” is a program. Mail servers refuse such files.", field="file", name=name)


def remove(tx: Connection, ticket_id: int, file_id: int, *, user_id: int) -> None:
    """Take a file off one's own draft; nothing if it is gone already."""
    tx.execute(
        delete(DraftFile).where(DraftFile.id == file_id, DraftFile.ticket_id == ticket_id, DraftFile.user_id == user_id)
    )


def take(tx: Connection, ticket_id: int, user_id: int, file_ids: Sequence[int]) -> tuple[StoredFile, ...]:
    """Take files off one's own draft to send them, in the order they were put there; NotFound if one is gone."""
    if not file_ids:
        return ()
    rows = tx.execute(
        delete(DraftFile)
        .where(DraftFile.id.in_(file_ids), DraftFile.ticket_id == ticket_id, DraftFile.user_id == user_id)
        .returning(DraftFile.id, DraftFile.digest, DraftFile.filename, DraftFile.content_type, DraftFile.size)
    ).all()
    if len(rows) != len(set(file_ids)):
        raise NotFound("A file of this message is no longer here. Attach it again.")
    return tuple(StoredFile(*row[1:]) for row in sorted(rows, key=lambda row: row.id))


def expire(tx: Connection, before: datetime, most: int = 500) -> int:
    """Take files off drafts that nobody has touched since `before`; how many. Their bytes go as unnamed ones."""
    touched = exists().where(
        Draft.ticket_id == DraftFile.ticket_id, Draft.user_id == DraftFile.user_id, Draft.updated_at >= before
    )
    old = select(DraftFile.id).where(DraftFile.created_at < before, ~touched).order_by(DraftFile.id).limit(most)
    return tx.execute(delete(DraftFile).where(DraftFile.id.in_(old))).rowcount


def _draft(ticket_id: int, user_id: int, mode: str) -> tuple[ColumnElement[bool], ...]:
    return (DraftFile.ticket_id == ticket_id, DraftFile.user_id == user_id, DraftFile.mode == mode)
