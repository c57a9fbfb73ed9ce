"""The account behind a webhook's address, remembered for a moment: under load each request would ask the same."""

from weakref import WeakKeyDictionary

from contact_center.core.clock import monotonic
from contact_center.core.db import Database
from contact_center.core.errors import NotFound
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

# Seconds; also how long a disabled account or an old token is still taken. Reading it costs as much as the intake.
FRESH = 2.0

_known: WeakKeyDictionary[Database, dict[str, tuple[float, Account]]] = WeakKeyDictionary()


async def account_by_key(held: Services, key: str, *channels: Channel) -> Account:
    """The enabled account of one of these channels; NotFound tells nothing more."""
    known = _known.setdefault(held.db, {})
    at, account = known.get(key, (0.0, None))
    if account is None or monotonic() - at > FRESH:
        account = await held.db.read(channel_accounts.by_key, held.vault, key)
        known[key] = (monotonic(), account)
    if account.channel not in channels:
        raise NotFound("There is nothing here.")
    return account
