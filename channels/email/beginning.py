"""How a mailbox begins: what lay in it before the first look is passed over, or kept as silent history.

Account settings: `imap.start` new | days | history, and `imap.days`. Without `start` nothing is old: what lies in the
folder is work (mailboxes that a program sets up for that).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from channels.email.mailbox import Fetched
from channels.email.models import MailboxCursor
from contact_center.core.upsert import insert_once

SILENT = ("new", "days", "history")
# SEARCH SINCE knows days only, in the server's zone.
ZONES = timedelta(days=1)
# Clocks differ, and times of arrival have no fractions: rather work twice seen than a mail lost.
CLOCKS = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first look at a folder, and how far it has been read since; `uidvalidity_read` is 0 before that."""

    at: datetime | None
    uid: int
    by_time: bool
    uidvalidity_read: int
    last_uid: int

    def since(self, settings: Mapping[str, Any]) -> date | None:
        """The day before which nothing needs to be listed."""
        oldest = self._oldest(settings)
        return (oldest - ZONES).date() if oldest else None

    def is_past(self, settings: Mapping[str, Any], mail: Fetched) -> bool:
        """Whether a mail was there before us. An old one that somebody moves into the folder later is none of them."""
        if self.at is None or settings.get("start") not in SILENT or mail.uid >= self.uid:
            return False
        return not self.by_time or (mail.arrived_at is not None and mail.arrived_at < self.at - CLOCKS)

    def keeps(self, settings: Mapping[str, Any], mail: Fetched) -> bool:
        """Whether a mail of the past is taken into the history."""
        oldest = self._oldest(settings)
        return settings.get("start") != "new" and (
            oldest is None or mail.arrived_at is None or mail.arrived_at >= oldest
        )

    def _oldest(self, settings: Mapping[str, Any]) -> datetime | None:
        match settings.get("start"):
            case "new":
                return self.at
            case "days" if self.at is not None:
                return self.at - timedelta(days=int(settings.get("days") or 30))
            case _:
                return None


def begin(tx: Connection, account_id: int, folder: str, uidvalidity: int, uidnext: int, *, now: datetime) -> Beginning:
    """The beginning of a folder: noted at the first look, and where the past ends after its UIDs were dealt anew."""
    where = (MailboxCursor.channel_account_id == account_id, MailboxCursor.folder == folder)
    key = {"channel_account_id": account_id, "folder": folder}
    insert_once(
        tx,
        MailboxCursor,
        key=list(key),
        values={
            **key,
            "uidvalidity": 0,
            "last_uid": 0,
            "holder": "",
            "begun_uidvalidity": 0,
            "begun_uid": 0,
            "begun_by_time": False,
        },
    )
    # A folder that was read before beginnings were noted has none, and keeps none.
    tx.execute(
        update(MailboxCursor)
        .where(*where, MailboxCursor.begun_at.is_(None), MailboxCursor.uidvalidity == 0)
        .values(begun_at=now, begun_uidvalidity=uidvalidity, begun_uid=uidnext)
    )
    tx.execute(
        update(MailboxCursor)
        .where(*where, MailboxCursor.begun_at.is_not(None), MailboxCursor.begun_uidvalidity != uidvalidity)
        .values(begun_uidvalidity=uidvalidity, begun_uid=uidnext, begun_by_time=True)
    )
    row = tx.execute(select(MailboxCursor.__table__).where(*where)).one()
    return Beginning(row.begun_at, row.begun_uid, row.begun_by_time, row.uidvalidity, row.last_uid)
