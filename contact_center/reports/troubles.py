"""What is wrong with the channels now, for the board."""

from datetime import datetime

from sqlalchemy import Connection, select

from channels import unsettled
from contact_center.reports.floor import Trouble
from tickets.models import ChannelAccount

MOST = 5


def accounts(tx: Connection) -> tuple[Trouble, ...]:
    """The channel accounts that cannot work, with the errors that they reported."""
    rows = tx.execute(
        select(ChannelAccount.id, ChannelAccount.name, ChannelAccount.last_error)
        .where(ChannelAccount.enabled, ChannelAccount.last_error.is_not(None))
        .order_by(ChannelAccount.name)
        .limit(MOST)
    )
    return tuple(Trouble(row.id, row.name, row.last_error) for row in rows)


def unsettled_messages(tx: Connection, now: datetime) -> int:
    """How many messages nobody knows the fate of."""
    return unsettled.count(tx, now)
