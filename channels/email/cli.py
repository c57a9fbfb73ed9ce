"""`contact-center email …`: look at how a mail is understood, or hand one in from a pipe."""

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from channels.email.limits import MAX_BYTES
from channels.email.parse import quarantined
from channels.email.parsed import ParsedMail, as_dict
from channels.email.reader import Reader
from contact_center.core.errors import DomainError
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Read a mail file, hand one in, or compare a mailbox.")


# What opens a database is loaded by the verbs that do: `parse` starts in a fraction of the time.
STORES = "channels.email.cli_stores"
# sysexits.h EX_TEMPFAIL: a mail server that pipes to us keeps the mail and tries again, also while a setting is wrong.
EXIT_TRY_LATER = 75


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Raw mails (.eml, .box, .txt); - reads standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Show what is understood of mails: sender, text, what is quoted, files, bounces. Nothing is stored."""
    reader = Reader()
    unreadable = False
    try:
        for file in files:
            try:
                mail = reader.read(_bytes(file))
            except OSError as error:
                # The files after it are read all the same.
                unreadable = True
                mail = quarantined(f"the file cannot be read: {error.strerror or error}")
                complain(f"{file}: {error.strerror or error}")
            _print(file, mail, as_json=as_json)
    finally:
        reader.close()
    if unreadable:
        raise typer.Exit(2)


def _print(file: Path, mail: ParsedMail, *, as_json: bool) -> None:
    name = os.fsencode(file).decode("utf-8", "replace")
    if as_json:
        print_json(as_dict(mail, name))
    else:
        _show(name, mail)


@app.command()
def ingest(
    file: Annotated[Path, typer.Argument(help="A raw mail; - reads standard input.")],
    account: Annotated[
        str | None,
        typer.Option(help="Name or address of the mailbox; without it the recipients say which."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hand one mail in, as a mail server's pipe does: journal first, then the ticket."""
    stores = importlib.import_module(STORES)
    try:
        taken = asyncio.run(stores.ingest(Settings(), _bytes(file), account))
    except DomainError as error:
        complain(error.detail)
        raise typer.Exit(EXIT_TRY_LATER) from error
    except (OSError, stores.SQLAlchemyError) as error:
        complain(f"The mail could not be stored: {error}")
        raise typer.Exit(EXIT_TRY_LATER) from error
    # Quarantined is stored too: the sending server must not hand it in again, a person looks at it.
    stores.report(taken, as_json=as_json)


@app.command("reconcile")
def compare_mailbox(
    account: Annotated[str, typer.Option(help="Name or address of the mailbox.")],
    take: Annotated[bool, typer.Option("--take", help="Hand in what is missing; old mail as silent history.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a mailbox with what was taken from it: in the box, taken, missing, and why each mail is missing."""
    try:
        report = asyncio.run(importlib.import_module(STORES).reconcile_with(Settings(), account, takes=take))
    except DomainError as error:
        complain(error.detail)
        raise typer.Exit(2) from error
    if as_json:
        print_json(report)
    else:
        figures = ("in_the_box", "taken", "missing", "handed_in")
        print_table(["In the box", "Taken", "Missing", "Handed in"], [tuple(str(report[name]) for name in figures)])
        mails = [(mail["date"] or "", mail["from"], mail["subject"], mail["why"]) for mail in report["mails"]]
        print_table(["Date", "From", "Subject", "Why"], mails)
    if report["error"]:
        complain(report["error"])
        raise typer.Exit(1)


def _bytes(file: Path) -> bytes:
    """The mail; of one that is too large only enough to see that."""
    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with file.open("rb") as handle:
        return handle.read(MAX_BYTES + 1)


def _show(name: str, mail: ParsedMail) -> None:
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
    print_table(["", name], rows)
