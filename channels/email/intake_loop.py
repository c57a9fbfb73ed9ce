"""The loop that takes journaled mails into tickets, a batch per transaction, each mail in a savepoint of its own."""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from channels.email import intake
from channels.email.intake import Prepared, Taken, failed, prepare, take
from channels.email.reader import Reader
from contact_center.core.clock import utcnow
from contact_center.core.secrets import Vault
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.models import JournalItem
from tickets.states import JournalState

log = structlog.get_logger()

BATCH = 25


class MailIntake:
    """Takes what is journaled; one Reader, so at most one child process."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.reader = Reader()

    async def run_once(self) -> bool:
        """Take a batch; True when there may be more."""
        rows, accounts, staff = await self.services.db.read(_batch, self.services.vault)
        if not rows:
            return False
        prepared = await asyncio.to_thread(self._prepare, rows, accounts, staff)
        taken = await self.services.db.write(take_all, prepared, self.services.vault, now=utcnow())
        for done in taken:
            if done.state is JournalState.QUARANTINED:
                log.warning("email.quarantined", journal_id=done.journal_id, reason=done.reason)
        return len(rows) == BATCH

    async def close(self) -> None:
        """End the reading child process."""
        await asyncio.to_thread(self.reader.close)

    def _prepare(
        self, rows: list[Row[JournalItem]], accounts: dict[int, Account], staff: frozenset[str]
    ) -> list[Prepared]:
        services = self.services
        return [
            prepare(
                row,
                accounts[row.channel_account_id],
                reader=self.reader,
                vault=services.vault,
                files=services.files,
                staff=staff,
            )
            for row in rows
        ]


def _batch(tx: Connection, vault: Vault) -> tuple[list[Row[JournalItem]], dict[int, Account], frozenset[str]]:
    rows = intake.waiting(tx, BATCH)
    ids = {row.channel_account_id for row in rows}
    accounts = {account_id: channel_accounts.by_id(tx, vault, account_id) for account_id in ids}
    return rows, accounts, intake.staff_addresses(tx) if rows else frozenset()


def take_all(tx: Connection, batch: list[Prepared], vault: Vault, *, now: datetime) -> list[Taken]:
    """Take every mail of a batch; one that tickets refuse goes to quarantine and stops nobody else."""
    return [_take_guarded(tx, prepared, vault, now=now) for prepared in batch]


def _take_guarded(tx: Connection, prepared: Prepared, vault: Vault, *, now: datetime) -> Taken:
    try:
        with tx.begin_nested():
            return take(tx, prepared, vault, now=now)
    except DBAPIError as error:
        # The database itself is in trouble (or wants the transaction run again): no fault of this mail.
        if not isinstance(error, IntegrityError | DataError):
            raise
        log.error("email.intake_failed", journal_id=prepared.journal_id, exc_info=error)
        return take(tx, failed(prepared, error), vault, now=now)
    except Exception as error:
        log.error("email.intake_failed", journal_id=prepared.journal_id, exc_info=error)
        return take(tx, failed(prepared, error), vault, now=now)
