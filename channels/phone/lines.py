"""The phone line that a call came in on, with the words and the form of numbers of its place."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from channels.phone.flow.plan import plan_of
from channels.sms.numbers import Kind, identify, region_of
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, Queue
from tickets.states import Channel


@dataclass(frozen=True, slots=True)
class Line:
    """The phone line a report is about, with the words and form of numbers of its place."""

    account: Account
    region: str
    locale: str
    source: str

    @property
    def rings_agents(self) -> bool:
        """Whether agents are offered a call as soon as it rings: not where a plan leads the caller to them."""
        return bool(self.account.settings.get("ring_agents")) and plan_of(self.account.settings) is None


def line_of(tx: Connection, account: Account, *, source: str, region: str) -> Line:
    """The line behind an account; its queue's language, its own region or the server's."""
    locale = (
        account.settings.get("locale")
        or tx.execute(select(Queue.locale).where(Queue.id == account.queue_id)).scalar_one_or_none()
    )
    return Line(account, str(account.settings.get("region") or region), str(locale or "en"), source)


def line_by_id(tx: Connection, account_id: int, *, source: str) -> Line:
    """The line behind an account where nobody has its credentials open; its own number tells the region."""
    row = tx.execute(select(ChannelAccount.__table__).where(ChannelAccount.id == account_id)).one()
    account = Account(
        row.id, Channel(row.channel), row.name, row.address, row.key, row.queue_id, row.enabled, row.settings, {}
    )
    return line_of(tx, account, source=source, region=region_of(row.address))


def number_of(written: str, region: str) -> str:
    """The customer's number as we keep it: E.164, what was written where it is none, empty when it was hidden."""
    party = identify(written, region)
    if party is None:
        return written.strip()[:80]
    return "" if party.kind is Kind.HIDDEN else party.address
