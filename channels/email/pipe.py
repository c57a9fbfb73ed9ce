"""A mail server's pipe: which mailbox a mail is for, the journal, then the ticket."""

import asyncio
from typing import Any

from sqlalchemy import Connection, Row, select

from channels.email.intake import Taken, prepare, staff_addresses, take, went_to
from channels.email.journaling import raw_item, store
from channels.email.reader import Reader
from channels.email.smtp_in import account_for
from contact_center.core.clock import utcnow
from contact_center.core.db import Database
from contact_center.core.errors import NotFound
from contact_center.core.files import FileStore, digest_of
from contact_center.core.secrets import Vault
from tickets import channel_accounts, queues
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, JournalItem, Queue
from tickets.states import Channel, JournalState

PIPE_MAILBOX = "Mail"
"""The mailbox of an installation that has none: it only takes in, nothing polls it and nothing is sent from it."""

_ANY_MAILBOX = select(ChannelAccount.id).where(ChannelAccount.channel == Channel.EMAIL.value).limit(1)


async def ingest(db: Database, vault: Vault, files: FileStore, raw: bytes, name: str | None) -> Taken:
    """Take one mail; handing the same bytes in again tells where they went the first time."""
    reader = Reader()
    try:
        account = await db.write(_account, vault, name, _recipients(reader, raw))
        item = await asyncio.to_thread(raw_item, files, account.id, f"pipe:{digest_of(raw)}", raw)
        journal_id = await db.write(store, item, now=utcnow())
        if journal_id is None:
            return await db.read(_taken_before, account.id, item.external_id)
        row = await db.read(_journaled, journal_id)
        staff = await db.read(staff_addresses)
        prepared = prepare(row, account, reader=reader, vault=vault, files=files, staff=staff)
    finally:
        reader.close()
    return await db.write(take, prepared, vault, now=utcnow())


def _recipients(reader: Reader, raw: bytes) -> list[str]:
    mail = reader.read(raw)
    return [*mail.delivered_to, *(box.address for box in (*mail.to, *mail.cc))]


def _account(tx: Connection, vault: Vault, name: str | None, recipients: list[str]) -> Account:
    """The mailbox of that name or address, the only one, the one that a recipient names, or a first one."""
    if tx.execute(_ANY_MAILBOX).first() is None:
        return _first_mailbox(tx, vault, name, recipients)
    mailboxes = channel_accounts.enabled(tx, vault, Channel.EMAIL)
    # Mail servers name the recipient, and that of an answer is a plus-address.
    if name is not None and "@" in name and (found := account_for(tx, vault, name)) is not None:
        return found
    if name is not None:
        return channel_accounts.by_name(tx, vault, name, Channel.EMAIL)
    if len(mailboxes) == 1:
        return mailboxes[0]
    for address in recipients:
        if (found := account_for(tx, vault, address)) is not None:
            return found
    names = ", ".join(account.name for account in mailboxes)
    raise NotFound("Say with --account which mailbox it is for: {names}.", names=names or "all are switched off")


def _first_mailbox(tx: Connection, vault: Vault, name: str | None, recipients: list[str]) -> Account:
    now, name = utcnow(), name or PIPE_MAILBOX
    # Answers will go out from here, so an address that was written to is better than none.
    address = name if "@" in name else next((one for one in recipients if "@" in one), name)
    queue_id = tx.execute(select(Queue.id).order_by(Queue.id).limit(1)).scalar_one_or_none()
    if queue_id is None:
        queue_id = queues.create(tx, name, now=now)
    account_id = channel_accounts.create(
        tx, vault, channel=Channel.EMAIL, name=name, address=address.lower(), queue_id=queue_id, now=now
    )
    return channel_accounts.by_id(tx, vault, account_id)


def _taken_before(tx: Connection, account_id: int, external_id: str) -> Taken:
    journal_id = tx.execute(
        select(JournalItem.id).where(
            JournalItem.channel_account_id == account_id, JournalItem.external_id == external_id
        )
    ).scalar_one()
    reason = "the same bytes were handed in before"
    return Taken(journal_id, JournalState.DUPLICATE, reason, went_to(tx, journal_id))


def _journaled(tx: Connection, journal_id: int) -> Row[Any]:
    return tx.execute(JournalItem.__table__.select().where(JournalItem.id == journal_id)).one()
