"""Accounts that have fallen silent: nothing came for so long that, by the weeks before, much should have come.

The measure is the account's own: what came in the same hours of the same weekdays of the last four weeks. Where
EXPECTED items or more are missing, chance alone leaves such a gap about once in three thousand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean

from sqlalchemy import Connection, func, literal, select, union_all

from tickets.models import ChannelAccount, JournalItem

WEEK = timedelta(days=7)
WEEKS = 4
# Fewer say nothing about what is normal.
FEWEST_WEEKS = 2
SHORTEST = timedelta(minutes=20)
LONGEST = timedelta(hours=24)
EXPECTED = 8.0
# The hours and accounts that are compared in one statement.
MOST = 100
# The reason in the journal of a mail that we sent to ourselves: it says nothing about customers.
TEST_MAIL = "test_mail"
# What counts as something that came.
COUNTS = ~JournalItem.history & (JournalItem.reason.is_(None) | (JournalItem.reason != TEST_MAIL))


@dataclass(frozen=True, slots=True)
class Silence:
    """An account that takes nothing; `minutes` are capped at a day, `rate` is what is normal per hour."""

    account_id: int
    name: str
    minutes: int
    rate: float

    @property
    def normal(self) -> str:
        """The rate for people: 6, 0.5."""
        return f"{self.rate:.1f}".removesuffix(".0")


def judge(gap: timedelta, before: Sequence[int]) -> float | None:
    """What is normal per hour, if a gap is too long for it; `before`: items in the same hours of the weeks before."""
    if gap < SHORTEST or len(before) < FEWEST_WEEKS:
        return None
    # One week alone may have been a campaign.
    usual = mean(sorted(before)[:-1])
    return usual / (gap / timedelta(hours=1)) if usual >= EXPECTED else None


def silent(tx: Connection, now: datetime, account_id: int | None = None) -> list[Silence]:
    """Enabled accounts that have fallen silent, by name (or whether one has); three statements at most."""
    accounts = tx.execute(
        select(ChannelAccount.id, ChannelAccount.name, ChannelAccount.created_at)
        .where(
            ChannelAccount.enabled,
            ChannelAccount.created_at <= now - FEWEST_WEEKS * WEEK,
            *(() if account_id is None else (ChannelAccount.id == account_id,)),
        )
        .order_by(ChannelAccount.name)
        .limit(MOST)
    ).all()
    recent = select(JournalItem.channel_account_id, func.max(JournalItem.received_at).label("at"))
    recent = recent.where(JournalItem.received_at >= now - LONGEST, COUNTS)
    last = {row.channel_account_id: row.at for row in tx.execute(recent.group_by(JournalItem.channel_account_id))}
    gaps = {account.id: now - max(last.get(account.id, now - LONGEST), account.created_at) for account in accounts}
    counts = [
        select(literal(account.id).label("account_id"), func.count().label("items")).where(
            JournalItem.channel_account_id == account.id,
            JournalItem.received_at > now - week * WEEK - gaps[account.id],
            JournalItem.received_at <= now - week * WEEK,
            COUNTS,
        )
        for account in accounts
        if gaps[account.id] >= SHORTEST
        for week in range(1, 1 + min(WEEKS, (now - account.created_at) // WEEK))
    ]
    before: dict[int, list[int]] = {}
    for row in tx.execute(union_all(*counts)) if counts else ():
        before.setdefault(row.account_id, []).append(row.items)
    return [
        Silence(account.id, account.name, gaps[account.id] // timedelta(minutes=1), rate)
        for account in accounts
        if (rate := judge(gaps[account.id], before.get(account.id, []))) is not None
    ]
