"""`contact-center calls …`: take a call log over, and see beforehand how it would be read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from channels.phone.callog import CallLog, LoggedCall
from channels.phone.history import BATCH, log_line, store_batch
from channels.phone.lines import line_of
from channels.phone.logfile import place_of, read_file
from channels.phone.past import log_figures
from channels.phone.states import state_of
from contact_center.core.clock import utcnow
from contact_center.core.commands import run_on_database
from contact_center.core.db import Database
from contact_center.core.output import complain, print_json, print_table
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.settings import Settings
from routing.workforce.history import Figures, days_of, document_of
from tickets import channel_accounts
from tickets.states import Channel

SOURCE = "log"
SHOWN_REFUSALS = 20

app = typer.Typer(no_args_is_help=True, help="Phone calls: import the logs of an exchange.")


@app.callback()
def calls() -> None:
    """Phone calls: import the logs of an exchange."""


@dataclass(slots=True)
class Report:
    """What became of a file, row by row counted."""

    file: str
    log: CallLog
    figures: Figures
    taken: int = 0
    duplicates: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        """The report for programs; refused rows with the numbers a spreadsheet shows."""
        refusals = self.log.refusals
        return {
            "file": self.file,
            "layout": self.log.layout.name,
            "columns": {at.value: name for at, name in self.log.headers.items()},
            "rows": len(self.log.calls) + len(refusals),
            "taken": self.taken,
            "duplicate": self.duplicates,
            "refused": len(refusals),
            "states": dict(self.states),
            "days": days_of(self.figures),
            "figures": document_of(self.figures),
            "reasons": dict(Counter(refusal.reason for refusal in refusals)),
            "refusals": [{"row": refusal.row, "reason": refusal.reason} for refusal in refusals],
            "warnings": list(self.log.warnings),
        }


@app.command("import")
def import_calls(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.csv…", help="Twilio, Asterisk, FreeSWITCH, any CSV.")],
    account: Annotated[str | None, typer.Option(help="The phone line they belong to, by name or number.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of times that name none, e.g. Asia/Ho_Chi_Minh.")] = None,
    day: Annotated[str | None, typer.Option("--date", help="Day of times without a date (YYYY-MM-DD).")] = None,
    open_missed: Annotated[bool, typer.Option(help="Leave missed calls open, to be called back.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only show how the files would be read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per file.")] = False,
) -> None:
    """Take every call of the logs once; running it again, or over a longer log, takes only what is new."""

    async def work(db: Database, settings: Settings) -> list[Report]:
        reports = []
        place = place_of(zone or settings.timezone)
        lines = await db.read(channel_accounts.enabled, Vault(load_secret(settings)), Channel.PHONE)
        ours = frozenset(line.address for line in lines)
        for path in files:
            log = read_file(path, place, day, ours)
            report = Report(path.name, log, log_figures(log, place))
            if dry_run:
                report.states = Counter(state_of(call.facts, call.direction).value for call in log.calls)
            else:
                await _store(db, settings, report, account, open_missed=open_missed)
            reports.append(report)
        return reports

    for report in run_on_database(work):
        if as_json:
            print_json(report.document())
        else:
            _show(report, dry_run=dry_run)


async def _store(db: Database, settings: Settings, report: Report, account: str | None, *, open_missed: bool) -> None:
    vault = Vault(load_secret(settings))
    found = await db.write(log_line, vault, account, now=utcnow())
    line = await db.read(line_of, found, source=SOURCE, region=settings.region)
    for batch in _batches(report.log.calls):
        taken = await db.write(store_batch, line, batch, open_missed=open_missed, now=utcnow())
        report.taken += taken.taken
        report.duplicates += taken.duplicates
        report.states += taken.states


def _batches(calls: Sequence[LoggedCall]) -> Iterator[Sequence[LoggedCall]]:
    for start in range(0, len(calls), BATCH):
        yield calls[start : start + BATCH]


def _show(report: Report, *, dry_run: bool) -> None:
    """The report for people: what each column was taken for, then the figures, then the refused rows."""
    document = report.document()
    print_table(
        ["We read", "from the column"], [(at.replace("_", " "), name) for at, name in document["columns"].items()]
    )
    figures = (
        f"{len(report.log.calls)} can be read"
        if dry_run
        else f"{report.taken} taken, {report.duplicates} there already"
    )
    complain(f"{report.file} ({report.log.layout.name}): {figures}, {document['refused']} refused.")
    own = report.figures
    if own.calls:
        complain(
            f"{len(own.days)} days, {own.calls} calls came in: {own.answered} answered after {own.asa:.2f} s on "
            f"average, {own.mean_handle:.2f} s each; {own.abandoned} gave up, {own.left_menu} left in the menu."
        )
    for warning in report.log.warnings:
        complain(warning)
    for refusal in report.log.refusals[:SHOWN_REFUSALS]:
        complain(f"Row {refusal.row}: {refusal.reason}")
    if len(report.log.refusals) > SHOWN_REFUSALS:
        complain(f"… and {len(report.log.refusals) - SHOWN_REFUSALS} more; --json lists them all.")
