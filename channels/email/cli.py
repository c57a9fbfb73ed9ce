"""`contact-center email …`: look at how a mail is understood, or hand one in from a pipe."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from channels.email.intake import Taken, prepare, staff_addresses, take
from channels.email.journaling import raw_item, store
from channels.email.parsed import ParsedMail, as_dict
from channels.email.reader import Reader
from contact_center.core.clock import utcnow
from contact_center.core.db import Database, open_database
from contact_center.core.errors import DomainError, NotFound
from contact_center.core.files import FileStore, digest_of
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.settings import Settings
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.models import JournalItem
from tickets.numbers import number_of
from tickets.states import Channel, JournalState

app = typer.Typer(no_args_is_help=True, help="Read a mail file, or hand one in.")

# sysexits.h EX_TEMPFAIL: a mail server that pipes to us keeps the mail and tries again.
EXIT_TRY_LATER = 75


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Raw mails (.eml, .box, .txt); - reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Show what is understood of mails: sender, text, what is quoted, files, bounces. Nothing is stored."""
    reader = Reader()
    try:
        for file in files:
            try:
                mail = reader.read(_bytes(file))
            except OSError as error:
                complain(f"{file}: {error.strerror or error}")
                raise typer.Exit(2) from error
            if as_json:
                print_json(as_dict(mail, str(file)))
            else:
                _show(file, mail)
    finally:
        reader.close()


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="A raw mail; - reads standard input.")],
    account: Annotated[
        str | None, typer.Option(help="Name or address of the mailbox; needed if there are several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hand one mail in, as a mail server's pipe does: journal first, then the ticket."""
    try:
        settings = Settings()
        raw = _bytes(file)
        taken = asyncio.run(_ingest(settings, raw, account))
    except DomainError as error:
        complain(error.detail)
        raise typer.Exit(1) from error
    except (OSError, SQLAlchemyError) as error:
        complain(f"The mail could not be stored: {error}")
        raise typer.Exit(EXIT_TRY_LATER) from error
    # Quarantined is stored too: the sending server must not hand it in again, a person looks at it.
    _report(taken, as_json=as_json)


def _bytes(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


async def _ingest(settings: Settings, raw: bytes, name: str | None) -> Taken:
    db = open_database(settings.database)
    vault = Vault(load_secret(settings))
    files = FileStore(settings.data_dir / "files")
    try:
        account = await db.read(_account, vault, name)
        item = raw_item(files, account.id, f"pipe:{digest_of(raw)}", raw)
        journal_id = await db.write(store, item, now=utcnow())
        if journal_id is None:
            return Taken(0, JournalState.DUPLICATE, "the same bytes were handed in before")
        return await _take(db, account, journal_id, vault, files)
    finally:
        await db.close()


async def _take(db: Database, account: Account, journal_id: int, vault: Vault, files: FileStore) -> Taken:
    row = await db.read(_journaled, journal_id)
    staff = await db.read(staff_addresses)
    reader = Reader()
    try:
        prepared = prepare(row, account, reader=reader, vault=vault, files=files, staff=staff)
    finally:
        reader.close()
    return await db.write(take, prepared, vault, now=utcnow())


def _account(tx: Connection, vault: Vault, name: str | None) -> Account:
    if name is not None:
        return channel_accounts.by_name(tx, vault, name, Channel.EMAIL)
    found = channel_accounts.enabled(tx, vault, Channel.EMAIL)
    if len(found) != 1:
        names = ", ".join(account.name for account in found)
        raise NotFound("Say with --account which mailbox it is for: {names}.", names=names or "none is set up")
    return found[0]


def _journaled(tx: Connection, journal_id: int) -> Any:
    return tx.execute(JournalItem.__table__.select().where(JournalItem.id == journal_id)).one()


def _report(taken: Taken, *, as_json: bool) -> None:
    receipt = taken.receipt
    number = number_of(receipt.ticket_id) if receipt and receipt.ticket_id else None
    if as_json:
        print_json(
            {
                "journal_id": taken.journal_id or None,
                "outcome": taken.state.value,
                "reason": taken.reason,
                "ticket": number,
                "message_id": receipt.message_id if receipt else None,
                "matched_by": receipt.matched_by if receipt else None,
                "created": bool(receipt and receipt.created),
            }
        )
        return
    where = f", ticket #{number}" if number else ""
    complain(f"{taken.state.value}{where}{f': {taken.reason}' if taken.reason else ''}")


def _show(file: Path, mail: ParsedMail) -> None:
    bounced = ", ".join(f"{found.address} ({found.kind})" for found in mail.bounce.recipients) if mail.bounce else ""
    rows = [
        ("Outcome", f"{mail.outcome.value} {mail.reason}".strip()),
        ("From", f"{mail.sender.name} <{mail.sender.address}>"),
        ("To", ", ".join(box.address for box in mail.to)),
        ("Subject", mail.subject),
        ("Date", mail.date),
        ("Written", mail.reply_text[:2000]),
        ("Quoted", f"{len(mail.quoted_text.splitlines())} lines"),
        ("Files", ", ".join(f"{found.filename} ({found.size} bytes)" for found in mail.attachments)),
        ("Automatic", "yes" if mail.auto_submitted else "no"),
        ("Bounce", bounced or ("yes" if mail.bounce else "no")),
        ("Forwarded from", mail.forwarded.sender.address if mail.forwarded else ""),
    ]
    print_table(["", str(file)], rows)
