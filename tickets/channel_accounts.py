"""Channel accounts: mailboxes, numbers, widgets and lines, their settings and encrypted credentials."""

import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.exc import IntegrityError

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.secrets import Vault
from contact_center.core.upsert import insert_once
from tickets.models import ChannelAccount
from tickets.states import Channel

LONGEST_EXTENSION = 20


@dataclass(frozen=True, slots=True)
class Account:
    """A channel account with its credentials opened; never log it."""

    id: int
    channel: Channel
    name: str
    address: str
    key: str
    queue_id: int
    enabled: bool
    settings: Mapping[str, Any]
    secrets: Mapping[str, Any]


def create(
    tx: Connection,
    vault: Vault,
    *,
    channel: Channel,
    name: str,
    address: str,
    queue_id: int,
    now: datetime,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> int:
    """Add an account; Conflict if the name or the address is in use."""
    account_id = insert_once(
        tx,
        ChannelAccount,
        key=["channel", "address"],
        values={
            "channel": channel.value,
            "name": name,
            "address": address,
            "key": key or random.token_urlsafe(18),
            "queue_id": queue_id,
            "settings": dict(settings or {}),
            "secrets": vault.encrypt(dict(secrets)) if secrets else None,
            "enabled": True,
            "created_at": now,
        },
    )
    if account_id is None:
        raise Conflict("{address} is set up already.", address=address)
    emit(tx, "channel_account.changed", {"account_id": account_id}, now=now, topics=["channel_accounts"])
    return account_id


def by_key(tx: Connection, vault: Vault, key: str) -> Account:
    """The enabled account behind a webhook or widget address; NotFound tells nothing more."""
    row = tx.execute(select(ChannelAccount.__table__).where(ChannelAccount.key == key, ChannelAccount.enabled)).first()
    if row is None:
        raise NotFound("There is nothing here.")
    return opened(row, vault)


def by_id(tx: Connection, vault: Vault, account_id: int, *, lock: bool = False) -> Account:
    """An account, enabled or not; `lock` it for a change that depends on what is stored."""
    query = select(ChannelAccount.__table__).where(ChannelAccount.id == account_id)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("There is no such channel account.")
    return opened(row, vault)


def by_name(tx: Connection, vault: Vault, name: str, channel: Channel) -> Account:
    """An account of a channel by its name or its address."""
    row = tx.execute(
        select(ChannelAccount.__table__).where(
            ChannelAccount.channel == channel.value,
            (ChannelAccount.name == name) | (ChannelAccount.address == name),
        )
    ).first()
    if row is None:
        raise NotFound("There is no {channel} account called {name}.", channel=channel.value, name=name)
    return opened(row, vault)


def enabled(tx: Connection, vault: Vault, channel: Channel) -> Sequence[Account]:
    """All enabled accounts of a channel."""
    rows = tx.execute(
        select(ChannelAccount.__table__)
        .where(ChannelAccount.channel == channel.value, ChannelAccount.enabled)
        .order_by(ChannelAccount.id)
    ).all()
    return [opened(row, vault) for row in rows]


def opened(row: Row[Any], vault: Vault) -> Account:
    """An account row with its credentials decrypted; raises BadToken if the secret key has changed."""
    return Account(
        id=row.id,
        channel=Channel(row.channel),
        name=row.name,
        address=row.address,
        key=row.key,
        queue_id=row.queue_id,
        enabled=row.enabled,
        settings=row.settings,
        secrets=vault.decrypt(row.secrets) if row.secrets else {},
    )


def change(
    tx: Connection,
    vault: Vault,
    account_id: int,
    *,
    now: datetime,
    values: Mapping[str, Any],
    secrets: Mapping[str, Any] | None = None,
) -> None:
    """Change columns (name, queue_id, settings, enabled) and, if given, all credentials."""
    columns = dict(values)
    if secrets is not None:
        columns["secrets"] = vault.encrypt(dict(secrets))
    tx.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(**columns))
    emit(tx, "channel_account.changed", {"account_id": account_id}, now=now, topics=["channel_accounts"])


def set_address(tx: Connection, vault: Vault, account_id: int, address: str, *, now: datetime) -> None:
    """Give an account another address, in its normal spelling. Conflict if another account of the channel has it.

    A mailbox keeps the old one among its aliases: answers to mail that was sent from there still belong to us.
    """
    account = by_id(tx, vault, account_id)
    if address == account.address:
        return
    values: dict[str, Any] = {"address": address}
    if account.channel is Channel.EMAIL:
        aliases = [one for one in account.settings.get("aliases", []) if one not in (address, account.address)]
        values["settings"] = {**account.settings, "aliases": [*aliases, account.address]}
    try:
        change(tx, vault, account_id, now=now, values=values)
    except IntegrityError as error:
        raise Conflict("{address} is set up already.", address=address) from error


def set_extensions(
    tx: Connection, vault: Vault, account_id: int, extensions: Mapping[str, str], *, now: datetime
) -> None:
    """Whose phone is whose: extension -> the e-mail address or full name of a user. Invalid names a bad one."""
    account = by_id(tx, vault, account_id)
    if account.channel is not Channel.PHONE:
        raise Invalid("Only phone lines have extensions.")
    for extension in extensions:
        if not 0 < len(extension) <= LONGEST_EXTENSION or any(char.isspace() for char in extension):
            raise Invalid("{extension} is not an extension.", field=extension, extension=extension)
    change(tx, vault, account_id, now=now, values={"settings": {**account.settings, "extensions": dict(extensions)}})


def report(tx: Connection, account_id: int, *, now: datetime, error: str | None) -> None:
    """Note an account's health: the last error, or that something came in."""
    values: dict[str, Any] = {"last_error": error[:500] if error else None}
    if error is None:
        values["last_inbound_at"] = now
    tx.execute(update(ChannelAccount).where(ChannelAccount.id == account_id).values(**values))


def all_named(tx: Connection) -> Sequence[Row[int, str]]:
    """(id, name) of all accounts, by name."""
    return tx.execute(select(ChannelAccount.id, ChannelAccount.name).order_by(ChannelAccount.name)).all()


def recovered(tx: Connection, account_id: int) -> None:
    """The account works again: nothing is wrong any more, whether or not something came in."""
    tx.execute(
        update(ChannelAccount)
        .where(ChannelAccount.id == account_id, ChannelAccount.last_error.is_not(None))
        .values(last_error=None)
    )
