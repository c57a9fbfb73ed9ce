"""What is wrong with channel accounts: fallen silent, or not reached. Noticed once, and once more when it is over.

A row is one trouble of one account, open until `ended_at`. Who serves the account sees it as long as it is open.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, or_, select, update
from sqlalchemy.orm import Mapped

from contact_center.accounts.models import User
from contact_center.accounts.permissions import Role
from contact_center.core.events import Event, emit, poke
from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import insert_once
from routing.models import ProfileRow
from tickets import notifications
from tickets.models import ChannelAccount, JournalItem, partial_index, refers_to
from tickets.notifications import What
from tickets.silence import COUNTS, silent

# A server that restarts is no trouble yet.
PATIENCE = timedelta(minutes=5)
OPEN = "ended_at IS NULL"
WELL = "well"
LOOKS_AFTER_ALL = (Role.ADMIN.value, Role.SUPERVISOR.value)


class Trouble(StrEnum):
    """What is wrong."""

    SILENT = "silent"
    FAILING = "failing"


class ChannelTrouble(Base):
    """One trouble of one account: `silent` or `failing`."""

    __tablename__ = "channel_troubles"

    id: Mapped[int] = id_column()
    channel_account_id: Mapped[int] = refers_to("channel_accounts.id", index=False)
    kind: Mapped[str]
    since: Mapped[datetime]
    # When people were told; NULL while it may pass by itself.
    told_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    __table_args__ = (partial_index("uq_channel_troubles_open", "channel_account_id", "kind", where=OPEN, unique=True),)


SAYS = {Trouble.SILENT.value: What.SILENT, Trouble.FAILING.value: What.FAILING, WELL: What.WELL}


def watch(tx: Connection, now: datetime) -> int:
    """Open, tell and end troubles; how many changed."""
    accounts = {row.id: row for row in tx.execute(select(ChannelAccount.id, *_HEALTH).where(ChannelAccount.enabled))}
    found = {
        (one.account_id, Trouble.SILENT.value): now - timedelta(minutes=one.minutes) for one in silent(tx, now)
    } | {(account_id, Trouble.FAILING.value): now for account_id, row in accounts.items() if row.last_error}
    for (account_id, kind), since in found.items():
        values = {"channel_account_id": account_id, "kind": kind, "since": since, "told_at": None, "ended_at": None}
        insert_once(tx, ChannelTrouble, key=["channel_account_id", "kind"], values=values, where=OPEN)
    changed = 0
    for row in tx.execute(select(ChannelTrouble.__table__).where(ChannelTrouble.ended_at.is_(None))).all():
        account = accounts.get(row.channel_account_id)
        if account is None or (_key(row) not in found and _is_over(tx, row)):
            changed += _end(tx, row, said=row.told_at is not None and account is not None, now=now)
        elif row.told_at is None and (row.kind == Trouble.SILENT.value or row.since <= now - PATIENCE):
            changed += _tell(tx, row, now=now)
    return changed


_HEALTH = (ChannelAccount.last_error,)


def _key(row: Any) -> tuple[int, str]:
    return row.channel_account_id, row.kind


def _is_over(tx: Connection, row: Any) -> bool:
    """A silence ends when something comes; that night has fallen and nothing is normal any more ends none."""
    if row.kind != Trouble.SILENT.value:
        return True
    came = select(JournalItem.id).where(
        JournalItem.channel_account_id == row.channel_account_id,
        JournalItem.received_at > row.since,
        COUNTS,
    )
    return tx.execute(came.limit(1)).first() is not None


def _tell(tx: Connection, row: Any, *, now: datetime) -> int:
    mine = update(ChannelTrouble).where(ChannelTrouble.id == row.id, ChannelTrouble.told_at.is_(None))
    if not tx.execute(mine.values(told_at=now)).rowcount:
        return 0
    _emit(tx, row, row.kind, now=now)
    return 1


def _end(tx: Connection, row: Any, *, said: bool, now: datetime) -> int:
    mine = update(ChannelTrouble).where(ChannelTrouble.id == row.id, ChannelTrouble.ended_at.is_(None))
    if not tx.execute(mine.values(ended_at=now)).rowcount:
        return 0
    if said:
        _emit(tx, row, WELL, now=now)
    return 1


def _emit(tx: Connection, row: Any, state: str, *, now: datetime) -> None:
    payload = {"account_id": row.channel_account_id, "state": state, "since": row.since.isoformat()}
    emit(tx, "channel_account.health_changed", payload, now=now, topics=["channel_accounts"])


def on_health_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Handler of `channel_account.health_changed`: tells who looks after channels, and shows it to who serves it."""
    told = tx.execute(select(User.id).where(User.active, User.role.in_(LOOKS_AFTER_ALL)).order_by(User.id)).scalars()
    notifications.tell_of_account(tx, event, told.all(), SAYS[event.payload["state"]])
    serving = (
        select(ProfileRow.user_id)
        .join(ChannelAccount, ChannelAccount.queue_id == ProfileRow.queue_id)
        .where(ChannelAccount.id == event.payload["account_id"])
    )
    for user_id in tx.execute(serving).scalars().all():
        poke(tx, f"user:{user_id}", name="channel_health.changed", payload={}, relay=False)


def _concerns() -> ColumnElement[bool]:
    """Troubles that people know of, on accounts that :user serves or looks after."""
    served = select(ProfileRow.queue_id).where(ProfileRow.user_id == bindparam("user"))
    looks_after = exists().where(User.id == bindparam("user"), User.role.in_(LOOKS_AFTER_ALL))
    return ChannelTrouble.told_at.is_not(None) & or_(ChannelAccount.queue_id.in_(served), looks_after)


_OPEN = ChannelTrouble.ended_at.is_(None)
_ON_ACCOUNT = ChannelAccount.id == ChannelTrouble.channel_account_id
# Built once: it runs with every page.
COUNT = (
    select(func.count(ChannelTrouble.channel_account_id.distinct()))
    .select_from(ChannelTrouble)
    .join(ChannelAccount, _ON_ACCOUNT)
    .where(_OPEN, _concerns())
)
_LIST = (
    select(
        ChannelAccount.channel,
        ChannelAccount.name,
        ChannelAccount.address,
        ChannelTrouble.kind,
        ChannelTrouble.since,
    )
    .join(ChannelAccount, _ON_ACCOUNT)
    .where(_OPEN, _concerns())
    .order_by(ChannelAccount.name, ChannelTrouble.since)
)


def troubles(tx: Connection, user_id: int) -> Sequence[Any]:
    """What is wrong with the accounts that a person serves: channel, name, address, kind, since."""
    return tx.execute(_LIST, {"user": user_id}).all()
