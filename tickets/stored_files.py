"""Which stored bytes anything names: files of messages and drafts, raw items of the journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Connection, bindparam, select, union

from tickets.draft_files import DraftFile
from tickets.models import Attachment, JournalItem
from tickets.states import Channel, JournalState

_DIGESTS: BindParameter[Any] = bindparam("digests", expanding=True)
# One statement, one snapshot: a file that moves from a draft to its message is named by one of them.
_NAMED: CompoundSelect[Any] = union(
    select(Attachment.digest).where(Attachment.digest.in_(_DIGESTS)),
    select(DraftFile.digest).where(DraftFile.digest.in_(_DIGESTS)),
    select(JournalItem.raw_digest).where(JournalItem.raw_digest.in_(_DIGESTS)),
)


def named(tx: Connection, digests: Sequence[str]) -> set[str]:
    """Those of some digests that a row names."""
    return set(tx.execute(_NAMED, {"digests": list(digests)}).scalars())


_WAITING = (
    select(JournalItem.received_at)
    .where(JournalItem.state.in_((JournalState.QUARANTINED.value, JournalState.RECEIVED.value)))
    .where(JournalItem.channel == Channel.CHAT.value)
    .order_by(JournalItem.id)
    .limit(1)
)


def oldest_waiting_chat(tx: Connection) -> datetime | None:
    """When the oldest chat message came that is not taken yet; None where none waits."""
    return tx.execute(_WAITING).scalar_one_or_none()
