"""The silence alarm: an account is compared with its own weeks, hour by hour."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from agent_ui.pages.admin_channels import list_accounts
from contact_center import running
from contact_center.core.db import Database
from contact_center.core.secrets import Vault
from tests.conftest import NOW
from tests.factories import make_account, unique
from tickets import inbox, silence
from tickets.inbox import RawItem
from tickets.models import ChannelAccount
from tickets.states import Channel


@pytest.mark.parametrize(
    ("minutes", "before", "rate"),
    [
        (120, [12, 12, 12, 12], 6.0),
        (40, [4, 4, 4, 4], None),
        (19, [90, 90, 90, 90], None),
        (120, [12], None),
        # A campaign in one week makes no normal.
        (120, [0, 0, 0, 900], None),
        (600, [0, 0, 0, 0], None),
    ],
)
def test_a_gap_is_judged_by_what_is_missing(minutes: int, before: list[int], rate: float | None) -> None:
    assert silence.judge(timedelta(minutes=minutes), before) == rate


def busy(tx: Connection, name: str, *, until: datetime, history: bool = False) -> int:
    """An account that takes six items an hour from 8 to 12 on every day of five weeks."""
    account_id = make_account(tx, Channel.EMAIL, name=name, address=f"{name}@shop.test")
    created = NOW - timedelta(days=40)
    tx.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(created_at=created))
    for day in range(36):
        begin = (NOW - timedelta(days=day)).replace(hour=8, minute=5)
        for step in range(24):
            at = begin + timedelta(minutes=10 * step)
            if at <= until:
                inbox.store(tx, RawItem(Channel.EMAIL, account_id, unique("x"), history=history), now=at)
    return account_id


async def test_an_account_that_falls_silent_in_its_busy_hours_is_named(db: Database, vault: Vault) -> None:
    noon = NOW.replace(hour=11, minute=0)

    def story(tx: Connection) -> None:
        busy(tx, "Support", until=NOW)
        busy(tx, "Sales", until=noon)
        busy(tx, "Old mail", until=NOW, history=True)
        make_account(tx, Channel.EMAIL, name="New", address="new@shop.test")

    await db.write(story)

    found = await db.read(silence.silent, noon)
    assert [(one.name, one.minutes, one.normal) for one in found] == [("Support", 125, "5.8")]
    lines = {line.name: line for line in await db.read(list_accounts, vault, noon)}
    assert lines["Support"].silence is not None
    assert lines["Sales"].silence is None
    # At night nothing is normal.
    assert await db.read(silence.silent, NOW.replace(hour=4)) == []
    said = [one.what() for one in await db.read(running.look, noon)]
    assert "Support took nothing for 125 minutes; 5.8 an hour are normal at this time." in said
