"""The verbs of `contact-center email` that open the database: hand a mail in, compare a mailbox."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from channels.email import pipe, reconcile
from channels.email.grants import AccessTokens
from channels.email.intake import Taken
from channels.email.reconciler import compare
from contact_center.core.clock import utcnow
from contact_center.core.db import Database, open_database
from contact_center.core.errors import Conflict
from contact_center.core.files import FileStore
from contact_center.core.output import complain, print_json
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.settings import Settings
from tickets import channel_accounts
from tickets.numbers import number_of
from tickets.states import Channel

__all__ = ["SQLAlchemyError", "ingest", "reconcile_with", "report"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a comparison needs of an installation."""

    db: Database
    vault: Vault
    files: FileStore


async def ingest(settings: Settings, raw: bytes, name: str | None) -> Taken:
    """Journal one mail and take it; raises DomainError, OSError or SQLAlchemyError."""
    db = open_database(settings.database)
    try:
        vault = Vault(load_secret(settings))
        return await pipe.ingest(db, vault, FileStore(settings.data_dir / "files"), raw, name)
    finally:
        await db.close()


async def reconcile_with(settings: Settings, name: str, *, takes: bool) -> dict[str, Any]:
    """Compare a mailbox with what was taken from it; the report for programs. Raises DomainError."""
    db = open_database(settings.database)
    try:
        vault = Vault(load_secret(settings))
        stores = Opened(db, vault, FileStore(settings.data_dir / "files"))
        account = await db.read(channel_accounts.by_name, vault, name, Channel.EMAIL)
        if not await db.write(reconcile.ask, account.id, takes=takes, by=None, now=utcnow(), here=True):
            raise Conflict("This mailbox is being compared at the moment.")
        await compare(stores, account, AccessTokens(stores), takes=takes)
        row = await db.read(reconcile.report_of, account.id)
    finally:
        await db.close()
    assert row is not None
    return reconcile.as_dict(row, account.name)


def report(taken: Taken, *, as_json: bool) -> None:
    """Say what became of a mail."""
    receipt = taken.receipt
    number = number_of(receipt.ticket_id) if receipt and receipt.ticket_id else None
    if as_json:
        print_json(
            {
                "journal_id": taken.journal_id or None,
                "outcome": taken.state.value,
                "reason": taken.reason,
                "ticket": number,
                "message": receipt.message_id if receipt else None,
                "matched_by": receipt.matched_by if receipt else None,
                "created": bool(receipt and receipt.created),
            }
        )
        return
    where = f", ticket #{number}" if number else ""
    complain(f"{taken.state.value}{where}{f': {taken.reason}' if taken.reason else ''}")
