"""A reply that is taken back before it leaves: the customer was told nothing, so the ticket stands as before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from contact_center.core.errors import Conflict, NotFound
from tickets import draft_files, drafts, lifecycle, replies, standing
from tickets.draft_files import DraftFile
from tickets.drafts import Copies, Draft
from tickets.inbound import StoredFile
from tickets.models import Attachment, Message
from tickets.states import Delivery, Status

_WHERE = select(Message.ticket_id).where(Message.id == bindparam("message"), Message.user_id == bindparam("user"))
# Only what was never tried: a server that broke off after a first try may have it already.
_CANCEL = (
    update(Message)
    .where(
        Message.id == bindparam("message"),
        Message.delivery == Delivery.QUEUED.value,
        Message.send_after > bindparam("now"),
        Message.delivery_error.is_(None),
    )
    .values(delivery=Delivery.CANCELED.value)
    .returning(Message.ticket_id, Message.seq, Message.channel, Message.contact_point_id, Message.text, Message.meta)
)
_BEGUN = select(Draft.text).where(
    Draft.ticket_id == bindparam("ticket"), Draft.user_id == bindparam("user"), Draft.channel == bindparam("key")
)
_FILES = select(Attachment.__table__).where(Attachment.message_id == bindparam("message")).order_by(Attachment.id)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What goes back into the composer: the way (`email:12`), the words, and the files as files of the draft."""

    ticket_id: int
    key: str
    text: str
    files: Sequence[Row[Any]]
    # Who was to get a copy.
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()


def take_back(tx: Connection, message_id: int, *, user_id: int, now: datetime) -> TakenBack:
    """Undo one's own reply while it waits; its text and files are one's draft again, before what was begun since.

    Conflict once it has left. A status that was set along with it is taken back too.
    """
    ticket_id = tx.execute(_WHERE, {"message": message_id, "user": user_id}).scalar_one_or_none()
    if ticket_id is None:
        raise NotFound("There is no such message.")
    # The ticket before the message, as everywhere.
    lifecycle.access(tx, ticket_id, lock=True)
    row = tx.execute(_CANCEL, {"message": message_id, "now": now}).first()
    if row is None:
        raise Conflict("This message has already been sent.")
    then = row.meta.get("then")
    if then is not None and lifecycle.access(tx, ticket_id).status == then:
        lifecycle.set_status(tx, ticket_id, Status.OPEN, user_id=user_id, now=now)
    standing.refresh(tx, lifecycle.access(tx, ticket_id), now=now)
    replies.changed(tx, ticket_id, message_id, Delivery.CANCELED, now=now)
    key = f"{row.channel}:{row.contact_point_id}"
    files = [
        StoredFile(file.digest, file.filename, file.content_type, file.size)
        for file in tx.execute(_FILES, {"message": message_id})
    ]
    return put_back(tx, ticket_id, user_id, key, row.text, files, meta=row.meta, seq=row.seq, now=now)


def put_back(
    tx: Connection,
    ticket_id: int,
    user_id: int,
    key: str,
    text: str,
    files: Sequence[StoredFile],
    *,
    meta: Mapping[str, Any],
    seq: int,
    now: datetime,
) -> TakenBack:
    """Make what was written the draft again, before what was begun since, with those who were to get a copy."""
    cc, bcc = meta.get("cc") or (), meta.get("bcc") or ()
    copies = Copies(", ".join(cc), ", ".join(bcc)) if cc or bcc else None
    begun = tx.execute(_BEGUN, {"ticket": ticket_id, "user": user_id, "key": key}).scalar_one_or_none()
    whole = f"{text}\n\n{begun}" if begun and text else text or begun or ""
    kept = whole[: replies.MAX_TEXT]
    drafts.save(tx, ticket_id, user_id, key, kept, begun_at_seq=seq, now=now, copies=copies)
    ids = [draft_files.put(tx, ticket_id, user_id, draft_files.REPLY, file, now=now) for file in files]
    put = tx.execute(select(DraftFile.__table__).where(DraftFile.id.in_(ids)).order_by(DraftFile.id)).all()
    return TakenBack(ticket_id, key, text, put, cc, bcc)
